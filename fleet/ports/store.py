"""The hub's memory: the book, which must never be lost, and the memo, which may."""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from fleet.audit.records import Draft, Head, Record
from fleet.model import errors, ledger, names


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One transaction: all of it becomes durable, or nothing."""

    records: tuple[Draft, ...] = ()
    rows: tuple[ledger.Row, ...] = ()
    slices: Mapping[names.SliceDigest, bytes] = field(default_factory=dict, repr=False)


class Book(Protocol):
    """One writes at a time: with `take_over` begins a new term, and whoever wrote before is refused from then on."""

    async def take_over(self) -> None:
        """Before the first `load`; a hub that was only paused meanwhile can write no more (threat 101)."""

    async def confirm(self) -> None:
        """Raises errors.RefusedError when another has taken over since."""

    async def load(self) -> ledger.Ledger:
        """All rows. Raises errors.BrokenError for a book of another schema version or with a damaged chain end."""

    async def commit(self, write: Write) -> Head:
        """Durable when it returns. A write that may or may not have happened raises errors.UnreachableError.

        Raises errors.RefusedError, with nothing written, when another has taken over.
        """

    def records(self, since: int = 0) -> AsyncIterator[Record]: ...

    async def slice(self, digest: names.SliceDigest) -> bytes | None:
        """The slice's bytes, checked against their digest. Raises errors.BrokenError when they differ."""


def taken_over() -> errors.RefusedError:
    return errors.RefusedError(
        "another hub has taken the book over: this one writes no more",
        hint="run one hub for each book",
    )


class Memo(Protocol):
    """Results under the digest of what they were computed from; a miss or damaged bytes are only slower."""

    async def recall(self, keys: Iterable[str]) -> Mapping[str, bytes]: ...

    async def remember(self, results: Mapping[str, bytes]) -> None: ...
