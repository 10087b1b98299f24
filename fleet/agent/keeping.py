"""What the agent keeps in its cluster: slices as compressed, chunked Secrets by digest, and one pointer to them.

A dispatch counts from the moment when the pointer moves, by compare-and-swap: chunks without a pointer mean nothing,
a pointer is never without its chunks. So any instruction may be the last one.
"""

import asyncio
import base64
import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fleet.converge import inventory
from fleet.model import errors, json_values, names, objects, slices
from fleet.ports import cluster
from fleet.protocol import encoding, trustchain, trusted

CHUNK = 700 << 10  # bytes of one Secret, of at most 1 MiB with its base64 in transit
POINTER = "pointer"
SECRETS = cluster.Resource(
    group="", version="v1", kind="Secret", plural="secrets", namespaced=True, versions=("v1",)
)
_IN_THE_WAY = (cluster.Status.CONFLICT, cluster.Status.ABSENT)
_KEPT = "fleetgate.dev/kept"  # a label: which of our Secrets are chunks


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What the pointer names. `applied` is the slice that was applied whole the last time."""

    held: trusted.Held
    chunks: int
    applied: names.SliceDigest | None = None
    applied_chunks: int = 0


class Keeper:
    """The agent's Secrets. Raises errors.RefusedError when another agent writes to them."""

    def __init__(self, port: cluster.Cluster) -> None:
        self._cluster = port
        self._pointer: json_values.JsonObject | None = None
        self._members: json_values.JsonObject | None = None
        self._listed: inventory.Inventory | None = None  # as it is stored; None = not known
        self._unheard: dict[str, list[Any]] = {}  # what was sent for each Secret and not answered
        self.turn = asyncio.Lock()  # for whoever reads the pointer and then moves it

    async def read_pointer(self, identity: trusted.Identity) -> Stored | None:
        self._pointer = await self._read(POINTER)
        if self._pointer is None:
            return None
        try:
            document = json_values.decode(_data(self._pointer)["pointer"])
            return Stored(
                held=trusted.restore(
                    document["envelope"], identity, _anchor(document.get("trust"))
                ),
                chunks=document["chunks"],
                applied=document["applied"],
                applied_chunks=document["appliedChunks"],
            )
        except (KeyError, TypeError, ValueError, errors.InputError) as error:
            raise _damaged(POINTER) from error

    async def write_pointer(self, stored: Stored) -> None:
        document: dict[str, Any] = {
            "envelope": stored.held.envelope,
            "chunks": stored.chunks,
            "applied": stored.applied,
            "appliedChunks": stored.applied_chunks,
        }
        if stored.held.trust is not None:
            document["trust"] = encoding.as_json(stored.held.trust)
        body = _secret(POINTER, {"pointer": json_values.encode(document)})
        self._pointer = await self._write(body, self._pointer)

    def has_moved(self) -> bool:
        """Whether the pointer, as it was last read, is one that was sent from here and whose answer was lost."""
        unheard = self._unheard.get(POINTER, ())
        return self._pointer is not None and self._pointer.get("data") in unheard

    async def read_slice(self, digest: names.SliceDigest, chunks: int) -> bytes:
        """Raises errors.BrokenError when chunks are missing or damaged."""
        parts = []
        for place in range(chunks):
            found = await self._read(_chunk(digest, place))
            if found is None:
                raise errors.BrokenError(f"chunk {place} of slice {digest} is gone")
            parts.append(_data(found).get("chunk", b""))
        try:
            data = gzip.decompress(b"".join(parts))
        except (OSError, EOFError, zlib.error) as error:
            raise errors.BrokenError(f"the stored slice {digest} is damaged") from error
        if slices.digest(data) != digest:
            raise errors.BrokenError(f"the stored slice {digest} is damaged")
        return data

    async def write_slice(self, digest: names.SliceDigest, data: bytes) -> int:
        """How many chunks it became. A chunk that is there already is the same one: the digest says so."""
        packed = gzip.compress(data, mtime=0)
        parts = [packed[start : start + CHUNK] for start in range(0, len(packed), CHUNK)]
        for place, part in enumerate(parts):
            body = _secret(_chunk(digest, place), {"chunk": part}, labels={_KEPT: "chunk"})
            answer = await self._cluster.create(SECRETS, body)
            if answer.status is cluster.Status.CONFLICT:
                answer = await self._cluster.replace(SECRETS, await self._over(body))
            _check(answer)
        return len(parts)

    async def read_inventory(self) -> dict[objects.Key, inventory.Member]:
        self._members = await self._read(inventory.PARENT)
        data = _data(self._members) if self._members else None
        found = {} if data is None else inventory.decode(data.get("members", b""))
        self._listed = dict(found)
        return found

    async def write_inventory(self, members: inventory.Inventory) -> None:
        """Unless it is known to be stored just so: what could not be written before is written with the next call."""
        if members == self._listed:
            return
        self._listed = None
        written = dict(members)
        labels, annotations = inventory.parent_marks(members)
        data = {"members": inventory.encode(members)}
        body = _secret(inventory.PARENT, data, labels=labels, annotations=annotations)
        self._members = await self._write(body, self._members)
        self._listed = written

    async def sweep(self, stored: Stored) -> None:
        """Delete chunks that the pointer does not name."""
        needed = {_chunk(stored.held.dispatch.slice, each) for each in range(stored.chunks)}
        if stored.applied is not None:
            needed |= {_chunk(stored.applied, each) for each in range(stored.applied_chunks)}
        for name, uid in (await self._chunks()).items():
            if name not in needed:
                await self._cluster.delete(SECRETS, _key(name), uid=uid)

    async def drop_pointer(self) -> None:
        self._pointer = None
        there = await self._read(POINTER)
        if there is not None:
            _check(
                await self._cluster.delete(SECRETS, _key(POINTER), uid=there["metadata"]["uid"])
            )

    async def forget(self) -> None:
        """Everything but the identity: the cluster is no longer ours."""
        for name, uid in (await self._chunks()).items():
            await self._cluster.delete(SECRETS, _key(name), uid=uid)
        for kept in (self._members, self._pointer):
            if kept is not None:
                metadata = kept["metadata"]
                await self._cluster.delete(SECRETS, _key(metadata["name"]), uid=metadata["uid"])
        self._members = self._pointer = self._listed = None

    async def _chunks(self) -> dict[str, str]:
        found = {}
        events = self._cluster.watch(
            SECRETS, selector=f"{_KEPT}=chunk", namespace=inventory.NAMESPACE
        )
        async for event in events:
            if event.type is cluster.EventType.SYNCED:
                break
            if event.live is not None:
                found[event.live["metadata"]["name"]] = event.live["metadata"]["uid"]
        return found

    async def _read(self, name: str) -> json_values.JsonObject | None:
        answer = await self._cluster.read(SECRETS, _key(name))
        if answer.status is cluster.Status.ABSENT:
            return None
        _check(answer)
        return answer.live

    async def _over(self, body: json_values.JsonObject) -> json_values.JsonObject:
        there = await self._read(body["metadata"]["name"])
        return _versioned(body, there)

    async def _write(
        self, body: json_values.JsonObject, last: json_values.JsonObject | None
    ) -> json_values.JsonObject | None:
        """What stands in the way is written over only if it was sent from here and its answer was lost.

        It may also be this very body: a request whose answer was lost on the wire is sent twice.
        """
        name = body["metadata"]["name"]
        unheard = list(self._unheard.get(name, ()))
        self._unheard.setdefault(name, []).append(body["data"])
        answer = await self._put(body, last)
        if answer.status in _IN_THE_WAY:
            there = await self._read(name)
            if there is not None and there.get("data") == body["data"]:
                answer = cluster.Answer(status=cluster.Status.DONE, live=there)
            elif unheard and (there is None or there.get("data") in unheard):
                answer = await self._put(body, there)
        if answer.status in _IN_THE_WAY:
            del self._unheard[name]
            raise errors.RefusedError(
                f"Secret {inventory.NAMESPACE}/{name} was changed by somebody else",
                hint="is a second agent at work for this cluster?",
            )
        _check(answer)
        del self._unheard[name]
        return answer.live

    async def _put(
        self, body: json_values.JsonObject, last: json_values.JsonObject | None
    ) -> cluster.Answer:
        if last is None:
            return await self._cluster.create(SECRETS, body)
        return await self._cluster.replace(SECRETS, _versioned(body, last))


def _anchor(written: Any) -> trustchain.Anchor | None:
    """Raises errors.InputError for what is none."""
    if written is None:
        return None
    found: trustchain.Anchor = encoding.from_json(trustchain.Anchor, written)
    return found


def _check(answer: cluster.Answer) -> None:
    """What the agent keeps must be kept; any other end means that nothing further may be done."""
    if answer.status is not cluster.Status.DONE:
        raise errors.UnreachableError(f"cannot keep the agent's own Secrets: {answer.message}")


def _versioned(
    body: json_values.JsonObject, there: json_values.JsonObject | None
) -> json_values.JsonObject:
    version = there["metadata"]["resourceVersion"] if there else ""
    return {**body, "metadata": {**body["metadata"], "resourceVersion": version}}


def _secret(
    name: str,
    data: Mapping[str, bytes],
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> json_values.JsonObject:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "namespace": inventory.NAMESPACE,
            "labels": dict(labels or {}),
            "annotations": dict(annotations or {}),
        },
        "type": "fleetgate.dev/agent",
        "data": {key: base64.b64encode(value).decode() for key, value in data.items()},
    }


def _data(secret: json_values.JsonObject) -> dict[str, bytes]:
    found: Mapping[str, Any] = secret.get("data") or {}
    try:
        return {key: base64.b64decode(value) for key, value in found.items()}
    except ValueError as error:
        raise _damaged(secret["metadata"]["name"]) from error


def _damaged(name: str) -> errors.BrokenError:
    return errors.BrokenError(f"Secret {inventory.NAMESPACE}/{name} is damaged")


def _key(name: str) -> objects.Key:
    return objects.Key(group="", kind="Secret", namespace=inventory.NAMESPACE, name=name)


def _chunk(digest: names.SliceDigest, place: int) -> str:
    return f"slice-{digest.removeprefix('sha256:')[:40]}-{place}"
