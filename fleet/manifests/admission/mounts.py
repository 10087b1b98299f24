"""Where containers mount volumes, or use them as devices. Source: core ValidateVolumeMounts, ValidateVolumeDevices."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from fleet.manifests.admission import faults, rules
from fleet.manifests.admission.tables import Found, Row, row

_BLOCKS = ("persistentVolumeClaim", "ephemeral")


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


ROWS: tuple[Row, ...] = (
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
