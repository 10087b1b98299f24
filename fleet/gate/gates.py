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
    told,
    windows,
)
from fleet.model import findings, kinds
from fleet.model.ledger import GateResult, GateState, Lineage


def findings_gate(candidate: candidates.Candidate, facts: candidates.Facts) -> GateResult:
    refusing = [each for each in facts.findings if findings.refuses([each])]
    if not refusing:
        exempt = sum(each.passed == findings.EXEMPT for each in facts.findings)
        beside = f"; {exempt} findings are exempt: it ran here just so" if exempt else ""
        return answers.opens("findings", f"nothing denies it{beside}")
    hint = f"fleet check --rev {candidate.commit[:10]} --environment {candidate.environment}"
    return answers.refuses("findings", f"{len(refusing)} findings deny it", hint)


def book_gate(_: candidates.Candidate, facts: candidates.Facts) -> GateResult:
    if not facts.held:
        return answers.opens("book", "the book is whole")
    return answers.waits("book", facts.held, "fleet hub recover")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One that is there whatever fleet.yaml says; None = it has nothing to say on this candidate."""

    judge: Callable[[candidates.Candidate, candidates.Facts], GateResult | None]
    concerns: frozenset[Lineage]  # the kinds of candidate that must pass it


@dataclass(frozen=True, slots=True, kw_only=True)
class Lined:
    """One that goes by what lineage found of the candidate; None as with a Gate."""

    judge: Callable[[candidates.Candidate, candidates.Facts, told.Told], GateResult | None]
    concerns: frozenset[Lineage]


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

GATES: tuple[Gate | Lined | Asked, ...] = (
    Gate(judge=book_gate, concerns=_EVERY),
    Lined(judge=lineage.gate, concerns=_EVERY),
    Gate(judge=findings_gate, concerns=_EVERY),
    Lined(judge=quarantines.gate, concerns=_BRINGS),
    Asked(judge=health.gate, concerns=_FROM_UPSTREAM),
    Asked(judge=soaking.gate, concerns=_FROM_UPSTREAM),
    Asked(judge=statuses.gate, concerns=_BRINGS - _WAYS_BACK),
    Asked(judge=signatures.gate, concerns=_MOVES),
    Asked(judge=budgets.gate, concerns=_MOVES - _WAYS_BACK),
    Asked(judge=debts.gate, concerns=_FROM_UPSTREAM),
    Asked(judge=windows.gate, concerns=_MOVES - _WAYS_BACK),
    Asked(judge=metrics.gate, concerns=_BRINGS - _REMEDIES),
    Lined(judge=approving.gate, concerns=_EVERY - _HOPELESS),
)

_CONCERNED = {kind: tuple(e for e in GATES if kind in e.concerns) for kind in Lineage}
_HARDEST = (GateState.REFUSED, GateState.ERROR, GateState.WAITING, GateState.OPEN)


def results(
    candidate: candidates.Candidate, facts: candidates.Facts, found: told.Told
) -> tuple[GateResult, ...]:
    """What every gate says that concerns this kind of candidate, by what lineage found of it."""
    if not facts.sides:
        return (answers.fails("settings", "no settings of this environment are known"),)
    said = [_judged(each, candidate, facts, found) for each in _CONCERNED[found.kind]]
    return tuple(each for each in said if each is not None)


def _judged(
    gate: Gate | Lined | Asked,
    candidate: candidates.Candidate,
    facts: candidates.Facts,
    found: told.Told,
) -> GateResult | None:
    """The gates of what is in force hold, and the candidate's own (rule 3): the harder answer counts."""
    if isinstance(gate, Gate):
        return gate.judge(candidate, facts)
    if isinstance(gate, Lined):
        return gate.judge(candidate, facts, found)
    if len(facts.sides) == 1:
        return gate.judge(candidate, facts, facts.sides[0].spec)
    said = [(each.word, gate.judge(candidate, facts, each.spec)) for each in facts.sides]
    answered = [(word, result) for word, result in said if result is not None]
    if not answered:
        return None
    hardest = min((result for _, result in answered), key=lambda each: _HARDEST.index(each.state))
    if len({result for _, result in answered}) == 1 and len(answered) == len(said):
        return hardest
    return _joined([(word, each) for word, each in answered if each.state is hardest.state])


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
