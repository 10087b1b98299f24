"""A commit status, said to a forge by its own API: GitHub's and GitLab's, on their servers or on one's own.

The token goes to the address that the person named and nowhere else: no redirects, no proxies, https or this machine.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import aiohttp
import yarl

from fleet.adapters.http import limits
from fleet.model import errors
from fleet.ports.forges import Address, Forge, Status

_SECONDS = 30.0
_WORD = re.compile(r"[A-Za-z0-9_.-]+\Z")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


_PUBLIC = {Forge.GITHUB: "https://api.github.com", Forge.GITLAB: "https://gitlab.com"}
_DESCRIPTION = {Forge.GITHUB: 140, Forge.GITLAB: 255}  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    url: yarl.URL
    headers: Mapping[str, str] = field(repr=False)
    body: Mapping[str, str]


def check(address: Address) -> None:
    """Raises errors.InputError for an address that nothing would be sent to."""
    _base(address)
    if not address.token or not address.token.isprintable():
        raise errors.InputError("there is no token to post with", hint="FLEETGATE_FORGE_TOKEN")
    parts = address.project.split("/")
    is_number = address.forge is Forge.GITLAB and address.project.isdecimal()
    if not is_number and (len(parts) < 2 or not all(map(_is_word, parts))):
        raise errors.InputError(
            f"{address.project!r} is no project", hint="--project OWNER/NAME, or GitLab's number"
        )


async def post(status: Status, address: Address) -> None:
    check(address)
    asked = _github(status, address) if address.forge is Forge.GITHUB else _gitlab(status, address)
    try:
        code, said = await _sent(asked)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        told = str(error) or "no answer in time"
        raise errors.UnreachableError(f"{asked.url.origin()}: {told}") from None
    if code not in (200, 201):
        raise _refusal(code, said, asked)


async def _sent(asked: _Request) -> tuple[int, bytes]:
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    async with (
        aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session,
        session.post(
            asked.url, json=dict(asked.body), headers=asked.headers, allow_redirects=False
        ) as response,
    ):
        return response.status, await response.content.read(4 * limits.KIB)


def _github(status: Status, address: Address) -> _Request:
    return _Request(
        url=_url(address, f"/repos/{address.project}/statuses/{status.commit}"),
        headers={
            "Authorization": f"Bearer {address.token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        },
        body={
            "state": "success" if status.is_good else "failure",
            "context": status.context,
            "description": _short(status.description, address),
        },
    )


def _gitlab(status: Status, address: Address) -> _Request:
    project = quote(address.project, safe="")
    return _Request(
        url=_url(address, f"/api/v4/projects/{project}/statuses/{status.commit}"),
        headers={"PRIVATE-TOKEN": address.token},
        body={
            "state": "success" if status.is_good else "failed",
            "name": status.context,
            "description": _short(status.description, address),
        },
    )


def _short(text: str, address: Address) -> str:
    most = _DESCRIPTION[address.forge]
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _url(address: Address, path: str) -> yarl.URL:
    return yarl.URL(f"{str(_base(address)).rstrip('/')}{path}", encoded=True)


def _base(address: Address) -> yarl.URL:
    given = address.base or _PUBLIC[address.forge]
    try:
        read = yarl.URL(given)
    except ValueError:
        read = yarl.URL()
    is_safe = read.scheme == "https" or (read.scheme == "http" and read.host in _LOOPBACK)
    if not is_safe or not read.host or read.user or read.query_string or read.fragment:
        raise errors.InputError(
            "--url is no address that a token may go to",
            hint="write it as https://git.example.com",
        )
    return read


def _is_word(part: str) -> bool:
    return part not in (".", "..") and _WORD.match(part) is not None


def _refusal(code: int, said: bytes, asked: _Request) -> errors.FleetError:
    told = _words(said)
    message = f"{asked.url.origin()} answered with status {code}: {told}"
    if code in (401, 403, 404):
        return errors.RefusedError(
            message, hint="may the token write commit statuses of this project?"
        )
    return errors.UnreachableError(message)


def _words(said: bytes) -> str:
    return " ".join(said.decode("utf-8", "replace").split())[:200] or "without a word"
