"""From a field of a rendered object to the text that gave it its value: the last that touched it, else its resource."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fleet.manifests import origins
from fleet.model import names, objects

Path = tuple[str, ...]

# What tells entries of Kubernetes' lists apart, the most telling first.
_KEYS = (
    "name", "containerPort", "mountPath", "devicePath", "port", "key", "ip", "topologyKey", "type",
)  # fmt: skip
_GONE = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A rendered object with where it comes from, and the clusters that get it from there."""

    body: Any = field(repr=False)
    source: objects.Source
    origin: origins.Origin | None
    clusters: frozenset[names.Cluster] = frozenset()


def begin(body: Any, origin: origins.Origin | None, fallback: objects.Source) -> Trace:
    source = origin.resource.source if origin else fallback
    return Trace(body=body, source=replace(source, rendered=True), origin=origin)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A path inside a document of `written`; `is_exact` where the very field stands there."""

    written: origins.Written
    path: Path
    is_exact: bool


def follow(origin: origins.Origin, body: Any, wanted: Sequence[str]) -> Found:
    """Always a place in the object's resource, a touch only where it surely gave the value."""
    wanted, value = _present(body, wanted)
    if not isinstance(value, (Mapping, list)):
        for touch in origin.touches:
            where = _within(touch, origin, body, wanted, value)
            if where is not None:
                return Found(written=touch, path=where, is_exact=True)
    return _resource(origin, body, wanted, value)


def _resource(origin: origins.Origin, body: Any, wanted: Path, value: Any) -> Found:
    written = origin.resource
    if origin.is_generated:
        where = _generated(written.value, wanted)
        return Found(written=written, path=where or (), is_exact=where is not None)
    path = _aligned(written.value, body, wanted)
    if len(path) < len(wanted):
        for touch in origin.touches:  # what the resource lacks was brought by one of these
            if isinstance(touch.value, list):
                where = _operations(touch.value, wanted, _GONE)
            else:
                found = _aligned(touch.value, body, wanted)
                where = found if len(found) == len(wanted) else None
            if where is not None:
                return Found(written=touch, path=where, is_exact=True)
    is_exact = len(path) == len(wanted) and _at(written.value, path) == value
    return Found(written=written, path=path, is_exact=is_exact)


def _present(body: Any, wanted: Sequence[str]) -> tuple[Path, Any]:
    """As much of the wanted field as the object has, with its value."""
    here, found = body, 0
    for step in wanted:
        inner = _step(here, step)
        if inner is _GONE:
            break
        here, found = inner, found + 1
    return tuple(wanted[:found]), here


def _step(value: Any, step: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(step, _GONE)
    if isinstance(value, list) and step.isdigit() and int(step) < len(value):
        return value[int(step)]
    return _GONE


def _at(value: Any, path: Sequence[str]) -> Any:
    for step in path:
        value = _step(value, step)
    return value


def _aligned(written: Any, body: Any, wanted: Sequence[str]) -> Path:
    """The wanted field's path in another text of the same object, whose lists may be shorter or in another order."""
    path: list[str] = []
    for step in wanted:
        body_inner = _step(body, step)
        if isinstance(body, list) and isinstance(written, list):
            step = _index(written, body_inner, int(step), len(body))  # noqa: PLW2901 - the same step there
        inner = _step(written, step)
        if inner is _GONE:
            break
        path.append(step)
        written, body = inner, body_inner
    return tuple(path)


def _index(written: list[Any], item: Any, place: int, size: int) -> str:
    """Nothing where no entry is the same one."""
    if not isinstance(item, Mapping):
        return str(written.index(item)) if item in written else ""
    for key in _KEYS:
        if key in item:
            same = [
                i
                for i, e in enumerate(written)
                if isinstance(e, Mapping) and e.get(key) == item[key]
            ]
            return str(same[0]) if len(same) == 1 else _same_place(written, same, place, size)
    return str(place) if len(written) == size else ""


def _same_place(written: list[Any], same: list[int], place: int, size: int) -> str:
    return str(place) if place in same and len(written) == size else ""


def _within(
    touch: origins.Written, origin: origins.Origin, body: Any, wanted: Path, value: Any
) -> Path | None:
    """Where a touch gives the wanted field this value; None where it does not."""
    if isinstance(touch.value, list):
        return _operations(touch.value, wanted, value)
    if not isinstance(touch.value, Mapping):
        return None
    if _is_kustomization(touch):
        return next(_transformed(touch.value, origin, wanted, value), None)
    if touch.value.get("apiVersion") == "builtin":
        return next(_labelled(touch.value, ("labels", "annotations"), wanted, value), None)
    if touch.at and touch.at[0] in ("configMapGenerator", "secretGenerator"):
        return _generated(touch.value, wanted)
    path = _aligned(touch.value, body, wanted)
    is_here = len(path) == len(wanted) and _at(touch.value, path) == value
    # What names the object in a patch is the name of its target and gives it none.
    return (
        path
        if is_here and wanted not in (("metadata", "name"), ("kind",), ("apiVersion",))
        else None
    )


def _is_kustomization(touch: origins.Written) -> bool:
    return not touch.at and touch.value.get("kind", "Kustomization") in (
        "Kustomization",
        "Component",
    )


def _operations(operations: list[Any], wanted: Path, value: Any) -> Path | None:
    """The value of a JSON patch's last operation that wrote the wanted field or what is around it."""
    for index, each in reversed(list(enumerate(operations))):
        if not isinstance(each, Mapping) or each.get("op") not in ("add", "replace"):
            continue
        steps = _pointer(each.get("path"))
        if len(steps) > len(wanted) or not all(map(_is_same, steps, wanted)):
            continue
        rest = wanted[len(steps) :]
        if value is _GONE or _at(each.get("value"), rest) == value:
            return (str(index), "value", *rest)
    return None


def _pointer(text: Any) -> Path:
    words = str(text).split("/")[1:]
    return tuple(each.replace("~1", "/").replace("~0", "~") for each in words)


def _is_same(step: str, other: str) -> bool:
    return step == other or (step == "-" and other.isdigit())


def _transformed(
    document: Mapping[str, Any], origin: origins.Origin, wanted: Path, value: Any
) -> Iterator[Path]:
    """What a kustomization's own fields do to an object."""
    last = wanted[-1] if wanted else ""
    if wanted == ("metadata", "namespace") and document.get("namespace") == value:
        yield ("namespace",)
    if last == "replicas":
        yield from _replicas(document, origin, value)
    if last == "image" and isinstance(value, str):
        yield from _images(document, value)
    yield from _labelled(document, ("commonLabels", "commonAnnotations"), wanted, value)
    for index, each in enumerate(_list(document, "labels")):
        pairs = each if isinstance(each, Mapping) else {}
        yield from (
            ("labels", str(index), *path) for path in _labelled(pairs, ("pairs",), wanted, value)
        )


def _replicas(document: Mapping[str, Any], origin: origins.Origin, value: Any) -> Iterator[Path]:
    for index, each in enumerate(_list(document, "replicas")):
        if (
            isinstance(each, Mapping)
            and each.get("name") in origin.names
            and each.get("count") == value
        ):
            yield ("replicas", str(index), "count")


def _images(document: Mapping[str, Any], value: str) -> Iterator[Path]:
    for index, each in enumerate(_list(document, "images")):
        if not isinstance(each, Mapping) or not each.get("name"):
            continue
        name = str(each.get("newName") or each["name"])
        for key, mark in (("digest", "@"), ("newTag", ":")):
            if key in each and value == f"{name}{mark}{each[key]}":
                yield ("images", str(index), key)
        if each.get("newName") and value.startswith((f"{name}:", f"{name}@")):
            yield ("images", str(index), "newName")


def _labelled(
    document: Mapping[str, Any], groups: tuple[str, ...], wanted: Path, value: Any
) -> Iterator[Path]:
    last = wanted[-1] if wanted else ""
    around = wanted[-2] if len(wanted) > 1 else ""
    for group in groups:
        pairs = document.get(group)
        is_about = around in ("labels", "annotations", "matchLabels", "selector")
        if is_about and isinstance(pairs, Mapping) and pairs.get(last) == value:
            yield (group, last)


def _generated(entry: Any, wanted: Path) -> Path | None:
    """The literal or the file that a generator's key comes from."""
    if len(wanted) < 2 or wanted[0] not in ("data", "binaryData", "stringData"):
        return ()
    for index, each in enumerate(_list(entry, "literals")):
        if str(each).partition("=")[0] == wanted[1]:
            return ("literals", str(index))
    for index, each in enumerate(_list(entry, "files")):
        key, equals, path = str(each).partition("=")
        if wanted[1] == (key if equals else key.rpartition("/")[2]) or path == wanted[1]:
            return ("files", str(index))
    return None


def _list(value: Any, name: str) -> list[Any]:
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, list) else []
