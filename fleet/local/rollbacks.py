"""Rollback from anyone's clone: a commit of one parent that makes an environment what it was before.

Which releases there were, only the hub knows; without one a commit is believed to have been a release, and the hub
will tell. With one, the very classifier that it decides by has called the commit a rollback before it is pushed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from fleet.hub.desk import releases
from fleet.judge import judging, needs
from fleet.local import foretelling, offline, promotion, regrafting, targets
from fleet.manifests import layout
from fleet.model import errors, findings, ledger, names
from fleet.model.ledger import Lineage
from fleet.policy import exemptions
from fleet.ports import repository

Tips = Mapping[names.Branch, names.CommitId]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """`to` is a release's number, the beginning of its commit, or "" for the last one that was good."""

    environment: names.Environment
    reason: str
    to: str = ""
    bundles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Where it is asked: the clone's branches, the road, and what the hub said, if one was there."""

    tips: Tips
    road: ledger.Road
    history: releases.History | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A commit that is made but not pushed. `changes` are those of each cluster, as of a promotion."""

    commit: names.CommitId
    branch: names.Branch
    tip: names.CommitId  # of the branch, that it was made on
    target: targets.Target
    changes: Mapping[names.Cluster, tuple[str, ...]]
    findings: tuple[findings.Finding, ...]
    notes: tuple[str, ...]


async def prepare(
    asked: Asked, scene: Scene, tools: judging.Tools, pen: repository.Writer
) -> Offer:
    """Raises errors.InputError for what is no way back, errors.RefusedError for one that the hub would not take."""
    branch, tip = _branch(asked, scene)
    where = layout.Layout(environment=asked.environment, owned=scene.road.owned)
    target = await _target(asked, scene, tip, where, tools)
    await needs.check(
        asked.bundles,
        target.commit,
        target.running,
        where,
        tools.files,
        tools.repository,
        "take that bundle back along (--bundle), or everything (no --bundle)",
    )
    commit, found = await _made(_wanted(asked, target, tip), where, scene, tools, pen)
    then = await offline.check_commit(asked.environment, target.commit, None, tools)
    before = await offline.check_commit(asked.environment, target.running, None, tools)
    after = await offline.check_commit(asked.environment, commit, target.running, tools)
    return Offer(
        commit=commit,
        branch=branch,
        tip=tip,
        target=target,
        changes=promotion.changes(before.judged.manifests, after.judged.manifests),
        findings=_exempted(after, then, before, in_part=bool(asked.bundles)),
        notes=tuple(_notes(target, tip, found)),
    )


def _branch(asked: Asked, scene: Scene) -> tuple[names.Branch, names.CommitId]:
    offline.known(asked.environment, scene.road)
    branch = scene.road.branch(asked.environment)
    if branch not in scene.tips:
        raise errors.InputError(f"the remote has no branch {branch}")
    return branch, scene.tips[branch]


async def _target(
    asked: Asked,
    scene: Scene,
    tip: names.CommitId,
    where: layout.Layout,
    tools: judging.Tools,
) -> targets.Target:
    """Without a hub a whole commit must be named, and the tip is believed to be what runs."""
    git = tools.repository
    if scene.history is not None:
        return await targets.choose(asked.to, asked.bundles, scene.history, where, git)
    commit = names.CommitId(asked.to)
    if not await git.is_ancestor(commit, tip):
        raise errors.InputError(f"{commit[:10]} is no commit of {asked.environment}'s branch")
    return targets.Target(commit=commit, running=tip)


def _wanted(asked: Asked, target: targets.Target, tip: names.CommitId) -> regrafting.Wanted:
    to = f"release {target.release}" if target.release else target.commit[:10]
    here = asked.environment
    what = f"{', '.join(asked.bundles)} in {here}" if asked.bundles else here
    return regrafting.Wanted(
        subject=f"Roll back {what} to {to}: {' '.join(asked.reason.split())}",
        to=target.commit,
        running=target.running,
        tip=tip,
        bundles=asked.bundles,
    )


async def _made(
    wanted: regrafting.Wanted,
    where: layout.Layout,
    scene: Scene,
    tools: judging.Tools,
    pen: repository.Writer,
) -> tuple[names.CommitId, foretelling.Foretold | None]:
    """The commit, and what the hub will tell it to be; owned paths that a merge below it carries are left out."""
    commit = await _grafted(wanted, where, tools, pen)
    if scene.history is None:
        return commit, None
    found = await _foretold(commit, scene.history, scene, tools)
    if found.told.kind is Lineage.CARRIED:
        without = replace(wanted, restored=frozenset(found.told.paths))
        commit = await _grafted(without, where, tools, pen)
        found = await _foretold(commit, scene.history, scene, tools)
    _check(found, scene.history)
    return commit, found


async def _grafted(
    wanted: regrafting.Wanted,
    where: layout.Layout,
    tools: judging.Tools,
    pen: repository.Writer,
) -> names.CommitId:
    made = await regrafting.regraft(wanted, where, tools.repository)
    return await pen.graft(made.entries, made.parents, made.message)


async def _foretold(
    commit: names.CommitId, history: releases.History, scene: Scene, tools: judging.Tools
) -> foretelling.Foretold:
    return await foretelling.foretell(commit, history, scene.road, scene.tips, tools)


def _check(found: foretelling.Foretold, history: releases.History) -> None:
    """A branch that has something else than runs may also go back to what runs: then nothing changes."""
    here, content, kind = history.environment, found.candidate.content, found.told.kind
    if kind not in (Lineage.ROLLBACK, Lineage.NOTHING, Lineage.OWNED):
        gate = found.gate
        raise errors.RefusedError(f"the hub would not take it back: {gate.reason}", hint=gate.hint)
    if kind is Lineage.ROLLBACK and content in history.quarantined:
        raise errors.RefusedError(
            f"what it would bring to {here} is {history.quarantined[content]}",
            hint=targets.lifting(here, content),
        )


def _exempted(
    after: offline.Verdict, then: offline.Verdict, before: offline.Verdict, *, in_part: bool
) -> tuple[findings.Finding, ...]:
    """As the hub will have it: what ran here just so is not refused for what rules say of it since."""
    past = exemptions.Past(
        ran=exemptions.held(then.judged.manifests),
        runs=exemptions.held(before.judged.manifests),
        installed=after.judged.docket.installed,
        in_part=in_part,
    )
    return exemptions.exempted(after.findings, after.judged.manifests, past)


def _notes(
    target: targets.Target, tip: names.CommitId, found: foretelling.Foretold | None
) -> Iterator[str]:
    if found is None:
        yield "no hub was asked: whether that was a release, and whether it is quarantined, it will tell"
        return
    if not target.was_healthy:
        yield f"release {target.release} was never healthy in all clusters"
    if tip != target.running:
        yield f"what waits on the branch ({tip[:10]}) goes as well, but for owned paths"
    base = found.facts.base
    kept = {each.path for each in found.told.hotfixes}
    for each in base.hotfixes if base else ():
        if each.path not in kept:
            yield f"it drops the hotfix of {each.path} ({each.reason})"
    if found.told.kind is Lineage.ROLLBACK:
        yield "what it leaves is quarantined there until somebody lifts it: fleet hub lift"
