"""What a plain YAML scalar means to Kubernetes: sigs.k8s.io/yaml, that is go-yaml v2's reading of YAML 1.1.

Words first by a table, numbers by their first character, and everything else is a string, dates and 12:30:45 too.
"""

import base64
import binascii
import math
import re

_WORDS: dict[str, object] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), False),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NO_JSON = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")
_INTEGER = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_NUMERIC = frozenset("+-.0123456789")
_LOWEST, _HIGHEST = -(2**63), 2**64 - 1
_EXACT = (
    10.0**21
)  # below this, Go writes a whole float without an exponent, so it is read back as an integer


def resolve(text: str) -> object:
    """The JSON value of a plain scalar. Raises ValueError for what JSON cannot say."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC:
        return text
    if _NO_JSON.match(text):
        raise ValueError(f"{text} has no JSON value")
    return _number(text)


def tagged(tag: str, text: str) -> object:
    """The value under an explicit tag. Raises ValueError where tag and text do not agree."""
    kind = tag.removeprefix("tag:yaml.org,2002:")
    if kind in ("int", "float", "bool", "null"):
        return resolve(text)
    if kind == "binary":
        try:
            return base64.b64decode(text).decode("utf-8", "replace")
        except binascii.Error as error:
            raise ValueError("!!binary is not base64") from error
    return text


def key(value: object) -> str:
    """How Kubernetes writes a mapping's key in JSON. Raises ValueError for keys it refuses."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    raise ValueError("a key must be a string, a number or a boolean")


def _number(text: str) -> object:
    plain = text.replace("_", "")
    if _INTEGER.match(plain):
        number = _integer(plain)
        if _LOWEST <= number <= _HIGHEST:
            return number
    if not _FLOAT.match(plain):
        return text
    value = float(plain)
    if math.isinf(value):
        return text
    return int(value) if value.is_integer() and abs(value) < _EXACT else value


def _integer(plain: str) -> int:
    sign, digits = (-1, plain[1:]) if plain[0] == "-" else (1, plain.lstrip("+"))
    if len(digits) > 1 and digits[0] == "0" and digits[1] in "01234567":
        return sign * int(digits, 8)
    return sign * int(digits, 0)
