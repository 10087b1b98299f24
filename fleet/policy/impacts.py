"""What other rules change in the verdict on the same objects: newly refused, newly allowed, more or less hard."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from fleet.model import findings, json_values, names

_HARDEST = list(findings.Severity)
_Case = tuple[str, str, names.Cluster | None]  # rule, object or place, cluster


class Change(Enum):
    REFUSED = "newly refused"
    ALLOWED = "newly allowed"
    SEVERITY = "changed severity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """Of one rule on one object. `shown` is what is found after, or for what is gone before."""

    change: Change
    before: findings.Severity | None  # None = nothing is found
    after: findings.Severity | None
    shown: findings.Finding


def between(
    before: Iterable[findings.Finding], after: Iterable[findings.Finding]
) -> tuple[Impact, ...]:
    """By rule, object and cluster: what is said of them in other words, or at another line, is no change."""
    old, new = _hardest(before), _hardest(after)
    together: dict[Impact, list[names.Cluster]] = {}
    for case in {**old, **new}:
        for each in _impact(old.get(case), new.get(case)):
            here = replace(each, shown=replace(each.shown, clusters=()))
            together.setdefault(here, []).extend([case[2]] if case[2] is not None else [])
    found = [
        replace(each, shown=replace(each.shown, clusters=tuple(sorted(clusters))))
        for each, clusters in together.items()
    ]
    return tuple(sorted(found, key=_order))


def _order(each: Impact) -> tuple[int, findings.Place, str, str]:
    return (list(Change).index(each.change), each.shown.place, each.shown.rule, each.shown.message)


def _hardest(found: Iterable[findings.Finding]) -> dict[_Case, findings.Finding]:
    cases: dict[_Case, findings.Finding] = {}
    for each in sorted(found, key=lambda each: (each.place, each.message)):
        for cluster in each.clusters or (None,):
            case = (each.rule, each.subject or f"{each.place.path} {each.message}", cluster)
            other = cases.get(case)
            if other is None or _rank(each) < _rank(other):
                cases[case] = each
    return cases


def _rank(found: findings.Finding) -> int:
    return _HARDEST.index(found.severity)


def _impact(before: findings.Finding | None, after: findings.Finding | None) -> Iterator[Impact]:
    shown = after or before
    if shown is None:
        return
    old, new = before.severity if before else None, after.severity if after else None
    if old is not new:
        yield Impact(change=_change(before, after), before=old, after=new, shown=shown)


def _change(before: findings.Finding | None, after: findings.Finding | None) -> Change:
    was, will = _refuses(before), _refuses(after)
    if was == will:
        return Change.SEVERITY
    return Change.REFUSED if will else Change.ALLOWED


def _refuses(found: findings.Finding | None) -> bool:
    return found is not None and findings.refuses([found])


def as_json(each: Impact) -> json_values.JsonObject:
    return {
        "change": each.change.value,
        "before": each.before.value if each.before else None,
        "after": each.after.value if each.after else None,
        "rule": each.shown.rule,
        "subject": each.shown.subject,
        "message": each.shown.message,
        "path": each.shown.place.path,
        "line": each.shown.place.line,
        "column": each.shown.place.column,
        "clusters": list(each.shown.clusters),
    }
