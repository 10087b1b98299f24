"""Strings: CEL's own functions and the strings extension, version 2. Positions count code points."""

from collections.abc import Sequence
from typing import Any

from fleet.cel import budgets, types
from fleet.cel.faults import EvaluationError
from fleet.cel.library import formatting
from fleet.cel.overloads import Reads, function, method

# Unicode's white space; Python's strip() would take four control characters more.
SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_UPPER = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}
_QUOTES = {
    ord(plain): escaped
    for plain, escaped in {
        "\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t",
        "\v": r"\v", "\\": r"\\", '"': r"\"",
    }.items()
}  # fmt: skip


def _character(text: str, at: int) -> str:
    if not 0 <= at <= len(text):
        raise EvaluationError(f"index out of range: {at}")
    return text[at : at + 1]


def index(text: str, part: str, start: int = 0) -> int:
    if not part:
        return start
    if start < 0:
        raise EvaluationError(f"index out of range: {start}")
    return text.find(part, start)


def _last_index(text: str, part: str) -> int:
    return text.rfind(part)


def last_index_from(text: str, part: str, start: int) -> int:
    if not part:
        return start
    if start < 0:
        raise EvaluationError(f"index out of range: {start}")
    if start >= len(text):
        return -1
    return text.rfind(part, 0, start + len(part))


def _substring(text: str, start: int, end: int | None = None) -> str:
    stop = len(text) if end is None else end
    if end is not None and start > end:
        raise EvaluationError(f"invalid substring range. start: {start}, end: {end}")
    for each in (start, stop):
        if not 0 <= each <= len(text):
            raise EvaluationError(f"index out of range: {each}")
    return text[start:stop]


def _replace(budget: budgets.Budget, text: str, old: str, new: str, limit: int = -1) -> str:
    found = text.count(old) if limit < 0 else min(text.count(old), limit)
    budget.spend((len(text) + found * len(new)) >> 6)
    return text.replace(old, new, -1 if limit < 0 else min(limit, len(text) + 1))


def _split(budget: budgets.Budget, text: str, separator: str, limit: int = -1) -> list[str]:
    """As Go splits: the limit counts parts, an empty separator separates characters."""
    if limit == 0:
        return []
    most = (text.count(separator) + 1) if separator else len(text)
    parts = most if limit < 0 else min(most, limit)
    budget.spend(parts)
    if separator:
        return text.split(separator, parts - 1)
    return [*text[: parts - 1], text[parts - 1 :]] if text else []


def _join(budget: budgets.Budget, parts: Sequence[Any], separator: str = "") -> str:
    budget.spend(len(parts))
    if not all(isinstance(each, str) for each in parts):
        raise EvaluationError("no such overload: join")
    budget.spend((sum(map(len, parts)) + len(separator) * len(parts)) >> 6)
    return separator.join(parts)


def _quote(text: str) -> str:
    return f'"{text.translate(_QUOTES)}"'


def _contains(text: str, part: str) -> bool:
    return part in text


_S, _I, _B = types.STRING, types.INT, types.BOOL
_TEXTS = types.list_of(_S)

OVERLOADS = (
    method("contains", (_S, _S), _B, _contains),
    method("startsWith", (_S, _S), _B, str.startswith, reads=Reads.SHORTEST),
    method("endsWith", (_S, _S), _B, str.endswith, reads=Reads.SHORTEST),
    method("charAt", (_S, _I), _S, _character),
    method("indexOf", (_S, _S), _I, index),
    method("indexOf", (_S, _S, _I), _I, index),
    method("lastIndexOf", (_S, _S), _I, _last_index),
    method("lastIndexOf", (_S, _S, _I), _I, last_index_from),
    method("lowerAscii", (_S,), _S, lambda text: text.translate(LOWER)),
    method("upperAscii", (_S,), _S, lambda text: text.translate(_UPPER)),
    method("trim", (_S,), _S, lambda text: text.strip(SPACE)),
    method("substring", (_S, _I), _S, _substring),
    method("substring", (_S, _I, _I), _S, _substring),
    method("replace", (_S, _S, _S), _S, _replace, metered=True),
    method("replace", (_S, _S, _S, _I), _S, _replace, metered=True),
    method("split", (_S, _S), _TEXTS, _split, metered=True),
    method("split", (_S, _S, _I), _TEXTS, _split, metered=True),
    method("join", (_TEXTS,), _S, _join, metered=True),
    method("join", (_TEXTS, _S), _S, _join, metered=True),
    method("format", (_S, types.list_of(types.DYN)), _S, formatting.formatted, metered=True),
    function("strings.quote", (_S,), _S, _quote),
)
