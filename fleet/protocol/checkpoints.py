"""Checkpoints of the audit log: size and root as a signed note, by the hub, with cosignatures of agents.

The forms are C2SP's signed-note, tlog-checkpoint and tlog-cosignature (v1), so other programs read them too. The origin
names the hub's key and the log's epoch: one epoch is one log, which only ever grows.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from fleet.model import errors, names
from fleet.protocol import keys

MOST = 16 << 10  # bytes of a note with its signatures
_ORIGIN = "fleetgate.dev/audit/"
_AGENT = "fleetgate.dev/agent/"
_DASH = "\N{EM DASH} "
_NUMBER = re.compile(r"(0|[1-9][0-9]{0,17})\Z", re.ASCII)
_SIGNATURE, _COSIGNATURE = b"\x01", b"\x04"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The first `size` records of the log of one epoch."""

    epoch: int
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"epoch {self.epoch}, {self.size} records, root {self.root.hex()[:16]}"


def sign(found: Checkpoint, key: keys.SigningKey) -> str:
    """The note: three lines, an empty one, and the hub's signature."""
    origin = _origin(key.public, found.epoch)
    body = f"{origin}\n{found.size}\n{_text(found.root)}\n"
    return f"{body}\n{_line(origin, key.public, _SIGNATURE, key.sign(body.encode()))}\n"


def read(note: str, public: str) -> Checkpoint:
    """What this hub signed. Raises errors.InputError for what is no note, errors.RefusedError for another's."""
    body, lines = _parts(note)
    words = body.split("\n")
    if len(words) != 4 or not _NUMBER.match(words[1]):
        raise errors.InputError("no checkpoint: origin, size and root are its three lines")
    origin, size, root = words[0], int(words[1]), _bytes(words[2])
    epoch = origin.rpartition("/")[2]
    if not _NUMBER.match(epoch) or len(root) != 32:
        raise errors.InputError(
            "no checkpoint: its origin ends in an epoch, its root has 32 bytes"
        )
    if origin != _origin(public, int(epoch)):
        raise errors.RefusedError("the checkpoint is of another hub's log")
    signature = _signature(lines, origin, public, _SIGNATURE)
    if signature is None or not keys.is_signed(public, body.encode(), signature):
        raise errors.RefusedError("the checkpoint is not signed by the hub's key")
    return Checkpoint(epoch=int(epoch), size=size, root=root)


def cosign(
    note: str,
    *,
    environment: names.Environment,
    cluster: names.Cluster,
    key: keys.SigningKey,
    now: datetime,
) -> str:
    """One line, to stand below the note: that the agent saw this history, and no other, until then."""
    moment = int(now.timestamp())
    said = key.sign(_cosigned(_parts(note)[0], moment))
    name = f"{_AGENT}{environment}/{cluster}"
    return _line(name, key.public, _COSIGNATURE, moment.to_bytes(8, "big") + said)


def cosigned(
    note: str, line: str, *, environment: names.Environment, cluster: names.Cluster, public: str
) -> datetime | None:
    """When this agent cosigned that note; None where the line does not say so."""
    try:
        body, _ = _parts(note)
        name = f"{_AGENT}{environment}/{cluster}"
        found = _signature([line], name, public, _COSIGNATURE)
    except errors.InputError:
        return None
    if found is None or len(found) != 72:
        return None
    moment = int.from_bytes(found[:8], "big")
    if moment >= 1 << 37 or not keys.is_signed(public, _cosigned(body, moment), found[8:]):
        return None
    return datetime.fromtimestamp(moment, UTC)


def _origin(public: str, epoch: int) -> str:
    return f"{_ORIGIN}{keys.id_of(public).removeprefix('sha256:')[:32]}/{epoch}"


def _cosigned(body: str, moment: int) -> bytes:
    return f"cosignature/v1\ntime {moment}\n{body}".encode()


def _parts(note: str) -> tuple[str, list[str]]:
    """The text that is signed, and the lines of its signatures."""
    if len(note) > MOST:
        raise errors.InputError("no checkpoint: too large")
    body, empty, below = note.partition("\n\n")
    lines = below.split("\n")
    if not empty or lines[-1] or not all(each.startswith(_DASH) for each in lines[:-1]):
        raise errors.InputError(
            "no checkpoint: a signed note has its signatures below an empty line"
        )
    return f"{body}\n", lines[:-1]


def _line(name: str, public: str, kind: bytes, signature: bytes) -> str:
    return f"{_DASH}{name} {_text(_key_id(name, public, kind) + signature)}"


def _signature(lines: list[str], name: str, public: str, kind: bytes) -> bytes | None:
    """That of this key under this name; lines of others say nothing here."""
    for line in lines:
        found, _, written = line.removeprefix(_DASH).partition(" ")
        data = _bytes(written)
        if found == name and data[:4] == _key_id(name, public, kind):
            return data[4:]
    return None


def _key_id(name: str, public: str, kind: bytes) -> bytes:
    raw = base64.b64decode(public)
    return hashlib.sha256(name.encode() + b"\n" + kind + raw).digest()[:4]


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: str) -> bytes:
    """Of base64 in its one canonical spelling."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise errors.InputError("no checkpoint: its root and signatures are base64") from error
    if _text(data) != text:
        raise errors.InputError("no checkpoint: its base64 has another spelling")
    return data
