"""What this agent has in its cluster: the stored list from which alone anything is ever pruned (rule 7).

A member is written before its object is; its UID and what was applied follow. The list is the body of an ApplySet
(KEP-3659), so that other tools can see what belongs together.
"""

import base64
import gzip
import hashlib
import zlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from fleet.model import errors, json_values, names, objects

NAMESPACE = "fleetgate-system"
PARENT = "inventory"  # the Secret that is the ApplySet's parent
PART_OF = "applyset.kubernetes.io/part-of"
# ID: "applyset-", base64url without padding of SHA-256 over "name.namespace.kind.group", "-v1" (KEP-3659).
_HASH = hashlib.sha256(f"{PARENT}.{NAMESPACE}.Secret.".encode()).digest()
ID = f"applyset-{base64.urlsafe_b64encode(_HASH).decode().rstrip('=')}-v1"
SELECTOR = f"{PART_OF}={ID}"
MAX_BYTES = 900 << 10  # of the compressed list in its one Secret: some 15,000 objects


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One object that is ours. `uid`, `digest` and `fields` are "" until it was first applied."""

    key: objects.Key
    uid: str = ""
    digest: str = ""  # of the body that was applied last
    fields: str = ""  # of the fields that were ours after that, as managedFields says
    adopted: bool = False  # it was there before us: it is never pruned


Inventory: TypeAlias = Mapping[objects.Key, Member]


def with_new(
    inventory: Inventory,
    keys: Iterable[objects.Key],
    taken: Collection[objects.Key] = (),
) -> dict[objects.Key, Member]:
    """The inventory that must be durable before any of these objects is written.

    `taken` are there already and will be taken over: after a crash nothing but this list could tell them from ours.
    """
    members = {**{key: Member(key=key) for key in keys}, **inventory}
    return members | {key: replace(members[key], adopted=True) for key in taken}


def encode(inventory: Inventory) -> bytes:
    """Raises errors.RefusedError past the limit of one Secret."""
    listed = [
        [
            m.key.group,
            m.key.kind,
            m.key.namespace,
            m.key.name,
            m.uid,
            m.digest,
            m.fields,
            m.adopted,
        ]
        for _, m in sorted(inventory.items())
    ]
    data = gzip.compress(json_values.encode({"version": 1, "members": listed}), mtime=0)
    if len(data) > MAX_BYTES:
        raise errors.RefusedError(
            f"{len(inventory)} objects are more than one agent keeps an inventory of",
            hint="split the cluster's bundles among two fleets",
        )
    return data


def decode(data: bytes) -> dict[objects.Key, Member]:
    """Raises errors.BrokenError for what `encode` did not write."""
    try:
        document = json_values.decode(gzip.decompress(data))
        members = [_member(*row) for row in document["members"]]
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
        raise errors.BrokenError(f"the stored inventory cannot be read: {error}") from error
    return {member.key: member for member in members}


def parent_marks(inventory: Inventory) -> tuple[dict[str, str], dict[str, str]]:
    """Labels and annotations of the parent, as the ApplySet specification wants them."""
    kinds = sorted({f"{key.kind}.{key.group}" if key.group else key.kind for key in inventory})
    spaces = sorted({key.namespace for key in inventory if key.namespace} - {NAMESPACE})
    annotations = {
        "applyset.kubernetes.io/tooling": "fleetgate/v1",
        "applyset.kubernetes.io/contains-group-kinds": ",".join(kinds),
        "applyset.kubernetes.io/additional-namespaces": ",".join(spaces),
    }
    return {"applyset.kubernetes.io/id": ID}, annotations


def marked(body: json_values.JsonObject) -> json_values.JsonObject:
    """The object as it is applied: with the label that makes it part of the set."""
    metadata = body["metadata"]
    labels = {**(metadata.get("labels") or {}), PART_OF: ID}
    marked = {**body, "metadata": {**metadata, "labels": labels}}
    return _packed(marked) if "stringData" in body and body["kind"] == "Secret" else marked


def _packed(secret: json_values.JsonObject) -> json_values.JsonObject:
    """With stringData in data, as it is stored: of a field that is never stored nobody can be the owner."""
    texts = secret["stringData"] or {}
    found = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
    rest = {key: value for key, value in secret.items() if key != "stringData"}
    return {**rest, "data": {**(secret.get("data") or {}), **found}}


def digest(body: json_values.JsonObject) -> names.Digest:
    return json_values.digest(body)


def _member(
    group: str,
    kind: str,
    namespace: str,
    name: str,
    uid: str,
    digest: str,
    fields: str,
    adopted: bool,  # noqa: FBT001
) -> Member:
    key = objects.Key(group=group, kind=kind, namespace=namespace, name=name)
    return Member(key=key, uid=uid, digest=digest, fields=fields, adopted=adopted)
