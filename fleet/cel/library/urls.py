"""URLs as Go's net/url reads them: absolute URIs and absolute paths."""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import unquote_to_bytes

from fleet.cel import texts, types, values
from fleet.cel.faults import EvaluationError
from fleet.cel.overloads import function, method

URL = types.Type("kubernetes.URL")

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):", re.ASCII)
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})?")
_PORT = re.compile(r":[0-9]*", re.ASCII)
_USER = re.compile(r"[A-Za-z0-9\-._:~!$&'()*+,;=%@]*", re.ASCII)
_BAD_IN_HOST = re.compile(r"[\x00-\x20#/?@\\^`{|}\x7f]")
_PLAIN_PATH = re.compile(r"[A-Za-z0-9\-_.~!$&'()*+,;=:@\[\]%/]*", re.ASCII)
_PATH_BYTES = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~$&+,/:;=@"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST = 16_384
_PRICE = 20


@dataclass(frozen=True, slots=True)
class Url(values.Opaque):
    type_name: ClassVar[str] = URL.name
    scheme: str
    host: str
    path: str
    query: str


class _RefusedError(ValueError):
    pass


def _parsed(text: str) -> Url:
    """Raises _RefusedError with Go's words."""
    if len(text) > _LONGEST:
        raise EvaluationError("the URL is too long to be evaluated")
    if _CONTROL.search(text):
        raise _RefusedError("net/url: invalid control character in URL")
    if not text:
        raise _RefusedError("empty url")
    if text == "*":
        return Url("", "", "*", "")
    scheme, rest = _scheme(text)
    if not rest.partition("?")[0].startswith("/") and not scheme:
        raise _RefusedError("invalid URI for request")
    _checked_escapes(rest.partition("?")[0])
    return _located(scheme, rest.partition("#")[0])


def _scheme(text: str) -> tuple[str, str]:
    if text[0] == ":":
        raise _RefusedError("missing protocol scheme")
    match = _SCHEME.match(text)
    return (match[1].lower(), text[match.end() :]) if match else ("", text)


def _located(scheme: str, rest: str) -> Url:
    place, _, query = rest.partition("?")
    if not place.startswith("/"):
        return Url(scheme, "", "", query)  # opaque, as mailto:
    if not scheme or not place.startswith("//"):
        return Url(scheme, "", place, query)
    authority, slash, path = place[2:].partition("/")
    return Url(scheme, _host(authority), slash + path, query)


def _host(authority: str) -> str:
    user, at, host = authority.rpartition("@")
    if at and not _USER.fullmatch(user):
        raise _RefusedError("net/url: invalid userinfo")
    port = _port_of(host)
    if port and not _PORT.fullmatch(port):
        raise _RefusedError(f"invalid port {texts.quoted(port)} after host")
    return _bracketed(host) if host.startswith("[") else _plain_host(host)


def _bracketed(host: str) -> str:
    """An address, which may have a zone behind `%25`; in a zone more may be escaped than in any other host."""
    inside, _, port = host[1:].rpartition("]")
    address, percent, zone = inside.partition("%25")
    plain = _plain_host(address) + ("%" + _zone(zone) if percent else "")
    _checked_address(plain)
    return f"[{plain}]{port}"


def _zone(zone: str) -> str:
    for match in _ESCAPE.finditer(zone):
        character = chr(int(match[1], 16))
        if character != " " and (character >= "\x80" or _BAD_IN_HOST.search(character)):
            raise _RefusedError(f"invalid URL escape {texts.quoted(match[0])}")
    return _unescaped_host(zone)


def _checked_address(text: str) -> None:
    address, percent, zone = text.partition("%")
    shown = f"ParseAddr({texts.quoted(text)})"
    try:
        version = ipaddress.ip_address(address).version
    except ValueError:
        raise _RefusedError(f"invalid host: {shown}: unable to parse IP") from None
    if version == 4:
        raise _RefusedError("invalid IP-literal")
    if percent and not zone:
        raise _RefusedError(f"invalid host: {shown}: zone must be a non-empty string")


def _port_of(host: str) -> str:
    """The port with its colon; empty without one."""
    if not host.startswith("["):
        return host[host.rindex(":") :] if ":" in host else ""
    if "]" not in host:
        raise _RefusedError("missing ']' in host")
    return host[host.rindex("]") + 1 :]


def _plain_host(host: str) -> str:
    for match in _ESCAPE.finditer(host):
        if int(match[1], 16) < 0x80 and match[0] != "%25":
            raise _RefusedError(f"invalid URL escape {texts.quoted(match[0])}")
    return _unescaped_host(host)


def _unescaped_host(host: str) -> str:
    bad = _BAD_IN_HOST.search(host)
    if bad is not None:
        raise _RefusedError(f"invalid character {texts.quoted(bad[0])} in host name")
    return unquote_to_bytes(host).decode(errors="replace")


def _checked_escapes(text: str) -> None:
    for match in _ESCAPE.finditer(text):
        if match[1] is None:
            shown = texts.quoted(text[match.start() : match.start() + 3])
            raise _RefusedError(f"invalid URL escape {shown}")


def url(text: str) -> Url:
    try:
        return _parsed(text)
    except _RefusedError as refusal:
        shown = texts.quoted(text[:200])
        raise EvaluationError(
            f"URL parse error during conversion from string: parse {shown}: {refusal}"
        ) from None


def _is_url(text: str) -> bool:
    try:
        _parsed(text)
    except _RefusedError:
        return False
    return True


def _host_and_port(url: Url) -> tuple[str, str]:
    host, colon, port = url.host.rpartition(":")
    if not colon or (url.host.startswith("[") and not host.endswith("]")):
        host, port = url.host, ""
    return (host[1:-1] if host.startswith("[") else host), port


def _escaped_path(url: Url) -> str:
    if _PLAIN_PATH.fullmatch(url.path):
        return url.path
    return "".join(
        chr(byte) if byte in _PATH_BYTES else f"%{byte:02X}" for byte in unquote_to_bytes(url.path)
    )


def _query(url: Url) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for part in url.query.split("&"):
        key, _, value = part.partition("=")
        if part and ";" not in part and all(match[1] for match in _ESCAPE.finditer(part)):
            found.setdefault(_unescaped(key), []).append(_unescaped(value))
    return found


def _unescaped(text: str) -> str:
    return unquote_to_bytes(text.replace("+", " ")).decode(errors="replace")


_S = types.STRING
_READERS: dict[str, Callable[[Any], str]] = {
    "getScheme": lambda url: url.scheme,
    "getHost": lambda url: url.host,
    "getHostname": lambda url: _host_and_port(url)[0],
    "getPort": lambda url: _host_and_port(url)[1],
    "getEscapedPath": _escaped_path,
}

OVERLOADS = (
    function("url", (_S,), URL, url, price=_PRICE),
    function("isURL", (_S,), types.BOOL, _is_url, price=_PRICE),
    *(method(name, (URL,), _S, read, price=3) for name, read in _READERS.items()),
    method("getQuery", (URL,), types.map_of(_S, types.list_of(_S)), _query, price=_PRICE),
)
