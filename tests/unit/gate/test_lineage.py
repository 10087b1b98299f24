"""The tip decides: what a candidate is follows from content, rules and descent alone."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

import builders
from fleet.gate import candidates, lineage
from fleet.model import ledger

Lineage, Gate = ledger.Lineage, ledger.GateState
SHARED = candidates.Step(commit=builders.commit("s"), changes_shared=True, changes_owned=False)
OWNED = candidates.Step(commit=builders.commit("o"), changes_shared=False, changes_owned=True)
SLIPPED = replace(OWNED, is_upstreams=True)
BOTH = candidates.Step(commit=builders.commit("b"), changes_shared=True, changes_owned=True)

# Upstream accepted c1, then c2, then c3; staging runs c1 unless said otherwise.
HISTORY = (builders.accepted(1, "c1"), builders.accepted(2, "c2"), builders.accepted(3, "c3"))
DEV = builders.upstream(*HISTORY)


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
    "owned paths only, in a commit of upstream's": (
        staging("c1", owned="o2"),
        {"upstream": DEV, "steps": (SLIPPED,)},
        Lineage.OWNED,
        Gate.REFUSED,
    ),
    "promotion with owned paths in a commit of upstream's": (
        staging("c2", owned="o2"),
        {"upstream": DEV, "steps": (SLIPPED, SHARED)},
        Lineage.PROMOTION,
        Gate.REFUSED,
    ),
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
        {"upstream": DEV, "steps": (SHARED, OWNED)},
        Lineage.PROMOTION,
        Gate.OPEN,
    ),
    "promotion whose merge brings owned paths along": (
        staging("c2", owned="o2"),
        {"upstream": DEV, "steps": (BOTH,)},
        Lineage.PROMOTION,
        Gate.REFUSED,
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
        Lineage.UNACCEPTED,
        Gate.WAITING,
    ),
    "adoption before upstream accepted anything": (
        staging("c2"),
        {"upstream": builders.upstream(), "base": None},
        Lineage.UNACCEPTED,
        Gate.WAITING,
    ),
    "upstream has not decided yet": (
        staging("c4"),
        {"upstream": pending("c4")},
        Lineage.UNACCEPTED,
        Gate.WAITING,
    ),
    "upstream refused it": (
        staging("c4"),
        {"upstream": pending("c4", ledger.Verdict.REFUSED)},
        Lineage.UNACCEPTED,
        Gate.WAITING,
    ),
    "upstream decides on something else": (
        staging("odd"),
        {"upstream": pending("c4")},
        Lineage.UNACCEPTED,
        Gate.REFUSED,
    ),
    "rewritten branch": (builders.candidate(), {"descends": False}, Lineage.REWRITE, Gate.WAITING),
    "orphan with the same tree": (
        builders.candidate("c1"),
        {"descends": False},
        Lineage.REWRITE,
        Gate.WAITING,
    ),
    "rewritten branch that equals upstream": (
        staging("c2"),
        {"upstream": DEV, "descends": False},
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
    "changed in the merge": (
        staging("odd"),
        {"upstream": DEV, "steps": (SHARED,)},
        Lineage.ALTERED,
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
    assert lineage.classify(candidate, facts) is kind
    assert lineage.gate(candidate, facts).state is state


def test_the_table_has_every_class_that_can_be_found():
    assert {kind for _, _, kind, _ in CLASSES.values()} == set(Lineage) - {Lineage.BASELINE}


@pytest.mark.parametrize(
    ("candidate", "told"),
    [(c, told) for c, told, _, state in CLASSES.values() if state is not Gate.OPEN],
    ids=[name for name, (*_, state) in CLASSES.items() if state is not Gate.OPEN],
)
def test_who_is_held_hears_why_and_what_to_do(
    candidate: candidates.Candidate, told: dict[str, Any]
):
    result = lineage.gate(candidate, builders.facts(**told))
    assert result.reason
    assert result.hint


@pytest.mark.threat(23)
def test_a_rewritten_branch_names_both_commits():
    candidate, facts = builders.candidate(), builders.facts(descends=False)
    reason = lineage.gate(candidate, facts).reason
    assert facts.base is not None
    assert candidate.commit[:10] in reason
    assert facts.base.commit[:10] in reason


@pytest.mark.threat(29)
def test_an_evil_merge_names_the_paths_in_which_it_differs():
    paths = tuple(f"apps/web/{n}.yaml" for n in range(7))
    facts = builders.facts(upstream=DEV, steps=(SHARED,), differing=paths)
    result = lineage.gate(staging("odd"), facts)
    assert "apps/web/0.yaml" in result.reason
    assert "and 2 more" in result.reason
    assert "fleet promote dev staging" in result.hint


@pytest.mark.parametrize(("count", "more"), [(5, ""), (6, " and 1 more")])
def test_only_paths_that_are_not_shown_are_counted(count: int, more: str):
    paths = tuple(f"{n}.yaml" for n in range(count))
    result = lineage.gate(staging("odd"), builders.facts(upstream=DEV, differing=paths))
    assert result.reason.endswith(f"0.yaml, 1.yaml, 2.yaml, 3.yaml, 4.yaml{more}")


@pytest.mark.threat(30)
def test_a_promotion_after_a_lost_revert_is_refused():
    """Upstream reverted the change and brought it again; a merge into staging keeps the revert."""
    dev = builders.upstream(
        builders.accepted(1, "with"),
        builders.accepted(2, "without"),
        builders.accepted(3, "with+more"),
    )
    facts = builders.facts(upstream=dev, base=builders.accepted(2, "without"), steps=(SHARED,))
    assert lineage.gate(staging("without+more"), facts).state is Gate.REFUSED


def test_content_that_upstream_had_twice_counts_as_its_newer_release():
    dev = builders.upstream(
        builders.accepted(1, "c1"), builders.accepted(2, "c2"), builders.accepted(3, "c1")
    )
    facts = builders.facts(upstream=dev, base=builders.accepted(1, "c2"))
    assert lineage.classify(staging("c1"), facts) is Lineage.PROMOTION


@pytest.mark.threat(33)
@given(some.text(), some.text(), some.sampled_from(sorted(CLASSES)))
def test_author_and_subject_decide_nothing(author: str, subject: str, name: str):
    candidate, told, kind, _ = CLASSES[name]
    forged = replace(candidate, author=author, subject=subject)
    facts = builders.facts(**told)
    assert lineage.classify(forged, facts) is kind
    assert lineage.gate(forged, facts) == lineage.gate(candidate, facts)


@given(some.lists(some.sampled_from([SHARED, OWNED, BOTH]), max_size=6))
def test_the_way_never_turns_a_wrong_tip_into_a_right_one(steps: list[candidates.Step]):
    facts = builders.facts(upstream=DEV, steps=tuple(steps))
    assert lineage.gate(staging("odd"), facts).state is Gate.REFUSED


@given(some.lists(some.sampled_from([SHARED, OWNED, BOTH]), max_size=6))
def test_squash_rebase_and_merge_are_all_fine(steps: list[candidates.Step]):
    facts = builders.facts(upstream=DEV, steps=tuple(steps))
    assert lineage.gate(staging("c2"), facts).state is Gate.OPEN


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


def test_the_account_lists_each_environment_in_order_of_release():
    releases = [builders.release(n) for n in (10, 2, 1)]
    releases.append(builders.release(4, environment="prod"))
    found = candidates.account({(each.environment, each.number): each for each in releases})
    assert {name: [each.release for each in history] for name, history in found.items()} == {
        "dev": [1, 2, 10],
        "prod": [4],
    }
