"""The memo in memory. It survives restarts, as the file does."""

from collections.abc import Iterable, Mapping

from fleet.simulation import faults


class Memo:
    """Implements ports.store.Memo over `kept`."""

    def __init__(self, kept: dict[str, bytes], process: faults.Process) -> None:
        self._kept, self._process = kept, process

    async def recall(self, keys: Iterable[str]) -> Mapping[str, bytes]:
        async with self._process.call("memo.recall"):
            return {key: self._kept[key] for key in keys if key in self._kept}

    async def remember(self, results: Mapping[str, bytes]) -> None:
        async with self._process.call("memo.remember"):
            self._kept.update(results)
