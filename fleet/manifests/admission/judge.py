"""The verdict of a whole table on one manifest, as findings."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from fleet.manifests.admission import faults, kinds, metadata, tables
from fleet.model import findings, objects

# Part of what verdicts are remembered under: a change of any rule is another edition.
EDITION = "admission/1"


class Tables:
    """All rules of one Kubernetes version; a kind's are put together when it is first seen."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._walks: dict[kinds.Kind, tables.Walk] = {}

    def faults(self, group: str, kind: str, body: Any) -> list[faults.Fault]:
        """Of a body that fits its schema."""
        walk = self._walks.get((group, kind))
        if walk is None:
            rows = kinds.rows_of((group, kind))
            walk = self._walks[group, kind] = tables.compiled(rows, self._version)
        for part in kinds.PARTS.get((group, kind), ()):
            body = _with(body, part)
        untyped = metadata.untyped(body["metadata"])
        if untyped:
            return untyped
        try:
            return list(walk(body))
        except (AttributeError, TypeError):
            if not _has_nulls(body):  # a rule is wrong, not the object
                raise
            return _zeroed_walk(walk, body)

    def judge(self, manifest: objects.Manifest) -> tuple[findings.Finding, ...]:
        found = self.faults(manifest.key.group, manifest.key.kind, manifest.body)
        return tuple(_finding(manifest, each) for each in found) if found else ()


def _with(body: Any, part: kinds.Path) -> Any:
    """The body with an empty part where it has none; the body itself is never changed."""
    step, *further = part
    there = body.get(step)
    if there is None:
        return {**body, step: {}}
    inner = _with(there, tuple(further)) if further else there
    return body if inner is there else {**body, step: inner}


# What null is read as where a list holds nothing else to tell.
_ZEROS: tuple[Any, ...] = ({}, "", 0)


def _zeroed_walk(walk: tables.Walk, body: Any) -> list[faults.Fault]:
    """With nulls that are entries of lists as the empty values that an API server reads them as."""
    for zero in _ZEROS:
        with suppress(AttributeError, TypeError):
            return list(walk(_zeroed(body, zero)))
    return [faults.invalid(None, "lists of several kinds have entries that are null")]


def _has_nulls(value: Any) -> bool:
    if isinstance(value, list):
        return any(each is None or _has_nulls(each) for each in value)
    return isinstance(value, Mapping) and any(_has_nulls(each) for each in value.values())


def _zeroed(value: Any, alone: Any) -> Any:
    """Null among others is the empty value of their type."""
    if isinstance(value, list):
        zero = next((type(each)() for each in value if each is not None), alone)
        return [zero if each is None else _zeroed(each, alone) for each in value]
    if isinstance(value, Mapping):
        return {key: _zeroed(each, alone) for key, each in value.items()}
    return value


def _finding(manifest: objects.Manifest, fault: faults.Fault) -> findings.Finding:
    steps = fault.path if fault.written is None else fault.written
    return findings.Finding(
        rule="schema",
        severity=findings.Severity.DENY,
        message=findings.escaped(f"{fault.field}: {fault.body}"),
        place=manifest.source.place,
        hint=findings.escaped(fault.hint),
        subject=str(manifest.key),
        field=() if manifest.source.rendered else tuple(str(each) for each in steps),
    )
