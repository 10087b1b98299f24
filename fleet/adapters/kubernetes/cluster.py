"""Implements ports.cluster.Cluster: every request is made here, every answer is translated here."""

from collections.abc import AsyncGenerator, Mapping
from typing import Any

import aiohttp

from fleet.adapters.kubernetes import access, answers, discovery, watching
from fleet.model import errors, json_values, objects
from fleet.ports import cluster

MANAGER = "fleetgate"
_TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=10)
_CONNECTIONS = 64
_APPLY = "application/apply-patch+yaml"


class ApiServer:
    def __init__(self, found: access.Access) -> None:
        self._access = found
        self._http: aiohttp.ClientSession | None = None

    async def aclose(self) -> None:
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def identity(self) -> cluster.Identity:
        version = await self._document("/version", "application/json")
        namespace = await self._document("/api/v1/namespaces/kube-system", "application/json")
        return cluster.Identity(uid=namespace["metadata"]["uid"], version=version["gitVersion"])

    async def discover(self) -> cluster.Discovery:
        return discovery.merged(
            [await self._document(path, discovery.ACCEPT) for path in ("/api", "/apis")]
        )

    async def apply(
        self,
        resource: cluster.Resource,
        body: json_values.JsonObject,
        *,
        force: bool,
        dry_run: bool = False,
    ) -> cluster.Answer:
        query = {"fieldManager": MANAGER, "force": str(force).lower(), "fieldValidation": "Ignore"}
        if dry_run:
            query["dryRun"] = "All"
        url = _url(resource, objects.key_of(body), _version(body))
        return await self._ask("PATCH", url, query, body, _APPLY)

    async def read(self, resource: cluster.Resource, key: objects.Key) -> cluster.Answer:
        return await self._ask("GET", _url(resource, key, resource.version), {}, None)

    async def create(
        self, resource: cluster.Resource, body: json_values.JsonObject
    ) -> cluster.Answer:
        url = _collection(resource, body["metadata"].get("namespace", ""), _version(body))
        return await self._ask("POST", url, {"fieldManager": MANAGER}, body)

    async def replace(
        self, resource: cluster.Resource, body: json_values.JsonObject
    ) -> cluster.Answer:
        url = _url(resource, objects.key_of(body), _version(body))
        return await self._ask("PUT", url, {"fieldManager": MANAGER}, body)

    async def delete(
        self, resource: cluster.Resource, key: objects.Key, *, uid: str
    ) -> cluster.Answer:
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": uid},
            "propagationPolicy": "Background",
        }
        return await self._ask("DELETE", _url(resource, key, resource.version), {}, options)

    async def watch(
        self,
        resource: cluster.Resource,
        *,
        selector: str,
        namespace: str = "",
        metadata_only: bool = False,
    ) -> AsyncGenerator[cluster.Event, None]:
        source = watching.Source(
            self._session(),
            self._access.server + _collection(resource, namespace, resource.version),
            {"labelSelector": selector} if selector else {},
            self._headers,
            metadata_only=metadata_only,
        )
        try:
            async for event in source.events():
                yield event
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise errors.UnreachableError(f"{resource.plural}: {error}") from error

    async def _document(self, path: str, accept: str) -> dict[str, Any]:
        status, _, document = await self._exchange("GET", path, {}, None, "", accept)
        if status != 200 or not isinstance(document, dict):
            raise errors.UnreachableError(f"{path}: the API server answers {status}")
        return document

    async def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: json_values.JsonObject | None,
        kind: str = "application/json",
    ) -> cluster.Answer:
        status, headers, document = await self._exchange(
            method, path, query, body, kind, "application/json"
        )
        return answers.of(status, headers, document, body)

    async def _exchange(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: json_values.JsonObject | None,
        kind: str,
        accept: str,
    ) -> tuple[int, Mapping[str, str], Any]:
        headers = await self._headers(accept)
        if body is not None:
            headers["Content-Type"] = kind
        data = json_values.encode(body) if body is not None else None
        try:
            async with self._session().request(
                method, self._access.server + path, params=query, data=data, headers=headers
            ) as response:
                return response.status, response.headers, _decoded(await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            said = str(error) or type(error).__name__
            raise errors.UnreachableError(f"the API server cannot be asked: {said}") from error

    async def _headers(self, accept: str) -> dict[str, str]:
        return {"Accept": accept or "application/json", **await self._access.headers()}

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            tls = self._access.tls
            connector = aiohttp.TCPConnector(limit=_CONNECTIONS, ssl=tls or False)
            self._http = aiohttp.ClientSession(
                connector=connector, timeout=_TIMEOUT, trust_env=False, auto_decompress=True
            )
        return self._http


def _url(resource: cluster.Resource, key: objects.Key, version: str) -> str:
    return f"{_collection(resource, key.namespace, version)}/{key.name}"


def _collection(resource: cluster.Resource, namespace: str, version: str) -> str:
    root = f"/apis/{resource.group}/{version}" if resource.group else f"/api/{version}"
    inside = f"/namespaces/{namespace}" if resource.namespaced and namespace else ""
    return f"{root}{inside}/{resource.plural}"


def _version(body: json_values.JsonObject) -> str:
    return str(body["apiVersion"]).rpartition("/")[2]


def _decoded(data: bytes) -> Any:
    """JSON, or None for anything else: what is wrong with it, the status says."""
    try:
        return json_values.decode(data)
    except (ValueError, RecursionError):
        return None
