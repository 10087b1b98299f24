"""What an agent asks of a dispatch where a trust file says whose approval counts."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

import approvers
import builders
from approvers import ADA, BERT, CARA
from fleet.model import approving, errors, json_values, messages, names
from fleet.protocol import approvals, dsse, encoding, sshsig, trustchain, trusted

TRUST = approvers.trust(approvals=[{"group": "releasers", "count": 2}], expires="2026-03-05")
ME = trusted.Identity(
    cluster=names.Cluster("dev-1"),
    environment=names.Environment("dev"),
    uid=builders.UID,
    hub_key=builders.HUB.public,
    trust=trustchain.digest(TRUST.text),
)
SUBJECT = approvals.subject(
    encoding.decode(
        messages.Statement, dsse.unproved(dsse.STATEMENT, builders.dispatch().statement)
    ),
    1,
)
BOTH = (ADA.says(SUBJECT), BERT.says(SUBJECT))


def sent(**fields: Any) -> bytes:
    shown = builders.dispatch(**{"trust": (TRUST,), "approvals": BOTH, **fields})
    return json_values.encode(builders.envelope(shown))


def refusal(data: bytes, held: trusted.Held | None = None, seconds: float = 0) -> str:
    with pytest.raises(errors.RefusedError) as raised:
        trusted.admit(data, ME, held, builders.later(seconds))
    return str(raised.value)


HELD = trusted.admit(sent(), ME, None, builders.NOW)


def test_two_who_approved_just_this_let_it_in():
    assert HELD.trust == trustchain.Anchor(version=1, digest=names.Digest(ME.trust))


def saying(who: approvers.Person, **fields: Any) -> approving.Signed:
    return who.says(replace(SUBJECT, **fields))


EDITED = replace(BOTH[1], text=BOTH[1].text.replace("approve", "revoke"))
SPACED = BOTH[1].text + " "
AGAIN = approving.Signed(text=SPACED, signature=BERT.sign(SPACED.encode(), sshsig.RELEASE))
MISSING: dict[str, tuple[approving.Signed, ...]] = {
    "nobody": (),
    "one of two": BOTH[:1],
    "one of two, twice": (BOTH[0], BOTH[0], ADA.says(SUBJECT, expires=builders.later(99))),
    "another content": (BOTH[0], saying(BERT, content=names.ContentId(builders.digest("x")))),
    "other rules": (BOTH[0], saying(BERT, rules=names.RulesId(builders.digest("x")))),
    "other owned paths": (BOTH[0], saying(BERT, owned=names.OwnedId(builders.digest("x")))),
    "other slices": (BOTH[0], saying(BERT, slices_root=names.Root(builders.digest("x")))),
    "other gates": (BOTH[0], saying(BERT, gates=names.Digest(builders.digest("x")))),
    "another environment": (BOTH[0], saying(BERT, environment=names.Environment("prod"))),
    "an older trust file": (BOTH[0], saying(BERT, trust=0)),
    "one wave alone": (BOTH[0], saying(BERT, wave="canary")),
    "somebody else": (BOTH[0], CARA.says(SUBJECT)),
    "ended": (BOTH[0], BERT.says(SUBJECT, expires=builders.NOW)),
    "taken back": (BOTH[0], BERT.says(SUBJECT, decision=approving.Decision.REVOKE)),
    "edited": (BOTH[0], EDITED),
    "a second spelling": (BOTH[0], AGAIN),
    "a trust file's signature": (BOTH[0], approving.Signed(text=TRUST.text, signature=TRUST.signatures)),
    "too large": (BOTH[0], replace(BOTH[1], text=BOTH[1].text + " " * approvals.MAX_TEXT)),
}  # fmt: skip


@pytest.mark.threat(41)
@pytest.mark.threat(63)
@pytest.mark.threat(65)
@pytest.mark.parametrize("case", MISSING)
def test_whatever_too_few_people_approved_is_not_applied(case: str):
    assert refusal(sent(approvals=MISSING[case])).startswith(("approval", "signature"))


@pytest.mark.threat(65)
def test_neither_envelope_passes_for_the_other():
    signed = BOTH[0]
    assert "not an envelope" in refusal(encoding.encode(signed))
    as_words = json_values.encode(builders.envelope(builders.dispatch())).decode()
    refusal(sent(approvals=(BOTH[0], approving.Signed(text=as_words, signature=signed.signature))))


@pytest.mark.threat(65)
@settings(deadline=None, max_examples=60)
@given(some.integers(0, len(BOTH[1].text) - 1), some.integers(1, 127))
def test_any_flipped_byte_of_an_approval_is_refused(place: int, change: int):
    text = BOTH[1].text
    spoiled = text[:place] + chr(ord(text[place]) ^ change) + text[place + 1 :]
    refusal(sent(approvals=(BOTH[0], replace(BOTH[1], text=spoiled))))


def test_a_thief_who_leaves_the_trust_file_away_gets_nowhere():
    assert "carries no trust file" in refusal(sent(trust=()))
    assert "enrolled with" in refusal(sent(trust=(approvers.trust(approvals=[]),)))


@pytest.mark.parametrize("seconds", [4 * 86400 + 1, 8 * 86400])
def test_with_an_ended_trust_file_or_approval_nothing_new_comes_and_what_runs_is_renewed(
    seconds: float,
):
    late = {"issued": builders.later(seconds), "expires": builders.later(seconds + 3600)}
    new = builders.dispatch(cluster="dev-1").slice
    assert new == HELD.dispatch.slice
    renewed = sent(sequence=6, **late)
    assert trusted.admit(renewed, ME, HELD, builders.later(seconds)).dispatch.sequence == 6
    assert refusal(renewed, None, seconds).startswith("approvals")


@pytest.mark.threat(91)
@pytest.mark.parametrize("lost", [-86400.0, -50 * 365 * 86400.0])
def test_a_clock_that_lost_its_time_is_no_earlier_than_what_was_held(lost: float):
    ended = sent(sequence=6, release=7, expires=builders.NOW)
    assert "expired" in refusal(ended, HELD, lost)
    assert trusted.admit(sent(sequence=6), ME, HELD, builders.later(lost)).dispatch.sequence == 6


@pytest.mark.threat(91)
def test_a_dispatch_out_of_the_future_does_not_move_the_floor():
    days = {"issued": builders.later(3 * 86400), "expires": builders.later(9 * 86400)}
    assert "issued in the future" in refusal(sent(sequence=6, **days), HELD)


def test_what_was_believed_is_kept_over_a_restart():
    again = trusted.restore(HELD.envelope, ME, HELD.trust)
    assert again == HELD
    ask: Callable[[], str] = lambda: refusal(sent(sequence=6, trust=()), again)  # noqa: E731
    assert "carries no trust file" in ask()
