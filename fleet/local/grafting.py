"""The tree and the message of a promotion: upstream's shared paths, or some of its bundles, over the target's own.

Open hotfixes, while upstream still has what they were based on, stay as they are.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from fleet.gate import partials, trailers
from fleet.judge import fixes
from fleet.manifests import layout
from fleet.model import errors, names, snapshots
from fleet.ports import repository


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """`bundles` are folders; none = all that is shared. `older` and `ported` are declared, for the hub to weigh."""

    subject: str
    bundles: tuple[str, ...] = ()
    older: str = ""
    ported: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Graft:
    entries: tuple[snapshots.Entry, ...] = field(repr=False)
    parents: tuple[names.CommitId, ...]
    message: str


async def graft(
    wanted: Wanted,
    upstream: names.CommitId,
    running: names.CommitId,
    where: layout.Layout,
    git: repository.Repository,
) -> Graft | None:
    """None where there is nothing to take. Raises errors.InputError for a folder that is no bundle."""
    above, here = await git.snapshot(upstream), await git.snapshot(running)
    _check(wanted.bundles, above, here)
    every = await fixes.of(running, upstream, git)
    kept = frozenset(each.path for each in every if each.based_on == above.form(each.path))
    entries = tuple(_entries(wanted.bundles, kept, above, here, where))
    if {each.path: each for each in entries} == dict(here.entries):
        return None
    # A part that marked upstream as merged would make git lose the rest later.
    parents = (running,) if wanted.bundles else (running, upstream)
    return Graft(entries=entries, parents=parents, message=_message(wanted, upstream))


def _check(bundles: tuple[str, ...], above: snapshots.Snapshot, here: snapshots.Snapshot) -> None:
    for folder in bundles:
        if partials.folders([f"{folder}/any"], above, here) != frozenset({folder}):
            raise errors.InputError(
                f"{folder} is no bundle's folder", hint="name the folder that holds bundle.yaml"
            )


def _entries(
    bundles: tuple[str, ...],
    kept: frozenset[str],
    above: snapshots.Snapshot,
    here: snapshots.Snapshot,
    where: layout.Layout,
) -> Iterator[snapshots.Entry]:
    """What is taken is as upstream has it; everything else, owned or inert, as the target has it."""

    def is_taken(path: str) -> bool:
        inside = not bundles or any(path.startswith(f"{folder}/") for folder in bundles)
        return inside and path not in kept and where.is_shared(path)

    yield from (each for path, each in above.entries.items() if is_taken(path))
    yield from (each for path, each in here.entries.items() if not is_taken(path))


def _message(wanted: Wanted, upstream: names.CommitId) -> str:
    return trailers.written(
        wanted.subject,
        [
            (trailers.SOURCE, upstream),
            *((trailers.BUNDLE, folder) for folder in wanted.bundles),
            *((trailers.PORTED, path) for path in wanted.ported),
            *([(trailers.OLDER, wanted.older)] if wanted.older else []),
        ],
    )
