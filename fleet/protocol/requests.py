"""Requests of agents: signed messages with a session and a counter, so that none can be played twice (threat 59).

The session is the hub's, new at each of its starts; within it an agent's counter only grows, kind by kind, since a
poll may be under way for long while a report overtakes it.
"""

from collections.abc import Callable, MutableMapping
from typing import TypeVar

from fleet.model import errors, json_values, messages, names
from fleet.protocol import dsse, encoding, keys

Message = TypeVar("Message", messages.Poll, messages.Fetch, messages.Report, messages.Witness)

Counters = MutableMapping[tuple[names.Cluster, str], int]

_TYPES = {
    messages.Poll: dsse.POLL,
    messages.Fetch: dsse.FETCH,
    messages.Report: dsse.REPORT,
    messages.Witness: dsse.WITNESS,
}


def seal(message: Message, *, session: str, counter: int, key: keys.SigningKey) -> bytes:
    payload = {**encoding.as_json(message), "session": session, "counter": counter}
    return json_values.encode(dsse.sign(_TYPES[type(message)], json_values.encode(payload), key))


def unseal(
    body: bytes,
    kind: type[Message],
    *,
    key_of: Callable[[names.Cluster], str | None],
    session: str,
    counters: Counters,
) -> Message | None:
    """The message of a registered agent, once; None for everything else. Its counter is taken over."""
    try:
        envelope = dsse.read(body)
        claimed = _claimed(dsse.unproved(_TYPES[kind], envelope))
        public = key_of(claimed)
        if public is None:
            return None
        payload = json_values.decode(dsse.verify(_TYPES[kind], envelope, public))
        return _once(payload, kind, session, counters)
    except (errors.InputError, errors.RefusedError, ValueError, RecursionError):
        return None


def echo_unproved(body: bytes) -> json_values.JsonObject | None:
    """The dispatch that an unknown agent says it holds; whoever asks must check the signature on it."""
    try:
        payload = json_values.decode(dsse.unproved(dsse.POLL, dsse.read(body)))
        echo = payload.get("echo")
    except (errors.InputError, errors.RefusedError, ValueError, AttributeError, RecursionError):
        return None
    return echo if isinstance(echo, dict) else None


def checkpoint_unproved(body: bytes) -> str:
    """The checkpoint that an unknown agent says it saw, with the same care; "" = none."""
    try:
        payload = json_values.decode(dsse.unproved(dsse.WITNESS, dsse.read(body)))
        found = payload.get("checkpoint")
    except (errors.InputError, errors.RefusedError, ValueError, AttributeError, RecursionError):
        return ""
    return found if isinstance(found, str) else ""


def _claimed(payload: bytes) -> names.Cluster:
    document = json_values.decode(payload)
    cluster = document.get("cluster") if isinstance(document, dict) else None
    if not isinstance(cluster, str):
        raise errors.InputError("names no cluster")
    return names.Cluster(cluster)


def _once(
    payload: dict[str, object],
    kind: type[Message],
    session: str,
    counters: Counters,
) -> Message | None:
    counter = payload.pop("counter", None)
    if payload.pop("session", None) != session or type(counter) is not int:
        return None
    message: Message = encoding.from_json(kind, payload)
    line = message.cluster, kind.__name__
    if counter <= counters.get(line, 0):
        return None
    counters[line] = counter
    return message
