"""Volumes of a Pod and where containers mount them.

Source: core ValidateVolumes, ValidateVolumeMounts, ValidateVolumeDevices.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from fleet.manifests.admission import claims, environment, faults, labels, rules, texts
from fleet.manifests.admission.tables import Found, Row, below, row

SOURCES = (
    "emptyDir",
    "hostPath",
    "gitRepo",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "secret",
    "nfs",
    "iscsi",
    "glusterfs",
    "flocker",
    "persistentVolumeClaim",
    "rbd",
    "cinder",
    "cephfs",
    "quobyte",
    "downwardAPI",
    "fc",
    "flexVolume",
    "configMap",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "storageos",
    "projected",
    "scaleIO",
    "csi",
    "ephemeral",
    "image",
)
_BLOCKS = ("persistentVolumeClaim", "ephemeral")
_HOST_PATHS = (
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
)
# Where the API server spells a source otherwise in the message of a second one.
_SPELLED = {"cephfs": "cephFS", "downwardAPI": "downwarAPI"}


def _source(written: Mapping[str, Any]) -> Found:
    """One of them; without any it is an emptyDir."""
    given = [each for each in SOURCES if written.get(each) is not None]
    if len(given) < 2:
        return ()
    said = "may not specify more than 1 volume type"
    return [
        faults.written_at(faults.forbidden(said, _SPELLED.get(each, each)), each)
        for each in given[1:]
    ]


def _size(written: Mapping[str, Any]) -> Found:
    limit = written.get("sizeLimit")
    if limit is None or not rules.quantity_not_negative(limit):
        return ()
    if rules.quantity(limit):
        return faults.below(rules.quantity(limit), "sizeLimit")
    return (faults.forbidden("SizeLimit field must be a valid resource quantity", "sizeLimit"),)


def host_path(written: Mapping[str, Any]) -> Found:
    path = written.get("path") or ""
    return faults.below(rules.no_backsteps(path), "path") if path else rules.needs("path")(written)


def _downward(written: Mapping[str, Any]) -> Found:
    """The API server names the source, not the file in it."""
    found: list[faults.Fault] = []
    for place, each in enumerate(written.get("items") or ()):
        found += [faults.written_at(fault, "items", place) for fault in file_faults(each)]
    return found


def file_faults(written: Mapping[str, Any]) -> Iterable[faults.Fault]:
    path, field, resource = (
        written.get(each) for each in ("path", "fieldRef", "resourceFieldRef")
    )
    yield from rules.needs("path")(written)
    yield from faults.below(rules.relative_path(path or ""), "path")
    if field is not None and resource is not None:
        said = "fieldRef and resourceFieldRef can not be specified simultaneously"
        yield faults.invalid("resource", said)
    if field is not None:
        yield from faults.below(environment.FILES(field), "fieldRef")
    elif resource is not None:
        found = environment.resource_field_of_file(resource)
        yield from faults.below(found, "resourceFieldRef")
    else:
        yield faults.required("one of fieldRef and resourceFieldRef is required")
    if written.get("mode") is not None:
        yield from faults.below(rules.file_mode(written["mode"]), "mode")


_PROJECTED = (
    "secret",
    "configMap",
    "downwardAPI",
    "serviceAccountToken",
    "clusterTrustBundle",
    "podCertificate",
)


def _projections(written: Mapping[str, Any]) -> Found:
    """No two sources may write the same file."""
    found: list[faults.Fault] = []
    seen: set[str] = set()
    for place, each in enumerate(written.get("sources") or ()):
        for value, path in _files(each):
            if path in seen:
                fault = faults.invalid(value, "conflicting duplicate paths")
                found.append(faults.written_at(fault, "sources", place))
            seen.add(path)
        token = each.get("serviceAccountToken")
        if token is not None and not token.get("path"):
            where = ("sources", place, "serviceAccountToken", "path")
            found.append(faults.written_at(faults.required("", "path"), *where))
    return found


def _files(source: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for kind in ("secret", "configMap", "downwardAPI"):
        part = source.get(kind) or {}
        for each in part.get("items") or ():
            if each.get("path"):
                yield part.get("name") or each["path"], each["path"]


def _projection(written: Mapping[str, Any]) -> Found:
    given = [each for each in _PROJECTED if written.get(each) is not None]
    if len(given) < 2:
        return ()
    return (faults.forbidden("may not specify more than 1 volume type per source"),)


def _token(written: Mapping[str, Any]) -> Found:
    seconds = written.get("expirationSeconds") or 3600
    if 600 <= seconds <= 1 << 32:
        return ()
    said = (
        "may not specify a duration less than 10 minutes"
        if seconds < 600
        else "may not specify a duration larger than 2^32 seconds"
    )
    return (faults.invalid(seconds, said, "expirationSeconds"),)


def _driver(written: str) -> Found:
    if not written:
        return (faults.required(""),)
    return driver_name(written)


def driver_name(written: str) -> list[faults.Fault]:
    long = [faults.too_long(63)] if texts.bytes_of(written) > 63 else []
    return [*long, *faults.each_invalid(written, texts.subdomain(written.lower()))]


_ITEM: tuple[Row, ...] = (
    row("", rules.needs("key", "path"), "core: validateKeyToPath"),
    row("path", rules.relative_path, "core: validateKeyToPath"),
    row("mode", rules.file_mode, "core: validateKeyToPath"),
)
_VOLUME: tuple[Row, ...] = (
    row("", rules.needs("name"), "core: ValidateVolumes"),
    row("name", rules.shaped(texts.label), "core: ValidateVolumes"),
    row("", _source, "core: validateVolumeSource"),
    row("emptyDir", _size, "core: validateVolumeSource"),
    row("hostPath", host_path, "core: validateHostPathVolumeSource"),
    row("hostPath.type", rules.among(*_HOST_PATHS), "core: validateHostPathType"),
    row("secret", rules.needs("secretName"), "core: validateSecretVolumeSource"),
    row("secret.defaultMode", rules.file_mode, "core: validateSecretVolumeSource"),
    *below("secret.items[]", _ITEM),
    row("configMap", rules.needs("name"), "core: validateConfigMapVolumeSource"),
    row("configMap.defaultMode", rules.file_mode, "core: validateConfigMapVolumeSource"),
    *below("configMap.items[]", _ITEM),
    row(
        "persistentVolumeClaim",
        rules.needs("claimName"),
        "core: validatePersistentClaimVolumeSource",
    ),
    row("nfs", rules.needs("server", "path"), "core: validateNFSVolumeSource"),
    row("downwardAPI", _downward, "core: validateDownwardAPIVolumeSource"),
    row("downwardAPI.defaultMode", rules.file_mode, "core: validateDownwardAPIVolumeSource"),
    row("projected", _projections, "core: validateProjectionSources"),
    row("projected.defaultMode", rules.file_mode, "core: validateProjectedVolumeSource"),
    row("projected.sources[]", _projection, "core: validateProjectionSources"),
    row("projected.sources[].secret", rules.needs("name"), "core: validateProjectionSources"),
    *below("projected.sources[].secret.items[]", _ITEM),
    row("projected.sources[].configMap", rules.needs("name"), "core: validateProjectionSources"),
    *below("projected.sources[].configMap.items[]", _ITEM),
    row(
        "projected.sources[].downwardAPI.items[]",
        file_faults,
        "core: validateDownwardAPIVolumeFile",
    ),
    row("projected.sources[].serviceAccountToken", _token, "core: validateProjectionSources"),
    row("csi.driver", _driver, "core: ValidateCSIDriverName"),
    row("ephemeral", rules.filled("volumeClaimTemplate"), "core: validateEphemeralVolumeSource"),
    *below("ephemeral.volumeClaimTemplate.spec", claims.SPEC),
    row(
        "ephemeral.volumeClaimTemplate.metadata.labels",
        labels.labels,
        "core: ValidateTemplateObjectMeta",
    ),
    row(
        "ephemeral.volumeClaimTemplate.metadata.annotations",
        labels.annotations,
        "core: ValidateTemplateObjectMeta",
    ),
)
ROWS: tuple[Row, ...] = (
    row("volumes", rules.unique("name"), "core: ValidateVolumes"),
    *below("volumes[]", _VOLUME),
)


def _read_only(mounts: list[Mapping[str, Any]]) -> Found:
    found: list[faults.Fault] | tuple[()] = ()
    for place, each in enumerate(mounts):
        mode = each.get("recursiveReadOnly")
        if mode not in (None, "Disabled"):
            more = (
                faults.written_at(e, place, "recursiveReadOnly") for e in _recursive(mode, each)
            )
            found = [*found, *more]
    return found


def _recursive(mode: str, mount: Mapping[str, Any]) -> Iterable[faults.Fault]:
    known = ("Disabled", "Enabled", "IfPossible")
    if mode not in known:
        yield faults.unsupported(mode, known, "recursiveReadOnly")
        return
    if not mount.get("readOnly"):
        yield faults.forbidden("may only be specified when readOnly is true", "recursiveReadOnly")
    if mount.get("mountPropagation") not in (None, "None"):
        said = "may only be specified when mountPropagation is None or not specified"
        yield faults.forbidden(said, "recursiveReadOnly")


def _once(mounts: list[Mapping[str, Any]]) -> Found:
    paths = [each.get("mountPath") or "" for each in mounts]
    if len(set(paths)) == len(paths):
        return ()
    return list(_again(paths, "mountPath"))


def _again(values: list[str], field: str) -> Iterable[faults.Fault]:
    seen: set[str] = set()
    for place, value in enumerate(values):
        if value in seen:
            yield faults.invalid(value, "must be unique", place, field)
        seen.add(value)


def _inside(field: str) -> Any:
    """A path inside the volume; the API server names the list, not the mount in it."""

    def check(mounts: list[Mapping[str, Any]]) -> Found:
        found: list[faults.Fault] | tuple[()] = ()
        for place, each in enumerate(mounts):
            for fault in rules.descending(each.get(field) or ""):
                named = faults.below([fault], field)[0]
                found = [*found, faults.written_at(named, place, field)]
        return found

    return check


def _either(written: Mapping[str, Any]) -> Found:
    if not (written.get("subPath") and written.get("subPathExpr")):
        return ()
    said = "subPathExpr and subPath are mutually exclusive"
    return (faults.invalid(written["subPathExpr"], said, "subPathExpr"),)


def _propagation(container: Mapping[str, Any]) -> Found:
    context = container.get("securityContext") or {}
    return [
        faults.written_at(fault, "volumeMounts", place, "mountPropagation")
        for place, each in enumerate(container.get("volumeMounts") or ())
        if each.get("mountPropagation") is not None
        for fault in _propagated(each["mountPropagation"], context)
    ]


def _propagated(mode: str, context: Mapping[str, Any]) -> Iterable[faults.Fault]:
    where = ("volumeMounts", "mountPropagation")
    known = ("Bidirectional", "HostToContainer", "None")
    if mode not in known:
        yield faults.unsupported(mode, known, *where)
    if mode == "Bidirectional" and not context.get("privileged"):
        said = "Bidirectional mount propagation is available only to privileged containers"
        yield faults.forbidden(said, *where)


def _apart(container: Mapping[str, Any]) -> Found:
    """A volume is mounted or used as a device, not both."""
    devices = container.get("volumeDevices")
    if not devices:
        return ()
    named = {each.get("name") for each in devices}
    found = []
    for place, each in enumerate(container.get("volumeMounts") or ()):
        if each.get("name") in named:
            said = "must not already exist in volumeDevices"
            found.append(faults.invalid(each["name"], said, "volumeMounts", place, "name"))
    return found


MOUNTS: tuple[Row, ...] = (
    row("", _propagation, "core: validateMountPropagation"),
    row("", _apart, "core: ValidateVolumeMounts"),
    row("volumeMounts", _once, "core: ValidateVolumeMounts"),
    row("volumeMounts", _inside("subPath"), "core: validateLocalDescendingPath"),
    row("volumeMounts", _inside("subPathExpr"), "core: validateLocalDescendingPath"),
    row("volumeMounts[]", rules.needs("mountPath"), "core: ValidateVolumeMounts"),
    row("volumeMounts[]", _either, "core: ValidateVolumeMounts"),
    row("volumeMounts", _read_only, "core: validateMountRecursiveReadOnly"),
    row("volumeDevices[]", rules.needs("devicePath"), "core: ValidateVolumeDevices"),
)


def mounted(spec: Mapping[str, Any], containers: str, also: Collection[str] = ()) -> Found:
    """Every mount and device of these containers names a volume that is there; `also` are those that claims add."""
    found: list[faults.Fault] | tuple[()] = ()
    there: dict[str, Mapping[str, Any]] | None = None
    for place, each in enumerate(spec.get(containers) or ()):
        if each.get("volumeMounts") or each.get("volumeDevices"):
            there = _volumes(spec) if there is None else there
            more = [*_missing(each, there, also), *_devices(each, there, also)]
            if more:
                found = [*found, *faults.below(more, containers, place)]
    return found


def _volumes(spec: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {each.get("name") or "": each for each in spec.get("volumes") or ()}


def _missing(
    container: Mapping[str, Any], there: Mapping[str, Any], also: Collection[str]
) -> Iterable[faults.Fault]:
    for place, each in enumerate(container.get("volumeMounts") or ()):
        name = each.get("name") or ""
        if name not in there and name not in also:
            if not name:
                yield faults.required("", "volumeMounts", place, "name")
            hint = _hint(there, also)
            yield faults.not_found(name, "volumeMounts", place, "name", hint=hint)


def _hint(there: Mapping[str, Any], also: Collection[str]) -> str:
    known = ", ".join(sorted({*there, *also})[:10])
    return f"its volumes are {known}" if known else "it has no volumes"


def _devices(
    container: Mapping[str, Any],
    there: Mapping[str, Mapping[str, Any]],
    also: Collection[str],
) -> Iterable[faults.Fault]:
    for place, each in enumerate(container.get("volumeDevices") or ()):
        name = each.get("name") or ""
        where = ("volumeDevices", place, "name")
        if name in also:
            continue
        if name not in there:
            yield faults.not_found(name, *where)
        elif all(there[name].get(kind) is None for kind in _BLOCKS):
            said = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
            yield faults.invalid(name, said, *where)
