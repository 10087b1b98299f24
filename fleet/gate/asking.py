"""What an environment asks of a commit besides findings and lineage, in words, before anybody has asked the gates."""

from collections.abc import Iterator
from dataclasses import dataclass

from fleet.model import gating, kinds


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One gate as it is declared. `wave`: only before that one; "" = before anything goes out."""

    gate: str
    words: str
    wave: str = ""


def of(*specs: kinds.EnvironmentSpec, upstream: str) -> tuple[Asked, ...]:
    """Of all settings that hold (rule 3), each once. `upstream` is the environment before; "" = none."""
    found = [*_upstream(upstream)]
    for spec in specs:
        found += [*_gates(spec.gates, upstream), *_waves(spec)]
    return tuple(dict.fromkeys(found))


def _upstream(upstream: str) -> Iterator[Asked]:
    if upstream:
        yield Asked(gate="upstream health", words=f"{upstream} is healthy with this content")


def _gates(gates: gating.Gates, upstream: str) -> Iterator[Asked]:
    if gates.soak and upstream:
        yield Asked(gate="soak", words=f"healthy in {upstream} for {gates.soak} at a stretch")
    for each in gates.approvals:
        yield Asked(gate="approvals", words=_approvals(each))
    for window in gates.windows:
        yield Asked(gate="window", words=_window(window), wave=", ".join(window.waves))
    yield from _amounts(gates.budget)
    if gates.signatures:
        words = f"commits are signed by someone of {gates.signatures.group}"
        yield Asked(gate="signatures", words=words)
    for status in gates.statuses:
        yield Asked(gate="status", words=f"{status.context} by {status.issuer} is good")
    for metric in gates.metrics:
        words = f"{metric.name} is {metric.must_be.value} {metric.bound:g} for {metric.window}"
        yield Asked(gate="metric", words=words)
    if gates.debt:
        yield Asked(gate="debt", words=f"no hotfix is open for longer than {gates.debt.max_age}")


def _waves(spec: kinds.EnvironmentSpec) -> Iterator[Asked]:
    for wave in spec.waves:
        if wave.soak:
            words = f"healthy for {wave.soak} before the next wave opens"
            yield Asked(gate="soak", words=words, wave=wave.name)
        for each in wave.approvals:
            yield Asked(gate="approvals", words=_approvals(each), wave=wave.name)


def _approvals(asked: gating.Approvals) -> str:
    people = "one person" if asked.count == 1 else f"{asked.count} people"
    return f"{people} of {asked.group}, valid for {asked.expires}"


def _window(window: gating.Window) -> str:
    when = f", {window.recurrence}" if window.recurrence else ""
    only = "only" if window.effect is gating.Effect.ALLOW else "never"
    start = f"{window.start} {window.time_zone}"
    return f"{only} within {window.name}: {window.duration} from {start}{when}"


def _amounts(budget: gating.Budget) -> Iterator[Asked]:
    for word, most in (
        ("clusters", budget.clusters),
        ("objects", budget.objects),
        ("deletions", budget.deletions),
    ):
        if most is not None:
            yield Asked(gate="budget", words=f"at most {most} {word} at once")
