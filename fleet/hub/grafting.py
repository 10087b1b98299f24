"""The tree and the message of a promotion: upstream's shared paths, or some of its bundles, over the target's own.

Open hotfixes are known from the target's own history, since a clone has no book: what the hub makes of them counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from fleet.gate import partials, trailers
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
    kept = await _hotfixed(above, upstream, running, git)
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


async def _hotfixed(
    above: snapshots.Snapshot,
    upstream: names.CommitId,
    running: names.CommitId,
    git: repository.Repository,
) -> frozenset[str]:
    """Paths that a hotfix changed last, while upstream still has what it was based on."""
    fork = await git.fork(running, upstream)
    steps = await git.steps(fork, running) if fork else ()
    kept: set[str] = set()
    for path in {path for step in steps if _is_hotfix(step) for path in step.paths}:
        first = _first_of_fix(path, steps)
        if first is not None and first.parents:
            before = await git.snapshot(first.parents[0])
            kept |= {path} if before.form(path) == above.form(path) else set()
    return frozenset(kept)


def _first_of_fix(path: str, steps: tuple[snapshots.Step, ...]) -> snapshots.Step | None:
    """The first of the hotfixes that were the last to change a path."""
    first = None
    for step in reversed([each for each in steps if path in each.paths]):
        if not _is_hotfix(step):
            break
        first = step
    return first


def _is_hotfix(step: snapshots.Step) -> bool:
    return bool(trailers.values(trailers.HOTFIX, [step]))


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
