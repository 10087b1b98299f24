"""Messages as canonical JSON and back, by the types of their fields alone.

Strict in both directions (threat 65): a missing, an unknown or a wrongly typed field is refused, never guessed. No
message has the one exception: fields of rows that are marked as come later, which an older book lacks.
"""

import functools
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

from fleet.model import errors, json_values

Value = TypeVar("Value")


def encode(value: object) -> bytes:
    return json_values.encode(as_json(value))


def decode(kind: type[Value], data: bytes) -> Value:
    """Raises errors.InputError for what is no such message."""
    try:
        document = json_values.decode(data)
    except (ValueError, RecursionError) as error:
        raise errors.InputError(f"not JSON: {error}") from error
    found: Value = from_json(kind, document)
    return found


def as_json(value: Any) -> Any:
    """Any value of the model as JSON: dataclasses as objects in camelCase, enums by value, times in RFC 3339."""
    if is_dataclass(value):
        return {_camel(f.name): as_json(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(as_json(key)): as_json(each) for key, each in value.items()}
    if isinstance(value, (tuple, list)):
        return [as_json(each) for each in value]
    if isinstance(value, frozenset):
        return sorted(as_json(each) for each in value)
    return value


def from_json(kind: Any, value: Any) -> Any:
    """The value of that type. Raises errors.InputError where the JSON does not fit it."""
    if isinstance(kind, typing.NewType):
        return from_json(kind.__supertype__, value)
    origin = typing.get_origin(kind)
    if origin is not None:
        return _generic(origin, typing.get_args(kind), value)
    if kind is Any:
        return value
    return _plain(kind, value)


def _plain(kind: Any, value: Any) -> Any:
    if is_dataclass(kind):
        return _dataclass(kind, value)
    if issubclass(kind, (Enum, datetime)):
        return _worded(kind, value)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise errors.InputError(f"expected {kind.__name__}, found {type(value).__name__}")
    return value


def _dataclass(kind: Any, value: Any) -> Any:
    if not isinstance(value, dict):
        raise errors.InputError(f"expected an object for {kind.__name__}")
    hints = _hints(kind)
    if value.keys() | _later(kind) != hints.keys():
        odd = sorted((value.keys() | _later(kind)) ^ hints.keys())
        raise errors.InputError(f"{kind.__name__}: missing or unknown fields {', '.join(odd)}")
    return kind(**{hints[key][0]: from_json(hints[key][1], value[key]) for key in value})


@functools.cache
def _hints(kind: Any) -> dict[str, tuple[str, Any]]:
    hints = typing.get_type_hints(kind)
    return {_camel(f.name): (f.name, hints[f.name]) for f in fields(kind)}


@functools.cache
def _later(kind: Any) -> frozenset[str]:
    """Fields with a default that an older version of the same book did not write."""
    return frozenset(_camel(f.name) for f in fields(kind) if "later" in f.metadata)


@functools.cache
def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _worded(kind: Any, value: Any) -> Any:
    if not isinstance(value, str):
        raise errors.InputError(f"expected a {kind.__name__} in words")
    try:
        found = kind(value) if issubclass(kind, Enum) else kind.fromisoformat(value)
    except ValueError as error:
        raise errors.InputError(f"{value!r} is no {kind.__name__}") from error
    if isinstance(found, datetime) and found.tzinfo is None:
        raise errors.InputError(f"{value!r} has no zone")
    return found


def _generic(origin: Any, arguments: tuple[Any, ...], value: Any) -> Any:
    if origin in (types.UnionType, typing.Union):
        return _optional(arguments, value)
    if origin is typing.Literal:
        return _literal(arguments, value)
    if origin is tuple:
        return _tuple(arguments, value)
    if origin is frozenset:
        return frozenset(_tuple((*arguments, Ellipsis), value))
    if not isinstance(value, dict):
        raise errors.InputError("expected an object")
    key_kind, value_kind = arguments
    return {from_json(key_kind, key): from_json(value_kind, each) for key, each in value.items()}


def _optional(arguments: tuple[Any, ...], value: Any) -> Any:
    if value is None:
        return None
    (kind,) = (each for each in arguments if each is not types.NoneType)
    return from_json(kind, value)


def _literal(arguments: tuple[Any, ...], value: Any) -> Any:
    if value not in arguments:
        raise errors.InputError(f"expected {' or '.join(map(repr, arguments))}")
    return value


def _tuple(arguments: tuple[Any, ...], value: Any) -> Any:
    if not isinstance(value, list):
        raise errors.InputError("expected a list")
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(from_json(arguments[0], each) for each in value)
    if len(value) != len(arguments):
        raise errors.InputError(f"expected {len(arguments)} values, found {len(value)}")
    return tuple(from_json(kind, each) for kind, each in zip(arguments, value, strict=True))
