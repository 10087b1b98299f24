"""The judge: everything that is wrong with a commit for one environment. No book is asked, so a laptop can judge too.

A candidate is held against its own rules and against those in force (rule 3): a tightening works at once, a loosening
from the next commit on.
"""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from fleet.gate import candidates, lineage
from fleet.judge import (
    alike,
    dockets,
    foresight,
    imagined,
    installing,
    memory,
    pinpointing,
    readings,
    rendering,
    rulechecks,
    serving,
    swapped,
    trusts,
    verdicts,
)
from fleet.manifests import declared, layout
from fleet.model import findings, kinds, ledger, names, objects, snapshots
from fleet.plan import placement
from fleet.policy import leniency, loosening, policies
from fleet.policy.crds import customs
from fleet.policy.relations import check as relations
from fleet.ports import clock as clocks
from fleet.ports import renderer, repository, schemas, store
from fleet.ports import telemetry as observers

# Findings that even a decree cannot overlook: what they are about cannot be cut into slices, is another's, or would
# keep agents from ever being told otherwise.
NOT_BY_DECREE = frozenset({
    "tree", "yaml", "json", "fleet", "bundle", "kustomize", "plan", "ownership", "registration", "install", "trust",
})  # fmt: skip

_BY_NEW_RULES = "the next one is judged by the new rules alone"
_PolicySet = policies.PolicySet  # inside Judged the module's name is a field's
_Near = repository.Near


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One commit for one environment, and what it is held against beside its own rules."""

    environment: names.Environment
    commit: names.CommitId
    road: ledger.Road
    base: candidates.Accepted | None
    upstream: candidates.Upstream | None
    imagines: bool = (
        False  # a cluster, where none is registered: so that a laptop sees what one would say
    )
    by_own_rules: bool = False  # where no upstream can be named, and yet it had these rules first
    held: verdicts.Share | None = field(
        default=None, compare=False, repr=False
    )  # made of the base


@dataclass(slots=True, kw_only=True)
class Tools:
    repository: repository.Repository
    schemas: schemas.SchemaSource
    memo: store.Memo
    kustomize: renderer.Renderer | None
    telemetry: observers.Telemetry = observers.NOBODY
    clock: clocks.Clock | None = None  # where there is no hub, whose clock counts
    aside: memory.Aside = memory.inline
    crew: memory.Crew | None = None
    near: _Near | None = None  # where the repository is files on this disk
    versions: Mapping[str, str] = field(default_factory=dict)  # of what judges here, by name
    files: readings.Files = field(init=False)
    foreseen: verdicts.Foreseen = field(default_factory=verdicts.Foreseen)
    judged: "dict[names.Environment, Judged]" = field(default_factory=dict)  # the last of each

    def __post_init__(self) -> None:
        self.files = readings.Files(self.repository, self.memo, aside=self.aside, near=self.near)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """`findings` are all that the text gives rise to; the plan and the book may add theirs.

    What a waiver, a setting or the baseline makes of them is for `docket` to say, by the time at which it is asked.
    """

    question: Question
    commit: snapshots.Commit
    snapshot: snapshots.Snapshot = field(repr=False)
    ids: layout.Ids
    layout: layout.Layout
    base: declared.Declared | None = field(repr=False)
    declared: declared.Declared
    manifests: Mapping[names.Cluster, tuple[objects.Manifest, ...]] = field(repr=False)
    by_own_rules_alone: bool
    policies: names.Digest
    rulebook: _PolicySet = field(repr=False)
    renderers: tuple[str, ...]
    docket: leniency.Docket = field(repr=False)
    findings: tuple[findings.Finding, ...]
    runs: verdicts.Share = field(repr=False)  # as far as anyone asked what the objects replace

    @property
    def spec(self) -> kinds.EnvironmentSpec:
        """The settings that lead: those in force, at the very first those that come."""
        return self.base.spec if self.base else self.declared.spec

    @property
    def specs(self) -> tuple[kinds.EnvironmentSpec, ...]:
        """All settings that hold: those in force and those that come."""
        return (self.spec, self.declared.spec)

    @property
    def loosens(self) -> bool:
        """Whether it may let through what is denied today (rule 3)."""
        return any(each.rule == loosening.RULE for each in self.findings)


async def judge(question: Question, tools: Tools) -> Judged:
    """An environment's last question is not judged again, whatever else upstream accepts meanwhile."""
    kept = tools.judged.get(question.environment)
    if kept is None or not _is_answer(kept, question):
        kept = tools.judged[question.environment] = await _judge(question, tools)
    return kept


def _is_answer(judged: Judged, question: Question) -> bool:
    """Of upstream the judge asks only whether the candidate's rules came first there."""
    is_same = replace(judged.question, upstream=None) == replace(question, upstream=None)
    return is_same and _rules_came_first(question, judged.ids) == judged.by_own_rules_alone


async def _judge(question: Question, tools: Tools) -> Judged:
    with tools.telemetry.span("read", {"commit": question.commit}):
        reading = await _read(question.commit, question, tools)
    base = await _read(question.base.commit, question, tools) if question.base else None
    versions = tools.schemas.versions()
    if question.imagines:
        reading = imagined.with_clusters(reading, versions)
        base = base and imagined.with_clusters(base, versions)
    few, runs, crowd = await alike.gathered(reading, base, tools.files, versions)
    judged = await of_reading(question, few, runs, tools)
    if crowd is not None:
        spread = crowd.spread(judged.manifests, judged.runs, judged.docket, judged.findings)
        whole = base.declared if base else None
        judged = replace(judged, declared=reading.declared, base=whole, **spread)
    placed = await pinpointing.pinpointed(_placed(question, reading), reading, (), tools.files)
    return replace(judged, findings=_once((*judged.findings, *placed))) if placed else judged


async def of_reading(
    question: Question, reading: readings.Reading, base: readings.Reading | None, tools: Tools
) -> Judged:
    own = policies.parse(reading.declared.rules)
    bench = _bench(tools)
    with tools.telemetry.span("render", {"bundles": str(len(reading.declared.bundles))}):
        ahead = None if base else _foresight(question, reading, own, tools)
        served = await serving.served(reading, _kitchen(tools, ahead))
        rendered = served.rendered
    running = (
        serving.Running(reading, base, _judged_before(question, tools), _kitchen(tools))
        if base
        else None
    )
    previous = running.previous if running else verdicts.nothing
    with tools.telemetry.span("schema", {}):
        misshapen = await rulechecks.definitions(reading.declared.crds, bench)
        schemas, unknown = await _schemas(reading, served.brought, tools)
        misshapen += unknown
        share = {cluster: rendered.manifests[cluster] for cluster in schemas}
        misshapen += await verdicts.schema(share, schemas, previous, bench)
    with tools.telemetry.span("policy", {"policies": own.digest}):
        denied, docket = await _policy(question, reading, running, served, own, bench)
        bound = policies.for_environment(own, question.environment)
        denied += await rulechecks.check(bound, schemas, served.scopes, bench)
        if base is not None and running is not None:
            denied += trusts.unfollowed(base.declared, reading.declared, question.environment)
            denied += await swapped.check(reading, base, rendered, running.rendered)
    found = [*reading.findings, *rendered.findings, *own.findings, *misshapen, *denied]
    return Judged(
        question=question,
        commit=await tools.repository.commit(question.commit),
        snapshot=reading.snapshot,
        layout=reading.layout,
        ids=reading.ids,
        declared=reading.declared,
        base=base.declared if base else None,
        manifests=rendered.manifests,
        by_own_rules_alone=_rules_came_first(question, reading.ids),
        policies=own.digest,
        rulebook=own,
        renderers=(tools.kustomize.identity,) if tools.kustomize else (),
        docket=docket,
        findings=_once(await pinpointing.pinpointed(found, reading, rendered.traces, tools.files)),
        runs=running.told if running else {},
    )


def _judged_before(question: Question, tools: Tools) -> verdicts.Share | None:
    """What runs, where that is known: it is what was judged last, or was judged apart."""
    if question.held is not None:
        return question.held
    last = tools.judged.get(question.environment)
    if last is None or question.base is None or last.question.road != question.road:
        return None
    return last.manifests if last.question.commit == question.base.commit else None


def _placed(question: Question, reading: readings.Reading) -> tuple[findings.Finding, ...]:
    """An imagined cluster has no labels, so it says nothing about waves."""
    said = reading.declared
    if said.fleet is None:
        return ()
    known = [each.document for each in said.clusters if not imagined.is_one(each)]
    return placement.check(said.fleet, question.environment, known, said.fleet_place)


async def road_of(
    commit: names.CommitId, tools: Tools
) -> ledger.Road | tuple[findings.Finding, ...]:
    """The road by a commit's fleet.yaml, or what is wrong with that file."""
    found = await readings.fleet_file(commit, tools.repository, tools.files)
    if isinstance(found, findings.Finding):
        return (found,)
    fleet, faults = declared.fleet_of(found)
    return faults if fleet is None else declared.road_of(fleet)


async def ids(question: Question, tools: Tools) -> layout.Ids:
    """What a commit is, by content, rules and owned paths."""
    return await readings.ids(question.commit, _layout(question), tools.repository, tools.files)


async def _read(commit: names.CommitId, question: Question, tools: Tools) -> readings.Reading:
    return await readings.read(commit, _layout(question), tools.repository, tools.files)


def _layout(question: Question) -> layout.Layout:
    return layout.Layout(environment=question.environment, owned=question.road.owned)


def _kitchen(tools: Tools, ahead: foresight.Foresight | None = None) -> rendering.Kitchen:
    return rendering.Kitchen(
        files=tools.files,
        kustomize=tools.kustomize,
        memo=tools.memo,
        aside=tools.aside,
        ahead=ahead,
    )


def _bench(tools: Tools) -> verdicts.Bench:
    return verdicts.Bench(
        memo=tools.memo, aside=tools.aside, crew=tools.crew, foreseen=tools.foreseen
    )


def _foresight(
    question: Question, reading: readings.Reading, own: policies.PolicySet, tools: Tools
) -> foresight.Foresight | None:
    """Where nobody waits for an answer meanwhile, and nothing is replaced that verdicts could depend on."""
    if tools.crew is None:
        return None

    async def schemas(brought: customs.Customs) -> Mapping[names.Cluster, customs.Schemas]:
        return (await _schemas(reading, brought, tools))[0]

    return foresight.Foresight(
        said=reading.declared,
        rules=policies.for_environment(own, question.environment),
        files=tools.files,
        bench=_bench(tools),
        crew=tools.crew,
        schemas=schemas,
    )


async def _schemas(
    reading: readings.Reading, brought: customs.Customs, tools: Tools
) -> tuple[dict[names.Cluster, customs.Schemas], list[findings.Finding]]:
    """For the version of each cluster; a version that nobody has schemas for is a finding, never a pass."""
    by_version: dict[str, customs.Schemas] = {}
    chosen: dict[names.Cluster, customs.Schemas] = {}
    found: list[findings.Finding] = []
    for cluster in reading.declared.clusters:
        version = cluster.document.spec.kubernetes_version
        definitions = await tools.schemas.definitions(version)
        if definitions is None:
            found.append(_no_version(cluster, tools))
            continue
        if version not in by_version:
            by_version[version] = customs.Schemas(
                version=version,
                source=tools.schemas.identity,
                definitions=definitions,
                brought=brought,
            )
        chosen[names.Cluster(cluster.document.metadata.name)] = by_version[version]
    return chosen, found


async def _policy(
    question: Question,
    reading: readings.Reading,
    running: serving.Running | None,
    served: serving.Served,
    own: policies.PolicySet,
    bench: verdicts.Bench,
) -> tuple[list[findings.Finding], leniency.Docket]:
    base = running.reading if running is not None else None
    is_moved = base is not None and base.declared.rules != reading.declared.rules
    in_force = policies.parse(base.declared.rules) if base is not None and is_moved else own
    sets = [own] if _rules_came_first(question, reading.ids) else [own, in_force]
    previous = running.previous if running is not None else verdicts.nothing
    heard = await _heard(question, served, sets, previous, bench)
    by_own = heard[own.digest]
    docket = dockets.docket(
        reading, base, served.rendered, by_own, heard.get(in_force.digest, by_own)
    )
    if running is not None and dockets.wants_baseline(docket):
        standing = await _heard(question, await running.served(), sets, previous, bench)
        by_own = standing[own.digest]
        docket = dockets.with_standing(docket, by_own, standing.get(in_force.digest, by_own))
    found = [
        *(
            loosening.told(each, findings.Place(path="policies"), _BY_NEW_RULES)
            for each in loosening.loosenings(in_force, own)
        ),
        *dockets.loosenings(docket),
        *installing.faults(own, reading, served.scopes),
        *leniency.faults(docket, {*own.policies, *in_force.policies, *relations.NAMES}),
        *itertools.chain(*heard.values()),
    ]
    return found, docket


async def _heard(
    question: Question,
    served: serving.Served,
    sets: Iterable[policies.PolicySet],
    previous: verdicts.Previous,
    bench: verdicts.Bench,
) -> dict[names.Digest, list[findings.Finding]]:
    """What each set of rules has against what would run, by the set's digest; relations are rules of every set."""
    manifests = served.rendered.manifests
    related = await bench.aside(lambda: relations.check(manifests))
    heard = {}
    for each in {each.digest: each for each in sets}.values():
        bound = policies.for_environment(each, question.environment)
        court = (bound, served.scopes, served.brought, previous, bench)
        found = [
            *await verdicts.policy(manifests, *court),
            *await verdicts.deletions(manifests, *court),
        ]
        heard[each.digest] = [*found, *related]
    return heard


def _rules_came_first(question: Question, ids: layout.Ids) -> bool:
    candidate = candidates.Candidate(
        environment=question.environment,
        commit=question.commit,
        content=ids.content,
        rules=ids.rules,
        owned=ids.owned,
    )
    base = question.base
    if question.by_own_rules:
        return True
    return base is not None and lineage.rules_came_first(candidate, base, question.upstream)


def _no_version(cluster: declared.Declaration[kinds.Cluster], tools: Tools) -> findings.Finding:
    known = tools.schemas.versions()
    return findings.Finding(
        rule="schema",
        severity=findings.Severity.UNKNOWN,
        message=f"no schemas for Kubernetes {cluster.document.spec.kubernetes_version}",
        place=cluster.place,
        hint=f"known are {known[0]} to {known[-1]}",
        field=("spec", "kubernetesVersion"),
    )


def _once(found: Iterable[findings.Finding]) -> tuple[findings.Finding, ...]:
    """Each finding once, with the clusters of all, in the order of the files."""
    merged: dict[findings.Finding, set[names.Cluster]] = {}
    for each in found:
        merged.setdefault(replace(each, clusters=()), set()).update(each.clusters)
    once = (replace(each, clusters=tuple(sorted(c))) for each, c in merged.items())
    return tuple(sorted(once, key=lambda each: (each.place, each.rule, each.message)))
