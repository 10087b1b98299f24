"""The paths in which an environment differs from upstream, each with its reason."""

from collections.abc import Iterable, Mapping
from typing import Any

from fleet.gate import candidates, residuals, told
from fleet.hub import asking, facts, state
from fleet.manifests import layout
from fleet.model import errors, findings, ledger, names, snapshots

_RELEASES = 50  # of each of the two, whose forms are looked at

Trees = tuple[snapshots.Snapshot, ...]


async def answer(hub: state.Hub, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The shape is documented in docs/cli.md and only grows within v1alpha1."""
    environment = asking.environment(str(arguments.get("environment", "")), hub)
    upstream = facts.upstream_of(environment, hub)
    if upstream is None:
        raise errors.InputError(f"{environment} is where changes enter: it has no upstream")
    base = _accepted(environment, facts.accepted_here(environment, hub))
    above = _accepted(upstream.environment, facts.accepted_here(upstream.environment, hub))
    where = layout.Layout(environment=environment, owned=facts.road(hub).owned)
    own = await _trees(candidates.accepted(hub.ledger.releases, environment), base, hub)
    theirs = await _trees(upstream.accepted, above, hub)
    differing = layout.differ(own[-1], theirs[-1], where)
    found = [_path(each, own, theirs, base.hotfixes) for each in differing]
    return {
        "environment": environment,
        "release": base.release,
        "commit": base.commit,
        "upstream": upstream.environment,
        "upstreamRelease": above.release,
        "upstreamCommit": above.commit,
        "counts": _counts(each["class"] for each in found),
        "paths": [_with_mend(each, environment, upstream.environment) for each in found],
    }


def _accepted(
    environment: names.Environment, found: candidates.Accepted | None
) -> candidates.Accepted:
    if found is None:
        raise errors.RefusedError(f"nothing was accepted in {environment} yet")
    return found


async def _trees(
    history: tuple[candidates.Accepted, ...], running: candidates.Accepted, hub: state.Hub
) -> Trees:
    """Of the newest releases up to what runs, oldest first; those that say the same as the one before are left out."""
    listed: list[candidates.Accepted] = []
    for each in history:
        is_new = not listed or not told.same(each, listed[-1])
        if each.release < running.release and is_new:
            listed.append(each)
    wanted = [*listed[-_RELEASES:], running]
    return tuple([await hub.repository.snapshot(each.commit) for each in wanted])


def _path(
    path: str, own: Trees, theirs: Trees, open_: tuple[ledger.Hotfix, ...]
) -> dict[str, Any]:
    hotfix = next((each for each in open_ if each.path == path), None)
    forms = residuals.Path(
        here=own[-1].form(path),
        above=theirs[-1].form(path),
        own=[each.form(path) for each in own],
        upstream=[each.form(path) for each in theirs],
        fixed=hotfix.fixed if hotfix else None,
    )
    return {
        "path": findings.escaped(path),
        "class": residuals.classify(forms).value,
        "here": forms.here or None,
        "upstream": forms.above or None,
        "reason": findings.escaped(hotfix.reason) if hotfix else "",
        "since": hotfix.since.isoformat() if hotfix else None,
    }


def _counts(found: Iterable[str]) -> dict[str, int]:
    counts = {each.value: 0 for each in residuals.Residual}
    for each in found:
        counts[each] += 1
    return counts


def _with_mend(
    found: dict[str, Any], here: names.Environment, upstream: names.Environment
) -> dict[str, Any]:
    row = residuals.RESIDUALS[residuals.Residual(found["class"])]
    return {**found, "hint": row.mend.format(here=here, upstream=upstream)}
