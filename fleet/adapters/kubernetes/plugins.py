"""Credentials that another program gives: exec plug-ins and auth providers of a kubeconfig, as EKS, GKE and OIDC have.

The `kubernetes` package knows how to run them, and keeps refreshed tokens where kubectl would keep them.
"""

import asyncio
import ssl
from pathlib import Path
from typing import Any

from kubernetes.aio.config import config_exception, kube_config

from fleet.adapters.kubernetes import trust
from fleet.model import errors

_FRESH = 60.0  # seconds; the package itself asks a program again only when what it gave has ended
_WRONG = (OSError, ValueError, KeyError)
_HINT = "run `kubectl get --raw /version` with this kubeconfig: it uses the same program"


class _Taken:
    """What the package writes into, where it would write into a whole client's configuration."""

    def __init__(self) -> None:
        self.api_key: dict[str, str] = {}
        self.cert_file = ""
        self.key_file = ""


class Plugin:
    def __init__(self, path: Path, context: str, tls: ssl.SSLContext | None) -> None:
        self._path, self._context, self._tls = path, context, tls
        self._loader: Any = None
        self._header = ""
        self._until = 0.0
        self._shown = b""  # the certificate that the program gave
        self._asking = asyncio.Lock()

    async def authorization(self) -> str:
        async with self._asking:
            now = asyncio.get_running_loop().time()
            if now >= self._until:
                await self._ask()
                self._until = now + _FRESH
            return self._header

    def forget(self) -> bool:
        """What the program gave last is not asked of the package's memory again."""
        self._loader = None
        self._until = 0.0
        return True

    async def _ask(self) -> None:
        taken = _Taken()
        try:
            await self._load(taken)
            has_certificate = self._show(taken)
        except (config_exception.ConfigException, errors.InputError, *_WRONG) as error:
            raise errors.UnreachableError(
                f"{self._path}: no credentials: {error}", hint=_HINT
            ) from None
        self._header = taken.api_key.get("BearerToken", "")
        if not self._header and not has_certificate:
            raise errors.UnreachableError(
                f"{self._path}: the program that it names gave no credentials", hint=_HINT
            )

    async def _load(self, taken: _Taken) -> None:
        if self._loader is not None:
            await self._loader.load_and_set(taken)
            return
        self._loader = await kube_config.load_kube_config(  # type: ignore[no-untyped-call]
            config_file=str(self._path), context=self._context, client_configuration=taken
        )

    def _show(self, taken: _Taken) -> bool:
        """Whether there is a certificate; it is shown from the next connection on."""
        if self._tls is None or not taken.cert_file or not taken.key_file:
            return False
        certificate, key = Path(taken.cert_file).read_bytes(), Path(taken.key_file).read_bytes()
        if certificate != self._shown:
            pair = trust.Pair(certificate=certificate, key=key)
            trust.show(self._tls, pair, where=str(self._path))
            self._shown = certificate
        return True
