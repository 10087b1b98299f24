"""From text to tokens, by the lexical grammar of the CEL specification."""

import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from fleet.cel import values
from fleet.cel.faults import CompileError

MAX_LENGTH = 32 * 1024  # characters of one expression

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\n\f]+|//[^\n]*)
  | (?P<string>[bB]?[rR]?(?:\"\"\"|'''|"|'))
  | (?P<float>[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+)
  | (?P<int>(?:0x[0-9a-fA-F]+|[0-9]+)[uU]?)
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<quoted>`[A-Za-z0-9_.\-/ ]+`)
  | (?P<symbol>&&|\|\||==|!=|<=|>=|[-+*/%!<>?:.,()\[\]{}])
    """,
    re.VERBOSE,
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_LONGEST_NUMBER = 40  # digits; no integer has more
_SIMPLE = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", "'": "'", '"': '"', "`": "`", "?": "?",
}  # fmt: skip
_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\'\"`?])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.|\Z))",
    re.DOTALL,
)


class Token(NamedTuple):  # there are thousands, and a tuple is made in a third of the time
    """`kind` is "literal", "name", "field" (in backquotes), a symbol itself, or "end"."""

    kind: str
    value: Any
    at: int


def tokens(text: str) -> Iterator[Token]:
    if len(text) > MAX_LENGTH:
        raise CompileError(f"longer than {MAX_LENGTH} characters", 0)
    if (lone := _SURROGATE.search(text)) is not None:
        raise CompileError("Syntax error: half of a character", lone.start())
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise CompileError(f"Syntax error: token recognition error at {text[at]!r}", at)
        kind, end = match.lastgroup, match.end()
        if kind == "name":
            yield Token("name", match[0], at)
        elif kind == "string":
            value, end = _string(text, match)
            yield Token("literal", value, at)
        elif kind != "space":
            yield _token(str(kind), match[0], at)
        at = end
    yield Token("end", None, at)


def _token(kind: str, word: str, at: int) -> Token:
    if kind == "int":
        return Token("literal", _integer(word, at), at)
    if kind == "float":
        return Token("literal", _double(word, at), at)
    if kind == "quoted":
        return Token("field", word[1:-1], at)
    return Token(word, word, at)


def _double(word: str, at: int) -> float:
    number = float(word)
    if math.isinf(number):
        raise CompileError("invalid double literal", at)
    return number


def _integer(word: str, at: int) -> Any:
    digits = word.rstrip("uU")
    if len(digits) > _LONGEST_NUMBER:
        raise CompileError("invalid int literal", at)
    number = int(digits, 16 if digits[:2] == "0x" else 10)
    if digits != word:
        if number > values.MAX_UINT:
            raise CompileError("invalid uint literal", at)
        return values.UInt(number)
    if number > values.MAX_INT + 1:
        raise CompileError("invalid int literal", at)
    return number  # one too many is an error unless a minus stands before it; the parser looks


def _string(text: str, match: re.Match[str]) -> tuple[Any, int]:
    quote = match[0].lstrip("bBrR")
    prefix = match[0][: -len(quote)].lower()
    at, start = match.start(), match.end()
    end = start
    while not text.startswith(quote, end):
        if end >= len(text) or (len(quote) == 1 and text[end] in "\r\n"):
            raise CompileError("Syntax error: a string that does not end", at)
        end += 2 if text[end] == "\\" and "r" not in prefix else 1
    raw = text[start:end]
    is_bytes = "b" in prefix
    if "r" in prefix:
        return (raw.encode() if is_bytes else raw), end + len(quote)
    return _unescaped(raw, at, is_bytes=is_bytes), end + len(quote)


def _unescaped(raw: str, at: int, *, is_bytes: bool) -> Any:
    if is_bytes:
        parts: list[bytes] = []
        last = 0
        for match in _ESCAPE.finditer(raw):
            parts += [raw[last : match.start()].encode(), _escape_bytes(match, at)]
            last = match.end()
        return b"".join([*parts, raw[last:].encode()])
    return _ESCAPE.sub(lambda match: _escape(match, at), raw)


def _escape(match: re.Match[str], at: int) -> str:
    simple, hexed, short, long, octal, _ = match.groups()
    if simple:
        return _SIMPLE[simple]
    if octal:
        return chr(int(octal, 8))
    code = hexed or short or long
    if code is None or int(code, 16) > 0x10FFFF or 0xD800 <= int(code, 16) < 0xE000:
        raise CompileError(f"Syntax error: escape {match[0]!r} is unknown", at)
    return chr(int(code, 16))


def _escape_bytes(match: re.Match[str], at: int) -> bytes:
    hexed, octal = match[2], match[5]
    if match[3] or match[4]:
        raise CompileError(f"Syntax error: escape {match[0]!r} is not for bytes", at)
    if hexed or octal:
        return bytes([int(hexed, 16) if hexed else int(octal, 8)])
    return _escape(match, at).encode()
