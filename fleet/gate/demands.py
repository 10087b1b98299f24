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


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Of one gate. `wave`: only before that one opens; "" = before anything goes out."""

    gate: str
    words: str
    wave: str = ""
    answer: _Result | None = None  # None = it takes a book to say


def of(
    specs: Sequence[kinds.EnvironmentSpec], terms: Iterable[pacing.Terms], upstream: str
) -> tuple[Demand, ...]:
    """Of all settings that hold (rule 3), each once. `terms` are those of the plan, `upstream` "" = none."""
    found = [*_upstream(upstream)]
    for spec in specs:
        found += _gates(spec.gates, upstream)
    for each in terms:
        found += [*_of_wave(each, specs)]
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


def _gates(gates: gating.Gates, upstream: str) -> Iterator[Demand]:
    if gates.soak and upstream:
        length = answers.span(gates.soak.total_seconds())
        yield Demand(gate=soaking.GATE, words=f"healthy in {upstream} for {length} at a stretch")
    for each in gates.approvals:
        expires = int(each.expires.total_seconds())
        yield Demand(gate=approving.GATE, words=_people(each.group, each.count, expires))
    for window in gates.windows:
        if not window.waves:
            yield Demand(gate=windows.GATE, words=_window(window))
    yield from _amounts(gates.budget)
    yield from _proofs(gates)


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


def _of_wave(terms: pacing.Terms, specs: Iterable[kinds.EnvironmentSpec]) -> Iterator[Demand]:
    for spec in specs:
        for window in spec.gates.windows:
            if terms.wave in window.waves:
                yield Demand(gate=windows.GATE, words=_window(window), wave=terms.wave)
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


def of_waves(
    demands: Iterable[Demand], specs: Sequence[kinds.EnvironmentSpec], now: datetime
) -> tuple[Demand, ...]:
    """With what windows say to the waves that they are for."""
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
