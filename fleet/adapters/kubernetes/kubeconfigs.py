"""A kubeconfig as kubectl reads it: one context of it becomes the access to its API server.

What it says and we cannot do is refused in words; to leave out a proxy or an impersonation would reach another server,
or the same one as somebody else.
"""

import base64
import logging
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import yarl

from fleet.adapters.kubernetes import credentials, trust
from fleet.manifests import parse
from fleet.model import errors, names

Section: TypeAlias = Mapping[str, Any]
_log = logging.getLogger("fleet.kubernetes")
_REFUSED = {
    "proxy-url": "proxies are not supported: reach the API server directly, or run the agent inside its cluster",
    "username": "API servers take no passwords any more: use a token or a client certificate",
    "as": "impersonation is not supported: use a ServiceAccount with the rights that are needed",
    "as-groups": "impersonation is not supported",
    "as-uid": "impersonation is not supported",
    "as-user-extra": "impersonation is not supported",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    path: Path
    context: str
    server: Section
    user: Section

    def bytes_of(self, section: Section, name: str) -> bytes:
        """Of a field that is either here as `name`-data or in the file that `name` names."""
        data = section.get(f"{name}-data")
        if data:
            try:
                return base64.b64decode(str(data), validate=True)
            except ValueError:
                raise self.wrong(f"{name}-data is not base64") from None
        if not section.get(name):
            return b""
        file = self.file(section, name)
        try:
            return file.read_bytes()
        except OSError as error:
            raise self.wrong(f"{name}: {error}") from None

    def file(self, section: Section, name: str) -> Path:
        """Relative to the kubeconfig itself."""
        return self.path.parent / str(section[name])

    def wrong(self, message: str, hint: str = "") -> errors.InputError:
        return errors.InputError(f"{self.path}: {message}", hint=hint)


def read(path: Path, context: str = "") -> credentials.Access:
    """`context` "" is the kubeconfig's current one. Raises errors.InputError."""
    chosen = _choose(path, context)
    for section in (chosen.server, chosen.user):
        for field in sorted(section.keys() & _REFUSED.keys()):
            if section[field]:
                raise chosen.wrong(f"{field} cannot be used", _REFUSED[field])
    server = _address(chosen)
    tls = _tls(chosen) if server.scheme == "https" else None
    return credentials.Access(
        server=str(server).rstrip("/"),
        tls=tls,
        bearer=_bearer(chosen, tls),
        server_name=str(chosen.server.get("tls-server-name") or ""),
    )


def _choose(path: Path, context: str) -> _Chosen:
    document = _document(path)
    name = context or str(document.get("current-context") or "")
    if not name:
        raise errors.InputError(
            f"{path} has no current context", hint="name one: " + _known(document, "contexts")
        )
    found = _entry(path, document, "context", name)
    user = str(found.get("user") or "")
    return _Chosen(
        path=path,
        context=name,
        server=_entry(path, document, "cluster", str(found.get("cluster") or "")),
        user=_entry(path, document, "user", user) if user else {},
    )


def _document(path: Path) -> Section:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise errors.InputError(
            f"cannot read the kubeconfig: {error}", hint="name one with --kubeconfig"
        ) from None
    parsed = parse.documents(data, str(path), names.BlobId(""))
    for finding in parsed.findings:
        raise errors.InputError(f"{path}:{finding.place.line}: {finding.message}")
    value = parsed.documents[0].value if parsed.documents else None
    if not isinstance(value, Mapping):
        raise errors.InputError(f"{path} is no kubeconfig")
    return value


def _entry(path: Path, document: Section, word: str, name: str) -> Section:
    for entry in _entries(document, f"{word}s"):
        if entry.get("name") == name and isinstance(entry.get(word) or {}, Mapping):
            return entry.get(word) or {}
    raise errors.InputError(
        f"{path} has no {word} {name!r}", hint="it has: " + _known(document, f"{word}s")
    )


def _entries(document: Section, group: str) -> Iterator[Section]:
    found: Any = document.get(group)
    for each in found if isinstance(found, list) else ():
        if isinstance(each, Mapping):
            yield each


def _known(document: Section, group: str) -> str:
    return ", ".join(str(entry.get("name")) for entry in _entries(document, group)) or "none"


def _address(chosen: _Chosen) -> yarl.URL:
    written = str(chosen.server.get("server") or "")
    try:
        url = yarl.URL(written)
    except ValueError:
        url = yarl.URL()
    if url.scheme not in {"http", "https"} or not url.host:
        raise chosen.wrong(f"{written!r} is no address of an API server")
    return url


def _tls(chosen: _Chosen) -> ssl.SSLContext:
    authority = chosen.bytes_of(chosen.server, "certificate-authority")
    if not chosen.server.get("insecure-skip-tls-verify"):
        context = trust.believing(authority, where=str(chosen.path))
    elif authority:
        raise chosen.wrong("certificate-authority and insecure-skip-tls-verify exclude each other")
    else:
        _log.warning("%s: the API server's certificate is not checked", chosen.path)
        context = trust.anyone()
    certificate = chosen.bytes_of(chosen.user, "client-certificate")
    key = chosen.bytes_of(chosen.user, "client-key")
    if bool(certificate) != bool(key):
        raise chosen.wrong("client-certificate and client-key go together")
    if certificate:
        pair = trust.Pair(certificate=certificate, key=key)
        trust.show(context, pair, where=str(chosen.path))
    return context


def _bearer(chosen: _Chosen, tls: ssl.SSLContext | None) -> credentials.Bearer:
    user = chosen.user
    if user.get("exec") or user.get("auth-provider"):
        from fleet.adapters.kubernetes import plugins  # brings the whole `kubernetes` package

        return plugins.Plugin(chosen.path, chosen.context, tls)
    if user.get("tokenFile"):
        return credentials.FromFile(chosen.file(user, "tokenFile"))
    return credentials.Fixed(str(user.get("token") or ""))
