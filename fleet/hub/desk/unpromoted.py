"""What waits in each environment to go to the next: how old, behind which gates, and when it may go."""

from collections.abc import Mapping
from typing import Any

from fleet.audit import drafts
from fleet.gate import answers, backlog, candidates, told
from fleet.hub import asking, facts, state
from fleet.hub.desk import prospects
from fleet.manifests import layout
from fleet.model import errors, findings, ledger, names

_SHOWN = 20  # of one environment; the newest


async def answer(hub: state.Hub, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The shape is documented in docs/cli.md and only grows within v1alpha1."""
    wanted = _wanted(str(arguments.get("environment") or ""), hub)
    return {"environments": [await _environment(each, hub) for each in wanted]}


def _wanted(word: str, hub: state.Hub) -> list[names.Environment]:
    road = facts.road(hub)
    if not word:
        return [e.environment for e in road.steps if road.before(e.environment) is not None]
    environment = asking.environment(word, hub)
    if road.before(environment) is None:
        raise errors.InputError(f"{environment} is where changes enter: nothing waits before it")
    return [environment]


async def _environment(environment: names.Environment, hub: state.Hub) -> dict[str, Any]:
    upstream = facts.upstream_of(environment, hub)
    base = facts.accepted_here(environment, hub)
    if upstream is None:
        raise errors.BrokenError(f"{environment} has nothing before it")
    found = backlog.waiting(base, upstream)
    part = await _in_part(base, upstream, hub)
    return {
        "environment": environment,
        "upstream": upstream.environment,
        "release": base.release if base else 0,
        "commit": base.commit if base else None,
        "source": told.running_source(base, upstream) if base else 0,
        "inPart": part,
        "waiting": [await _waiting(e, environment, upstream, hub) for e in found[:_SHOWN]],
        "more": max(0, len(found) - _SHOWN),
    }


async def _in_part(
    base: candidates.Accepted | None, upstream: candidates.Upstream, hub: state.Hub
) -> dict[str, Any] | None:
    """What of the newest release that is here is not: it was taken bundle by bundle, or went back since."""
    number = told.running_source(base, upstream) if base else 0
    source = next((each for each in upstream.accepted if each.release == number), None)
    if base is None or source is None or told.same(base, source):
        return None
    where = layout.Layout(environment=upstream.environment, owned=facts.road(hub).owned)
    here = await hub.repository.snapshot(base.commit)
    above = await hub.repository.snapshot(source.commit)
    fixed = {each.path for each in base.hotfixes}
    paths = [each for each in layout.differ(here, above, where) if each not in fixed]
    if not paths:
        return None
    return {
        "release": source.release,
        "commit": source.commit,
        "paths": [findings.escaped(each) for each in paths],
    }


async def _waiting(
    found: backlog.Waiting,
    environment: names.Environment,
    upstream: candidates.Upstream,
    hub: state.Hub,
) -> dict[str, Any]:
    newest = found.newest
    since = hub.ledger.releases[upstream.environment, found.first].accepted
    tip = _at_the_tip(newest, environment, hub)
    gates = tip.gates if tip else await prospects.of(_candidate(newest, environment), hub)
    word, until = backlog.opening(gates)
    commit = await hub.repository.commit(newest.commit)
    return {
        "release": newest.release,
        "commit": newest.commit,
        "subject": findings.escaped(commit.subject),
        "accepted": since.isoformat(),
        "age": answers.span((hub.clock.now() - since).total_seconds()),
        "standing": tip.verdict.value if tip else "not there",
        "promotable": word.value,
        "at": until.isoformat() if until else None,
        "gates": [drafts.gate(e) for e in gates if e.state is not ledger.GateState.OPEN],
        "hint": "" if tip else _hint(newest, environment, upstream),
    }


def _at_the_tip(
    found: candidates.Accepted, environment: names.Environment, hub: state.Hub
) -> ledger.Decision | None:
    """The decision on the tip, if it is of just this: somebody has promoted it, and it waits."""
    here = hub.ledger.environments.get(environment)
    decision = here.decision if here else None
    if decision is None or (decision.content, decision.rules) != (found.content, found.rules):
        return None
    return decision


def _candidate(found: candidates.Accepted, environment: names.Environment) -> candidates.Candidate:
    return candidates.Candidate(
        environment=environment,
        commit=found.commit,
        content=found.content,
        rules=found.rules,
        owned=found.owned,
    )


def _hint(
    found: candidates.Accepted, environment: names.Environment, upstream: candidates.Upstream
) -> str:
    is_newest = found == upstream.accepted[-1]
    which = "" if is_newest else f" --commit {found.commit[:10]}"
    return f"fleet promote {upstream.environment} {environment}{which}"
