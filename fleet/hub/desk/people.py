"""What people ask of a running hub, through its Unix socket: each command is a row of one table.

Arguments and answers are JSON; fleet.cli turns them into flags and tables.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from fleet.audit import drafts, grounds, records, violations
from fleet.gate import decide
from fleet.hub import acceptance, cases, drawing, release, rollouts, state, witnesses
from fleet.hub.desk import (
    acts,
    explaining,
    halting,
    handed,
    hearing,
    logbook,
    releases,
    residual,
    standing,
    unpromoted,
)
from fleet.judge import judging
from fleet.model import approving, errors, findings, ledger, messages, names
from fleet.ports import store
from fleet.protocol import encoding

Arguments: TypeAlias = Mapping[str, Any]
Answer: TypeAlias = dict[str, Any]
Command: TypeAlias = Callable[[state.Hub, Arguments], Awaitable[Answer]]


async def answer(
    hub: state.Hub, command: str, arguments: Arguments, by: str = "someone"
) -> Answer:
    """Raises errors.FleetError in words for whoever asked. `by` is who that is, as far as the socket can tell."""
    if command in ACTS:
        return await ACTS[command](hub, arguments, by)
    if command not in COMMANDS:
        raise errors.InputError(f"this hub knows no command {command!r}")
    return await COMMANDS[command](hub, arguments)


async def status(hub: state.Hub, _: Arguments) -> Answer:
    return standing.of(hub)


async def fetch(hub: state.Hub, _: Arguments) -> Answer:
    hub.fetch_now = True
    hub.wake.set()
    return {}


async def baseline(hub: state.Hub, arguments: Arguments) -> Answer:
    """Accept the tips of these environments by decree (rule 11), recorded as such. Nothing may run there yet."""
    wanted = arguments.get("environments") or [step.environment for step in _steps(hub)]
    async with hub.deciding:
        return {"accepted": [await _baseline(names.Environment(each), hub) for each in wanted]}


async def _baseline(environment: names.Environment, hub: state.Hub) -> Answer:
    branch = next((step.branch for step in _steps(hub) if step.environment == environment), None)
    tip = hub.tips.branches.get(branch) if hub.tips and branch else None
    if tip is None:
        raise errors.InputError(f"there is no environment {environment!r} with a branch")
    judged = await judging.judge(release.question(environment, tip, hub), hub.tools)
    drawn = await drawing.draw(judged, hub)
    blocking = [each for each in drawn.findings if each.rule in judging.NOT_BY_DECREE]
    if findings.refuses(blocking):
        raise errors.RefusedError(f"{blocking[0].place}: {blocking[0].message}")
    candidate = release.candidate_of(judged)
    decision = decide.by_decree(candidate, drawn.findings, hub.clock.now())
    case = cases.Case(
        candidate=candidate, judged=judged, drawn=drawn, facts=None, how=grounds.How.DECREE
    )
    await release.settle(decision, case, "", hub)
    while await rollouts.advance(environment, hub):
        pass
    return {"environment": environment, "commit": tip}


async def recover(hub: state.Hub, _: Arguments) -> Answer:
    """Go on from an old book (rule 9): a new era, numbers above all that agents have shown."""
    async with hub.deciding, state.writing(hub):
        if not hub.ledger.seal.held:
            raise errors.RefusedError("nothing is held: there is nothing to recover from")
        epoch, began = witnesses.begun(hub, await witnesses.length(hub))
        seal = replace(hub.ledger.seal, held="", epoch=epoch, began=began)
        lost = [_lost(each) for each in hub.echoes.values()]
        known = {each.cluster: each for each in lost} | hub.ledger.clusters
        clusters = [_risen(each, hub) for each in known.values()]
        told = {each.environment for each in hub.echoes.values()}
        floors = [_floored(each, hub) for each in sorted({*hub.ledger.environments, *told})]
        draft = drafts.recovery(
            reason=hub.ledger.seal.held,
            echoes=tuple(hub.echoes.values()),
            epoch=epoch,
            lost=hub.shown,
            at=hub.clock.now(),
        )
        await state.write(hub, store.Write(records=(draft,), rows=(seal, *clusters, *floors)))
        hub.echoes.clear()
        hub.shown.clear()
    hub.wake.set()
    return {"clusters": len(clusters)}


def _risen(cluster: ledger.ClusterState, hub: state.Hub) -> ledger.ClusterState:
    echo = hub.echoes.get(cluster.cluster)
    era, sequence = (echo.era, echo.sequence) if echo else (0, 0)
    return replace(
        cluster, era=max(cluster.era, era) + 1, sequence=max(cluster.sequence, sequence)
    )


def _lost(echo: messages.Dispatch) -> ledger.ClusterState:
    """A cluster that the book has lost, as one that has left: registered again it goes on from its numbers."""
    return ledger.ClusterState(
        environment=echo.environment,
        cluster=echo.cluster,
        uid=echo.uid,
        public_key="",
        labels={},
        kubernetes_version="",
        retired=True,
    )


def _floored(environment: names.Environment, hub: state.Hub) -> ledger.EnvironmentState:
    here = acceptance.environment_of(environment, hub)
    seen = [each.release for each in hub.echoes.values() if each.environment == environment]
    highest = max(seen, default=0)
    return replace(here, floor=max(here.floor, highest)) if highest > here.release else here


async def decisions(hub: state.Hub, arguments: Arguments) -> Answer:
    wanted = arguments.get("environment")
    found = [
        {"index": record.index, "hash": record.hash, **record.body}
        async for record in hub.book.records()
        if record.kind is records.Kind.DECISION and wanted in (None, record.subject)
    ]
    return {"decisions": found}


async def violated(hub: state.Hub, arguments: Arguments) -> Answer:
    asked = violations.Filter(**arguments)
    found = [each for each in hub.ledger.violations.values() if violations.matches(each, asked)]
    ordered = sorted(found, key=lambda each: (each.since, each.finding.place))
    return {"violations": [violations.as_json(each) for each in ordered]}


async def approve(hub: state.Hub, arguments: Arguments) -> Answer:
    """What somebody signed elsewhere; its signature is what counts."""
    row = await handed.take(encoding.from_json(approving.Signed, dict(arguments)), hub)
    if isinstance(row, ledger.Approval):
        decision = row.voice.said.decision.value
        return {"environment": row.environment, "decision": decision, "approval": row.id}
    return {"environment": row.environment, "decision": f"break-glass of {row.by}"}


def _steps(hub: state.Hub) -> tuple[ledger.Step, ...]:
    return hub.ledger.seal.road.steps if hub.ledger.seal.road else ()


ACTS = {**acts.ACTS, **halting.ACTS}  # recorded with who asked
COMMANDS: Mapping[str, Command] = {
    "status": status,
    "fetch": fetch,
    "baseline": baseline,
    "recover": recover,
    "approve": approve,
    "explain": explaining.explain,
    "releases": releases.answer,
    "residual": residual.answer,
    "unpromoted": unpromoted.answer,
    "status-set": hearing.status_set,
    "audit decisions": decisions,
    "audit violations": violated,
    "audit verify": logbook.verify,
    "audit show": logbook.show,
    "audit prove": logbook.prove,
    "audit checkpoints": logbook.listed,
    "audit consistency": logbook.consistency,
}
