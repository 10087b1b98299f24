"""Stories of one hotfix in staging, told in a wandering fleet by a person who waits for the hub between the steps."""

from typing import TYPE_CHECKING

import merging
import worlds
from fleet.gate import lineage, trailers
from fleet.model import ledger, names

if TYPE_CHECKING:
    from wandering import Walk

_HERE = "staging"
_PAUSE = 40.0  # virtual seconds


async def drop(walk: "Walk") -> str:
    """A promotion keeps the fix, and then the fix is reverted without a word."""
    path, before = await _fixed(walk)
    if not path or not await _promoted(walk):
        return ""
    remote = walk.here.remote
    if _HERE not in remote.branches:
        return ""
    is_settled = _is_in_force(walk) and remote.read(_HERE, path).decode() != before
    remote.commit(_HERE, {path: before}, "Revert the fix")
    await _settles(walk)
    _is_let_through(walk, "a hotfix that is dropped", is_settled=is_settled)
    return path


async def reopen(walk: "Walk") -> str:
    """Back to before the fix, back to the fix, and then a promotion: made by `fleet promote`, it keeps the fix."""
    path, _ = await _fixed(walk)
    stood = walk.watch.trees.stood.get(_HERE, [])[-2:]
    if not path or len(stood) < 2 or not stood[-1].fixes:
        return ""
    for each in stood:
        await _lifted(walk)
        if not merging.back(walk.here.remote, _HERE, each.commit):
            return ""
        await _settles(walk)
    is_settled = _is_in_force(walk)
    await _promoted(walk)
    _is_let_through(walk, "fleet promote over a hotfix that is open again", is_settled=is_settled)
    return path


async def _settles(walk: "Walk") -> None:
    await walk.here.pass_time(_PAUSE)
    walk.watch.check()


async def _fixed(walk: "Walk") -> tuple[str, str]:
    """The path, and what it was before; "" where there is no such branch."""
    remote = walk.here.remote
    if _HERE not in remote.branches or worlds.GREETING not in _files(walk):
        return "", ""
    before = remote.read(_HERE, worlds.GREETING).decode()
    fixed = f"{before.partition('  text:')[0]}  text: fixed {walk.chance.choice('12')}\n"
    remote.commit(_HERE, {worlds.GREETING: fixed}, f"fix\n\n{trailers.HOTFIX}: it burns\n")
    await _settles(walk)
    return worlds.GREETING, before


async def _promoted(walk: "Walk") -> bool:
    """A change of the bundle that the fix is in, through dev."""
    remote = walk.here.remote
    if "dev" not in remote.branches:
        return False
    worlds.with_image(walk.here, "dev", f"1.{walk.chance.choice('456')}")
    await _settles(walk)
    if not {"dev", _HERE} <= remote.branches.keys():
        return False
    await merging.promote(remote, "dev", _HERE, remote.branches["dev"])
    await _settles(walk)
    return True


async def _lifted(walk: "Walk") -> None:
    for environment, content in sorted(worlds.book(walk.here).quarantines):
        if environment == _HERE:
            asked = {"environment": _HERE, "what": content, "reason": "fine", "by": "ada"}
            await walk.ask("lift", asked)


def _is_in_force(walk: "Walk") -> bool:
    running = worlds.book(walk.here).in_force(names.Environment(_HERE))
    return running is not None and running.commit == walk.here.remote.branches.get(_HERE)


def _is_let_through(walk: "Walk", what: str, *, is_settled: bool) -> None:
    """Where it lies on top of what runs, and nothing else has happened: by lineage, whatever other gates say."""
    found = worlds.decision(walk.here, _HERE)
    is_quiet = {"drop", "reopen"}.issuperset(walk.told[::2])
    if (
        not is_quiet
        or not is_settled
        or found is None
        or found.commit != walk.here.remote.branches.get(_HERE)
    ):
        return
    for each in found.gates:
        if each.gate == lineage.GATE and each.state is not ledger.GateState.OPEN:
            walk.watch.say(10, f"{what}: {each.reason}")


def _files(walk: "Walk") -> set[str]:
    remote = walk.here.remote
    return set(remote.made(remote.branches[_HERE]).files)
