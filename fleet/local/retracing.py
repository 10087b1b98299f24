"""From where a declared way back begins, where there is no book: a branch may hold what its hub never let in.

A promotion that waits may have brought rules. Going back from it to what ran before has rules that the branch had
once, and is no way back from its tip. So what runs is taken to be the last commit with those rules; only if that makes
it a way back, and nothing else.
"""

from dataclasses import replace

from fleet.gate import candidates, trailers
from fleet.local import bookless
from fleet.manifests import layout
from fleet.model import names
from fleet.model.ledger import Lineage
from fleet.ports import clock

_NOTHING = candidates.Change(clusters=0, objects=0, deletions=0)
_BACK = frozenset({Lineage.ROLLBACK, Lineage.NOTHING, Lineage.OWNED})


async def begin(
    commit: names.CommitId,
    where: layout.Layout,
    branches: bookless.Branches,
    library: bookless.Library,
    time: clock.Clock,
) -> bookless.Branches:
    """The branches, with what runs as it must be for this commit to be what it says."""
    running = branches.running
    if running is None or not await _says(commit, running, library):
        return branches
    about = await bookless.known(commit, where, branches, library)
    if about.upstream is None or about.base is None or about.candidate.rules == about.base.rules:
        return branches
    same = [each.commit for each in about.own if each.rules == about.candidate.rules]
    if not same:
        return branches
    found = replace(branches, running=same[-1])
    seen = bookless.Seen(sides=(), scope=(), change=_NOTHING, now=time.now())
    again = await bookless.known(commit, where, found, library)
    told = await bookless.tell(again, seen, library.source)
    return found if told.kind in _BACK else branches


async def _says(
    commit: names.CommitId, running: names.CommitId, library: bookless.Library
) -> bool:
    """Whether the commit itself does."""
    steps = await library.source.steps(running, commit)
    return bool(trailers.values(trailers.ROLLBACK, steps[-1:]))
