"""Long pure work on several cores: parts of it in copies of this process, which know all that this one knows.

Only results travel. A copy that ends badly costs time only: its part is done here.
"""

import contextlib
import os
import pickle
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_WORTH_IT = 400  # items; for fewer, starting a copy takes longer than the work


@dataclass(frozen=True, slots=True, kw_only=True)
class Forks:
    """Implements hub.memory.Crew. For processes that have no other threads to speak of."""

    processes: int = 0  # 0 = as many as there are cores for this process
    worth_it: int = _WORTH_IT

    def spread(
        self,
        items: Sequence[Item],
        work: Callable[[Sequence[Item]], list[Result]],
        *,
        each: int = 1,
    ) -> list[Result]:
        count = self.processes or len(os.sched_getaffinity(0))
        if count < 2 or len(items) * each < self.worth_it:
            return work(items)
        step = -(-len(items) // count)
        own, *parts = (items[start : start + step] for start in range(0, len(items), step))
        copies = [_Copy(part, work) for part in parts]
        try:
            found = work(own)
            for part, copy in zip(parts, copies, strict=True):
                found += copy.result() or work(part)
        finally:
            for copy in copies:
                copy.end()
        return found


class _Copy:
    def __init__(
        self, part: Sequence[Item], work: Callable[[Sequence[Item]], list[Result]]
    ) -> None:
        self._reads, writes = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            _live(part, work, writes)
        os.close(writes)

    def result(self) -> list[Result] | None:
        """None where it could not do its part."""
        try:
            with os.fdopen(self._reads, "rb", closefd=False) as stream:
                found: list[Result] | None = pickle.load(stream)  # noqa: S301 - from a copy of this very process
        except (EOFError, pickle.UnpicklingError):
            return None
        return found

    def end(self) -> None:
        os.close(self._reads)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)


def _live(
    part: Sequence[Item], work: Callable[[Sequence[Item]], list[Result]], writes: int
) -> None:
    """The copy's whole life. It leaves nothing behind and runs nobody else's endings."""
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        with os.fdopen(writes, "wb") as stream:
            pickle.dump(work(part), stream, protocol=5)
        code = 0
    finally:
        os._exit(code)
