"""The CEL specification's conformance tests, read where Go keeps its modules.

The files are protobuf's text format; what needs a message type that is not CEL's own is left out.
"""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from fleet.cel import types, values

Message: TypeAlias = list[tuple[str, Any]]

_TOKEN = re.compile(
    r"""\s+|\#[^\n]*|(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
    r"""|(?P<word>[-+]?[\w.+-]+(?:/[\w.]+)?)|(?P<mark>[{}\[\]<>:,;])""",
    re.DOTALL,
)
_ESCAPE = re.compile(
    rb"""\\(?:([abfnrtv\\'"?])|[xX]([0-9a-fA-F]{1,2})|([0-7]{1,3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))"""
)
_SIMPLE = dict(zip(b"abfnrtv\\'\"?", b"\a\b\f\n\r\t\v\\'\"?", strict=True))
_MESSAGES = re.compile(
    r"TestAllTypes|google\.protobuf\.(?!Timestamp|Duration)|(?:Nested|Global)Enum"
)


class NeedsMessages(Exception):  # noqa: N818 - no error: not CEL's own
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`wanted` is a value where one is wanted; `kind` the static type if that is said."""

    name: str
    text: str
    container: str
    is_checked: bool
    variables: dict[str, types.Type]
    bindings: dict[str, Any]
    is_error: bool
    is_evaluated: bool
    wanted: Any
    kind: types.Type | None = field(default=None)


def folder() -> Path | None:
    modules = os.environ.get("GOMODCACHE") or Path.home() / "go" / "pkg" / "mod"
    found = sorted(Path(modules).glob("cel.dev/expr@*/tests/simple/testdata"))
    return found[-1] if found else None


def cases(path: Path) -> Iterator[Case]:
    tokens = _tokens(path.read_text())
    for section in _all(_message(tokens, ""), "section"):
        for test in _all(section, "test"):
            name = f"{_text(section, 'name')}/{_text(test, 'name')}"
            try:
                yield _case(name, test)
            except NeedsMessages:
                continue


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        assert match is not None, text[at : at + 40]
        at = match.end()
        if match.lastgroup:
            yield match.lastgroup, match[0]
    yield "mark", ""


def _message(tokens: Iterator[tuple[str, str]], end: str) -> Message:
    found: Message = []
    kind, name = next(tokens)
    while name != end:
        if name in (",", ";"):
            kind, name = next(tokens)
            continue
        if name == "[":  # the type of an Any
            name = next(tokens)[1]
            assert next(tokens)[1] == "]"
        kind, text = next(tokens)
        if text == ":":
            kind, text = next(tokens)
        value, (kind, following) = _value(tokens, kind, text)
        found += [(name, each) for each in value] if text == "[" else [(name, value)]
        name = following
    return found


def _value(tokens: Iterator[tuple[str, str]], kind: str, text: str) -> tuple[Any, tuple[str, str]]:
    """A value and the token behind it."""
    if text in ("{", "<"):
        return _message(tokens, "}" if text == "{" else ">"), next(tokens)
    if text == "[":
        return _values(tokens), next(tokens)
    if kind != "text":
        return text, next(tokens)
    whole = _unescaped(text)
    following = next(tokens)
    while following[0] == "text":
        whole += _unescaped(following[1])
        following = next(tokens)
    return whole, following


def _values(tokens: Iterator[tuple[str, str]]) -> list[Any]:
    found = []
    kind, text = next(tokens)
    while text != "]":
        if text == ",":
            kind, text = next(tokens)
            continue
        value, (kind, text) = _value(tokens, kind, text)
        found.append(value)
    return found


def _unescaped(text: str) -> bytes:
    def plain(match: re.Match[bytes]) -> bytes:
        simple, hexed, octal, short, long = match.groups()
        if simple:
            return bytes([_SIMPLE[simple[0]]])
        if hexed or octal:
            return bytes([int(hexed, 16) if hexed else int(octal, 8)])
        return chr(int(short or long, 16)).encode()

    return _ESCAPE.sub(plain, text[1:-1].encode())


def _all(message: Message, name: str) -> list[Any]:
    return [value for each, value in message if each == name]


def _one(message: Message, name: str) -> Any:
    return next(iter(_all(message, name)), None)


def _text(message: Message, name: str) -> str:
    return (_one(message, name) or b"").decode()


def _case(name: str, test: Message) -> Case:
    text = _text(test, "expr")
    if _MESSAGES.search(text):
        raise NeedsMessages
    typed = _one(test, "typed_result")
    result = _one(typed, "result") if typed is not None else _one(test, "value")
    deduced = _one(typed, "deduced_type") if typed is not None else None
    is_error = _one(test, "eval_error") is not None
    return Case(
        name=name,
        text=text,
        container=_text(test, "container"),
        is_checked=_one(test, "disable_check") != "true",
        variables=dict(map(_declared, _all(test, "type_env"))),
        bindings={_text(e, "key"): _bound(_one(e, "value")) for e in _all(test, "bindings")},
        is_error=is_error,
        is_evaluated=_one(test, "check_only") != "true" and not (typed and result is None),
        wanted=True if result is None else _cel_value(result),
        kind=_type(deduced) if deduced else None,
    )


def _bound(expression: Message) -> Any:
    return _cel_value(_one(expression, "value"))


def _declared(declaration: Message) -> tuple[str, types.Type]:
    ident = _one(declaration, "ident")
    if ident is None:
        raise NeedsMessages
    return _text(declaration, "name"), _type(_one(ident, "type"))


_SCALARS: dict[str, Callable[[Any], Any]] = {
    "int64_value": lambda text: int(text, 0),
    "uint64_value": lambda text: values.UInt(int(text, 0)),
    "double_value": float,
    "bool_value": lambda text: text == "true",
    "string_value": bytes.decode,
    "bytes_value": bytes,
    "null_value": lambda _: None,
    "type_value": lambda text: values.TypeName(text.decode()),
}


def _cel_value(message: Message) -> Any:
    ((kind, value),) = message
    return _SCALARS[kind](value) if kind in _SCALARS else _cel_aggregate(kind, value)


def _cel_aggregate(kind: str, value: Message) -> Any:
    if kind == "list_value":
        return [_cel_value(each) for each in _all(value, "values")]
    if kind == "map_value":
        entries = _all(value, "entries")
        return {_cel_value(_one(e, "key")): _cel_value(_one(e, "value")) for e in entries}
    ((name, body),) = value
    kinds = {"Duration": values.Duration, "Timestamp": values.Timestamp}
    made = kinds.get(name.rpartition("google.protobuf.")[2])
    if made is None:
        raise NeedsMessages
    return made(int(_one(body, "seconds") or 0) * 10**9 + int(_one(body, "nanos") or 0))


_PRIMITIVES = {
    "BOOL": types.BOOL,
    "INT64": types.INT,
    "UINT64": types.UINT,
    "DOUBLE": types.DOUBLE,
    "STRING": types.STRING,
    "BYTES": types.BYTES,
    "TIMESTAMP": types.TIMESTAMP,
    "DURATION": types.DURATION,
}


def _type(message: Message) -> types.Type:
    ((kind, value),) = message
    match kind:
        case "primitive" | "well_known" if value in _PRIMITIVES:
            return _PRIMITIVES[value]
        case "dyn":
            return types.DYN
        case "null":
            return types.NULL
        case "list_type":
            return types.list_of(_type(_one(value, "elem_type")))
        case "map_type":
            return types.map_of(_type(_one(value, "key_type")), _type(_one(value, "value_type")))
        case "type":
            return types.type_of(_type(value) if value else types.DYN)
        case "abstract_type" if _text(value, "name").startswith("optional"):
            return types.optional_of(_type(_one(value, "parameter_types")))
        case _:
            raise NeedsMessages
