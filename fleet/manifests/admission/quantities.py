"""Quantities such as 500m and 1Gi, as exact whole numbers of billionths.

Source: apimachinery pkg/api/resource/quantity.go and suffix.go.
"""

import re
from functools import lru_cache

UNIT = 10**9  # of the whole numbers here
_MOST = (2**63 - 1) * UNIT
_DIGITS = (
    400  # more than any number that somebody means; beyond, arithmetic would be an attack's lever
)

SYNTAX = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)
_FORM = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)")
_EXPONENT = re.compile(r"[eE]([-+]?[0-9]{1,9})")
_BINARY = {f"{letter}i": 10 * power for power, letter in enumerate("KMGTPE", start=1)}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0} | {
    letter: 3 * power for power, letter in enumerate("kMGTPE", start=1)
}


def parse(written: object) -> int | None:
    """None for what is no quantity. Numbers are read as JSON writes them."""
    if isinstance(written, bool) or not isinstance(written, (str, int, float)):
        return None
    text = written if isinstance(written, str) else repr(written)
    return _remembered(text) if len(text) <= 64 else _parse(text)


def _parse(text: str) -> int | None:
    found = _FORM.fullmatch(text)
    if not text or found is None or len(text) > _DIGITS:
        return None
    sign, whole, part, suffix = found.groups(default="")
    power = _power(suffix)
    # As the API server reads it: a sign or nothing at all before the suffix is zero.
    if power is None or not (whole or part or found[1] or suffix):
        return None
    base, exponent = power
    magnitude = _scaled(int(f"{whole}{part}" or "0"), len(part), base, exponent)
    if base == 2:
        magnitude = min(magnitude, _MOST)
    return -magnitude if sign == "-" else magnitude


_remembered = lru_cache(maxsize=4096)(_parse)


def _power(suffix: str) -> tuple[int, int] | None:
    if suffix in _BINARY:
        return 2, _BINARY[suffix]
    if suffix in _DECIMAL:
        return 10, _DECIMAL[suffix]
    exponent = _EXPONENT.fullmatch(suffix)
    return (10, int(exponent[1])) if exponent else None


def _scaled(digits: int, places: int, base: int, exponent: int) -> int:
    """Rounded up to a billionth; beyond a thousand digits all is equally much or equally little."""
    if not digits:
        return 0
    exponent = max(-1000, min(1000, exponent))
    up = UNIT * int(base ** max(exponent, 0))
    down = int(10**places * base ** max(-exponent, 0))
    return -(-digits * up // down)


def is_whole(amount: int) -> bool:
    """As by MilliValue, which rounds up to thousandths first."""
    return -(-amount // 10**6) % 1000 == 0


def whole(amount: int) -> int:
    """The number itself, rounded up."""
    return -(-amount // UNIT)


def shown(written: object) -> str:
    """As the API server repeats a quantity: in its canonical form."""
    amount, text = parse(written), str(written)
    if amount is None:
        return text
    if text.endswith("i") and amount % (UNIT * 1024) == 0 and amount:
        return _binary(amount // UNIT)
    return _decimal(amount)


def _binary(number: int) -> str:
    suffix = ""
    for each in _BINARY:
        if number % 1024:
            break
        number, suffix = number // 1024, each
    return f"{number}{suffix}"


def _decimal(amount: int) -> str:
    suffixes = list(_DECIMAL)
    place = 0
    while amount and amount % 1000 == 0 and place < len(suffixes) - 1:
        amount, place = amount // 1000, place + 1
    return f"{amount}{suffixes[place]}" if amount else "0"
