"""What an environment asks of a commit besides findings and lineage, in words, with the answer where one is known."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from fleet.gate import (
    answers,
    approving,
    budgets,
    debts,
    health,
    metrics,
    signatures,
    soaking,
    statuses,
    windows,
)
from fleet.model import errors, gating, kinds, ledger, pacing

_Result = ledger.GateResult
Lineage = ledger.Lineage


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Of one gate. `wave`: only before that one opens; "" = before anything goes out."""

    gate: str
    words: str
    wave: str = ""
    answer: _Result | None = None  # None = it takes a book to say


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Who is asked: a candidate of one kind, by all settings that hold (rule 3), under the terms of its rollout."""

    kind: Lineage
    loosens: bool  # it may let through what is denied today
    specs: tuple[kinds.EnvironmentSpec, ...]
    terms: tuple[pacing.Terms, ...]
    upstream: str  # "" = none


def of(case: Case) -> tuple[Demand, ...]:
    """Each once, first what holds before anything goes out."""
    if case.kind is Lineage.NOTHING:
        return ()
    found = [*_upstream(case.upstream)]
    for spec in case.specs:
        found += [*_gates(spec, case), *_proofs(spec.gates)]
    for each in case.terms:
        found += [*_windows(case, each.wave), *_terms(each)]
    return tuple(dict.fromkeys(found))


def answered(
    demands: Iterable[Demand], results: Iterable[_Result], known: frozenset[str]
) -> tuple[Demand, ...]:
    """Those of gates that concern the candidate; of gates that are `known` with what they said."""
    said = {each.gate: each for each in results}
    return tuple(
        replace(each, answer=said[each.gate]) if each.gate in known and not each.wave else each
        for each in demands
        if each.gate in said or each.wave
    )


def _upstream(upstream: str) -> Iterator[Demand]:
    if upstream:
        yield Demand(gate=health.GATE, words=f"{upstream} is healthy with this content")


def _gates(spec: kinds.EnvironmentSpec, case: Case) -> Iterator[Demand]:
    if spec.gates.soak and case.upstream:
        length = answers.span(spec.gates.soak.total_seconds())
        words = f"healthy in {case.upstream} for {length} at a stretch"
        yield Demand(gate=soaking.GATE, words=words)
    for each in (
        *approving.asked(spec, case.kind),
        *(spec.gates.loosening if case.loosens else ()),
    ):
        expires = int(each.expires.total_seconds())
        yield Demand(gate=approving.GATE, words=_people(each.group, each.count, expires))
    for window in spec.gates.windows:
        if not window.waves:
            yield Demand(gate=windows.GATE, words=_window(window))
    yield from _amounts(spec.gates.budget)


def _proofs(gates: gating.Gates) -> Iterator[Demand]:
    if gates.signatures:
        words = f"commits are signed by someone of {gates.signatures.group}"
        yield Demand(gate=signatures.GATE, words=words)
    for status in gates.statuses:
        words = f"{status.context} by {status.issuer} is good"
        yield Demand(gate=statuses.GATE, words=words)
    for metric in gates.metrics:
        length = answers.span(metric.window.total_seconds())
        words = f"{metric.name} is {metric.must_be.value} {metric.bound:g} for {length}"
        yield Demand(gate=metrics.GATE, words=words)
    if gates.debt:
        length = answers.span(gates.debt.max_age.total_seconds())
        yield Demand(gate=debts.GATE, words=f"no hotfix is open for longer than {length}")


def _windows(case: Case, wave: str) -> Iterator[Demand]:
    for spec in case.specs if case.kind not in windows.PASSING else ():
        for window in spec.gates.windows:
            if wave in window.waves:
                yield Demand(gate=windows.GATE, words=_window(window), wave=wave)


def _terms(terms: pacing.Terms) -> Iterator[Demand]:
    for each in terms.approvals:
        words = _people(each.group, each.count, each.expires)
        yield Demand(gate=approving.GATE, words=words, wave=terms.wave)
    if terms.soak:
        words = f"healthy for {answers.span(terms.soak)} before the next wave opens"
        yield Demand(gate=soaking.GATE, words=words, wave=terms.wave)


def _people(group: str, count: int, expires: int) -> str:
    people = "one person" if count == 1 else f"{count} people"
    return f"{people} of {group}, valid for {answers.span(expires)}"


def _window(window: gating.Window) -> str:
    when = f", {window.recurrence}" if window.recurrence else ""
    only = "only" if window.effect is gating.Effect.ALLOW else "never"
    length = answers.span(window.duration.total_seconds())
    return f"{only} within {window.name}: {length} from {window.start} {window.time_zone}{when}"


def _amounts(budget: gating.Budget) -> Iterator[Demand]:
    for word, most in (
        ("clusters", budget.clusters),
        ("objects", budget.objects),
        ("deletions", budget.deletions),
    ):
        if most is not None:
            yield Demand(gate=budgets.GATE, words=f"at most {most} {word} at once")


def with_windows(
    demands: Iterable[Demand], specs: Iterable[kinds.EnvironmentSpec], now: datetime
) -> tuple[Demand, ...]:
    """With what windows say now to the waves that they are for."""
    sides = [each.gates.windows for each in specs]
    return tuple(
        replace(each, answer=_wave_window(each.wave, sides, now))
        if each.wave and each.gate == windows.GATE
        else each
        for each in demands
    )


def _wave_window(wave: str, sides: Sequence[Sequence[gating.Window]], now: datetime) -> _Result:
    try:
        found = windows.laid(sides, now, wave)
    except errors.InputError as error:
        return answers.fails(windows.GATE, str(error))
    if found.is_open:
        return answers.opens(windows.GATE, found.reason, until=found.until)
    return answers.waits(windows.GATE, found.reason, until=found.until)
