"""The verdict of a whole table on one manifest, as findings."""

from collections.abc import Iterator, Mapping
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
        untyped = metadata.untyped(body["metadata"])
        if untyped:
            return untyped
        try:
            return list(walk(body))
        except (AttributeError, TypeError):
            found = list(_nulls(body))
            if not found:  # a rule is wrong, not the object
                raise
            return [*found, *walk(_without_nulls(body))]

    def judge(self, manifest: objects.Manifest) -> tuple[findings.Finding, ...]:
        found = self.faults(manifest.key.group, manifest.key.kind, manifest.body)
        return tuple(_finding(manifest, each) for each in found) if found else ()


def _nulls(value: Any) -> Iterator[faults.Fault]:
    """Entries of lists that are null, which schemas let stand; no rule is asked about one, and nobody means it."""
    if isinstance(value, list):
        for place, each in enumerate(value):
            if each is None:
                yield faults.invalid(None, "an entry of a list is null", place)
            yield from (fault.below(place) for fault in _nulls(each))
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from (fault.below(key) for fault in _nulls(each))


def _without_nulls(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_nulls(each) for each in value if each is not None]
    if isinstance(value, Mapping):
        return {key: _without_nulls(each) for key, each in value.items()}
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
