"""The tip decides: what a candidate is follows from content, rules and descent alone."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

import builders
from fleet.gate import candidates, lineage
from fleet.model import ledger, names

Lineage, Gate = ledger.Lineage, ledger.GateState
REWRITTEN = candidates.Way(descends=False)

# Upstream accepted c1, then c2, then c3; staging runs c1 unless said otherwise.
HISTORY = (builders.accepted(1, "c1"), builders.accepted(2, "c2"), builders.accepted(3, "c3"))
DEV = builders.upstream(*HISTORY)


def gate(candidate: candidates.Candidate, facts: candidates.Facts) -> ledger.GateResult:
    return lineage.gate(candidate, facts, lineage.tell(candidate, facts))


def staging(content: str = "c2", rules: str = "r1", **fields: Any) -> candidates.Candidate:
    return builders.candidate(content, rules, environment="staging", **fields)


def pending(content: str, verdict: ledger.Verdict = ledger.Verdict.WAITING) -> candidates.Upstream:
    return replace(DEV, undecided=builders.decision(content, verdict=verdict))


CLASSES: dict[str, tuple[candidates.Candidate, dict[str, Any], Lineage, Gate]] = {
    "first commit of the first environment": (
        builders.candidate(),
        {"base": None},
        Lineage.ENTRY,
        Gate.OPEN,
    ),
    "next commit of the first environment": (
        builders.candidate(),
        {},
        Lineage.ENTRY,
        Gate.OPEN,
    ),
    "a change back in the first environment": (
        builders.candidate("c1", "r0"),
        {},
        Lineage.ENTRY,
        Gate.OPEN,
    ),
    "same content and rules": (builders.candidate("c1"), {}, Lineage.NOTHING, Gate.OPEN),
    "owned paths only": (builders.candidate("c1", owned="o2"), {}, Lineage.OWNED, Gate.OPEN),
    "owned paths only, in a later environment": (
        staging("c1", owned="o2"),
        {"upstream": DEV},
        Lineage.OWNED,
        Gate.OPEN,
    ),
    "promotion": (staging("c2"), {"upstream": DEV}, Lineage.PROMOTION, Gate.OPEN),
    "promotion that skips a release": (
        staging("c3"),
        {"upstream": DEV},
        Lineage.PROMOTION,
        Gate.OPEN,
    ),
    "promotion with owned paths in a commit of their own": (
        staging("c2", owned="o2"),
        {"upstream": DEV},
        Lineage.PROMOTION,
        Gate.OPEN,
    ),
    "promotion from a base that upstream never had": (
        staging("c2"),
        {"upstream": DEV, "base": builders.accepted(1, "hotfix")},
        Lineage.PROMOTION,
        Gate.OPEN,
    ),
    "adoption of what upstream accepted": (
        staging("c2"),
        {"upstream": DEV, "base": None},
        Lineage.PROMOTION,
        Gate.OPEN,
    ),
    "adoption of something else": (
        staging("odd"),
        {"upstream": DEV, "base": None},
        Lineage.UNADOPTED,
        Gate.WAITING,
    ),
    "adoption before upstream accepted anything": (
        staging("c2"),
        {"upstream": builders.upstream(), "base": None},
        Lineage.UNADOPTED,
        Gate.WAITING,
    ),
    "upstream has not decided yet": (
        staging("c4"),
        {"upstream": pending("c4")},
        Lineage.UNDECIDED,
        Gate.WAITING,
    ),
    "upstream refused it": (
        staging("c4"),
        {"upstream": pending("c4", ledger.Verdict.REFUSED)},
        Lineage.UNACCEPTED,
        Gate.REFUSED,
    ),
    "upstream decides on something else": (
        staging("odd"),
        {"upstream": pending("c4")},
        Lineage.DIRECT,
        Gate.REFUSED,
    ),
    "rewritten branch": (builders.candidate(), {"way": REWRITTEN}, Lineage.REWRITE, Gate.WAITING),
    "orphan with the same tree": (
        builders.candidate("c1"),
        {"way": REWRITTEN},
        Lineage.REWRITE,
        Gate.WAITING,
    ),
    "rewritten branch that equals upstream": (
        staging("c2"),
        {"upstream": DEV, "way": REWRITTEN},
        Lineage.REWRITE,
        Gate.WAITING,
    ),
    "back to an older release": (
        staging("c1"),
        {"upstream": DEV, "base": builders.accepted(2, "c2")},
        Lineage.OLDER,
        Gate.REFUSED,
    ),
    "older policies under the same content": (
        staging("c2", "r0"),
        {
            "upstream": builders.upstream(
                builders.accepted(1, "c2", "r0"), builders.accepted(2, "c2", "r1")
            ),
            "base": builders.accepted(1, "c2", "r1"),
        },
        Lineage.OLDER,
        Gate.REFUSED,
    ),
    "changed directly": (staging("odd"), {"upstream": DEV}, Lineage.DIRECT, Gate.REFUSED),
    "content of one release with the rules of another": (
        staging("c2", "r2"),
        {
            "upstream": builders.upstream(
                builders.accepted(1, "c2", "r1"), builders.accepted(2, "c3", "r2")
            )
        },
        Lineage.DIRECT,
        Gate.REFUSED,
    ),
}


@pytest.mark.threat(23)
@pytest.mark.threat(29)
@pytest.mark.threat(38)
@pytest.mark.parametrize(
    ("candidate", "told", "kind", "state"), CLASSES.values(), ids=CLASSES.keys()
)
def test_each_class(
    candidate: candidates.Candidate, told: dict[str, Any], kind: Lineage, state: Gate
):
    facts = builders.facts(**told)
    assert lineage.tell(candidate, facts).kind is kind
    assert gate(candidate, facts).state is state


@pytest.mark.parametrize(
    ("candidate", "told"),
    [(c, told) for c, told, _, state in CLASSES.values() if state is not Gate.OPEN],
    ids=[name for name, (*_, state) in CLASSES.items() if state is not Gate.OPEN],
)
def test_who_is_held_hears_why_and_what_to_do(
    candidate: candidates.Candidate, told: dict[str, Any]
):
    result = gate(candidate, builders.facts(**told))
    assert result.reason
    assert result.hint


@pytest.mark.threat(23)
def test_a_rewritten_branch_names_both_commits():
    candidate, facts = builders.candidate(), builders.facts(way=REWRITTEN)
    reason = gate(candidate, facts).reason
    assert facts.base is not None
    assert candidate.commit[:10] in reason
    assert facts.base.commit[:10] in reason


def test_content_that_upstream_had_twice_counts_as_its_newer_release():
    dev = builders.upstream(
        builders.accepted(1, "c1"), builders.accepted(2, "c2"), builders.accepted(3, "c1")
    )
    facts = builders.facts(upstream=dev, base=builders.accepted(1, "c2"))
    assert lineage.tell(staging("c1"), facts).kind is Lineage.PROMOTION


@pytest.mark.threat(33)
@given(some.text(), some.text(), some.sampled_from(sorted(CLASSES)))
def test_author_and_subject_decide_nothing(author: str, subject: str, name: str):
    candidate, told, kind, _ = CLASSES[name]
    forged = replace(candidate, author=author, subject=subject)
    facts = builders.facts(**told)
    assert lineage.tell(forged, facts).kind is kind
    assert gate(forged, facts) == gate(candidate, facts)


@pytest.mark.parametrize(
    ("history", "in_two_steps"),
    [
        ([("c1", "r1"), ("c1", "r2"), ("c2", "r2")], True),
        ([("c1", "r1"), ("c2", "r1"), ("c2", "r2")], False),
        ([("c1", "r1"), ("c2", "r2")], False),
        ([("c1", "r1")], False),
    ],
    ids=["rules first", "content first", "at once", "never"],
)
def test_whether_upstream_had_the_rules_before_the_content(
    history: list[tuple[str, str]], in_two_steps: bool
):
    dev = builders.upstream(
        *(builders.accepted(number, c, r) for number, (c, r) in enumerate(history, 1))
    )
    found = lineage.rules_came_first(staging("c2", "r2"), builders.accepted(), dev)
    assert found is in_two_steps


def test_rules_that_stay_never_come_first():
    assert not lineage.rules_came_first(staging("c2"), builders.accepted(), DEV)
    assert not lineage.rules_came_first(staging("c2", "r2"), builders.accepted(), None)


def test_what_was_accepted_is_listed_in_order_of_release():
    releases = [builders.release(n) for n in (10, 2, 1)]
    releases.append(builders.release(4, environment="prod"))
    book = {(each.environment, each.number): each for each in releases}
    found = candidates.accepted(book, names.Environment("dev"))
    assert [each.release for each in found] == [1, 2, 10]
    assert [each.release for each in candidates.accepted(book, names.Environment("prod"))] == [4]


ACT = builders.rebaseline()
ACTS: dict[str, tuple[Any, Lineage]] = {
    "nobody let it in": (None, Lineage.REWRITE),
    "this commit on top of this one": (ACT, Lineage.ENTRY),
    "another commit": (replace(ACT, commit=builders.commit("other")), Lineage.REWRITE),
    "on top of another one": (replace(ACT, base=builders.commit("other")), Lineage.REWRITE),
    "elsewhere": (replace(ACT, environment=names.Environment("prod")), Lineage.REWRITE),
}


@pytest.mark.threat(23)
@pytest.mark.parametrize(("act", "kind"), ACTS.values(), ids=ACTS)
def test_a_rewritten_tip_is_let_in_by_an_act_about_just_that(act: Any, kind: Lineage):
    facts = builders.facts(way=REWRITTEN, rebaselined=act)
    found = gate(builders.candidate(), facts)
    assert lineage.tell(builders.candidate(), facts).kind is kind
    assert ("ada let this in: a password" in found.reason) is (kind is Lineage.ENTRY)


def test_an_act_says_nothing_where_the_branch_was_not_rewritten():
    found = gate(builders.candidate(), builders.facts(rebaselined=ACT))
    assert found.reason == "entry"
