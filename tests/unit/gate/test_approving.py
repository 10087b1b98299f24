"""The gate of approvals: different people, not those who made it, of exactly this, as long as it counts."""

import random
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

import approvers
import builders
from fleet.gate import approving as gate
from fleet.gate import candidates, lineage
from fleet.model import approving, ledger, names
from fleet.protocol import approvals

S = approvers.SUBJECT
ADA, BERT, CARA = (each.line for each in (approvers.ADA, approvers.BERT, approvers.CARA))
LAPTOP = "ssh-ed25519 adas-second-key"
PEOPLE = {ADA: "ada", LAPTOP: "ada", BERT: "bert", CARA: "cara"}
AUTHOR = (approving.Signer(commit=builders.commit(), key=ADA),)
YES, NO = approving.Decision.APPROVE, approving.Decision.REVOKE


def voice(
    key: str,
    decision: approving.Decision = YES,
    *,
    subject: approving.Subject = S,
    ago: float = 60,
    left: float = 3600,
) -> approving.Voice:
    said = approving.Approval(
        kind="Approval", subject=subject, expires=builders.later(left), decision=decision
    )
    return approving.Voice(key=key, said=said, received=builders.later(-ago))


def consent(count: int = 1, **more: object) -> approving.Consent:
    wanted = approving.Wanted(group="releasers", count=count, people=PEOPLE, lifetime=86400)
    return approving.Consent(subject=S, wanted=(wanted,), hint="fleet approve dev", **more)  # type: ignore[arg-type]


def judged(
    asked: approving.Consent, *voices: approving.Voice, **facts: object
) -> ledger.GateResult:
    return said(builders.facts(consent=asked, voices=voices, **facts))


def said(facts: candidates.Facts) -> ledger.GateResult:
    candidate = builders.candidate()
    return gate.gate(candidate, facts, lineage.tell(candidate, facts))


def is_open(asked: approving.Consent, *voices: approving.Voice) -> bool:
    return judged(asked, *voices).state is ledger.GateState.OPEN


def test_where_nobody_is_asked_it_is_open():
    blank = approving.Consent(subject=S, wanted=())
    assert is_open(blank)
    assert said(builders.facts()).state is ledger.GateState.OPEN


def test_so_many_different_people_are_asked():
    assert not is_open(consent(2, signers=AUTHOR), voice(BERT))
    assert is_open(consent(2, signers=AUTHOR), voice(BERT), voice(CARA))
    assert judged(consent(1), voice(BERT)).reason == "approved by bert"


@pytest.mark.threat(40)
def test_nobody_approves_an_own_change_with_whatever_key():
    asked = consent(1, signers=AUTHOR)
    for key in (ADA, LAPTOP):
        found = judged(asked, voice(key))
        assert found.state is ledger.GateState.WAITING
        assert found.reason == "0 of 1 people of releasers approved this (ada made the change)"
        assert found.hint == "fleet approve dev"


@pytest.mark.threat(40)
def test_a_key_that_comes_with_the_change_makes_nobody_another_person():
    old = approving.Signer(commit=builders.commit(), key="a key that goes", person="ada")
    found = judged(consent(1, signers=(old,)), voice(LAPTOP))
    assert found.reason.endswith("(ada made the change)")
    assert is_open(consent(1, signers=(old,)), voice(BERT))


@pytest.mark.threat(40)
def test_two_keys_of_one_person_are_one_person():
    assert not is_open(consent(2), voice(ADA), voice(LAPTOP))


@pytest.mark.threat(40)
@pytest.mark.parametrize("signed", [True, False])
def test_an_unsigned_change_waits_and_says_so_unless_that_is_allowed(signed: bool):
    odd = approving.Signer(commit=builders.commit("odd"), reason="" if signed else "not signed")
    asked = consent(1, signers=(*AUTHOR, odd))
    found = judged(asked, voice(BERT))
    assert found.state is ledger.GateState.WAITING
    assert f"commit {odd.commit[:10]} is not signed" in found.reason
    lenient = replace(asked.wanted[0], allows_unsigned=True)
    assert is_open(replace(asked, wanted=(lenient,)), voice(BERT))
    assert not is_open(replace(asked, wanted=(lenient,)), voice(ADA)), "ada signed the other one"


@pytest.mark.threat(41)
@pytest.mark.parametrize("field", [each.name for each in fields(approving.Subject)])
def test_an_approval_of_anything_else_does_not_count_and_the_gate_says_what_differs(field: str):
    other = replace(S, **{field: 99 if field == "trust" else "other"})
    found = judged(consent(), voice(BERT, subject=other))
    assert found.state is ledger.GateState.WAITING
    assert f"(bert's approval is of another {field.replace('_', ' ')})" in found.reason


@pytest.mark.threat(43)
def test_the_last_word_counts():
    assert not is_open(consent(), voice(BERT, ago=60), voice(BERT, NO, ago=30))
    assert is_open(consent(), voice(BERT, NO, ago=60), voice(BERT, ago=30))
    assert not is_open(consent(), voice(BERT, ago=60), voice(BERT, NO, ago=30), voice("nobody"))


@pytest.mark.parametrize(
    ("ago", "left", "counts"),
    [(60, 1, True), (60, 0, False), (86399, 3600, True), (86400, 3600, False)],
)
def test_it_counts_until_it_ends_and_no_longer_than_is_declared(
    ago: float, left: float, counts: bool
):
    assert is_open(consent(), voice(BERT, ago=ago, left=left)) is counts


def test_all_groups_must_agree_and_each_that_lacks_is_named():
    security = approving.Wanted(group="security", count=1, people={CARA: "cara"})
    asked = consent()
    asked = replace(asked, wanted=(*asked.wanted, security))
    found = judged(asked, voice(BERT))
    assert found.reason.startswith("0 of 1 people of security")
    assert is_open(asked, voice(BERT), voice(CARA))


def test_what_cannot_be_known_waits():
    asked = replace(consent(), troubles=("there is no trust/dev/1.yaml",))
    assert judged(asked, voice(BERT)).state is ledger.GateState.WAITING


@pytest.mark.parametrize("is_same", [True, False])
def test_what_changes_nothing_needs_nobody_only_where_it_is_all_there(is_same: bool):
    base = builders.accepted(content="c2", rules="r1", owned="o1")
    asked = replace(consent(), is_same=is_same)
    assert (judged(asked, base=base).state is ledger.GateState.OPEN) is is_same


def test_whoever_counts_is_the_same_for_gate_and_agent():
    wanted: Callable[[datetime], frozenset[str]] = lambda now: approving.agreeing(  # noqa: E731
        consent().wanted[0], [voice(BERT)], S, now
    )
    assert wanted(builders.NOW) == {"bert"}
    assert wanted(builders.NOW + timedelta(hours=2)) == frozenset()


def test_an_approval_is_read_in_its_one_spelling():
    signed = approvers.BERT.says(S)
    assert approvals.opened(signed, builders.NOW).said.subject == S
    assert names.is_digest(
        ledger.Approval(environment=S.environment, signed=signed, voice=voice(BERT)).id
    )


KEYS = some.sampled_from([ADA, LAPTOP, BERT, CARA, "nobody"])
VOICES = some.lists(
    some.builds(voice, KEYS, some.sampled_from([YES, NO]), ago=some.floats(0, 90000), left=some.floats(-60, 60)),
    max_size=8,
)  # fmt: skip


@given(VOICES, some.randoms())
def test_who_agrees_is_a_matter_of_people_and_last_words_alone(
    voices: list[approving.Voice], chance: random.Random
):
    wanted = consent().wanted[0]
    found = approving.agreeing(wanted, voices, S, builders.NOW)
    assert found <= set(PEOPLE.values())
    assert approving.agreeing(wanted, [*voices, *voices], S, builders.NOW) == found
    if len({each.received for each in voices}) == len(voices):
        mixed = chance.sample(voices, len(voices))
        assert approving.agreeing(wanted, mixed, S, builders.NOW) == found
    now = [voice(key, NO, ago=0) for key in PEOPLE]
    assert approving.agreeing(wanted, [*voices, *now], S, builders.NOW) == frozenset()


def let_in(*voices: approving.Voice) -> ledger.GateState:
    """Of a rewritten branch with the content that runs, an hour after somebody let it in."""
    candidate = builders.candidate("c1", "r1", owned="o1")
    act = builders.rebaseline(commit=candidate.commit, since=builders.later(-3600))
    facts = builders.facts(
        consent=consent(is_same=True),
        voices=voices,
        way=candidates.Way(descends=False),
        rebaselined=act,
    )
    return gate.gate(candidate, facts, lineage.tell(candidate, facts)).state


@pytest.mark.threat(23)
@pytest.mark.threat(41)
def test_a_rewritten_history_is_agreed_to_anew_though_nothing_else_changes():
    assert let_in() is ledger.GateState.WAITING
    assert let_in(voice(BERT, ago=3601)) is ledger.GateState.WAITING
    assert let_in(voice(BERT, ago=3600)) is ledger.GateState.OPEN
    assert let_in(voice(BERT, ago=60)) is ledger.GateState.OPEN
    assert let_in(voice(BERT, ago=120), voice(BERT, NO, ago=60)) is ledger.GateState.WAITING
