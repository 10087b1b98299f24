"""The formats that the API server holds strings and numbers of custom resources to; any other it passes over.

Source: k8s.io/kube-openapi/pkg/validation/strfmt/default.go and validate/values.go, with the patterns of govalidator.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

import re2  # type: ignore[import-untyped]  # the package has no types

from fleet import cel
from fleet.cel import types
from fleet.policy.crds import formats

_LONGEST = 4096  # characters of what is any of these but base64
_X = "[0-9a-fA-F]"
_UUID = f"{_X}{{8}}-?{_X}{{4}}-?VERSION{_X}{{3}}-?VARIANT{_X}{{3}}-?{_X}{{12}}"
_SHADE = r"\s*(?:0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*"
_LABEL = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
# In signs of which `a` is any letter, `0` a digit and `$` a symbol.
_HOSTNAME = re.compile(
    r"[a0$](?:-?[a0$]{0,62})?|(?:[a0$](?:[a0$-]{0,61}[a0$])?\.)+a{2,63}", re.ASCII
)
_CARD = (
    "4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|"
    "3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35[0-9]{3})[0-9]{11}|6[27][0-9]{14}|"
    "(?:222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}"
)
_BASE64 = "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})"
_GAPS = re.compile(r"[\s-]")
# An address, or one behind a name; what is quoted or commented is let pass.
_EMAIL = r"(?:[^<>@]*<)?[^\s<>@,;:]+@[^\s<>@,;:]+>?|[^@]*[\"(].*@.*"
_URI = cel.compile("isURL(self)", cel.Environment({"self": types.STRING}))

Holds = Callable[[str], bool]


def _like(pattern: str) -> Holds:
    """In RE2, so that no text takes long."""
    compiled = re2.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


def _uuid(version: str = _X, variant: str = _X) -> Holds:
    return _like(_UUID.replace("VERSION", version).replace("VARIANT", variant))


def _is_ipv4(text: str) -> bool:
    """Zeros in front are no matter, and one inside of an IPv6 address counts."""
    if ":" in text:
        return "." in text and _is_ipv6(text)
    plain = ".".join(each.lstrip("0") or each[:1] for each in text.split("."))
    try:
        ipaddress.IPv4Address(plain)
    except ValueError:
        return False
    return True


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return "%" not in text


def _is_network(text: str) -> bool:
    address, _, length = text.partition("/")
    if not (length.isascii() and length.isdigit() and len(length) < 4):
        return False
    if ":" in address:
        return _is_ipv6(address) and int(length) <= 128
    return _is_ipv4(address) and int(length) <= 32


def _is_uri(text: str) -> bool:
    try:
        return _URI.evaluate({"self": text}) is True
    except (cel.EvaluationError, cel.ExhaustedError):
        return False


def _is_hostname(text: str) -> bool:
    if len(text) > 255 or len(text.encode(errors="replace")) > 255:
        return False
    signs = "".join(map(_sign, text))
    is_name = _HOSTNAME.fullmatch(signs) is not None
    return is_name and all(len(part.encode(errors="replace")) <= 63 for part in text.split("."))


def _sign(character: str) -> str:
    kind = unicodedata.category(character)[0]
    if kind == "L":
        return "a"
    if kind == "S":
        return "$"
    return "0" if character in "0123456789" else character


def _is_card(text: str) -> bool:
    digits = _GAPS.sub("", text)
    if not re.fullmatch(_CARD, digits):
        return False
    doubled = [sum(divmod(2 * int(each), 10)) for each in digits[-2::-2]]
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def _is_isbn10(text: str) -> bool:
    digits = _GAPS.sub("", text)
    if not re.fullmatch("[0-9]{9}[0-9X]", digits):
        return False
    numbers = (10 if each == "X" else int(each) for each in digits)
    return sum(place * each for place, each in enumerate(numbers, 1)) % 11 == 0


def _is_isbn13(text: str) -> bool:
    digits = _GAPS.sub("", text)
    if not re.fullmatch("[0-9]{13}", digits):
        return False
    return sum((1, 3)[place % 2] * int(each) for place, each in enumerate(digits)) % 10 == 0


def _is_moment(text: str) -> bool:
    return formats.moment(text) is not None


_short_name, _long_name = _like(_LABEL), _like(rf"{_LABEL}(?:\.{_LABEL})*")
_ssn = _like(r"\d{3}[- ]?\d{2}[- ]?\d{4}")
_TEXTS: Mapping[str, Holds] = {
    "bsonobjectid": _like(f"{_X}{{24}}"),
    "cidr": _is_network,
    "creditcard": _is_card,
    "date": lambda text: formats.day(text) is not None,
    "date-time": _is_moment,
    "datetime": _is_moment,
    "duration": lambda text: formats.span(text) is not None,
    "email": _like(_EMAIL),
    "hexcolor": _like(f"#?(?:{_X}{{3}}|{_X}{{6}})"),
    "hostname": _is_hostname,
    "ipv4": _is_ipv4,
    "ipv6": _is_ipv6,
    "isbn": lambda text: _is_isbn10(text) or _is_isbn13(text),
    "isbn10": _is_isbn10,
    "isbn13": _is_isbn13,
    "k8s-long-name": lambda text: len(text) <= 253 and _long_name(text),
    "k8s-short-name": lambda text: len(text) <= 63 and _short_name(text),
    "mac": _like(
        "|".join(
            [
                *(f"{_X}{{2}}(?:{sign}{_X}{{2}}){{{n}}}" for sign in ":-" for n in (5, 7, 19)),
                *(rf"{_X}{{4}}(?:\.{_X}{{4}}){{{n}}}" for n in (2, 3, 9)),
            ]
        )
    ),
    "rgbcolor": _like(rf"rgb\({_SHADE},{_SHADE},{_SHADE}\)"),
    "ssn": lambda text: len(text) == 11 and _ssn(text),
    "uri": _is_uri,
    "uuid": _uuid(),
    "uuid3": _uuid("3"),
    "uuid4": _uuid("4", "[89abAB]"),
    "uuid5": _uuid("5", "[89abAB]"),
}
_byte = _like(_BASE64)
_RANGES: Mapping[str, tuple[float, float]] = {
    "int32": (-(2**31), 2**31 - 1),
    "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
    "int64": (-(2**63), 2**63 - 1),
}


def holds(kind: Any, text: str) -> bool:
    """Whether a string is of that format; of one that nobody knows, any is."""
    if kind == "byte":
        return _byte(text)
    known = _TEXTS.get(kind) if isinstance(kind, str) else None
    return known is None or (len(text) <= _LONGEST and known(text))


def fits(kind: Any, number: float) -> bool:
    """Whether a whole number is of that format."""
    least, most = _RANGES.get(kind if isinstance(kind, str) else "", _RANGES["int64"])
    return least <= number <= most
