"""A log that passes by, record after record: whether it holds, and whether it begins as a checkpoint says."""

from fleet.audit import chain, records, tree
from fleet.protocol import checkpoints


class Passing:
    """Of however many records, little is kept. `kept` is a checkpoint from elsewhere that must be on the way."""

    def __init__(self, kept: checkpoints.Checkpoint | None = None) -> None:
        self._kept = kept
        self._walk = chain.Walk()
        self._tree = tree.Growing()
        self._is_met = kept is None or self._holds(kept)

    @property
    def head(self) -> records.Head:
        return self._walk.head

    @property
    def root(self) -> bytes:
        return self._tree.root()

    def step(self, record: records.Record) -> str | None:
        """The fault in words, naming its index; None = it follows."""
        fault = self._walk.step(record)
        if fault is None:
            self._tree.add(tree.leaf(record.hash))
            if self._kept is not None and self._tree.size == self._kept.size:
                self._is_met = self._holds(self._kept)
        return fault

    def end(self, epoch: int) -> str | None:
        """After the last record of a log of that epoch."""
        if self._is_met or self._kept is None:
            return None
        told = "is not what its first records are"
        if self._tree.size < self._kept.size:
            told = f"is longer than the {self._tree.size} records that are there"
        later = "; a recovery began a new epoch since" if self._kept.epoch < epoch else ""
        return f"the checkpoint ({self._kept}) {told}{later}"

    def _holds(self, kept: checkpoints.Checkpoint) -> bool:
        return self._tree.size == kept.size and self._tree.root() == kept.root
