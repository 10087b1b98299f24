"""IP addresses and networks, as Go's net/netip reads them; zones and IPv4 inside IPv6 are refused."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Any, ClassVar

from fleet.cel import texts, types, values
from fleet.cel.faults import EvaluationError
from fleet.cel.overloads import function, method

IP, CIDR = types.Type("net.IP"), types.Type("net.CIDR")

_LENGTH = re.compile(r"0|[1-9][0-9]{0,2}", re.ASCII)
_LONGEST = 64
_PRICE = 10
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_BROADCAST = ipaddress.IPv4Address("255.255.255.255")
_LOCAL_MULTICAST = ipaddress.IPv4Network("224.0.0.0/24")


@dataclass(frozen=True, slots=True)
class Ip(values.Opaque):
    type_name: ClassVar[str] = IP.name
    address: _Address


@dataclass(frozen=True, slots=True)
class Cidr(values.Opaque):
    """The address may have bits behind the prefix, until it is masked."""

    type_name: ClassVar[str] = CIDR.name
    address: _Address
    length: int


class _RefusedError(ValueError):
    pass


def _address(text: str) -> _Address:
    shown = texts.quoted(text[:_LONGEST])
    if "%" in text:
        raise _RefusedError(f"IP address {shown} with zone value is not allowed")
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise _RefusedError(
            f"IP Address {shown} parse error during conversion from string: "
            f"ParseAddr({shown}): unable to parse IP"
        ) from None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        raise _RefusedError(f"IPv4-mapped IPv6 address {shown} is not allowed")
    return address


def _network(text: str) -> Cidr:
    host, slash, length = text.rpartition("/")
    shown = texts.quoted(text[:_LONGEST])
    if not slash or not _LENGTH.fullmatch(length):
        raise _RefusedError(f"netip.ParsePrefix({shown}): bad bits after slash")
    address = _address(host)
    if int(length) > address.max_prefixlen:
        raise _RefusedError(f"netip.ParsePrefix({shown}): prefix length out of range")
    return Cidr(address, int(length))


def ip(text: str) -> Ip:
    try:
        return Ip(_address(text))
    except _RefusedError as refusal:
        raise EvaluationError(str(refusal)) from None


def _cidr(text: str) -> Cidr:
    try:
        return _network(text)
    except _RefusedError as refusal:
        raise EvaluationError(
            f"network address parse error during conversion from string: {refusal}"
        ) from None


def _is_ip(text: str) -> bool:
    try:
        _address(text)
    except _RefusedError:
        return False
    return True


def _is_cidr(text: str) -> bool:
    try:
        _network(text)
    except _RefusedError:
        return False
    return True


def _is_local_multicast(ip: Ip) -> bool:
    if isinstance(ip.address, ipaddress.IPv4Address):
        return ip.address in _LOCAL_MULTICAST
    return ip.address.packed[0] == 0xFF and ip.address.packed[1] & 0x0F == 0x02


def _is_local_unicast(ip: Ip) -> bool:
    return ip.address.is_link_local


def _is_global_unicast(ip: Ip) -> bool:
    address = ip.address
    if address.is_unspecified or address == _BROADCAST:
        return False
    return not (address.is_loopback or address.is_multicast or address.is_link_local)


def _masked(cidr: Cidr) -> Cidr:
    return Cidr(_prefix(cidr.address, cidr.length), cidr.length)


def _prefix(address: _Address, length: int) -> _Address:
    spare = address.max_prefixlen - length
    return type(address)(int(address) >> spare << spare)


def _contains(cidr: Cidr, address: _Address, length: int) -> bool:
    return (
        type(cidr.address) is type(address)
        and cidr.length <= length
        and _prefix(cidr.address, cidr.length) == _prefix(address, cidr.length)
    )


def _contains_ip(cidr: Cidr, other: Any) -> bool:
    address = (other if isinstance(other, Ip) else ip(other)).address
    return _contains(cidr, address, address.max_prefixlen)


def _contains_cidr(cidr: Cidr, other: Any) -> bool:
    inner = other if isinstance(other, Cidr) else _cidr(other)
    return _contains(cidr, inner.address, inner.length)


_S, _B, _I = types.STRING, types.BOOL, types.INT

OVERLOADS = (
    function("ip", (_S,), IP, ip, price=_PRICE),
    function("isIP", (_S,), _B, _is_ip, price=_PRICE),
    function(
        "ip.isCanonical", (_S,), _B, lambda text: str(ip(text).address) == text, price=_PRICE
    ),
    function("string", (IP,), _S, lambda ip: str(ip.address), price=_PRICE),
    method("family", (IP,), _I, lambda ip: ip.address.version, price=_PRICE),
    method("isUnspecified", (IP,), _B, lambda ip: ip.address.is_unspecified, price=_PRICE),
    method("isLoopback", (IP,), _B, lambda ip: ip.address.is_loopback, price=_PRICE),
    method("isLinkLocalMulticast", (IP,), _B, _is_local_multicast, price=_PRICE),
    method("isLinkLocalUnicast", (IP,), _B, _is_local_unicast, price=_PRICE),
    method("isGlobalUnicast", (IP,), _B, _is_global_unicast, price=_PRICE),
    function("cidr", (_S,), CIDR, _cidr, price=_PRICE),
    function("isCIDR", (_S,), _B, _is_cidr, price=_PRICE),
    function("string", (CIDR,), _S, lambda cidr: f"{cidr.address}/{cidr.length}", price=_PRICE),
    method("ip", (CIDR,), IP, lambda cidr: Ip(cidr.address), price=_PRICE),
    method("prefixLength", (CIDR,), _I, lambda cidr: cidr.length, price=_PRICE),
    method("masked", (CIDR,), CIDR, _masked, price=_PRICE),
    method("containsIP", (CIDR, _S), _B, _contains_ip, price=_PRICE),
    method("containsIP", (CIDR, IP), _B, _contains_ip, price=_PRICE),
    method("containsCIDR", (CIDR, _S), _B, _contains_cidr, price=_PRICE),
    method("containsCIDR", (CIDR, CIDR), _B, _contains_cidr, price=_PRICE),
)
