"""The gates, as a table: each looks at the facts and says open, waiting for what, or refused because of what."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from fleet.gate import (
    answers,
    approving,
    budgets,
    candidates,
    debts,
    health,
    lineage,
    metrics,
    quarantines,
    signatures,
    soaking,
    statuses,
    windows,
)
from fleet.model import findings, kinds
from fleet.model.ledger import GateResult, GateState, Lineage


def findings_gate(candidate: candidates.Candidate, facts: candidates.Facts) -> GateResult:
    refusing = [each for each in facts.findings if findings.refuses([each])]
    if not refusing:
        return GateResult(gate="findings", state=GateState.OPEN, reason="nothing denies it")
    return GateResult(
        gate="findings",
        state=GateState.REFUSED,
        reason=f"{len(refusing)} findings deny it",
        hint=f"fleet check --rev {candidate.commit[:10]} --environment {candidate.environment}",
    )


def book_gate(_: candidates.Candidate, facts: candidates.Facts) -> GateResult:
    if not facts.held:
        return GateResult(gate="book", state=GateState.OPEN, reason="the book is whole")
    return GateResult(
        gate="book", state=GateState.WAITING, reason=facts.held, hint="fleet hub recover"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One that is there whatever fleet.yaml says; None = it has nothing to say on this candidate."""

    judge: Callable[[candidates.Candidate, candidates.Facts], GateResult | None]
    concerns: frozenset[Lineage]  # the kinds of candidate that must pass it


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One that each side's settings ask for, or not: then it is None."""

    judge: Callable[
        [candidates.Candidate, candidates.Facts, kinds.EnvironmentSpec], GateResult | None
    ]
    concerns: frozenset[Lineage]


_EVERY = frozenset(Lineage)
_HOPELESS = frozenset(
    {
        Lineage.REWRITE,
        Lineage.UNADOPTED,
        Lineage.UNACCEPTED,
        Lineage.OLDER,
        Lineage.ALTERED,
        Lineage.DIRECT,
        Lineage.INCOMPLETE,
        Lineage.CARRIED,
    }
)  # nobody's word would let these in
_MOVES = _EVERY - {Lineage.NOTHING}  # something would be dispatched that is not out yet
_BRINGS = _MOVES - {Lineage.OWNED}  # content that does not run here
_FROM_UPSTREAM = frozenset({Lineage.PROMOTION, Lineage.PARTIAL})
_WAYS_BACK = frozenset({Lineage.ROLLBACK})  # to what has passed all this before
_REMEDIES = _WAYS_BACK | {Lineage.HOTFIX}  # figures that are bad are why they come

GATES: tuple[Gate | Asked, ...] = (
    Gate(judge=book_gate, concerns=_EVERY),
    Gate(judge=lineage.gate, concerns=_EVERY),
    Gate(judge=findings_gate, concerns=_EVERY),
    Gate(judge=quarantines.gate, concerns=_BRINGS),
    Asked(judge=health.gate, concerns=_FROM_UPSTREAM),
    Asked(judge=soaking.gate, concerns=_FROM_UPSTREAM),
    Asked(judge=statuses.gate, concerns=_BRINGS - _WAYS_BACK),
    Asked(judge=signatures.gate, concerns=_MOVES),
    Asked(judge=budgets.gate, concerns=_MOVES - _WAYS_BACK),
    Asked(judge=debts.gate, concerns=_FROM_UPSTREAM),
    Asked(judge=windows.gate, concerns=_MOVES - _WAYS_BACK),
    Asked(judge=metrics.gate, concerns=_BRINGS - _REMEDIES),
    Gate(judge=approving.gate, concerns=_EVERY - _HOPELESS),
)

_HARDEST = (GateState.REFUSED, GateState.ERROR, GateState.WAITING, GateState.OPEN)


def results(
    candidate: candidates.Candidate, facts: candidates.Facts, kind: Lineage
) -> tuple[GateResult, ...]:
    """What every gate says that concerns this kind of candidate."""
    if not facts.sides:
        return (answers.fails("settings", "no settings of this environment are known"),)
    found = [_judged(each, candidate, facts) for each in GATES if kind in each.concerns]
    return tuple(each for each in found if each is not None)


def _judged(
    gate: Gate | Asked, candidate: candidates.Candidate, facts: candidates.Facts
) -> GateResult | None:
    """The gates of what is in force hold, and the candidate's own (rule 3): the harder answer counts."""
    if isinstance(gate, Gate):
        return gate.judge(candidate, facts)
    if len(facts.sides) == 1:
        return gate.judge(candidate, facts, facts.sides[0].spec)
    said = [(each.word, gate.judge(candidate, facts, each.spec)) for each in facts.sides]
    told = [(word, result) for word, result in said if result is not None]
    if not told:
        return None
    hardest = min((result for _, result in told), key=lambda each: _HARDEST.index(each.state))
    if len({result for _, result in told}) == 1 and len(told) == len(said):
        return hardest
    return _joined([(word, each) for word, each in told if each.state is hardest.state])


def _joined(holding: list[tuple[str, GateResult]]) -> GateResult:
    """By the words of the sides that hold it. It opens when the last of them does, and closes with the first."""
    _, first = holding[0]
    is_open = first.state is GateState.OPEN
    reasons = [
        each.reason if is_open or not word else f"{each.reason} ({word})" for word, each in holding
    ]
    untils = [each.until for _, each in holding]
    known = [each for each in untils if each is not None]
    until = min(known, default=None) if is_open else max(known, default=None)
    return replace(
        first,
        reason="; ".join(dict.fromkeys(reasons)),
        hint=next((each.hint for _, each in holding if each.hint), ""),
        until=until if is_open or len(known) == len(untils) else None,
    )
