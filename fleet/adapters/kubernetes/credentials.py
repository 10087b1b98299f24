"""What a connection to an API server is opened with: its address, how we know it, and how it knows us."""

import asyncio
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from fleet.model import errors

_FRESH = 60.0  # seconds for which a token that was read is believed to be the newest


class Bearer(Protocol):
    async def authorization(self) -> str:
        """The header's value; "" where a client certificate speaks for us."""

    def forget(self) -> bool:
        """The API server does not know this token; whether reading it again may give another one."""


class Fixed:
    def __init__(self, token: str = "") -> None:
        self._header = f"Bearer {token}" if token else ""

    async def authorization(self) -> str:
        return self._header

    def forget(self) -> bool:
        return False


class FromFile:
    """A token that somebody else renews, as the kubelet does with a ServiceAccount's."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._header = ""
        self._until = 0.0

    async def authorization(self) -> str:
        now = asyncio.get_running_loop().time()
        if not self._header or now >= self._until:
            self._header = f"Bearer {_text(self._path)}"
            self._until = now + _FRESH
        return self._header

    def forget(self) -> bool:
        self._header = ""
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    server: str  # URL without a slash at its end; may have a path
    tls: ssl.SSLContext | None = field(repr=False)  # None = plain HTTP
    bearer: Bearer = field(repr=False)
    server_name: str = ""  # that the certificate must show, where it is not the address


def _text(path: Path) -> str:
    try:
        found = path.read_text().strip()
    except (OSError, ValueError) as error:
        raise errors.UnreachableError(f"cannot read the token: {error}") from None
    if not found:
        raise errors.UnreachableError(f"there is no token in {path}")
    return found
