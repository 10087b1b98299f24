"""Regular expressions by RE2, as the API server has them: no input can make them slow."""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

import re2  # type: ignore[import-untyped]  # it brings no types

from fleet.cel import budgets, types
from fleet.cel.faults import EvaluationError
from fleet.cel.overloads import function, method

_MEMORY = 1 << 20  # bytes that one pattern may need, compiled; Go stops at about the same size
_ESCAPED = re.compile(r"\\Q.*?(?:\\E|\Z)|\\.", re.DOTALL)  # Go has no \C, a single byte
_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.max_mem = _MEMORY


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any:
    if any(each[0] == r"\C" for each in _ESCAPED.finditer(pattern)):
        raise EvaluationError(r"error parsing regexp: invalid escape sequence: `\C`")
    try:
        return re2.compile(pattern.encode(), _OPTIONS)
    except re2.error as error:
        reason = error.args[0]
        text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise EvaluationError(f"error parsing regexp: {text}") from None


def compiled(budget: budgets.Budget, pattern: str) -> Any:
    """Costs the same whether it is remembered or not."""
    budget.spend(20 + len(pattern))
    found = _compiled(pattern)
    budget.spend(found.programsize)
    return found


def _matches(budget: budgets.Budget, text: str, pattern: str) -> bool:
    budget.spend(len(text) >> 5)
    return compiled(budget, pattern).search(text.encode()) is not None


def _find(budget: budgets.Budget, text: str, pattern: str) -> str:
    budget.spend(len(text) >> 5)
    found = compiled(budget, pattern).search(text.encode())
    return "" if found is None else str(found[0].decode())


def _find_all(budget: budgets.Budget, text: str, pattern: str, limit: int = -1) -> list[str]:
    budget.spend(len(text))
    found = _found(compiled(budget, pattern), text.encode())
    return list(islice(found, None if limit < 0 else limit))


def _found(pattern: Any, text: bytes) -> Iterator[str]:
    """As Go finds: an empty match right behind another one does not count."""
    at, last = 0, -1
    while at <= len(text):
        match = pattern.search(text, at)
        if match is None:
            return
        start, end = match.span()
        if end > start or start != last:
            yield text[start:end].decode()
        last = end
        at = end if end > start else _next_character(text, end)


def _next_character(text: bytes, at: int) -> int:
    at += 1
    while at < len(text) and text[at] & 0xC0 == 0x80:
        at += 1
    return at


_S = types.STRING
_TEXTS = types.list_of(_S)

OVERLOADS = (
    function("matches", (_S, _S), types.BOOL, _matches, metered=True),
    method("matches", (_S, _S), types.BOOL, _matches, metered=True),
    method("find", (_S, _S), _S, _find, metered=True),
    method("findAll", (_S, _S), _TEXTS, _find_all, metered=True),
    method("findAll", (_S, _S, types.INT), _TEXTS, _find_all, metered=True),
)
