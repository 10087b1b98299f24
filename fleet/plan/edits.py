"""From one object to another, field by field, as people read it: defaults left out, no value of a Secret anywhere.

Both sides are completed with Kubernetes' own defaults before they are compared, so that writing a default down, or no
longer writing it, is no change. Elements of a list are told apart by their names where they have some.
"""

import difflib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, TypeAlias

from fleet.manifests import defaults
from fleet.model import changes, objects
from fleet.policy import masking

LONGEST = 10_000  # characters of a value that are kept
_MANY_LINES = 1_000
_DATA = ("data", "stringData")
_OPEN = (
    "apiVersion",
    "kind",
    "metadata",
    "type",
    "immutable",
)  # all else in a Secret may be its secret, misspelled
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"  # in which older values stand
# By what the elements of a list are told apart; the first that fits all elements of both sides.
_NAMES = ("name", "mountPath", "containerPort", "port", "key", "ip", "topologyKey", "type")
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


class Absent(Enum):
    ABSENT = "absent"


ABSENT = Absent.ABSENT
Value: TypeAlias = Any  # JSON, or ABSENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One field; a side on which it is not there is None, and `result` says so.

    `lines` are those of a longer text that go (`-`) and come (`+`), where both sides are such texts.
    """

    result: changes.Result
    path: str
    before: Value
    after: Value
    lines: tuple[str, ...] = ()


def between(before: objects.Manifest, after: objects.Manifest) -> tuple[Edit, ...]:
    """() where they differ in nothing but what is written out of what is the default anyway."""
    old, new = defaults.completed(before.body), defaults.completed(after.body)
    fields = _between(old, new, "")
    if "Secret" in (before.key.kind, after.key.kind):
        return tuple(_edit(_masked(each, before, after)) for each in fields)
    return tuple(_edit(_clipped(each)) for each in fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    path: str
    before: Value | Absent
    after: Value | Absent
    lines: tuple[str, ...] = ()


def _edit(field: _Field) -> Edit:
    created, deleted = field.before is ABSENT, field.after is ABSENT
    result = changes.Result.CONFIGURED
    if created or deleted:
        result = changes.Result.CREATED if created else changes.Result.DELETED
    return Edit(
        result=result,
        path=field.path,
        before=None if created else field.before,
        after=None if deleted else field.after,
        lines=field.lines,
    )


def _between(old: Value, new: Value, path: str) -> Iterator[_Field]:
    if _same(old, new):
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}, key=str):
            yield from _between(old.get(key, ABSENT), new.get(key, ABSENT), _joined(path, key))
    elif isinstance(old, list) and isinstance(new, list) and (name := _name(old, new)):
        yield from _named(old, new, name, path)
    else:
        yield _Field(path=path, before=old, after=new, lines=_lines(old, new))


def _named(old: list[Any], new: list[Any], name: str, path: str) -> Iterator[_Field]:
    before = {each[name]: each for each in old}
    after = {each[name]: each for each in new}
    for key in (*before, *(each for each in after if each not in before)):
        inner = f"{path}[{key}]"
        yield from _between(before.get(key, ABSENT), after.get(key, ABSENT), inner)
    kept = [key for key in before if key in after]
    moved = [key for key in after if key in before]
    if kept != moved:
        yield _Field(path=f"{path} (order)", before=list(before), after=list(after))


def _name(old: list[Any], new: list[Any]) -> str:
    """The field that tells the elements of both lists apart; "" = none does."""
    return next((each for each in _NAMES if _tells(old, each) and _tells(new, each)), "")


def _tells(elements: list[Any], name: str) -> bool:
    found = [each.get(name) if isinstance(each, Mapping) else None for each in elements]
    scalars = all(isinstance(each, str | int) and not isinstance(each, bool) for each in found)
    return scalars and len(set(map(str, found))) == len(found)


def _same(old: Value, new: Value) -> bool:
    """As JSON has it: 1 is not true, and neither is 1.0."""
    return bool(old == new) and _form(old) == _form(new)


def _form(value: Value) -> str:
    return "" if value is ABSENT else json.dumps(value, sort_keys=True)


def _joined(path: str, key: object) -> str:
    word = str(key)
    if not word or not _PLAIN.issuperset(word):
        return f"{path}[{json.dumps(word, ensure_ascii=False)}]"
    return f"{path}.{word}" if path else word


def _lines(old: Value, new: Value) -> tuple[str, ...]:
    if not (isinstance(old, str) and isinstance(new, str)):
        return ()
    before, after = old.splitlines(), new.splitlines()
    if max(len(before), len(after)) < 2 or len(before) + len(after) > _MANY_LINES:
        return ()
    told = difflib.unified_diff(before, after, lineterm="", n=0)
    return tuple(line for line in [*told][2:] if not line.startswith("@@"))


def _clipped(edit: _Field) -> _Field:
    return replace(edit, before=_short(edit.before), after=_short(edit.after))


def _short(value: Value) -> Value:
    return _leaves(value, lambda text: text if len(text) <= LONGEST else text[:LONGEST] + "...")


def _masked(edit: _Field, before: objects.Manifest, after: objects.Manifest) -> _Field:
    """That a value changed is said, never what it was or is (threats 20, 76)."""

    def hidden(text: str) -> str:
        return masking.masked(masking.masked(text, _core(before)), _core(after))

    head, dot, rest = edit.path.partition(".")
    field, bracket, inner = head.partition("[")
    if field not in _OPEN or _APPLIED in edit.path:
        old, new = _blank(edit.before, edit.path), _blank(edit.after, edit.path)
        return _Field(path=edit.path, before=old, after=new)
    return _Field(
        path=f"{field}{bracket}{hidden(inner)}{dot}{hidden(rest)}",
        before=_leaves(_without_applied(_short(edit.before)), hidden),
        after=_leaves(_without_applied(_short(edit.after)), hidden),
        lines=tuple(hidden(each) for each in edit.lines),
    )


def _core(manifest: objects.Manifest) -> objects.Manifest:
    """A Secret of whatever group keeps what a Secret keeps."""
    return replace(objects.held(manifest), key=replace(manifest.key, group="", kind="Secret"))


def _blank(value: Value, path: str) -> Value:
    """Of the whole of a Secret's data the names are left."""
    if isinstance(value, Mapping) and path in _DATA:
        return {str(key): masking.MASK for key in value}
    return ABSENT if value is ABSENT else masking.MASK


def _without_applied(value: Value) -> Value:
    if not isinstance(value, Mapping):
        return value
    return {
        key: masking.MASK if key == _APPLIED else _without_applied(each)
        for key, each in value.items()
    }


def _leaves(value: Value, change: Callable[[str], str]) -> Value:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {change(str(key)): _leaves(each, change) for key, each in value.items()}
    if isinstance(value, Sequence):
        return [_leaves(each, change) for each in value]
    return value
