"""IP addresses and networks, stricter from Kubernetes 1.36 on. Source: apimachinery pkg/util/validation/ip.go."""

import ipaddress
import re

from fleet.manifests.admission import faults
from fleet.manifests.admission.tables import Check, Found, Row, row

_STRICT_SINCE, _LENIENT_UNTIL = "1.36", "1.35"
_NO_IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
_NO_NETWORK = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
_ZEROS = re.compile(r"(^|\.)0+(?=[0-9])")
_MASK_ZEROS = re.compile(r"/0+(?=[0-9])")
_LONGEST = 64  # longer is no address, whatever it is
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def address(text: str) -> Address | None:
    """Sloppily read: zeros in front are no matter."""
    plain = text if ":" in text else _ZEROS.sub(r"\1", text[:_LONGEST])
    try:
        return ipaddress.ip_address(plain) if "%" not in text and len(text) < _LONGEST else None
    except ValueError:
        return None


def network(text: str) -> Network | None:
    """Sloppily read, and also with bits set beyond its mask."""
    head, slash, length = text.partition("/")
    where = address(head)
    if where is None or not slash or not (length.isdigit() and length.isascii()):
        return None
    try:
        return ipaddress.ip_network((where, int(length[:9])), strict=False)
    except ValueError:
        return None


def is_ipv6(text: str) -> bool:
    found = address(text)
    return found is not None and found.version == 6


def _has_zeros(text: str) -> bool:
    return ":" not in text and _ZEROS.search(text) is not None


def _is_mapped(found: Address | None) -> bool:
    return isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None


def sloppy_ip(text: str) -> Found:
    return () if address(text) else (faults.invalid(text, _NO_IP),)


def ip(text: str) -> Found:
    found = address(text)
    if found is None:
        return (faults.invalid(text, _NO_IP),)
    if _has_zeros(text):
        return (faults.invalid(text, "must not have leading 0s"),)
    if _is_mapped(found):
        return (faults.invalid(text, "must not be an IPv4-mapped IPv6 address"),)
    return ()


def sloppy_cidr(text: str) -> Found:
    return () if network(text) else (faults.invalid(text, _NO_NETWORK),)


def cidr(text: str) -> Found:
    found, head = network(text), text.partition("/")[0]
    if found is None:
        return (faults.invalid(text, _NO_NETWORK),)
    if _has_zeros(head) or _MASK_ZEROS.search(text):
        return (faults.invalid(text, "must not have leading 0s in IP or prefix length"),)
    if _is_mapped(address(head)):
        return (faults.invalid(text, "must not have an IPv4-mapped IPv6 address"),)
    if address(head) != found.network_address:
        said = "must not have bits set beyond the prefix length"
        return (faults.invalid(text, said, hint=f"{found}, or {head}/{found.max_prefixlen}"),)
    return ()


def ips(at: str, source: str) -> tuple[Row, ...]:
    return (
        row(at, sloppy_ip, source, until=_LENIENT_UNTIL),
        row(at, ip, source, since=_STRICT_SINCE),
    )


def cidrs(at: str, source: str, *, is_needed: bool = False) -> tuple[Row, ...]:
    """That one which is needed is empty is found where it is needed."""
    return (
        row(
            at,
            _unless_empty(sloppy_cidr) if is_needed else sloppy_cidr,
            source,
            until=_LENIENT_UNTIL,
        ),
        row(at, _unless_empty(cidr) if is_needed else cidr, source, since=_STRICT_SINCE),
    )


def _unless_empty(check: Check) -> Check:
    return lambda text: check(text) if text else ()
