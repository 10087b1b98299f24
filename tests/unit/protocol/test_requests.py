"""Requests of agents: each counts once, in the present session, from a registered key."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

import builders
from fleet.model import json_values, messages, names
from fleet.protocol import dsse, encoding, keys, requests

DEV_1, DEV_2 = names.Cluster("dev-1"), names.Cluster("dev-2")
AGENT, OTHER = keys.generate(), keys.generate()
REGISTERED = {DEV_1: AGENT.public, DEV_2: OTHER.public}
SESSION = "session-1"


class Desk:
    """The hub's side: which keys are registered, which counters were seen."""

    def __init__(self, session: str = SESSION) -> None:
        self.session = session
        self.registered = dict(REGISTERED)
        self.counters: requests.Counters = {}

    def opens(self, body: bytes, kind: type[Any]) -> Any:
        return requests.unseal(
            body,
            kind,
            key_of=self.registered.get,
            session=self.session,
            counters=self.counters,
        )


def sealed(
    message: Any, *, counter: int = 1, session: str = SESSION, key: keys.SigningKey = AGENT
) -> bytes:
    return requests.seal(message, session=session, counter=counter, key=key)


MESSAGES = [builders.poll(), builders.fetch(), builders.report()]
each_kind = pytest.mark.parametrize("message", MESSAGES, ids=["poll", "fetch", "report"])


@each_kind
def test_a_request_of_a_registered_agent_is_opened(message: Any):
    assert Desk().opens(sealed(message), type(message)) == message


@pytest.mark.threat(59)
@each_kind
def test_a_request_counts_once(message: Any):
    desk, body = Desk(), sealed(message)
    assert desk.opens(body, type(message)) == message
    assert desk.opens(body, type(message)) is None


@pytest.mark.threat(59)
@each_kind
@pytest.mark.parametrize("counter", [4, 5, 0, -1])
def test_an_older_counter_is_refused_and_none_is_lost(message: Any, counter: int):
    desk = Desk()
    assert desk.opens(sealed(message, counter=5), type(message))
    assert desk.opens(sealed(message, counter=counter), type(message)) is None
    assert desk.opens(sealed(message, counter=6), type(message))


def test_a_report_may_overtake_a_poll():
    desk = Desk()
    poll = sealed(builders.poll(), counter=1)
    assert desk.opens(sealed(builders.report(), counter=2), messages.Report)
    assert desk.opens(poll, messages.Poll)


def test_agents_count_for_themselves():
    desk = Desk()
    assert desk.opens(sealed(builders.poll(), counter=9), messages.Poll)
    other = sealed(builders.poll(cluster="dev-2"), counter=1, key=OTHER)
    assert desk.opens(other, messages.Poll)


@pytest.mark.threat(59)
@each_kind
def test_requests_of_an_earlier_session_are_worth_nothing_after_a_restart(message: Any):
    body = sealed(message)
    assert Desk().opens(body, type(message))
    assert Desk("session-2").opens(body, type(message)) is None


@pytest.mark.threat(58)
@each_kind
def test_an_unknown_agent_is_refused_and_leaves_no_trace(message: Any):
    desk = Desk()
    desk.registered.clear()
    assert desk.opens(sealed(message), type(message)) is None
    assert desk.counters == {}


@pytest.mark.threat(59)
@each_kind
def test_no_agent_speaks_for_another(message: Any):
    desk = Desk()
    assert desk.opens(sealed(message, key=OTHER), type(message)) is None
    assert desk.counters == {}


@pytest.mark.threat(65)
@each_kind
def test_no_request_passes_for_another_kind(message: Any):
    desk = Desk()
    for kind in {type(each) for each in MESSAGES} - {type(message)}:
        assert desk.opens(sealed(message), kind) is None
    assert desk.counters == {}


def forged(payload: Any, kind: str = dsse.POLL) -> bytes:
    return json_values.encode(dsse.sign(kind, json_values.encode(payload), AGENT))


POLL = {**encoding.as_json(builders.poll()), "session": SESSION, "counter": 1}
ODD: dict[str, Any] = {
    "no session": {k: v for k, v in POLL.items() if k != "session"},
    "no counter": {k: v for k, v in POLL.items() if k != "counter"},
    "counter in words": {**POLL, "counter": "1"},
    "counter that is true": {**POLL, "counter": True},
    "counter that is no whole number": {**POLL, "counter": 1.5},
    "session that is null": {**POLL, "session": None},
    "no cluster": {k: v for k, v in POLL.items() if k != "cluster"},
    "cluster as a number": {**POLL, "cluster": 7},
    "cluster as a list": {**POLL, "cluster": ["dev-1"]},
    "one word more": {**POLL, "admin": True},
    "wait in words": {**POLL, "wait": "long"},
    "a list": [POLL],
    "nothing": None,
}


@pytest.mark.threat(59)
@pytest.mark.parametrize("payload", ODD.values(), ids=ODD.keys())
def test_a_payload_of_another_form_is_refused_although_it_is_signed(payload: Any):
    desk = Desk()
    assert desk.opens(forged(payload), messages.Poll) is None
    assert desk.counters == {}


def test_the_form_itself_is_fine():
    assert Desk().opens(forged(copy.deepcopy(POLL)), messages.Poll) == builders.poll()


@pytest.mark.threat(59)
@each_kind
def test_no_byte_can_change(message: Any):
    body, desk = sealed(message), Desk()
    for at in range(0, len(body), 7):
        spoiled = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        assert desk.opens(spoiled, type(message)) is None
    assert desk.counters == {}


@given(some.binary() | some.sampled_from([b"[" * 100_000, b"{}", b"null", b'{"payload":1}']))
def test_any_bytes_are_refused_without_an_error(body: bytes):
    assert Desk().opens(body, messages.Poll) is None
    assert requests.echo_unproved(body) is None


def test_the_echo_of_an_unknown_agent_can_be_looked_at():
    echo = builders.envelope(builders.dispatch())
    assert requests.echo_unproved(sealed(builders.poll(echo=echo))) == echo
    assert requests.echo_unproved(sealed(builders.poll())) is None
    assert requests.echo_unproved(sealed(builders.report())) is None


@pytest.mark.parametrize("payload", [[], None, "echo", {"echo": []}, {"echo": "x"}, {}])
def test_an_echo_of_another_form_is_none(payload: Any):
    assert requests.echo_unproved(forged(payload)) is None
