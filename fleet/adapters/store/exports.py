"""The audit log in one file, for whoever shall check it elsewhere: gzipped JSON Lines, records in order, then bytes.

It holds all that a decision is made again from, except for the repository itself.
"""

import base64
import gzip
import zlib
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

from fleet.adapters.store import book
from fleet.audit import chain, records
from fleet.model import errors, json_values, names
from fleet.model import slices as form
from fleet.protocol import encoding

KIND = "AuditLog"
_MOST = 4 << 30  # bytes, unpacked


class Export:
    """A log that was exported, read whole. Bytes are believed by their digests alone."""

    def __init__(self, path: Path) -> None:
        self.checkpoint = ""
        self._records: list[records.Record] = []
        self._facts: dict[str, bytes] = {}
        self._slices: dict[str, bytes] = {}
        for number, line in enumerate(_lines(path), start=1):
            try:
                self._take(json_values.decode(line), number)
            except (ValueError, KeyError, TypeError, RecursionError, errors.InputError) as error:
                raise errors.InputError(
                    f"{path}: line {number} is no part of an exported log"
                ) from error

    async def records(self, since: int = 0) -> AsyncIterator[records.Record]:
        for each in self._records[since:]:
            yield each

    async def facts(self, digest: names.Digest) -> bytes | None:
        return self._facts.get(digest)

    async def slice(self, digest: names.SliceDigest) -> bytes | None:
        return self._slices.get(digest)

    def _take(self, said: Mapping[str, Any], number: int) -> None:
        if number == 1:
            if (said["apiVersion"], said["kind"]) != (names.API_VERSION, KIND):
                raise ValueError(said)
            self.checkpoint = str(said["checkpoint"])
        elif "record" in said:
            self._records.append(encoding.from_json(records.Record, said["record"]))
        elif "facts" in said:
            data = base64.b64decode(said["facts"], validate=True)
            self._facts[json_values.digest_of_bytes(data)] = data
        else:
            data = base64.b64decode(said["slice"], validate=True)
            self._slices[form.digest(data)] = data


def _lines(path: Path) -> Iterator[bytes]:
    read = 0
    try:
        with gzip.open(path) as stream:
            for line in stream:
                read += len(line)
                if read > _MOST:
                    raise errors.InputError(f"{path} unpacks to more than {_MOST} bytes")
                yield line
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise errors.InputError(f"{path} is no exported log: {error}") from error


async def write(source: book.Book, path: Path, checkpoint: str) -> int:
    """How many records it has. Equal logs give equal files."""
    count = 0
    wanted: dict[str, None] = {}
    with (
        path.open("wb") as raw,
        gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="") as out,
    ):
        out.write(_line(apiVersion=names.API_VERSION, kind=KIND, checkpoint=checkpoint))
        async for record in source.records():
            out.write(_line(record=chain.as_json(record)))
            count += 1
            if record.kind is records.Kind.DECISION and record.body.get("inputs"):
                wanted[record.body["inputs"]["facts"]] = None
        needed: dict[str, None] = {}
        for digest in wanted:
            data = await source.facts(names.Digest(digest))
            if data is not None:
                out.write(_line(facts=base64.b64encode(data).decode()))
                needed |= dict.fromkeys(json_values.decode(data)["around"]["slices"].values())
        for digest in needed:
            data = await source.slice(names.SliceDigest(digest))
            if data is not None:
                out.write(_line(slice=base64.b64encode(data).decode()))
    return count


def _line(**said: object) -> bytes:
    return json_values.encode(said) + b"\n"
