"""The shapes of Kubernetes' types as far as they change an object on its way through the API server.

One line is one type, one word one field of it:

    name?        left out while it is zero: "", 0, false, [] or {}
    name!        always there, as null or {} where nothing is written
    name#        a quantity
    name=Type    a struct; name[]Type a list of them, name{}Type a map of them; `#` may be a Type here

A field that is not named stays as it is written; nulls go everywhere.
"""

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from fleet.manifests.defaults import (
    core_types,
    group_types,
    quantities,
    rules,
    strategies,
    values,
)

Step: TypeAlias = Callable[[Any], Any]

_WORD = re.compile(r"(?P<name>\w+)(?P<mark>[?!]?)(?P<form>=|\[\]|\{\}|)(?P<type>#|[\w.]*)\Z")
_TEXTS: Mapping[str, str] = {
    name.lower(): text
    for module in (core_types, group_types)
    for name, text in vars(module).items()
    if name.isupper()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    name: str
    mark: str
    form: str  # "=", "[]", "{}" or ""
    type: str  # its full name, "#" for quantities, "" for what is not looked into


@functools.cache
def _lines(section: str) -> Mapping[str, str]:
    """The words of each type of a section; long ones go on in the next, indented line."""
    joined = _TEXTS[section].replace("\n  ", " ")
    return {
        name: words
        for name, colon, words in (x.partition(":") for x in joined.splitlines())
        if colon
    }


def fields(name: str) -> Iterator[Field]:
    """Of the type `section.Type`; KeyError where there is none."""
    section, _, plain = name.rpartition(".")
    for word in _lines(section)[plain].split():
        match = _WORD.match(word)
        if match is None:
            raise KeyError(word)
        inner = match["type"]
        full = inner if inner in ("", "#") or "." in inner else f"{section}.{inner}"
        yield Field(name=match["name"], mark=match["mark"], form=match["form"], type=full)


def is_type(name: str) -> bool:
    section, _, plain = name.rpartition(".")
    return section in _TEXTS and plain in _lines(section)


@functools.cache
def step(name: str) -> Step:
    """What completes a value of this type: a new value, in which what is unchanged is shared with the old one."""
    if name == "#":
        return quantities.canonical
    known = tuple(fields(name))
    written = values.BY_TYPE.get(name, {})
    always: dict[str, Any] = {
        each.name: {} if each.form == "=" else None for each in known if each.mark == "!"
    }
    return _struct(
        left_out=frozenset(each.name for each in known if each.mark == "?"),
        constants=tuple({**always, **written}.items()),
        rule=_rule(name),
        inner={each.name: _inner(each) for each in known if each.type},
    )


def _rule(name: str) -> rules.Rule | None:
    """The type's own, after what is off is gone."""
    off, rule = strategies.OFF.get(name), rules.BY_TYPE.get(name)
    if off is None:
        return rule

    def apply(found: dict[str, Any]) -> None:
        for each in off:
            found.pop(each, None)
        if rule is not None:
            rule(found)

    return apply


def _inner(field: Field) -> Step:
    if field.type == "#" and field.form == "{}":
        return _map(quantities.of_resource)
    inside = step(field.type)
    match field.form:
        case "[]":
            return lambda value: list(map(inside, value)) if type(value) is list else value
        case "{}":
            return _map(inside)
        case _:
            return inside


def _map(inside: Step) -> Step:
    def complete(value: Any) -> Any:
        if type(value) is not dict:
            return value
        return {key: inside(each) for key, each in value.items()}

    return complete


def _struct(
    *,
    left_out: frozenset[str],
    constants: tuple[tuple[str, Any], ...],
    rule: rules.Rule | None,
    inner: Mapping[str, Step],
) -> Step:
    """In the order of Kubernetes: what is zero goes, the type's own defaults come, then those of its parts."""

    def complete(value: Any) -> Any:
        if type(value) is not dict:
            return value
        found = {
            key: each
            for key, each in value.items()
            if each or (each is not None and key not in left_out)
        }
        for key, constant in constants:
            if key not in found:
                found[key] = constant
        if rule is not None:
            rule(found)
        for key, each in found.items():
            if key in inner:
                found[key] = inner[key](each)
        return found

    return complete
