"""What a bundle is made of beside the files in its folder."""

from collections.abc import Iterable

from fleet.judge import readings
from fleet.manifests import kustomizations, layout, parse, selection
from fleet.model import errors, names, snapshots
from fleet.ports import repository

_SHOWN = 5


async def check(
    bundles: Iterable[str],
    upstream: names.CommitId,
    running: names.CommitId,
    where: layout.Layout,
    files: readings.Files,
    git: repository.Repository,
    hint: str = "promote that bundle along (--bundle), or everything (no --bundle)",
) -> None:
    """Raises errors.InputError where what runs has not what these bundles were made of there.

    What came of them then would be a mixture that ran nowhere.
    """
    asked = tuple(bundles)
    above, here = await git.snapshot(upstream), await git.snapshot(running)
    read = [path for each in asked for path in await _read(each, above, files)]
    missing = sorted(
        path
        for path in set(read)
        if where.is_shared(path)
        and not path.startswith(tuple(f"{each}/" for each in asked))
        and above.form(path) != here.form(path)
    )
    if missing:
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        raise errors.InputError(
            f"{', '.join(asked)} needs {', '.join(missing[:_SHOWN])}{more} as {upstream[:10]} has it",
            hint=hint,
        )


async def _read(
    folder: str, snapshot: snapshots.Snapshot, files: readings.Files
) -> frozenset[str]:
    """All files that rendering this folder can read."""
    if selection.kustomization(folder, snapshot.entries) is None:
        return frozenset()
    parsed = await parsed_kustomizations(snapshot, files)
    found = {path: readings.only(each) for path, each in parsed.items()}
    return kustomizations.reach(folder, snapshot, found).paths


async def parsed_kustomizations(
    snapshot: snapshots.Snapshot, files: readings.Files
) -> dict[str, parse.Parsed]:
    """All that are in a tree, by path."""
    entries = snapshot.entries
    return await files.parsed(
        entry
        for path, entry in entries.items()
        if path == selection.kustomization(path.rpartition("/")[0], entries)
    )
