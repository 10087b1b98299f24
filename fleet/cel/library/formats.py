"""Kubernetes' named string formats, with the API server's own words for what does not match."""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar

from fleet.cel import types, values
from fleet.cel.faults import EvaluationError
from fleet.cel.library import urls
from fleet.cel.overloads import function, method

FORMAT = types.Type("kubernetes.NamedFormat")

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_DNS1035 = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_NAME = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_UUID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TIME = re.compile(
    r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:.[0-9]+)?(?:z|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)

Check = Callable[[str], list[str]]


@dataclass(frozen=True, slots=True)
class Format(values.Opaque):
    type_name: ClassVar[str] = FORMAT.name
    name: str
    check: Check = field(compare=False, repr=False)


def _mismatch(pattern: str, words: str, examples: Iterable[str]) -> str:
    shown = " or ".join(f"'{each}', " for each in examples)
    return f"{words} (e.g. {shown}regex used for validation is '{pattern}')"


def _matching(pattern: str, longest: str, words: str, *examples: str) -> Check:
    """`longest` with its unit; whatever that is called, bytes are counted."""
    compiled, most = re.compile(pattern, re.ASCII), int(longest.partition(" ")[0])
    message = _mismatch(pattern, words, examples)

    def check(text: str) -> list[str]:
        found = [f"must be no more than {longest}"] if len(text.encode()) > most else []
        return found if _is_match(compiled, text) else [*found, message]

    return check


def _is_match(pattern: re.Pattern[str], text: str) -> bool:
    return len(text) <= 10_000 and pattern.fullmatch(text) is not None


def _prefix(check: Check) -> Check:
    """The name that is to come may still end what a dash at the end leaves open."""
    return lambda text: check(f"{text[:-1]}a" if len(text) > 1 and text.endswith("-") else text)


_dns1123_characters = _matching(
    _LABEL,
    "63 characters",
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character",
    "my-name",
    "123-abc",
)
_dns1123_subdomain = _matching(
    _SUBDOMAIN,
    "253 characters",
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character",
    "example.com",
)
_dns1035_label = _matching(
    _DNS1035,
    "63 characters",
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character",
    "my-name",
    "abc-123",
)
_plain_name = _matching(
    _NAME,
    "63 bytes",
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character",
    "MyName",
    "my.name",
    "123-abc",
)
_label_value = _matching(
    f"({_NAME})?",
    "63 bytes",
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character",
    "MyValue",
    "my_value",
    "12345",
)


_AS_SUBDOMAIN = re.compile(_SUBDOMAIN, re.ASCII)


def _dns1123_label(text: str) -> list[str]:
    found = _dns1123_characters(text)
    is_dotted = "." in text and _is_match(_AS_SUBDOMAIN, text)
    return [*found[:-1], "must not contain dots"] if is_dotted else found


_PARTS = (
    _mismatch(
        _NAME,
        "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start "
        "and end with an alphanumeric character",
        ("MyName", "my.name", "123-abc"),
    )
    + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
)


def _qualified_name(text: str) -> list[str]:
    if text.count("/") > 1:
        return [_PARTS]
    prefix, slash, name = text.partition("/")
    if not slash:
        prefix, name = "", text
    found: list[str] = []
    if slash and not prefix:
        found.append("prefix part must be non-empty")
    elif slash:
        found += [f"prefix part {each}" for each in _dns1123_subdomain(prefix)]
    return [*found, *(f"name part {each}" for each in _name_part(name))]


def _name_part(name: str) -> list[str]:
    return [*([] if name else ["must be non-empty"]), *_plain_name(name)]


def _uri(text: str) -> list[str]:
    try:
        urls.url(text)
    except EvaluationError as error:
        return [str(error).removeprefix("URL parse error during conversion from string: ")]
    return []


def _saying(words: str, holds: Callable[[str], bool]) -> Check:
    return lambda text: [] if holds(text) else [words]


def _is_base64(text: str) -> bool:
    try:
        b64decode(text, validate=True)
    except (NotBase64, ValueError):
        return False
    return bool(text)


def _is_date(text: str) -> bool:
    try:
        return _DATE.fullmatch(text) is not None and date.fromisoformat(text) is not None
    except ValueError:
        return False


def _is_datetime(text: str) -> bool:
    day, _, rest = text.lower().partition("t")
    match = _TIME.fullmatch(rest)
    if match is None or not _is_date(day):
        return False
    return match[1] <= "23" and match[2] <= "59" and match[3] <= "59"


FORMATS: Mapping[str, Format] = {
    name: Format(name, check)
    for name, check in {
        "dns1123Label": _dns1123_label,
        "dns1123Subdomain": _dns1123_subdomain,
        "dns1035Label": _dns1035_label,
        "qualifiedName": _qualified_name,
        "dns1123LabelPrefix": _prefix(_dns1123_label),
        "dns1123SubdomainPrefix": _prefix(_dns1123_subdomain),
        "dns1035LabelPrefix": _prefix(_dns1035_label),
        "labelValue": _label_value,
        "uri": _uri,
        "uuid": _saying(
            "does not match the UUID format", lambda text: bool(_UUID.fullmatch(text))
        ),
        "byte": _saying("invalid base64", _is_base64),
        "date": _saying("invalid date", _is_date),
        "datetime": _saying("invalid datetime", _is_datetime),
    }.items()
}


def _named(name: str) -> values.Optional:
    return values.optional(FORMATS[name]) if name in FORMATS else values.NONE


def _validate(form: Format, text: str) -> values.Optional:
    found = form.check(text)
    return values.optional(found) if found else values.NONE


_FOUND = types.optional_of(types.list_of(types.STRING))

OVERLOADS = (
    function("format.named", (types.STRING,), types.optional_of(FORMAT), _named),
    *(
        function(f"format.{name}", (), FORMAT, lambda each=each: each)
        for name, each in FORMATS.items()
    ),
    method("validate", (FORMAT, types.STRING), _FOUND, _validate, price=20),
)
