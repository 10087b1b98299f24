"""Promotion from anyone's clone: the merge commit that makes the next environment equal to the one before it.

Its tree is upstream's shared paths with the target's own; so it is exact whatever the branches went through.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from fleet.judge import judging, needs
from fleet.local import grafting, offline
from fleet.manifests import layout
from fleet.model import errors, findings, ledger, names, objects
from fleet.ports import repository


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """`commit` is one of the source's branch; None = its tip. `bundles` are folders; none = everything."""

    source: names.Environment
    target: names.Environment
    commit: names.CommitId | None = None
    bundles: tuple[str, ...] = ()
    older: str = ""  # why an older release of the source is taken
    ported: tuple[str, ...] = ()  # paths whose open hotfix the source has in another form


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A merge that is made but not pushed. `changes` are those of each cluster: "+ key", "- key", "~ key"."""

    commit: names.CommitId
    branch: names.Branch
    tip: names.CommitId  # of the branch, that it was made on
    changes: Mapping[names.Cluster, tuple[str, ...]]
    findings: tuple[findings.Finding, ...]


async def prepare(
    asked: Asked,
    tips: Mapping[names.Branch, names.CommitId],
    road: ledger.Road,
    tools: judging.Tools,
    pen: repository.Writer,
) -> Offer | None:
    """None where the target has this content already. Raises errors.InputError for a way that is none."""
    _check(asked, tips, road)
    branch = road.branch(asked.target)
    tip = tips[road.branch(asked.source)]
    upstream = asked.commit or tip
    if not await tools.repository.is_ancestor(upstream, tip):
        raise errors.InputError(f"{upstream[:10]} is no commit of {asked.source}'s branch")
    running = tips[branch]
    merge = await _graft(asked, road, upstream, running, tools, pen)
    if merge is None:
        return None
    before = await offline.check_commit(asked.target, running, None, tools)
    after = await offline.check_commit(asked.target, merge, running, tools)
    return Offer(
        commit=merge,
        branch=branch,
        tip=running,
        changes=changes(before.judged.manifests, after.judged.manifests),
        findings=after.findings,
    )


def _check(asked: Asked, tips: Mapping[names.Branch, names.CommitId], road: ledger.Road) -> None:
    order = [step.environment for step in road.steps]
    if asked.target not in order or road.before(asked.target) != asked.source:
        raise errors.InputError(
            f"{asked.target} does not come right after {asked.source}: {' -> '.join(order)}"
        )
    missing = [step.branch for step in road.steps if step.branch not in tips]
    if missing:
        raise errors.InputError(f"the remote has no branch {', '.join(missing)}")


async def _graft(
    asked: Asked,
    road: ledger.Road,
    upstream: names.CommitId,
    running: names.CommitId,
    tools: judging.Tools,
    pen: repository.Writer,
) -> names.CommitId | None:
    """The commit, or None where there is nothing to take."""
    where = layout.Layout(environment=asked.target, owned=road.owned)
    await needs.check(asked.bundles, upstream, running, where, tools.files, tools.repository)
    subject = (await tools.repository.commit(upstream)).subject
    wanted = grafting.Wanted(
        subject=f"Promote {asked.source} to {asked.target}: {subject}",
        bundles=asked.bundles,
        older=asked.older,
        ported=asked.ported,
    )
    made = await grafting.graft(wanted, upstream, running, where, tools.repository)
    return await pen.graft(made.entries, made.parents, made.message) if made else None


Share: TypeAlias = Mapping[names.Cluster, tuple[objects.Manifest, ...]]


def changes(before: Share, after: Share) -> dict[names.Cluster, tuple[str, ...]]:
    """Of each cluster: "+ key", "- key", "~ key"."""
    return {
        cluster: tuple(_changes(before.get(cluster, ()), share))
        for cluster, share in after.items()
    }


def _changes(
    before: tuple[objects.Manifest, ...], after: tuple[objects.Manifest, ...]
) -> Iterator[str]:
    old = {each.key: each.digest for each in before}
    new = {each.key: each.digest for each in after}
    for key in sorted({*old, *new}):
        if key not in old:
            yield f"+ {key}"
        elif key not in new:
            yield f"- {key}"
        elif old[key] != new[key]:
            yield f"~ {key}"
