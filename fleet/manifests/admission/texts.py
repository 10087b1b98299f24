"""Forms of names, labels and other short texts. Each function says what is wrong with a text; () = nothing.

Source: apimachinery pkg/util/validation and pkg/api/validate/content.
"""

import re
from collections.abc import Callable
from functools import lru_cache

Problems = tuple[str, ...]
Form = Callable[[str], Problems]

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_KEY = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = f"({_KEY})?"
_ENVIRONMENT = "[-._a-zA-Z][-._a-zA-Z0-9]*"
_CONFIG = "[-._a-zA-Z0-9]+"
_HEADER = "[-A-Za-z0-9]+"
_PERCENT = "[0-9]+%"
_HTTP_PATH = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"
_UNDERSCORED = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_UNDERSCORED_DOMAIN = rf"{_UNDERSCORED}(\.{_UNDERSCORED})*"
_WILDCARD = rf"\*\.{_SUBDOMAIN}"

_ENDS = "and must start and end with an alphanumeric character"
_LABEL_WORDS = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    + _ENDS
)
_SUBDOMAIN_WORDS = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    + _ENDS
)
_UNDERSCORED_WORDS = _SUBDOMAIN_WORDS.replace("'-' or '.'", "'_', '-' or '.'")
_LABEL_1035_WORDS = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
    "character, and end with an alphanumeric character"
)
_WILDCARD_WORDS = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist "
    "of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character"
)
_KEY_WORDS = f"must consist of alphanumeric characters, '-', '_' or '.', {_ENDS}"
_VALUE_WORDS = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    + _ENDS
)
_ENVIRONMENT_WORDS = (
    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and "
    "must not start with a digit"
)
_ENVIRONMENT_RELAXED = (
    "a valid environment variable name must consist only of printable ASCII characters "
    "other than '='"
)
_CONFIG_WORDS = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
_HEADER_WORDS = "a valid HTTP header must consist of alphanumeric characters or '-'"
_PERCENT_WORDS = "a valid percent string must be a numeric string followed by an ending '%'"


def bytes_of(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _matcher(pattern: str) -> Callable[[str], object]:
    return re.compile(pattern).fullmatch


def _explained(words: str, pattern: str, *examples: str) -> str:
    if not examples:
        return f"{words} (regex used for validation is '{pattern}')"
    listed = " or ".join(f"'{each}', " for each in examples)
    return f"{words} (e.g. {listed}regex used for validation is '{pattern}')"


def _form(pattern: str, words: str, *examples: str, limit: int = 0) -> Form:
    matches, said = _matcher(pattern), _explained(words, pattern, *examples)

    def problems(text: str) -> Problems:
        if matches(text) and not (limit and len(text) > limit):
            return ()
        long = () if not limit or bytes_of(text) <= limit else (longer_than(limit),)
        return long if matches(text) else (*long, said)

    return problems


def longer_than(limit: int) -> str:
    return f"must be no more than {limit} characters"


def _long_label(limit: int) -> str:
    """In the words of Kubernetes 1.36."""
    return f"must be no more than {limit} bytes"


def between(low: int, high: int) -> str:
    return f"must be between {low} and {high}, inclusive"


def remembered(form: Form) -> Form:
    """Names and labels come again and again; only short ones are worth keeping."""
    kept = lru_cache(maxsize=8192)(form)
    return lambda text: kept(text) if len(text) <= 256 else form(text)


subdomain: Form = remembered(_form(_SUBDOMAIN, _SUBDOMAIN_WORDS, "example.com", limit=253))
underscored_subdomain: Form = _form(
    _UNDERSCORED_DOMAIN, _UNDERSCORED_WORDS, "example.com", limit=253
)
wildcard: Form = _form(_WILDCARD, _WILDCARD_WORDS, "*.example.com", limit=253)
label_1035: Form = remembered(
    _form(_LABEL_1035, _LABEL_1035_WORDS, "my-name", "abc-123", limit=63)
)
_value: Form = _form(_VALUE, _VALUE_WORDS, "MyValue", "my_value", "12345")


def _label_value(text: str) -> Problems:
    long = (_long_label(63),) if bytes_of(text) > 63 else ()
    return (*long, *_value(text))


label_value: Form = remembered(_label_value)
percent: Form = _form(_PERCENT, _PERCENT_WORDS, "1%", "93%")
header: Form = _form(_HEADER, _HEADER_WORDS, "X-Header-Name")
_plain_label: Form = _form(_LABEL, _LABEL_WORDS, "my-name", "123-abc", limit=63)
_key_name: Form = _form(_KEY, _KEY_WORDS, "MyName", "my.name", "123-abc")
_config_name: Form = _form(_CONFIG, _CONFIG_WORDS, "key.name", "KEY_NAME", "key-name", limit=253)
_strict_variable: Form = _form(
    _ENVIRONMENT, _ENVIRONMENT_WORDS, "my.env-name", "MY_ENV.NAME", "MyEnvName1"
)
_is_subdomain = _matcher(_SUBDOMAIN)


def _label(text: str) -> Problems:
    problems = _plain_label(text)
    if problems and _is_subdomain(text):
        return (*(each for each in problems if each == longer_than(63)), *_dotted(text))
    return problems


def _dotted(text: str) -> Problems:
    return ("must not contain dots",) if "." in text else ()


label: Form = remembered(_label)


def _label_key(text: str) -> Problems:
    prefix, slash, name = text.rpartition("/")
    if "/" in prefix:
        said = _explained(_KEY_WORDS, _KEY, "MyName", "my.name", "123-abc")
        tail = " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return (f"a valid label key {said}{tail}",)
    found = _prefix(prefix) if slash else ()
    if not name:
        found = (*found, "name part must be non-empty")
    elif bytes_of(name) > 63:
        found = (*found, f"name part {_long_label(63)}")
    return (*found, *(f"name part {each}" for each in _key_name(name)))


def _prefix(prefix: str) -> Problems:
    if not prefix:
        return ("prefix part must be non-empty",)
    return tuple(f"prefix part {each}" for each in subdomain(prefix))


label_key: Form = remembered(_label_key)


def caseless_key(text: str) -> Problems:
    return label_key(text.lower())


def path_segment(text: str) -> Problems:
    if text in (".", ".."):
        return (f"may not be '{text}'",)
    return tuple(f"may not contain '{each}'" for each in "/%" if each in text)


def _parent(text: str) -> Problems:
    if text in (".", ".."):
        return (f"must not be '{text}'",)
    return ("must not start with '..'",) if text.startswith("..") else ()


def config_key(text: str) -> Problems:
    return (*_config_name(text), *_parent(text))


def strict_variable(text: str) -> Problems:
    """Names of environment variables before Kubernetes 1.32."""
    return (*_strict_variable(text), *_parent(text))


def variable(text: str) -> Problems:
    if not text:
        return ("environment variable name must be non-empty",)
    is_plain = text.isascii() and text.isprintable() and "=" not in text
    return () if is_plain else (_ENVIRONMENT_RELAXED,)


def port_number(number: int) -> Problems:
    return () if 1 <= number <= 65535 else (between(1, 65535),)


_port_characters = _matcher("[-a-z0-9]+")


def _port_name(text: str) -> Problems:
    rules = (
        (bytes_of(text) > 15, longer_than(15)),
        (
            not _port_characters(text),
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
        ),
        (
            not any("a" <= each <= "z" for each in text),
            "must contain at least one letter (a-z)",
        ),
        ("--" in text, "must not contain consecutive hyphens"),
        (
            text.startswith("-") or text.endswith("-"),
            "must not begin or end with a hyphen",
        ),
    )
    return tuple(said for is_wrong, said in rules if is_wrong)


port_name: Form = remembered(_port_name)  # IANA_SVC_NAME


def port(value: float | str) -> Problems:
    """A number, whole also where it is written with a point, or a name."""
    return port_name(value) if isinstance(value, str) else port_number(int(value))


def host(text: str) -> Problems:
    """A DNS name, or one with a wildcard in front."""
    return wildcard(text) if "*" in text else subdomain(text)


_http_path = _matcher(_HTTP_PATH)


def is_http_path(text: str) -> bool:
    return bool(_http_path(text))


def http_path_words() -> str:
    return _explained("Invalid path", _HTTP_PATH)
