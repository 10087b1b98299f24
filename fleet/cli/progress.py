"""What a long check is at, on standard error where people watch it; in a pipe or a file nothing is said."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager

from fleet.cli import settings
from fleet.ports import telemetry

_STAGES = {
    "read": "reading the files",
    "render": "rendering the bundles",
    "schema": "checking schemas",
    "policy": "judging by policies",
}


class Shown(telemetry.Nobody):
    """Each stage of the judge by its name, while it lasts."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def span(
        self, name: str, attributes: Mapping[str, str], parent: str = ""
    ) -> AbstractContextManager[str]:
        del attributes, parent
        return self._stage(_STAGES.get(name, name))

    @contextlib.contextmanager
    def _stage(self, words: str) -> Iterator[str]:
        self._say(f"{words} ...")
        yield ""


@contextlib.contextmanager
def shown() -> Iterator[telemetry.Telemetry]:
    if not settings.read().is_watched:
        yield telemetry.NOBODY
        return
    from fleet.cli import output

    with output.console(is_error=True).status("starting ...") as status:
        yield Shown(status.update)
