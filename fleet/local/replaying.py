"""A recorded decision made again: judged and rendered from git, gates asked by the facts that were recorded.

What comes out must be the very bytes of the record, and what goes in the very bytes of its facts. Nothing that is
remembered between two judgements is believed here: `tools` bring an empty memo.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from fleet.audit import chain, grounds, records
from fleet.gate import candidates, decide, lineage, returns, told
from fleet.hub import cases, consents, drawing, exempting
from fleet.judge import judging, roads, settings
from fleet.manifests import layout
from fleet.model import errors, json_values, ledger, names

_MOST = 50  # differences that are told
_SHOWN = 200  # letters of a value

Resolved = dict[tuple[names.Environment, int], candidates.Accepted]


class Unreplayable(errors.FleetError):
    """It cannot be made again here, which says nothing of whether it was right."""


class Source(Protocol):
    """A book, or what was exported of it."""

    def records(self, since: int = 0) -> AsyncIterator[records.Record]: ...

    async def facts(self, digest: names.Digest) -> bytes | None: ...

    async def slice(self, digest: names.SliceDigest) -> bytes | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """`what` is a path into the record or the facts; `is_input`: the decision was made from something else."""

    what: str
    is_input: bool
    recorded: str
    again: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    record: records.Record
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shelf:
    tools: judging.Tools
    book: Source


async def replay(wanted: str, source: Source, tools: judging.Tools) -> Replayed:
    """Of the record with this index or the beginning of this hash. Raises Unreplayable, with what is missing."""
    record, accepted = await _found(chain.Wanted(word=wanted), source)
    kept = await _kept(record, source)
    found = _decoded(kept)
    try:
        decision, case = await _again(found, accepted, source, tools)
    except errors.UnreachableError as error:
        raise Unreplayable(
            f"git cannot tell what was decided on: {error}",
            hint="is this the mirror of that hub, or a full clone?",
        ) from error
    again = cases.recorded(decision, case, tools)
    (facts,) = again.facts.values()
    return Replayed(
        record=record,
        differences=tuple(
            each
            for _, each in zip(
                range(_MOST),
                _differences(record.body, again.record.body, kept, facts),
                strict=False,
            )
        ),
    )


async def _found(wanted: chain.Wanted, source: Source) -> tuple[records.Record, Resolved]:
    """With all that was accepted before it."""
    accepted: Resolved = {}
    begun: tuple[records.Record, Resolved] | None = None
    async for record in _walked(source):
        if record.index == wanted.index:
            return _decided_by(record), accepted
        if begun is None and wanted.begins(record):
            begun = record, dict(accepted)
        if begun is not None and wanted.index is None:
            break
        found = grounds.accepted_in(record.body) if record.kind is records.Kind.DECISION else None
        if found is not None:
            accepted.setdefault((record.body["environment"], found.release), found)
    if begun is None:
        raise errors.InputError(f"there is no record {wanted.word!r}")
    return _decided_by(begun[0]), begun[1]


async def _walked(source: Source) -> AsyncIterator[records.Record]:
    walk = chain.Walk()
    async for record in source.records():
        fault = walk.step(record)
        if fault is not None:
            raise errors.BrokenError(f"the log does not hold: {fault}")
        yield record


def _decided_by(record: records.Record) -> records.Record:
    if record.kind is not records.Kind.DECISION:
        raise errors.InputError(f"record {record.index} is no decision")
    return record


async def _kept(record: records.Record, source: Source) -> bytes:
    inputs = record.body.get("inputs")
    if not isinstance(inputs, Mapping):
        raise Unreplayable(f"record {record.index} was written before facts were kept")
    data = await source.facts(inputs["facts"])
    if data is None:
        raise Unreplayable(
            f"the facts of record {record.index} are no longer kept",
            hint="an export of the log from that time has them",
        )
    return data


def _decoded(data: bytes) -> grounds.Grounds:
    try:
        return grounds.decode(data)
    except errors.InputError as error:
        raise Unreplayable(
            f"another version of fleet kept these facts: {error}",
            hint="the record's inputs.versions.fleet names it",
        ) from error


async def _again(
    found: grounds.Grounds, accepted: Resolved, source: Source, tools: judging.Tools
) -> tuple[ledger.Decision, cases.Case]:
    def resolve(environment: names.Environment, number: int) -> candidates.Accepted:
        if (environment, number) not in accepted:
            raise Unreplayable(f"no earlier record tells of release {number} of {environment}")
        return accepted[environment, number]

    judged = await judging.judge(_question(found, resolve), tools)
    shelf = _Shelf(tools=tools, book=source)
    drawn = await drawing.drawn_in(found.around, judged, found.drawn, shelf)
    moment = drawing.moment_of(found.around, found.drawn)
    drawn = replace(await drawing.settled_at(moment, drawn, judged, shelf), asked=found.drawn)
    case = cases.Case(
        candidate=_candidate(found, judged),
        judged=judged,
        drawn=drawn,
        facts=grounds.facts_of(found, resolve),
        how=found.how,
        back_to=found.back_to,
        ran=found.ran,
    )
    decision, case = await _decided(case, resolve, shelf)
    return _numbered(decision, found.numbered, drawn), case


def _question(found: grounds.Grounds, resolve: grounds.Resolve) -> judging.Question:
    environment = found.candidate.environment
    return judging.Question(
        environment=environment,
        commit=found.candidate.commit,
        road=found.road,
        base=resolve(environment, found.base) if found.base else None,
        upstream=grounds.upstream_of(found.upstream, found.known, resolve),
    )


def _candidate(found: grounds.Grounds, judged: judging.Judged) -> candidates.Candidate:
    """By what git says now; who is told as the author of a way back is no claim of git's."""
    ids, commit, was = judged.ids, judged.commit, found.candidate
    is_gits = found.how is not grounds.How.BACK
    return replace(
        was,
        content=ids.content,
        rules=ids.rules,
        owned=ids.owned,
        author=commit.author if is_gits else was.author,
        subject=commit.subject if is_gits else was.subject,
    )


async def _decided(
    case: cases.Case, resolve: grounds.Resolve, shelf: _Shelf
) -> tuple[ledger.Decision, cases.Case]:
    candidate, judged, drawn, tools = case.candidate, case.judged, case.drawn, shelf.tools
    if case.facts is None:
        at = drawn.asked
        if at is None:
            raise errors.BrokenError("a plan that was drawn at no time")
        return decide.by_decree(candidate, drawn.findings, at), case
    facts = await _facts(case, case.facts, tools)
    told_of = (
        returns.to(resolve(candidate.environment, case.back_to))
        if case.how is grounds.How.BACK
        else lineage.tell(candidate, facts)
    )
    pair = case.ran, drawn.around.slices
    kept = await exempting.exempted(told_of, facts.findings, judged, pair, shelf)
    facts = replace(facts, findings=kept)
    facts = await _with_people(facts, case, told_of, tools)
    if case.how is grounds.How.GATES:
        facts = replace(facts, change=drawn.change)
    return decide.by(candidate, facts, told_of), replace(case, judged=judged, facts=facts)


async def _facts(
    case: cases.Case, facts: candidates.Facts, tools: judging.Tools
) -> candidates.Facts:
    """What was recorded, with all that the judge and git can tell again."""
    judged, road = case.judged, case.judged.question.road
    known = replace(
        facts,
        layout=layout.Layout(environment=case.candidate.environment, owned=road.owned),
        findings=case.drawn.findings,
        sides=settings.sides(judged),
        scope=settings.scope(judged),
    )
    git = tools.repository
    way = await roads.way(case.candidate, known, known.upstream, judged.snapshot, git)
    return replace(known, way=way)


async def _with_people(
    facts: candidates.Facts, case: cases.Case, found: told.Told, tools: judging.Tools
) -> candidates.Facts:
    signatures = await consents.signatures_of(facts, case.judged, tools.repository)
    asked = consents.by_signatures(facts, case.judged, case.drawn.plan, signatures, found.kind)
    if asked.consent is None or facts.consent is None:
        return asked
    return replace(asked, consent=replace(asked.consent, is_same=facts.consent.is_same))


def _numbered(
    decision: ledger.Decision, numbered: grounds.Numbered, drawn: drawing.Drawn
) -> ledger.Decision:
    if not numbered.release:
        return decision
    is_planned = numbered.slices_root is None
    return replace(
        decision,
        release=numbered.release,
        slices_root=drawn.plan.slices_root if is_planned else numbered.slices_root,
        clusters=tuple(sorted(drawn.plan.slices)) if is_planned else numbered.clusters,
    )


def _differences(
    recorded: json_values.JsonObject, again: json_values.JsonObject, kept: bytes, made: bytes
) -> Iterator[Difference]:
    """Inputs first: a decision that was made from something else may well come out otherwise."""
    if kept != made:
        yield from _between(
            "facts", json_values.decode(kept), json_values.decode(made), is_input=True
        )
    inputs, others = recorded.get("inputs") or {}, again.get("inputs") or {}
    for name in sorted({*inputs, *others} - {"facts"}):
        yield from _between(f"inputs.{name}", inputs.get(name), others.get(name), is_input=True)
    for name in sorted({*recorded, *again} - {"inputs"}):
        yield from _between(name, recorded.get(name), again.get(name), is_input=False)


def _between(where: str, recorded: Any, again: Any, *, is_input: bool) -> Iterator[Difference]:
    """The smallest parts in which two JSON values differ."""
    if json_values.encode(recorded) == json_values.encode(again):
        return
    if isinstance(recorded, Mapping) and isinstance(again, Mapping):
        for name in sorted({*recorded, *again}):
            yield from _between(
                f"{where}.{name}", recorded.get(name), again.get(name), is_input=is_input
            )
    elif isinstance(recorded, list) and isinstance(again, list) and len(recorded) == len(again):
        for place, pair in enumerate(zip(recorded, again, strict=True)):
            yield from _between(f"{where}[{place}]", *pair, is_input=is_input)
    else:
        yield Difference(
            what=where, is_input=is_input, recorded=_short(recorded), again=_short(again)
        )


def _short(value: Any) -> str:
    text = json_values.encode(value).decode("utf-8", "replace")
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
