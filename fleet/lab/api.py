"""What a lab asks its own API servers: are you ready, who are you, here is a node."""

import json
import ssl
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from fleet.model import errors

_SECONDS = 5.0
_NODE = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {
        "name": "node-1",
        "labels": {
            "kubernetes.io/hostname": "node-1",
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
        },
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    url: str
    trust: ssl.SSLContext = field(repr=False)

    async def is_ready(self) -> bool:
        return await self._answer("GET", "/readyz") == "ok"

    async def version(self) -> str:
        answer = await self._answer("GET", "/version")
        if not answer:
            raise errors.UnreachableError(f"{self.url} does not say which version it is")
        return str(json.loads(answer)["gitVersion"])

    async def has_node(self) -> bool:
        """Makes the node where it is missing; true once it is ready and Pods can be made."""
        node = await self._answer("GET", "/api/v1/nodes/node-1")
        if not node:
            await self._answer("POST", "/api/v1/nodes", json.dumps(_NODE))
            return False
        account = await self._answer("GET", "/api/v1/namespaces/default/serviceaccounts/default")
        return bool(account) and _is_schedulable(node)

    async def _answer(self, verb: str, path: str, body: str = "") -> str:
        """Empty for every answer but a good one: a starting server refuses in many ways."""
        headers = {"Content-Type": "application/json"} if body else {}
        timeout = aiohttp.ClientTimeout(total=_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.request(
                    verb, self.url + path, data=body or None, headers=headers, ssl=self.trust
                ) as answer,
            ):
                return await answer.text() if answer.ok else ""
        except (aiohttp.ClientError, OSError, TimeoutError):
            return ""


def trust(folder: Path) -> ssl.SSLContext:
    """As the administrator whose keys lie there."""
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    context.load_cert_chain(str(folder / "admin.crt"), str(folder / "admin.key"))
    return context


def _is_schedulable(node: str) -> bool:
    read = json.loads(node)
    conditions = read.get("status", {}).get("conditions", [])
    is_ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return is_ready and not read.get("spec", {}).get("taints")
