"""The life of a violation: from the first commit that had it to the first that no longer does."""

import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from fleet.model import errors, findings, ledger, names
from fleet.policy import waivers


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which violations are asked for; "" and None = all. `path` is a shell pattern, `since` RFC 3339."""

    rule: str = ""
    cluster: str = ""
    environment: str = ""
    path: str = ""
    author: str = ""
    since: str = ""
    open: bool = False


def between(
    known: Iterable[ledger.Violation], decision: ledger.Decision
) -> tuple[ledger.Violation, ...]:
    """What a decision changes: new violations, those that reach other clusters, and those that it ends."""
    here = {
        _identity(each.finding): each
        for each in known
        if each.environment == decision.environment and each.until is None
    }
    found = _whole(decision.findings)
    began = (
        ledger.Violation(
            environment=decision.environment,
            finding=finding,
            commit=decision.commit,
            author=decision.author,
            since=decision.at,
        )
        for identity, finding in found.items()
        if identity not in here
    )
    changed = (
        replace(each, finding=found[identity])
        for identity, each in here.items()
        if identity in found and _reach(each.finding) != _reach(found[identity])
    )
    ended = (
        replace(each, until=decision.at)
        for identity, each in here.items()
        if identity not in found and _was_looked_at(each.finding, decision)
    )
    return (*began, *changed, *ended)


def lapsed(
    known: Iterable[ledger.Violation], environment: names.Environment, now: datetime
) -> tuple[ledger.Violation, ...]:
    """Open violations of an environment whose waiver has ended, as they stand without it."""
    return tuple(
        replace(each, finding=waivers.reopened(each.finding))
        for each in known
        if each.environment == environment
        and each.until is None
        and each.finding.severity is findings.Severity.WAIVED
        and each.finding.waived is not None
        and each.finding.waived.until <= now
    )


def _whole(found: Iterable[findings.Finding]) -> dict[tuple[str, ...], findings.Finding]:
    """A finding that counts otherwise in some clusters is one violation, as hard as the hardest of its parts."""
    whole: dict[tuple[str, ...], findings.Finding] = {}
    for each in found:
        other = whole.get(_identity(each), each)
        hardest = min(other, each, key=lambda part: (_HARDEST.index(part.severity), _end(part)))
        clusters = tuple(sorted({*other.clusters, *each.clusters}))
        whole[_identity(each)] = replace(hardest, clusters=clusters)
    return whole


_HARDEST = list(findings.Severity)


def _end(finding: findings.Finding) -> float:
    return finding.waived.until.timestamp() if finding.waived else 0.0


_UNREAD = frozenset({"yaml", "json", "tree"})


def _reach(finding: findings.Finding) -> tuple[object, ...]:
    return finding.clusters, finding.severity, finding.waived, finding.passed


def _was_looked_at(finding: findings.Finding, decision: ledger.Decision) -> bool:
    """What cannot be read says nothing about what was wrong with it before; a refused tree is not read at all."""
    unread = [each for each in decision.findings if each.rule in _UNREAD]
    is_about_reading = finding.rule in _UNREAD
    return is_about_reading or not any(
        each.rule == "tree" or each.place.path == finding.place.path for each in unread
    )


def matches(violation: ledger.Violation, asked: Filter) -> bool:
    finding = violation.finding
    clusters = finding.clusters
    return all(
        (
            asked.rule in ("", finding.rule),
            asked.environment in ("", violation.environment),
            not asked.cluster or not clusters or asked.cluster in clusters,
            not asked.path or fnmatch.fnmatchcase(finding.place.path, asked.path),
            asked.author.lower() in violation.author.lower(),
            not asked.since or violation.since >= _moment(asked.since),
            not asked.open or violation.until is None,
        )
    )


def _moment(text: str) -> datetime:
    """Without a zone it is UTC, as all times here are shown."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise errors.InputError(
            f"{text!r} is no time", hint="write it as 2026-01-31 or 2026-01-31T12:00:00Z"
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def as_json(violation: ledger.Violation) -> dict[str, Any]:
    return {
        "id": violation.id,
        "environment": violation.environment,
        "commit": violation.commit,
        "author": findings.escaped(violation.author),
        "since": violation.since.isoformat(),
        "until": violation.until.isoformat() if violation.until else None,
        **finding_as_json(violation.finding),
    }


def finding_as_json(finding: findings.Finding) -> dict[str, Any]:
    """The stable shape of a finding, for records and for `--output json`."""
    is_waived = finding.severity is findings.Severity.WAIVED
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "message": finding.message,
        "path": findings.escaped(finding.place.path),
        "line": finding.place.line,
        "column": finding.place.column,
        "hint": finding.hint,
        "subject": finding.subject,
        "clusters": list(finding.clusters),
        "level": finding.level,
        "waived": _waiver(finding) if is_waived else None,
        "lapsed": None if is_waived else _waiver(finding),
        "passed": finding.passed,
    }


def _waiver(finding: findings.Finding) -> dict[str, Any] | None:
    waived = finding.waived
    if waived is None:
        return None
    return {
        "waiver": waived.waiver,
        "owner": waived.owner,
        "reason": waived.reason,
        "ticket": waived.ticket,
        "until": waived.until.isoformat(),
        "path": findings.escaped(waived.place.path),
        "line": waived.place.line,
        "otherwise": waived.otherwise.value,
    }


def _identity(finding: findings.Finding) -> tuple[str, str, str, str]:
    """Lines are left out: a violation that moves down a file is the same one."""
    return finding.rule, finding.place.path, finding.subject, finding.message
