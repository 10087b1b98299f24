"""What people do to rollouts: pause, resume, abort, of the whole fleet, an environment, a wave or a cluster.

Each is recorded with its reason and who did it, in the transaction that makes it hold.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from fleet.audit import drafts
from fleet.hub import asking, halts, members, state
from fleet.model import errors, findings, ledger, names, pacing
from fleet.ports import store

Arguments: TypeAlias = Mapping[str, Any]
Answer: TypeAlias = dict[str, Any]
Act: TypeAlias = Callable[[state.Hub, Arguments, str], Awaitable[Answer]]

_FIELDS = ("environment", "wave", "cluster", "reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What it is about; "" = all of it."""

    environment: str
    wave: str
    cluster: str
    reason: str
    by: str

    @property
    def scope(self) -> tuple[str, str, str]:
        return self.environment, self.wave, self.cluster


async def pause(hub: state.Hub, arguments: Arguments, by: str) -> Answer:
    """No wave opens there, and nobody is sent a release that it has not got yet, until it is resumed."""
    async with state.writing(hub):
        asked = _asked(hub, arguments, by)
        if any(_is_about(each, asked) for each in _pauses(hub)):
            raise errors.RefusedError(f"{_named(asked)} is paused already", hint=_RESUME)
        halt = _halt(asked, asked.environment, hub)
        await state.write(hub, _written([halt], asked, "pause", hub))
    return {"done": [halts.words(halt)]}


async def resume(hub: state.Hub, arguments: Arguments, by: str) -> Answer:
    """End the pause of that very scope; for an environment also the failure that stopped it."""
    async with state.writing(hub):
        asked = _asked(hub, arguments, by)
        now = hub.clock.now()
        ended = [replace(e, ended=now) for e in _pauses(hub) if _is_about(e, asked)]
        lifted = _lifted(asked, hub)
        if not ended and lifted is None:
            raise errors.RefusedError(f"{_named(asked)} is not paused", hint=_others(hub))
        written = _written(ended, asked, "resume", hub)
        rows = (*written.rows, lifted) if lifted else written.rows
        await state.write(hub, replace(written, rows=rows))
    hub.wake.set()
    return {"done": [f"{by} resumed {_named(asked)}: {asked.reason}"]}


async def abort(hub: state.Hub, arguments: Arguments, by: str) -> Answer:
    """End the rollouts under way there: what is out stays, no further wave opens; a new release replaces them."""
    async with state.writing(hub):
        asked = _asked(hub, arguments, by)
        running = _running(asked, hub)
        if not running:
            raise errors.RefusedError(f"nothing is rolling out in {_named(asked)}")
        found = [_halt(asked, each.environment, hub, each.number) for each in running]
        await state.write(hub, _written(found, asked, "abort", hub))
    return {"done": [halts.words(each) for each in found]}


ACTS: Mapping[str, Act] = {
    "rollout pause": pause,
    "rollout resume": resume,
    "rollout abort": abort,
}

_RESUME = "fleet rollout resume"


def _asked(hub: state.Hub, arguments: Arguments, by: str) -> Asked:
    """Raises errors.InputError for what is no scope that the hub knows, or has no reason."""
    odd = sorted(arguments.keys() - set(_FIELDS))
    words = {field: arguments.get(field, "") for field in _FIELDS}
    if odd or any(not isinstance(each, str) for each in words.values()):
        raise errors.InputError(f"an act on rollouts has the words {', '.join(_FIELDS)}")
    asked = Asked(**{**words, "reason": asking.reason(words["reason"])}, by=by)
    _check_known(asked, hub)
    return asked


def _check_known(asked: Asked, hub: state.Hub) -> None:
    if not asked.environment:
        if asked.wave or asked.cluster:
            raise errors.InputError("a wave or a cluster is named together with its environment")
        return
    road = hub.ledger.seal.road
    known = [step.environment for step in road.steps] if road else []
    _check_among(f"environment {asked.environment!r}", asked.environment, known)
    here = names.Environment(asked.environment)
    if asked.wave and asked.cluster:
        raise errors.InputError("name a wave or a cluster, not both")
    if asked.wave:
        release = hub.ledger.in_force(here)
        waves = (
            dict.fromkeys(release.term(n).wave for n in range(len(release.waves)))
            if release
            else {}
        )
        _check_among(f"wave {asked.wave!r} in {here}", asked.wave, list(waves))
    if asked.cluster:
        clusters = [each.cluster for each in state.clusters_of(hub.ledger, here)]
        _check_among(f"cluster {asked.cluster!r} in {here}", asked.cluster, clusters)


def _check_among(what: str, word: str, known: list[Any]) -> None:
    if word not in known:
        listed = ", ".join(known[:20]) or "none yet"
        raise errors.InputError(f"there is no {findings.escaped(what)}: {listed}")


def _pauses(hub: state.Hub) -> list[pacing.Halt]:
    return [each for each in halts.live(hub) if each.act is pacing.Act.PAUSE]


def _is_about(halt: pacing.Halt, asked: Asked) -> bool:
    return (halt.environment, halt.wave, halt.cluster) == asked.scope


def _lifted(asked: Asked, hub: state.Hub) -> ledger.EnvironmentState | None:
    """The environment without its failure, from now on with all the time that it had at first."""
    here = hub.ledger.environments.get(names.Environment(asked.environment))
    release = hub.ledger.in_force(here.environment) if here else None
    if asked.wave or asked.cluster or here is None or here.failed is None or release is None:
        return None
    return replace(here, failed=None, spell=None)


def _running(asked: Asked, hub: state.Hub) -> list[ledger.Release]:
    """Releases that are not done there: not with every wave, or with that cluster."""
    found = [hub.ledger.in_force(each) for each in sorted(hub.ledger.environments)]
    listed = [e for e in found if e is not None and asked.environment in ("", e.environment)]
    if asked.cluster:
        cluster = hub.ledger.clusters[names.Cluster(asked.cluster)]
        return [each for each in listed if not members.has(cluster, each)]
    return [each for each in listed if each.healthy is None or _is_short(each, hub)]


def _is_short(release: ledger.Release, hub: state.Hub) -> bool:
    return not all(members.has(each, release) for each in members.of(release, hub))


def _halt(asked: Asked, environment: str, hub: state.Hub, release: int = 0) -> pacing.Halt:
    return pacing.Halt(
        act=pacing.Act.ABORT if release else pacing.Act.PAUSE,
        environment=environment,
        wave=asked.wave,
        cluster=asked.cluster,
        release=release,
        reason=asked.reason,
        by=asked.by,
        at=hub.clock.now(),
    )


def _written(found: list[pacing.Halt], asked: Asked, act: str, hub: state.Hub) -> store.Write:
    abouts = [(each.environment, each.release) for each in found] or [(asked.environment, 0)]
    records = tuple(
        drafts.rollout(
            act=act,
            environment=environment,
            wave=asked.wave,
            cluster=asked.cluster,
            release=release,
            reason=asked.reason,
            by=asked.by,
            at=hub.clock.now(),
        )
        for environment, release in abouts
    )
    return store.Write(records=records, rows=tuple(found))


def _named(asked: Asked) -> str:
    if asked.cluster:
        return f"cluster {asked.cluster}"
    if asked.wave:
        return f"wave {asked.wave} of {asked.environment}"
    return asked.environment or "the fleet"


def _others(hub: state.Hub) -> str:
    told = "; ".join(map(halts.words, halts.live(hub)))
    return f"what holds: {told}" if told else "nothing is paused"
