"""What the specification's own suite asks of functions that Kubernetes has in another version.

`string.format` writes numbers as programs read them and the parts of lists and maps as they are; a position behind a
string's end is an error; a duration's milliseconds are those beyond its seconds.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fleet.cel import budgets, texts, types, values
from fleet.cel.faults import EvaluationError
from fleet.cel.library import formatting, strings
from fleet.cel.overloads import method

_NUMBERS = frozenset({"int", "uint", "double"})
_ACCEPTED: Mapping[str, frozenset[str]] = {
    **formatting.ACCEPTED,
    **dict.fromkeys("dfe", _NUMBERS),
}


def formatted(budget: budgets.Budget, template: str, arguments: list[Any]) -> str:
    return formatting.filled(budget, template, arguments, _written)


def _written(clause: formatting.Clause, value: Any, budget: budgets.Budget) -> str:
    kind = types.name_of(value)
    if kind not in _ACCEPTED[clause.letter]:
        raise EvaluationError(formatting.refusal(clause.letter, kind))
    if clause.letter == "s":
        return _plain(value, budget)
    if clause.letter in _NUMBERS_OF:
        number = value if clause.letter == "d" else float(value)
        if isinstance(number, float) and not math.isfinite(number):
            return _unusual(number)
        return _NUMBERS_OF[clause.letter](number, clause.precision)
    return formatting.CLAUSES[clause.letter](value, clause.precision)


def _whole(number: Any, _: int) -> str:
    return texts.of_plain_double(number) if isinstance(number, float) else str(int(number))


_NUMBERS_OF: Mapping[str, Callable[[Any, int], str]] = {
    "d": _whole,
    "f": lambda number, precision: f"{number:.{precision}f}",
    "e": lambda number, precision: f"{number:.{precision}e}",
}


def _unusual(number: float) -> str:
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _plain(value: Any, budget: budgets.Budget) -> str:
    text = _text(value, budget)
    budget.spend(3 + (len(text) >> 5))
    return text


def _text(value: Any, budget: budgets.Budget) -> str:
    kind = types.name_of(value)
    if kind == "list":
        return "[" + ", ".join(_plain(each, budget) for each in value) + "]"
    if kind == "map":
        entries = sorted((_plain(k, budget), _plain(each, budget)) for k, each in value.items())
        return "{" + ", ".join(f"{key}: {each}" for key, each in entries) + "}"
    if kind == "double":
        return texts.of_plain_double(value) if math.isfinite(value) else _unusual(value)
    if kind not in _ACCEPTED["s"]:
        raise EvaluationError(formatting.refusal("s", kind))
    return formatting.scalar(value)


@dataclass(frozen=True, slots=True)
class _Inside:
    """A search that begins inside the text."""

    search: Callable[[str, str, int], int]

    def __call__(self, text: str, part: str, start: int) -> int:
        if not 0 <= start <= len(text):
            raise EvaluationError(f"index out of range: {start}")
        return self.search(text, part, start)


def _milliseconds(length: values.Duration) -> int:
    rest = abs(length.nanoseconds) % texts.SECOND // 1_000_000
    return rest if length.nanoseconds >= 0 else -rest


_S, _I = types.STRING, types.INT
OVERLOADS = (
    method("format", (_S, types.list_of(types.DYN)), _S, formatted, metered=True),
    method("indexOf", (_S, _S, _I), _I, _Inside(strings.index)),
    method("lastIndexOf", (_S, _S, _I), _I, _Inside(strings.last_index_from)),
    method("reverse", (_S,), _S, lambda text: text[::-1]),
    method("getMilliseconds", (types.DURATION,), _I, _milliseconds),
)
