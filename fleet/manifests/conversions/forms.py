"""Kinds that a later version writes in another form: what is renamed, moved out or moved in."""

from collections.abc import Callable, Mapping
from typing import Any

Body = dict[str, Any]

_ZERO = "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares"
_ASSURED, _NOMINAL = "assuredConcurrencyShares", "nominalConcurrencyShares"
_EVENT = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}
_BACK = {new: old for old, new in _EVENT.items()}
_OF_REQUEST = ("name", "firstAvailable")


def at(body: Body, path: tuple[str, ...], change: Callable[[Any], Any]) -> Body:
    """With what is at the path changed, if it is there."""
    step, *rest = path
    if step not in body:
        return body
    inner = body[step]
    if not rest:
        return {**body, step: change(inner)}
    return {**body, step: at(inner, tuple(rest), change)} if isinstance(inner, dict) else body


def event_moved(body: Body) -> Body:
    return {_EVENT.get(key, key): each for key, each in body.items()}


def event_moved_back(body: Body) -> Body:
    return {_BACK.get(key, key): each for key, each in body.items()}


def nominal(body: Body) -> Body:
    return _renamed(body, _ASSURED, _NOMINAL)


def assured(body: Body) -> Body:
    return _renamed(body, _NOMINAL, _ASSURED)


def _renamed(body: Body, old: str, new: str) -> Body:
    def change(limited: Any) -> Any:
        if not isinstance(limited, dict):
            return limited
        return {new if key == old else key: each for key, each in limited.items()}

    return at(body, ("spec", "limited"), change)


def zero_forgotten(body: Body) -> Body:
    return without_annotations(body, frozenset({_ZERO}))


def zero_remembered(body: Body) -> Body:
    """v1beta3 has a default instead of zero: the annotation says that it is meant."""
    limited = _part(body, "spec", "limited")
    if limited is None or limited.get(_NOMINAL) != 0:
        return body
    return with_annotations(body, {_ZERO: ""})


def with_annotations(body: Body, more: Mapping[str, str]) -> Body:
    metadata = body.get("metadata")
    known = metadata if isinstance(metadata, dict) else {}
    written = known.get("annotations")
    held = written if isinstance(written, dict) else {}
    return {**body, "metadata": {**known, "annotations": {**held, **more}}}


def without_annotations(body: Body, gone: frozenset[str]) -> Body:
    held = _part(body, "metadata", "annotations")
    if held is None or not gone & held.keys():
        return body
    kept = {key: each for key, each in held.items() if key not in gone}
    metadata = {key: each for key, each in body["metadata"].items() if key != "annotations"}
    return {**body, "metadata": {**metadata, **({"annotations": kept} if kept else {})}}


def _part(body: Any, *path: str) -> Body | None:
    for step in path:
        body = body.get(step) if isinstance(body, dict) else None
    return body if isinstance(body, dict) else None


def claim_exactly(body: Body) -> Body:
    return at(body, ("spec", "devices", "requests"), lambda each: _all(each, _exactly))


def claim_flat(body: Body) -> Body:
    return at(body, ("spec", "devices", "requests"), lambda each: _all(each, _flat))


def template_exactly(body: Body) -> Body:
    return at(
        body, ("spec",), lambda each: claim_exactly(each) if isinstance(each, dict) else each
    )


def template_flat(body: Body) -> Body:
    return at(body, ("spec",), lambda each: claim_flat(each) if isinstance(each, dict) else each)


def _all(value: Any, change: Callable[[Body], Body]) -> Any:
    if not isinstance(value, list):
        return value
    return [change(each) if isinstance(each, dict) else each for each in value]


def _exactly(request: Body) -> Body:
    own = {key: each for key, each in request.items() if key in _OF_REQUEST}
    exactly = {key: each for key, each in request.items() if key not in _OF_REQUEST}
    return {**own, "exactly": exactly} if exactly else own


def _flat(request: Body) -> Body:
    exactly = request.get("exactly")
    own = {key: each for key, each in request.items() if key != "exactly"}
    return {**own, **exactly} if isinstance(exactly, dict) else own
