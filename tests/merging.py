"""Ways of moving content between branches of the simulated remote, as people and forges do it with git."""

import random
from collections.abc import Callable, Mapping
from typing import TypeAlias

import worlds
from fleet.gate import trailers
from fleet.local import grafting
from fleet.manifests import layout
from fleet.model import names
from fleet.simulation import faults, repository

Files: TypeAlias = dict[str, names.BlobId]
Way: TypeAlias = Callable[[repository.Remote, str, str, random.Random], str]


def merge(remote: repository.Remote, source: str, target: str, chance: random.Random) -> str:
    made = _merged(remote, source, target, chance)
    if made is None:
        return ""
    _push(remote, target, made, (source,), f"Merge {source}")
    return f"{source} into {target}"


def squash(remote: repository.Remote, source: str, target: str, chance: random.Random) -> str:
    made = _merged(remote, source, target, chance)
    if made is None:
        return ""
    _push(remote, target, made, (), f"Squash {source}")
    return f"{source} into {target}"


def fast_forward(remote: repository.Remote, source: str, target: str, _: random.Random) -> str:
    if _are_there(remote, source, target):
        remote.force(target, remote.branches[source])
    return f"{target} to {source}"


def ours(remote: repository.Remote, source: str, target: str, _: random.Random) -> str:
    if _are_there(remote, source, target):
        _push(remote, target, _files(remote, target), (source,), f"Merge {source} (ours)")
    return f"{source} into {target}"


def theirs(remote: repository.Remote, source: str, target: str, _: random.Random) -> str:
    if _are_there(remote, source, target):
        _push(remote, target, _files(remote, source), (source,), f"Merge {source} (theirs)")
    return f"{source} into {target}"


def evil(remote: repository.Remote, source: str, target: str, chance: random.Random) -> str:
    """A merge in which a file is as on neither side, or one side's where it should be the other's."""
    made = _merged(remote, source, target, chance)
    if made is None:
        return ""
    path = chance.choice([path for path in made if worlds.is_shared(path)])
    others = {_files(remote, b).get(path) for b in remote.branches} - {None, made[path]}
    if others and chance.random() < 0.5:
        made[path] = min(each for each in others if each)
    else:
        del made[path]
    _push(remote, target, made, (source,), f"Merge {source}, with care")
    return f"{source} into {target}: {path}"


def cherry_pick(remote: repository.Remote, source: str, target: str, _: random.Random) -> str:
    """What the source's last commit changed, on top of the target."""
    if not _are_there(remote, source, target):
        return ""
    tip = remote.made(remote.branches[source])
    if not tip.told.parents:
        return ""
    before = remote.made(tip.told.parents[0]).files
    made = _files(remote, target)
    for path in {p for p, _ in set(tip.files.items()) ^ set(before.items())}:
        made.pop(path, None)
        made |= {path: tip.files[path]} if path in tip.files else {}
    _push(remote, target, made, (), tip.told.message)
    return f"{source} onto {target}"


async def promote(
    remote: repository.Remote,
    source: str,
    target: str,
    commit: names.CommitId,
    bundle: str = "",
    older: str = "",
) -> bool:
    """As `fleet promote` builds it. Raises errors.InputError for a folder that is no bundle."""
    wanted = grafting.Wanted(
        subject=f"Promote {source}", bundles=(bundle,) if bundle else (), older=older
    )
    clone = repository.Repository(remote, {}, faults.Process(name="person"))
    where = layout.Layout(environment=names.Environment(target), owned=layout.OWNED)
    made = await grafting.graft(wanted, commit, remote.branches[target], where, clone)
    if made is None:
        return False
    files = {each.path: each.blob for each in made.entries}
    remote.push(target, files, made.parents, made.message)
    return True


def back(remote: repository.Remote, environment: str, commit: names.CommitId) -> bool:
    """All that is shared as that commit had it, as somebody says who means to go back."""
    tip = remote.branches.get(environment)
    if tip is None:
        return False
    taken = {p: b for p, b in remote.made(commit).files.items() if worlds.is_shared(p)}
    rest = {p: b for p, b in remote.made(tip).files.items() if not worlds.is_shared(p)}
    message = f"back\n\n{trailers.ROLLBACK}: {commit}\n"
    remote.push(environment, taken | rest, (tip,), message)
    return True


WAYS: Mapping[str, Way] = {
    "squash": squash,
    "fast-forward": fast_forward,
    "-s ours": ours,
    "-X theirs": theirs,
    "evil": evil,
    "cherry-pick": cherry_pick,
}


def _merged(
    remote: repository.Remote, source: str, target: str, chance: random.Random
) -> Files | None:
    """File by file from where the two parted; a file that both changed becomes one or the other."""
    if not _are_there(remote, source, target):
        return None
    known = set(remote.ordered(remote.branches[target]))
    fork = next((c for c in remote.ordered(remote.branches[source]) if c in known), None)
    before = remote.made(fork).files if fork else {}
    here, there = _files(remote, target), _files(remote, source)
    made: Files = {}
    for path in sorted({*here, *there}):
        mine, other, old = here.get(path), there.get(path), before.get(path)
        clean = other if mine == old else mine
        is_torn = mine != other and old not in (mine, other)
        chosen = chance.choice((mine, other)) if is_torn else clean
        made |= {path: chosen} if chosen else {}
    return made


def _are_there(remote: repository.Remote, *branches: str) -> bool:
    return all(each in remote.branches for each in branches)


def _files(remote: repository.Remote, branch: str) -> Files:
    return dict(remote.made(remote.branches[branch]).files)


def _push(
    remote: repository.Remote, target: str, files: Files, merged: tuple[str, ...], message: str
) -> None:
    parents = (remote.branches[target], *(remote.branches[each] for each in merged))
    remote.push(target, dict(sorted(files.items())), parents, message)
