"""Semantic versions."""

import re
from dataclasses import dataclass, field
from typing import ClassVar

from fleet.cel import types, values
from fleet.cel.faults import EvaluationError
from fleet.cel.overloads import function, method

SEMVER = types.Type("kubernetes.Semver")

_PART = r"(?:0|[1-9][0-9]*)"
_PRE = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z\-][0-9A-Za-z\-]*)"
_FORM = re.compile(
    rf"({_PART})\.({_PART})\.({_PART})(?:-({_PRE}(?:\.{_PRE})*))?(?:\+([0-9A-Za-z.\-]+))?",
    re.ASCII,
)
_LONGEST = 256
_PRICE = 10


@dataclass(frozen=True, slots=True)
class Semver(values.Opaque):
    """What was built does not count when versions are compared."""

    type_name: ClassVar[str] = SEMVER.name
    numbers: tuple[int, int, int]
    before: tuple[str, ...] = ()
    build: str = field(default="", compare=False)


def _parsed(text: str) -> Semver | None:
    if len(text) > _LONGEST:
        raise EvaluationError("the version is too long to be evaluated")
    match = _FORM.fullmatch(text)
    if match is None or any(not part for part in (match[5] or "x").split(".")):
        return None
    major, minor, patch = (int(match[n]) for n in (1, 2, 3))
    if max(major, minor, patch) > values.MAX_UINT:
        return None
    before = tuple(match[4].split(".")) if match[4] else ()
    if any(part.isdigit() and int(part) > values.MAX_UINT for part in before):
        return None
    return Semver((major, minor, patch), before, match[5] or "")


def _normalized(text: str) -> str | None:
    """Without `v` and leading zeros, with three numbers; None where that cannot be."""
    parts = [_without_zeros(part) for part in text.removeprefix("v").split(".", 2)]
    if len(parts) < 3:
        if any(sign in parts[-1] for sign in "+-"):
            return None
        parts += ["0"] * (3 - len(parts))
    return ".".join(parts)


def _without_zeros(part: str) -> str:
    if len(part) <= 1:
        return part
    rest = part.lstrip("0")
    return rest if rest[:1].isdigit() else "0" + rest


def _tolerantly(text: str, normalize: bool) -> Semver | None:  # noqa: FBT001  CEL's own argument
    plain = _normalized(text) if normalize else text  # long texts are refused below
    return None if plain is None else _parsed(plain)


def _semver(text: str, normalize: bool = False) -> Semver:  # noqa: FBT001, FBT002  CEL's own
    found = _tolerantly(text, normalize)
    if found is None:
        raise EvaluationError(f"{text[:_LONGEST]!r} is not a semantic version")
    return found


def _is_semver(text: str, normalize: bool = False) -> bool:  # noqa: FBT001, FBT002  CEL's own
    return _tolerantly(text, normalize) is not None


def _order(version: Semver) -> tuple[object, ...]:
    """A version before a release comes first; numbers come before words."""
    parts = tuple(
        (0, int(part), "") if part.isdigit() else (1, 0, part) for part in version.before
    )
    return (version.numbers, not version.before, parts)


def _compare(one: Semver, other: Semver) -> int:
    left, right = _order(one), _order(other)
    return (left > right) - (left < right)


def _signed(number: int) -> int:
    """Go's int64 of a uint64: behind the largest comes the smallest."""
    return number if number <= values.MAX_INT else number - values.MAX_UINT - 1


_S, _PAIR = types.STRING, (SEMVER, SEMVER)

OVERLOADS = (
    function("semver", (_S,), SEMVER, _semver, price=_PRICE),
    function("semver", (_S, types.BOOL), SEMVER, _semver, price=_PRICE),
    function("isSemver", (_S,), types.BOOL, _is_semver, price=_PRICE),
    function("isSemver", (_S, types.BOOL), types.BOOL, _is_semver, price=_PRICE),
    method(
        "isGreaterThan",
        _PAIR,
        types.BOOL,
        lambda one, other: _compare(one, other) > 0,
        price=_PRICE,
    ),
    method(
        "isLessThan", _PAIR, types.BOOL, lambda one, other: _compare(one, other) < 0, price=_PRICE
    ),
    method("compareTo", _PAIR, types.INT, _compare, price=_PRICE),
    method("major", (SEMVER,), types.INT, lambda each: _signed(each.numbers[0])),
    method("minor", (SEMVER,), types.INT, lambda each: _signed(each.numbers[1])),
    method("patch", (SEMVER,), types.INT, lambda each: _signed(each.numbers[2])),
)
