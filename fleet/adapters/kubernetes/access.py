"""How to reach an API server: from a kubeconfig, or as a pod by its ServiceAccount.

Exec plug-ins and auth providers are left to the `kubernetes` package, imported only for them.
"""

import asyncio
import base64
import binascii
import ssl
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fleet.manifests import parse
from fleet.model import errors, names

_POD = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_IN_CLUSTER = "https://kubernetes.default.svc"
_FRESH = 60.0  # seconds for which a token from a file is believed to be the newest


@dataclass(slots=True, kw_only=True)
class Access:
    """`token` or `token_file`, or neither where the certificate speaks."""

    server: str
    tls: ssl.SSLContext | None = field(repr=False)
    token: str = field(default="", repr=False)
    token_file: Path | None = None
    plugin: "Plugin | None" = None
    server_name: str = ""
    _read: float = field(default=-_FRESH, init=False)

    async def headers(self) -> dict[str, str]:
        if self.plugin is not None:
            return {"Authorization": await asyncio.to_thread(self.plugin.authorization)}
        if self.token_file is not None and time.monotonic() - self._read >= _FRESH:
            self.token = await asyncio.to_thread(_text, self.token_file)
            self._read = time.monotonic()
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


class Plugin:
    """What an exec plug-in or an auth provider of the kubeconfig says, through the `kubernetes` package."""

    def __init__(self, path: Path, context: str) -> None:
        from kubernetes.client import Configuration
        from kubernetes.config import kube_config

        self._configuration = Configuration()
        kube_config.load_kube_config(  # type: ignore[no-untyped-call]
            str(path), context=context or None, client_configuration=self._configuration
        )

    def authorization(self) -> str:
        refresh: Any = self._configuration.refresh_api_key_hook
        if refresh is not None:
            refresh(self._configuration)
        found: str = self._configuration.get_api_key_with_prefix("authorization") or ""
        return found


def found(kubeconfig: Path | None, context: str) -> Access:
    """By what is named; else the pod's ServiceAccount; else the user's kubeconfig."""
    if kubeconfig is None and not context and (_POD / "token").is_file():
        return in_cluster()
    return from_kubeconfig(kubeconfig or Path.home() / ".kube" / "config", context)


def in_cluster() -> Access:
    return Access(
        server=_IN_CLUSTER,
        tls=ssl.create_default_context(cafile=str(_POD / "ca.crt")),
        token_file=_POD / "token",
    )


def from_kubeconfig(path: Path, context: str = "") -> Access:
    """Raises errors.InputError in words for what is missing or cannot be used."""
    document = _document(path)
    chosen = context or document.get("current-context") or ""
    if not chosen:
        raise errors.InputError(f"{path} has no current context", hint="name one: --context")
    names_ = _entry(document, "contexts", chosen, path)["context"]
    server = _entry(document, "clusters", str(names_.get("cluster")), path)["cluster"]
    user = _entry(document, "users", str(names_.get("user")), path).get("user") or {}
    if server.get("proxy-url"):
        raise errors.InputError(f"{path}: proxy-url is not supported")
    is_plugged = "exec" in user or "auth-provider" in user
    return Access(
        server=str(server.get("server", "")).rstrip("/"),
        tls=_tls(server, user, path.parent),
        token=str(user.get("token", "")),
        token_file=_beside(path.parent, user.get("tokenFile")),
        plugin=Plugin(path, chosen) if is_plugged else None,
        server_name=str(server.get("tls-server-name", "")),
    )


def _document(path: Path) -> Mapping[str, Any]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise errors.InputError(f"cannot read the kubeconfig: {error}") from error
    parsed = parse.documents(data, f"{path}.yaml", names.BlobId(""))
    if parsed.findings:
        raise errors.InputError(f"{path}: {parsed.findings[0].message}")
    value = parsed.documents[0].value if parsed.documents else None
    if not isinstance(value, dict):
        raise errors.InputError(f"{path} is no kubeconfig")
    return value


def _entry(document: Mapping[str, Any], group: str, name: str, path: Path) -> Mapping[str, Any]:
    entries = document.get(group)
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and entry.get("name") == name:
            return entry
    raise errors.InputError(f"{path} has no {group.removesuffix('s')} {name!r}")


def _tls(
    server: Mapping[str, Any], user: Mapping[str, Any], folder: Path
) -> ssl.SSLContext | None:
    if not str(server.get("server", "")).startswith("https://"):
        return None
    authority = _bytes(server, "certificate-authority", folder)
    try:
        context = ssl.create_default_context(cadata=authority.decode() if authority else None)
        if server.get("insecure-skip-tls-verify"):
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        _identify(context, user, folder)
    except (ssl.SSLError, ValueError) as error:
        raise errors.InputError(
            f"the kubeconfig's certificates cannot be used: {error}"
        ) from error
    return context


def _identify(context: ssl.SSLContext, user: Mapping[str, Any], folder: Path) -> None:
    certificate, key = (
        _bytes(user, "client-certificate", folder),
        _bytes(user, "client-key", folder),
    )
    if not certificate or not key:
        return
    with (
        tempfile.NamedTemporaryFile() as file
    ):  # the ssl module reads files only; this one is ours alone
        file.write(certificate + b"\n" + key)
        file.flush()
        context.load_cert_chain(file.name)


def _bytes(section: Mapping[str, Any], name: str, folder: Path) -> bytes:
    if section.get(f"{name}-data"):
        try:
            return base64.b64decode(section[f"{name}-data"], validate=True)
        except (binascii.Error, ValueError, TypeError) as error:
            raise errors.InputError(f"the kubeconfig's {name}-data is not base64") from error
    path = _beside(folder, section.get(name))
    return path.read_bytes() if path else b""


def _beside(folder: Path, name: Any) -> Path | None:
    """A file that a kubeconfig names, relative to itself."""
    return folder / str(name) if name else None


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError as error:
        raise errors.UnreachableError(f"cannot read the token: {error}") from error
