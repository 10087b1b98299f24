"""What a structural schema asks of lists, embedded resources and formats, where JSON Schema has no words for it.

Source: pkg/apiserver/schema/{listtype,objectmeta}/validation.go of k8s.io/apiextensions-apiserver, with its messages.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fleet.manifests.schemas import completion
from fleet.policy.crds import spots, words

_NOTHING = object()
_LABEL = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?\Z")
_ROOT = spots.Spot()


def faults(value: Any, schema: Any, spot: spots.Spot = _ROOT) -> Iterator[spots.Fault]:
    if not isinstance(schema, Mapping):
        return
    match value:
        case dict():
            yield from _object(value, schema, spot)
        case list():
            yield from _list(value, schema, spot)
            for place, each in enumerate(value):
                yield from faults(each, schema.get("items"), spot.index(place))
        case _:
            pass


def _object(
    value: dict[str, Any], schema: Mapping[str, Any], spot: spots.Spot
) -> Iterator[spots.Fault]:
    if completion.is_true(schema, "embedded-resource"):
        yield from _embedded(value, spot)
    for key, each in value.items():
        inner = completion.schema_of(schema, key)
        if inner is not None:
            yield from faults(each, inner, _inside(schema, key, spot))


def _inside(schema: Mapping[str, Any], key: str, spot: spots.Spot) -> spots.Spot:
    properties = schema.get("properties")
    is_field = isinstance(properties, Mapping) and key in properties
    return spot.child(key) if is_field else spot.key(key)


def _list(value: list[Any], schema: Mapping[str, Any], spot: spots.Spot) -> Iterator[spots.Fault]:
    match schema.get("x-kubernetes-list-type"):
        case "set":
            for place in _again(map(_plain, value)):
                yield spots.Fault(spot.index(place), f"Duplicate value: {_compact(value[place])}")
        case "map":
            yield from _map(value, schema.get("x-kubernetes-list-map-keys"), spot)
        case _:
            pass


def _map(value: list[Any], keys: Any, spot: spots.Spot) -> Iterator[spots.Fault]:
    for place, each in enumerate(value):
        if each is not None and not isinstance(each, Mapping):
            text = (
                f"Invalid value: {_compact(each)}: must be an object for an array of list-type map"
            )
            yield spots.Fault(spot.index(place), text)
            return
    named = [key for key in keys if isinstance(key, str)] if isinstance(keys, list) else []
    held = [{key: each[key] for key in named if key in (each or ())} for each in value]
    for place in _again(map(_plain, held)):
        yield spots.Fault(spot.index(place), f"Duplicate value: {_compact(held[place])}")


def _again(values: Iterable[str]) -> Iterator[int]:
    """The place where each value comes for the second time."""
    seen: dict[str, int] = {}
    for place, each in enumerate(values):
        seen[each] = seen.get(each, 0) + 1
        if seen[each] == 2:
            yield place


def _plain(value: Any) -> str:
    """Equal texts for equal values: 1 and "1" differ, and so do 1 and true."""
    return json.dumps(value, sort_keys=True)


def _compact(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _embedded(value: dict[str, Any], spot: spots.Spot) -> Iterator[spots.Fault]:
    for name in ("apiVersion", "kind"):
        word, inner = value.get(name, _NOTHING), spot.child(name)
        if word is _NOTHING:
            yield spots.Fault(inner, "Required value")
        elif not isinstance(word, str):
            yield spots.Fault(inner, f"Invalid value: {_compact(word)}: must be a string")
        elif not word:
            yield spots.Fault(inner, 'Invalid value: "": must not be empty')
        elif name == "kind" and not _LABEL.match(word.lower()):
            text = "may have mixed case, but should otherwise match a DNS-1035 label"
            yield spots.Fault(inner, f"Invalid value: {_compact(word)}: {text}")


def unformed(value: Any, schema: Any, spot: spots.Spot = _ROOT) -> Iterator[spots.Fault]:
    """Strings and numbers that are not of their format: as long as there is one, no rule is asked."""
    if not isinstance(schema, Mapping):
        return
    match value:
        case dict():
            for key, each in value.items():
                inner = completion.schema_of(schema, key)
                yield from unformed(each, inner, _inside(schema, key, spot))
        case list():
            for place, each in enumerate(value):
                yield from unformed(each, schema.get("items"), spot.index(place))
        case str() | int() if not isinstance(value, bool):
            yield from _unformed(value, schema, spot)
        case _:
            pass


def _unformed(
    value: str | int, schema: Mapping[str, Any], spot: spots.Spot
) -> Iterator[spots.Fault]:
    kind, form = schema.get("type"), schema.get("format")
    if isinstance(value, str):
        if kind == "string" and not words.holds(form, value):
            said = f"{spot.shown} in body must be of type {form}: {_compact(value)}"
            yield spots.Fault(spot, f"Invalid value: {_compact(value)}: {said}")
    elif kind == "integer" and not words.fits(form, value):
        of = f"integer with format {form}" if form else "integer (default format)"
        said = f"Checked value must be of type {of} in {spot.shown}"
        # As the server says it: of no field, though it knows which.
        yield spots.Fault(spots.Spot("", spot.steps), f'Invalid value: "": {said}')
