"""Volumes of a Pod. Source: core ValidateVolumes."""

from collections.abc import Iterable, Mapping
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
    if len(written) < 3:
        return ()
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
