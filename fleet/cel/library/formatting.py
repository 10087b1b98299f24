"""`string.format`: the clauses %s %d %f %e %b %o %x %X, with numbers written as in American English."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fleet.cel import budgets, texts, types, values
from fleet.cel.faults import EvaluationError

_CLAUSE = re.compile(r"%(?:(%)|(?:\.([0-9]*))?(.)|)", re.DOTALL)
_PRECISION = 6  # of %f and %e where nothing is said
_MOST_PRECISION = 1000
_SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_UNUSUAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

_WHOLE = frozenset({"int", "uint"})
_DOUBLES = frozenset({"double", "string"})
# The types that a clause takes; a string is only a double if it names one that has no digits.
ACCEPTED: Mapping[str, frozenset[str]] = {
    "s": frozenset(types.NAMES.values()) - {"optional_type"},
    "d": _WHOLE,
    "f": _DOUBLES,
    "e": _DOUBLES,
    "b": _WHOLE | {"bool"},
    "x": _WHOLE | {"string", "bytes"},
    "X": _WHOLE | {"string", "bytes"},
    "o": _WHOLE,
}
_WORDS = {
    "s": "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, "
    "durations, and timestamps",
    "d": "decimal clause can only be used on integers",
    "f": "fixed-point clause can only be used on doubles",
    "e": "scientific clause can only be used on doubles",
    "b": "only integers and bools can be formatted as binary",
    "x": "only integers, byte buffers, and strings can be formatted as hex",
    "o": "octal clause can only be used on integers",
}


@dataclass(frozen=True, slots=True)
class Clause:
    letter: str
    precision: int


def pieces(template: str) -> Iterator[str | Clause]:
    """The template's text and clauses in turn; raises EvaluationError for one that cannot be read."""
    last = 0
    for match in _CLAUSE.finditer(template):
        yield template[last : match.start()]
        yield "%" if match[1] else _clause(match)
        last = match.end()
    yield template[last:]


def _clause(match: re.Match[str]) -> Clause:
    precision, letter = match[2], match[3]
    if letter is None:
        raise EvaluationError("unexpected end of string")
    if letter not in ACCEPTED or precision == "":
        raise EvaluationError(
            f'could not parse formatting clause: unrecognized formatting clause "{letter}"'
        )
    if precision and (len(precision) > 4 or int(precision) > _MOST_PRECISION):
        raise EvaluationError(f"precision is more than {_MOST_PRECISION}")
    return Clause(letter, int(precision or _PRECISION))


def refusal(letter: str, kind: str) -> str:
    """What is said of an argument that the clause does not take."""
    return f"error during formatting: {_WORDS[letter.lower()]}, was given {kind}"


def formatted(budget: budgets.Budget, template: str, arguments: list[Any]) -> str:
    return filled(budget, template, arguments, _written)


def filled(
    budget: budgets.Budget,
    template: str,
    arguments: list[Any],
    write: Callable[[Clause, Any, budgets.Budget], str],
) -> str:
    """The template with each clause replaced by what is written of its argument."""
    parts: list[str] = []
    used = 0
    for piece in pieces(template):
        if isinstance(piece, Clause):
            if used >= len(arguments):
                raise EvaluationError(f"index {used} out of range")
            piece = write(piece, arguments[used], budget)  # noqa: PLW2901
            used += 1
        budget.spend(2 + (len(piece) >> 5))
        parts.append(piece)
    return "".join(parts)


def _written(clause: Clause, value: Any, budget: budgets.Budget) -> str:
    kind = types.name_of(value)
    if kind not in ACCEPTED[clause.letter]:
        raise EvaluationError(refusal(clause.letter, kind))
    if clause.letter == "s":
        return _plain(value, budget)
    return CLAUSES[clause.letter](value, clause.precision)


def _plain(value: Any, budget: budgets.Budget) -> str:
    """A value at the top: strings as they are."""
    if isinstance(value, list):
        return "[" + ", ".join(_inner(each, budget) for each in value) + "]"
    if types.name_of(value) == "map":
        return _plain_map(value, budget)
    return scalar(value)


def scalar(value: Any) -> str:
    if value is None:
        return "null"
    return value.name if isinstance(value, values.TypeName) else texts.text_of(value)


def _plain_map(value: Mapping[Any, Any], budget: budgets.Budget) -> str:
    entries = sorted((_inner(key, budget), _inner(each, budget)) for key, each in value.items())
    return "{" + ", ".join(f"{key}:{each}" for key, each in entries) + "}"


def _inner(value: Any, budget: budgets.Budget) -> str:
    """A value inside a list or map: written so that CEL would read it again."""
    text = _inner_text(value, budget)
    budget.spend(3 + (len(text) >> 5))
    return text


def _inner_text(value: Any, budget: budgets.Budget) -> str:
    match value:
        case str():
            return texts.quoted(value)
        case bytes():
            return "b" + texts.quoted(texts.text_of(value))
        case float():
            return f"{value:.6f}" if math.isfinite(value) else f'"{texts.of_double(value)}"'
        case values.Duration():
            return f'duration("{texts.text_of(value)}")'
        case values.Timestamp():
            return f'timestamp("{texts.text_of(value)}")'
        case _:
            pass
    if types.name_of(value) not in ACCEPTED["s"]:
        raise EvaluationError(f"no formatting function for {types.name_of(value)}")
    return _plain(value, budget)


def _double(value: Any) -> float:
    if isinstance(value, float):
        return value
    if value not in _UNUSUAL:
        raise EvaluationError(refusal("f", "string"))
    return _UNUSUAL[value]


def _unusual(number: float) -> str:
    return "NaN" if math.isnan(number) else "∞" if number > 0 else "-∞"


def _fixed(value: Any, precision: int) -> str:
    """Zero has no sign: adding zero takes it away."""
    number = _double(value)
    return f"{number + 0.0:,.{precision}f}" if math.isfinite(number) else _unusual(number)


def _scientific(value: Any, _precision: int) -> str:
    """Whatever precision was asked for: Kubernetes' library does not look at it."""
    number = _double(value)
    if not math.isfinite(number):
        return _unusual(number)
    mantissa, _, exponent = f"{number + 0.0:.{_PRECISION}e}".partition("e")
    power = f"{'-' if int(exponent) < 0 else ''}{abs(int(exponent)):02d}"
    return f"{mantissa}×10{power.translate(_SUPERSCRIPT)}"  # noqa: RUF001  as Go writes it


def _hexadecimal(value: Any, _: int) -> str:
    if isinstance(value, str):
        return value.encode().hex()
    return value.hex() if isinstance(value, bytes) else f"{value:x}"


CLAUSES: Mapping[str, Callable[[Any, int], str]] = {
    "d": lambda value, _: str(int(value)),
    "f": _fixed,
    "e": _scientific,
    "b": lambda value, _: f"{int(value):b}",
    "o": lambda value, _: f"{value:o}",
    "x": _hexadecimal,
    "X": lambda value, _: _hexadecimal(value, _).upper(),
}
