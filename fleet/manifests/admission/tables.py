"""Rows and what they are made into: one walk over an object that asks every rule at its place.

A row's place is written as `spec.containers[].ports[]`: `[]` stands for each item of a list or each value of a map.
Rules are asked about values that are there and not null; what must be there is asked of the value around it.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from fleet.manifests.admission import faults

Found = Iterable[faults.Fault]
Check = Callable[[Any], Found]
Walk = Callable[[Any], Found]
_EACH = "[]"
NEWEST = "1.99"
_ZEROS: tuple[Any, ...] = ({}, "", 0)
_NOTHING: list[faults.Fault] = []  # never changed: most walks end with it


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One rule at one place; `source` is where Kubernetes has it, the versions are the first and the last with it."""

    at: str
    check: Check = field(repr=False)
    source: str
    since: str = ""
    until: str = ""

    def holds_in(self, version: str) -> bool:
        minor = _minor(version)
        return _minor(self.since or version) <= minor <= _minor(self.until or version)


def row(at: str, check: Check, source: str, *, since: str = "", until: str = "") -> Row:
    return Row(at=at, check=check, source=source, since=since, until=until)


def below(place: str, rows: Iterable[Row]) -> tuple[Row, ...]:
    """The same rows further down."""
    return tuple(replace(each, at=_joined(place, each.at)) for each in rows)


def _joined(place: str, at: str) -> str:
    return f"{place}{'' if at.startswith(_EACH) or not at or not place else '.'}{at}"


def _minor(version: str) -> tuple[int, ...]:
    return tuple(int(each) for each in version.split(".")[:2])


@dataclass(slots=True)
class _Node:
    checks: list[Check] = field(default_factory=list)
    fields: "dict[str, _Node]" = field(default_factory=dict)
    each: "_Node | None" = None

    def at(self, steps: Iterable[str]) -> "_Node":
        node = self
        for step in steps:
            if step == _EACH:
                node.each = node.each or _Node()
                node = node.each
            else:
                node = node.fields.setdefault(step, _Node())
        return node


def compiled(rows: Iterable[Row], version: str = NEWEST) -> Walk:
    """Everything that these rows find in an object, on one version of Kubernetes.

    Rows that are the same on every version need none named.
    """
    top = _Node()
    for each in rows:
        if each.holds_in(version):
            top.at(_steps(each.at)).checks.append(each.check)
    return _walk(top)


def _steps(at: str) -> Iterable[str]:
    return (step for step in at.replace(_EACH, f".{_EACH}.").split(".") if step)


def _walk(node: _Node) -> Walk:
    checks = tuple(node.checks)
    if len(checks) == 1 and not node.fields and node.each is None:
        return checks[0]
    steps = [
        *(
            (_fields({name: _walk(inner) for name, inner in node.fields.items()}),)
            if node.fields
            else ()
        ),
        *((_items(_walk(node.each)),) if node.each else ()),
    ]
    return _all((*checks, *steps))


def _all(checks: tuple[Check, ...]) -> Walk:
    if len(checks) == 1:
        return checks[0]

    def walk(value: Any) -> Found:
        found = _NOTHING
        for check in checks:
            more = check(value)
            if more:
                found = [*found, *more]
        return found

    return walk


def _fields(walks: Mapping[str, Walk]) -> Walk:
    def walk(value: Any) -> Found:
        found = _NOTHING
        for name, part in value.items():
            inner = walks.get(name)
            if inner is not None and part is not None:
                more = inner(part)
                if more:
                    found = [*found, *(each.below(name) for each in more)]
        return found

    return walk


def _items(inner: Walk) -> Walk:
    def walk(value: Any) -> Found:
        found = _NOTHING
        for step, part in _steps_into(value):
            more = _at_null(value, inner) if part is None else inner(part)
            if more:
                found = [*found, *(each.below(step) for each in more)]
        return found

    return walk


def _at_null(around: Any, inner: Walk) -> Found:
    """Null as an entry of a list is the empty value of whatever the list holds; in a map it is not there."""
    for zero in _ZEROS if isinstance(around, list) else ():
        with suppress(AttributeError, TypeError):
            return list(inner(zero))
    return ()


def _steps_into(value: Any) -> Iterable[tuple[faults.Step, Any]]:
    if isinstance(value, list):
        return enumerate(value)
    return ((faults.Key(key), part) for key, part in value.items())
