"""A check as a report: every finding has one result, and what passed is counted beside them."""

import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from fleet.model import findings, json_values

MOST = 10  # rules and files that a summary names


class Result(Enum):
    """The words of policy reports, and one more: what nobody could tell is no error of the object."""

    PASS = "pass"  # noqa: S105 - a result, no password
    FAIL = "fail"
    WARN = "warn"
    ERROR = "error"
    SKIP = "skip"
    NOT_EVALUATED = "not evaluated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """What a severity is called elsewhere."""

    result: Result
    level: str  # of SARIF
    command: str  # of GitHub's runner
    severity: str  # of policy reports


_GRADES = {
    findings.Severity.DENY: Grade(
        result=Result.FAIL, level="error", command="error", severity="high"
    ),
    findings.Severity.UNKNOWN: Grade(
        result=Result.NOT_EVALUATED, level="error", command="error", severity="high"
    ),
    findings.Severity.WARN: Grade(
        result=Result.WARN, level="warning", command="warning", severity="medium"
    ),
    findings.Severity.AUDIT: Grade(
        result=Result.WARN, level="note", command="notice", severity="info"
    ),
    findings.Severity.WAIVED: Grade(
        result=Result.SKIP, level="note", command="notice", severity="info"
    ),
}
# Rules about text that nobody could read on: of what stands in it nothing was judged.
_UNREAD = frozenset({"json", "kustomize", "tree", "yaml"})
# Lines in a message move with the file, the fault stays the same.
_LINES = re.compile(r"(\bline |\.(?:yaml|yml|json):)\d+(?::\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a report can say of a rule besides its findings. `path` is where it is written."""

    title: str = ""
    help: str = ""
    path: str = ""


_Findings = tuple[findings.Finding, ...]  # inside Report the module's name is a field's


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that the formats are made of. `passed` counts objects by rule and namespace ("" = outside of any)."""

    environments: tuple[str, ...]
    findings: _Findings = field(repr=False)
    passed: Mapping[tuple[str, str], int] = field(repr=False)
    rules: Mapping[str, Rule] = field(repr=False, default_factory=dict)
    versions: Mapping[str, str] = field(repr=False, default_factory=dict)  # apiVersion by subject
    prefix: str = ""  # of the checked folder inside its git repository, as "infra/"
    edition: str = ""  # of this program

    @property
    def is_refused(self) -> bool:
        return findings.refuses(self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An object's key, read back from the words of a finding."""

    kind: str
    group: str
    namespace: str
    name: str


def grade(finding: findings.Finding) -> Grade:
    return _GRADES[finding.severity]


def of(finding: findings.Finding) -> Result:
    found = grade(finding).result
    return Result.ERROR if found is Result.FAIL and finding.rule in _UNREAD else found


def counts(report: Report) -> dict[str, int]:
    """Every result with its number, also where that is none."""
    found = Counter(of(each) for each in report.findings)
    found[Result.PASS] += sum(report.passed.values())
    return {each.value: found[each] for each in Result}


def by_rule(found: Iterable[findings.Finding]) -> dict[str, list[findings.Finding]]:
    grouped: dict[str, list[findings.Finding]] = {}
    for each in found:
        grouped.setdefault(each.rule, []).append(each)
    return grouped


def passed_by_rule(report: Report) -> dict[str, int]:
    found: Counter[str] = Counter()
    for (rule, _), count in report.passed.items():
        found[rule] += count
    return dict(found)


def most_broken(found: Iterable[findings.Finding]) -> list[tuple[str, int]]:
    """The rules with most findings; of equal ones the first by name."""
    return _most(Counter(each.rule for each in found))


def most_affected(found: Iterable[findings.Finding]) -> list[tuple[str, int]]:
    """The files with most findings; of equal ones the first by name."""
    return _most(Counter(each.place.path for each in found))


def _most(counted: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counted.items(), key=lambda each: (-each[1], each[0]))[:MOST]


def fingerprints(found: Iterable[findings.Finding]) -> list[str]:
    """One for each finding, that stays when lines move. Of findings that are alike each has its own."""
    seen: Counter[str] = Counter()
    made = []
    for each in found:
        still = _LINES.sub(r"\1", each.message)
        # Spelled out: what is no UTF-8 cannot be part of canonical JSON.
        words = (each.rule, each.place.path, each.subject, still)
        digest = json_values.digest(list(map(findings.escaped, words)))
        name = digest.rpartition(":")[2][:32]
        seen[name] += 1
        made.append(f"{name}:{seen[name]}")
    return made


def subject(words: str) -> Subject | None:
    """None for what is no object: a bundle, a file, the whole tree."""
    kind, _, rest = words.partition(" ")
    namespace, _, name = rest.rpartition("/")
    kind, _, group = kind.partition(".")
    if not kind or not name or " " in rest:
        return None
    return Subject(kind=kind, group=group, namespace=namespace, name=name)


def located(prefix: str, path: str) -> str:
    """A path from the top of the git repository, which nothing leads out of; "." is the top itself."""
    return posixpath.normpath(posixpath.join("/", prefix, path.lstrip("/"))).lstrip("/") or "."


def sentence(finding: findings.Finding) -> str:
    """The message with its clusters and its hint, as one line that nothing unprintable is in."""
    clusters = f" ({', '.join(finding.clusters)})" if finding.clusters else ""
    hint = f"; hint: {finding.hint}" if finding.hint else ""
    return findings.escaped(f"{finding.message}{clusters}{hint}")
