"""The words of a test run: cases, what was expected of each, and which rules were seen to deny and to admit."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from fleet.model import findings


class State(Enum):
    PASSED = "passed"
    FAILED = "failed"
    NOT_EVALUATED = "not evaluated"
    SKIPPED = "skipped"  # its author says so


class Result(Enum):
    """What a rule says to an object, in Kyverno's words."""

    PASS = "pass"  # noqa: S105  no password
    FAIL = "fail"
    SKIP = "skip"  # its conditions do not hold, or an exception does
    ERROR = "error"
    WARN = "warn"
    NONE = "no match"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    place: findings.Place
    name: str
    want: str = ""
    got: str = ""
    state: State
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule that the tests could reach, and what they have seen it do."""

    place: findings.Place
    title: str
    denies: bool = False
    admits: bool = False

    @property
    def is_covered(self) -> bool:
        return self.denies and self.admits


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    cases: tuple[Case, ...] = ()
    rules: tuple[Rule, ...] = ()

    @property
    def counts(self) -> Counter[State]:
        return Counter(each.state for each in self.cases)

    @property
    def has_failed(self) -> bool:
        return any(each.state is State.FAILED for each in self.cases)


def merged(reports: Iterable[Report]) -> Report:
    """A rule that several tests name is one rule."""
    cases: list[Case] = []
    rules: dict[tuple[findings.Place, str], Rule] = {}
    for report in reports:
        cases += report.cases
        for each in report.rules:
            other = rules.get((each.place, each.title), each)
            rules[each.place, each.title] = Rule(
                place=each.place,
                title=each.title,
                denies=each.denies or other.denies,
                admits=each.admits or other.admits,
            )
    return Report(cases=tuple(cases), rules=tuple(rules.values()))
