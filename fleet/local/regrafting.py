"""The tree and the message of a rollback: an earlier release's content, or some of its bundles, over all that stays.

Rules stay as they run, and so does every other bundle. What the environment owns stays as its branch has it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from fleet.gate import partials, trailers
from fleet.local import grafting
from fleet.manifests import layout
from fleet.model import errors, names, snapshots
from fleet.ports import repository


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """`to` is the earlier release's commit, `running` the one in force, `tip` what the branch holds.

    `bundles` are folders; none = all content. `restored` are owned paths that go back to what runs.
    """

    subject: str
    to: names.CommitId
    running: names.CommitId
    tip: names.CommitId
    bundles: tuple[str, ...] = ()
    restored: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trees:
    then: snapshots.Snapshot
    running: snapshots.Snapshot
    tip: snapshots.Snapshot


async def regraft(
    wanted: Wanted, where: layout.Layout, git: repository.Repository
) -> grafting.Graft:
    """Raises errors.InputError for a folder that is no bundle, or for content that runs already."""
    trees = _Trees(
        then=await git.snapshot(wanted.to),
        running=await git.snapshot(wanted.running),
        tip=await git.snapshot(wanted.tip),
    )
    _check(wanted.bundles, trees)
    entries = tuple(_entries(wanted, trees, where))
    made = snapshots.Snapshot(commit=wanted.tip, entries={each.path: each for each in entries})
    if not any(layout.differ(made, each, where) for each in (trees.running, trees.tip)):
        what = ", ".join(wanted.bundles) or "its content"
        raise errors.InputError(
            f"{where.environment} runs {what} as of {wanted.to[:10]} already: nothing to take back",
            hint="name an earlier one: --to RELEASE",
        )
    return grafting.Graft(entries=entries, parents=(wanted.tip,), message=_message(wanted))


async def differs(
    to: names.CommitId,
    running: names.CommitId,
    bundles: tuple[str, ...],
    where: layout.Layout,
    git: repository.Repository,
) -> bool:
    """Whether going back there changes anything of these bundles."""
    then, here = await git.snapshot(to), await git.snapshot(running)
    return bool(partials.differing(bundles, then, here, where))


def _check(bundles: tuple[str, ...], trees: _Trees) -> None:
    for folder in bundles:
        if partials.folders([f"{folder}/any"], trees.then, trees.running) != frozenset({folder}):
            raise errors.InputError(
                f"{folder} is no bundle's folder", hint="name the folder that holds bundle.yaml"
            )


def _entries(wanted: Wanted, trees: _Trees, where: layout.Layout) -> Iterator[snapshots.Entry]:
    for path in sorted({*trees.then.entries, *trees.running.entries, *trees.tip.entries}):
        entry = _source(path, wanted, trees, where).entries.get(path)
        if entry is not None:
            yield entry


def _source(path: str, wanted: Wanted, trees: _Trees, where: layout.Layout) -> snapshots.Snapshot:
    """Where a path is taken from."""
    part = where.part(path)
    inside = not wanted.bundles or any(path.startswith(f"{each}/") for each in wanted.bundles)
    if part is layout.Part.CONTENT and inside:
        return trees.then
    if where.is_shared(path) or path in wanted.restored:
        return trees.running
    return trees.tip


def _message(wanted: Wanted) -> str:
    return trailers.written(
        wanted.subject,
        [
            (trailers.ROLLBACK, wanted.to),
            *((trailers.BUNDLE, folder) for folder in wanted.bundles),
        ],
    )
