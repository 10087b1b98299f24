"""Server-side apply: who owns which field, as sets of paths in the spelling of fieldsV1.

A path is a tuple of steps: "f:name" into a map, 'k:{"name":"web"}' to an element of an associative list, 'v:"x"' to
an element of a set. The path of an element itself is its presence.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from fleet.simulation import copies, served

Path: TypeAlias = tuple[str, ...]
Paths: TypeAlias = frozenset[Path]
Body: TypeAlias = dict[str, Any]

ABSENT = object()
_SERVERS_OWN = frozenset(
    {"name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp",
     "deletionTimestamp", "managedFields", "selfLink"}
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of managedFields."""

    manager: str
    operation: str
    subresource: str
    version: str
    time: str
    paths: Paths

    @property
    def who(self) -> tuple[str, str, str]:
        return self.manager, self.operation, self.subresource


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    path: Path
    manager: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """Who writes, and when."""

    manager: str
    at: str
    subresource: str = ""


def applied(
    live: Body | None, config: Mapping[str, Any], deed: Deed, *, force: bool
) -> Body | tuple[Conflict, ...]:
    """The object after an apply, or whose fields stand against it."""
    wanted = of(config)
    entries = entries_of(live or {})
    mine = _find(entries, (deed.manager, "Apply", ""))
    others = [each for each in entries if each is not mine]
    conflicts = _conflicts(live or {}, config, wanted, others)
    if conflicts and not force:
        return conflicts
    taken = frozenset(each.path for each in conflicts)
    others = [replace(each, paths=each.paths - taken) for each in others]
    merged: Body = _merged(copies.of(live or {}), config, _group(config), ())
    held = frozenset(path for each in others for path in each.paths)
    # Elements before their fields: without its keys an element could not be found.
    for path in sorted((mine.paths if mine else frozenset()) - wanted, key=len):
        if not _is_held(path, held | wanted) and not _is_key(path):
            _remove(merged, path)
    is_same = mine is not None and mine.paths == wanted
    own = Entry(
        manager=deed.manager,
        operation="Apply",
        subresource="",
        version=config["apiVersion"],
        time=mine.time if mine is not None and is_same else deed.at,
        paths=wanted,
    )
    _write(merged, [*others, own])
    return merged


def updated(live: Body | None, new: Mapping[str, Any], deed: Deed) -> Body:
    """The object after a create, replace or patch: what changed is the writer's, what went is nobody's."""
    body: Body = copies.of(dict(new))
    given = body["metadata"].get("managedFields")
    entries = entries_of(body if given else live or {})
    now, before = _part(of(body), deed), _part(of(live or {}), deed)
    changed = {p for p in now if value_at(live or {}, p) != value_at(body, p)}
    lost = frozenset(before - now) | changed
    who = (deed.manager, "Update", deed.subresource)
    mine = _find(entries, who)
    others = [replace(e, paths=e.paths - lost) for e in entries if e is not mine]
    paths = ((mine.paths if mine else frozenset()) - lost) | changed
    version = body["apiVersion"]
    own = Entry(
        manager=who[0], operation=who[1], subresource=who[2], version=version, time=deed.at,
        paths=frozenset(paths),
    )  # fmt: skip
    if mine is not None and not lost:
        own = mine
    _write(body, [*others, own])
    return body


def of(body: Mapping[str, Any]) -> Paths:
    """Every field that a document speaks of, but for those that are the server's."""
    group = _group(body)
    return frozenset(
        path
        for path in _walk(body, (), group, ())
        if path and path[0] not in {"f:apiVersion", "f:kind"} and not _is_servers(path)
    )


def entries_of(body: Mapping[str, Any]) -> list[Entry]:
    found = (body.get("metadata") or {}).get("managedFields") or ()
    return [
        Entry(
            manager=each["manager"],
            operation=each["operation"],
            subresource=each.get("subresource", ""),
            version=each.get("apiVersion", ""),
            time=each.get("time", ""),
            paths=frozenset(_decoded(each.get("fieldsV1") or {}, ())),
        )
        for each in found
        if each
    ]


def value_at(body: Any, path: Path) -> Any:
    for step in path:
        body = _step(body, step)
        if body is ABSENT:
            return ABSENT
    return body if not path or not path[-1].startswith("k:") else True


def spelled(path: Path) -> str:
    """As the API server words it: .spec.containers[name="web"].image"""
    return "".join(_spelled(step) for step in path)


def same(one: Body, other: Body) -> bool:
    """But for times, an equal object is no new version."""
    return _timeless(one) == _timeless(other)


def _spelled(step: str) -> str:
    kind, _, rest = step.partition(":")
    if kind == "f":
        return f".{rest}"
    if kind == "v":
        return f"[={rest}]"
    pairs = json.loads(rest).items()
    return "[" + ",".join(f"{key}={json.dumps(value)}" for key, value in pairs) + "]"


def _conflicts(
    live: Body, config: Mapping[str, Any], wanted: Paths, others: Iterable[Entry]
) -> tuple[Conflict, ...]:
    return tuple(
        Conflict(path=path, manager=each.manager)
        for each in others
        for path in sorted(wanted & each.paths)
        if value_at(live, path) != value_at(config, path)
    )


def _part(paths: Paths, deed: Deed) -> Paths:
    """A write of the status changes nothing else, and the other way round."""
    of_status = deed.subresource == "status"
    return frozenset(path for path in paths if (path[0] == "f:status") == of_status)


def _is_held(path: Path, held: Paths) -> bool:
    """Whether somebody owns this path or something inside it."""
    return any(each[: len(path)] == path for each in held)


def _is_key(path: Path) -> bool:
    """Whether this is a field by which an element of a list is known."""
    element = path[-2] if len(path) > 1 else ""
    return element.startswith("k:") and path[-1][2:] in json.loads(element[2:])


def _find(entries: Iterable[Entry], who: tuple[str, str, str]) -> Entry | None:
    return next((each for each in entries if each.who == who), None)


def _write(body: Body, entries: Iterable[Entry]) -> None:
    kept = [_encoded(each) for each in entries if each.paths]
    metadata = body["metadata"]
    metadata.pop("managedFields", None)
    if kept:
        metadata["managedFields"] = kept


def _encoded(entry: Entry) -> Body:
    fields: Body = {}
    for path in sorted(entry.paths):
        at = fields
        for step in path:
            at = at.setdefault(step, {})
        if path[-1].startswith("k:"):
            at["."] = {}
    shown: Body = {
        "manager": entry.manager,
        "operation": entry.operation,
        "apiVersion": entry.version,
        "time": entry.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }
    return {**shown, "subresource": entry.subresource} if entry.subresource else shown


def _decoded(fields: Mapping[str, Any], path: Path) -> Iterator[Path]:
    for step, inner in fields.items():
        if step == ".":
            yield path
        elif inner:
            yield from _decoded(inner, (*path, step))
        else:
            yield (*path, step)


def _walk(value: Any, path: Path, group: str, names: tuple[str, ...]) -> Iterator[Path]:
    if isinstance(value, Mapping) and value and not (names and served.is_atomic_map(group, names)):
        for key, inner in value.items():
            yield from _walk(inner, (*path, f"f:{key}"), group, (*names, key))
        return
    if isinstance(value, list) and names:
        keys = served.keys_of(group, names)
        if keys is not None and value:
            for item in value:
                step = (*path, _key_step(item, keys))
                yield step
                yield from _walk(item, step, group, names)
            return
        if served.is_set(names):
            yield from ((*path, f"v:{json.dumps(item)}") for item in value)
            return
    yield path


def _key_step(item: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    found = {key: item.get(key, served.KEY_DEFAULTS.get(key)) for key in keys}
    return "k:" + json.dumps(found, separators=(",", ":"), sort_keys=True)


def _is_servers(path: Path) -> bool:
    return path[0] == "f:metadata" and (len(path) == 1 or path[1][2:] in _SERVERS_OWN)


def _step(value: Any, step: str) -> Any:
    kind, _, rest = step.partition(":")
    if kind == "f":
        return value.get(rest, ABSENT) if isinstance(value, Mapping) else ABSENT
    if not isinstance(value, list):
        return ABSENT
    wanted = json.loads(rest)
    if kind == "v":
        return wanted if wanted in value else ABSENT
    return next((item for item in value if _has_keys(item, wanted)), ABSENT)


def _has_keys(item: Any, wanted: Mapping[str, Any]) -> bool:
    return isinstance(item, Mapping) and all(
        item.get(key, served.KEY_DEFAULTS.get(key)) == value for key, value in wanted.items()
    )


def _merged(live: Any, config: Any, group: str, names: tuple[str, ...]) -> Any:
    is_atomic = bool(names) and served.is_atomic_map(group, names)
    if isinstance(config, Mapping) and isinstance(live, dict) and not is_atomic:
        for key, value in config.items():
            live[key] = _merged(live.get(key), value, group, (*names, key))
        return live
    if isinstance(config, list) and isinstance(live, list) and names:
        keys = served.keys_of(group, names)
        if keys is not None:
            return _merged_list(live, config, keys, group, names)
        if served.is_set(names):
            return [*live, *(item for item in config if item not in live)]
    return copies.of(config)


def _merged_list(
    live: list[Any], config: list[Any], keys: tuple[str, ...], group: str, names: tuple[str, ...]
) -> list[Any]:
    for item in config:
        wanted = json.loads(_key_step(item, keys)[2:])
        place = next((n for n, each in enumerate(live) if _has_keys(each, wanted)), None)
        if place is None:
            live.append(copies.of(item))
        else:
            live[place] = _merged(live[place], item, group, names)
    return live


def _remove(body: Body, path: Path) -> None:
    """Maps and lists that become empty by it go too."""
    parent: Any = body
    for step in path[:-1]:
        parent = _step(parent, step)
        if parent is ABSENT:
            return
    found = _step(parent, path[-1])
    if found is ABSENT:
        return
    if isinstance(parent, list):
        parent.remove(found)
    else:
        del parent[path[-1][2:]]
    if not parent and len(path) > 1 and path[-2].startswith("f:"):
        _remove(body, path[:-1])


def _group(body: Mapping[str, Any]) -> str:
    return str(body.get("apiVersion", "")).rpartition("/")[0]


def _timeless(body: Body) -> Body:
    metadata = body["metadata"]
    entries = [
        {k: v for k, v in e.items() if k != "time"} for e in metadata.get("managedFields") or ()
    ]
    ordered = sorted(
        entries, key=lambda e: (e["manager"], e["operation"], e.get("subresource", ""))
    )
    return {**body, "metadata": {**metadata, "managedFields": ordered}}
