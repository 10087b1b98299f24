"""The judge: everything that is wrong with a commit for one environment. No book is asked, so a laptop can judge too.

A candidate is held against its own rules and against those in force (rule 3): a tightening works at once, a loosening
from the next commit on.
"""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from fleet.gate import candidates, lineage
from fleet.hub import (
    alike,
    dockets,
    installing,
    memory,
    pinpointing,
    readings,
    rendering,
    rulechecks,
    swapped,
    verdicts,
)
from fleet.manifests import declared, layout, scopes, tree
from fleet.manifests.schemas import validate
from fleet.model import findings, kinds, ledger, names, objects, snapshots
from fleet.policy import leniency, loosening, policies
from fleet.policy.crds import customs
from fleet.policy.relations import check as relations
from fleet.ports import clock as clocks
from fleet.ports import renderer, repository, schemas, store
from fleet.ports import telemetry as observers

# Findings that even a decree cannot overlook: what they are about cannot be cut into slices, is another's, or would
# keep agents from ever being told otherwise.
NOT_BY_DECREE = frozenset({
    "tree", "yaml", "json", "fleet", "bundle", "kustomize", "plan", "ownership", "registration", "install",
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
    files: readings.Files = field(init=False)
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

    @property
    def spec(self) -> kinds.EnvironmentSpec:
        """The settings that lead: those in force, at the very first those that come."""
        return self.base.spec if self.base else self.declared.spec

    @property
    def specs(self) -> tuple[kinds.EnvironmentSpec, ...]:
        """All settings that hold: those in force and those that come."""
        return (self.spec, self.declared.spec)


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
    if question.imagines:
        reading = with_clusters(reading, tools)
    base = await _read(question.base.commit, question, tools) if question.base else None
    few, crowd = await alike.gathered(reading, base, tools.files, tools.schemas.versions())
    judged = await of_reading(question, few, base, tools)
    if crowd is None:
        return judged
    spread = crowd.spread(judged.manifests, judged.docket, judged.findings)
    return replace(judged, declared=reading.declared, **spread)


async def of_reading(
    question: Question, reading: readings.Reading, base: readings.Reading | None, tools: Tools
) -> Judged:
    with tools.telemetry.span("render", {"bundles": str(len(reading.declared.bundles))}):
        served = await _served(reading, tools)
        rendered = served.rendered
    running = _Running(_on_clusters_of(reading, base), tools) if base else None
    own = policies.parse(reading.declared.rules)
    with tools.telemetry.span("schema", {}):
        schemas, misshapen = await _schemas(reading, served, tools)
        share = {cluster: rendered.manifests[cluster] for cluster in schemas}
        misshapen += await verdicts.schema(share, schemas, _bench(tools))
    with tools.telemetry.span("policy", {"policies": own.digest}):
        denied, docket = await _policy(question, reading, running, served, own, tools)
        bound = policies.for_environment(own, question.environment)
        denied += await rulechecks.check(bound, schemas, served.scopes, _bench(tools))
        if base is not None and running is not None:
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
    )


IMAGINED = "any-cluster"


def with_clusters(reading: readings.Reading, tools: Tools) -> readings.Reading:
    """Its own, or one that is imagined where it has none."""
    said = reading.declared
    if said.clusters:
        return reading
    return replace(
        reading,
        declared=replace(said, clusters=(imagined(IMAGINED, tools.schemas.versions()[-1]),)),
    )


def imagined(name: str, version: str) -> declared.Declaration[kinds.Cluster]:
    """As if a cluster without labels, of that version of Kubernetes, were registered."""
    spec = {"uid": name, "publicKey": "", "proof": "", "kubernetesVersion": version}
    document = kinds.Cluster.model_validate(
        {
            "apiVersion": kinds.API_VERSION,
            "kind": "Cluster",
            "metadata": {"name": name},
            "spec": spec,
        }
    )
    return declared.Declaration(document=document, place=findings.Place(path=declared.FLEET_FILE))


async def road_of(
    commit: names.CommitId, tools: Tools
) -> ledger.Road | tuple[findings.Finding, ...]:
    """The road by a commit's fleet.yaml, or what is wrong with that file."""
    entry = (await tools.repository.snapshot(commit)).entries.get(declared.FLEET_FILE)
    if entry is None or entry.size > tree.Limits().file_size or entry.mode != snapshots.FILE:
        place = findings.Place(path=declared.FLEET_FILE)
        return (findings.deny("fleet", place, "it is not there", hint="fleet init"),)
    parsed = (await tools.files.parsed([entry]))[entry.path]
    found, faults = declared.fleet_of(parsed)
    return faults if found is None else declared.road_of(found)


async def ids(question: Question, tools: Tools) -> layout.Ids:
    """What a commit is, by content, rules and owned paths."""
    return (await _read(question.commit, question, tools)).ids


async def _read(commit: names.CommitId, question: Question, tools: Tools) -> readings.Reading:
    where = layout.Layout(environment=question.environment, owned=question.road.owned)
    return await readings.read(commit, where, tools.repository, tools.files)


def _kitchen(tools: Tools) -> rendering.Kitchen:
    return rendering.Kitchen(
        files=tools.files, kustomize=tools.kustomize, memo=tools.memo, aside=tools.aside
    )


def _bench(tools: Tools) -> verdicts.Bench:
    return verdicts.Bench(memo=tools.memo, aside=tools.aside, crew=tools.crew)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Served:
    """What clusters would run, and the kinds that its CRDs bring."""

    rendered: rendering.Rendered = field(repr=False)
    scopes: scopes.Scopes
    brought: customs.Customs


async def _served(reading: readings.Reading, tools: Tools) -> _Served:
    rendered = await rendering.render(reading, _kitchen(tools))
    crds = crds_of(reading.declared, rendered.manifests)
    return _Served(rendered=rendered, scopes=scopes.scopes(crds), brought=customs.Customs(crds))


class _Running:
    """What runs, on the clusters that the candidate knows: worked out when somebody asks for it, and once."""

    def __init__(self, reading: readings.Reading, tools: Tools) -> None:
        self.reading = reading
        self._tools = tools
        self._served: _Served | None = None

    async def served(self) -> _Served:
        if self._served is None:
            self._served = await _served(self.reading, self._tools)
        return self._served

    async def rendered(self) -> rendering.Rendered:
        return (await self.served()).rendered


async def _schemas(
    reading: readings.Reading, served: _Served, tools: Tools
) -> tuple[dict[names.Cluster, validate.Schemas], list[findings.Finding]]:
    """For the version of each cluster; a version that nobody has schemas for is a finding, never a pass."""
    by_version: dict[str, validate.Schemas] = {}
    chosen: dict[names.Cluster, validate.Schemas] = {}
    found = await rulechecks.definitions(reading.declared.crds, _bench(tools))
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
                brought=served.brought,
            )
        chosen[names.Cluster(cluster.document.metadata.name)] = by_version[version]
    return chosen, found


async def _policy(
    question: Question,
    reading: readings.Reading,
    running: _Running | None,
    served: _Served,
    own: policies.PolicySet,
    tools: Tools,
) -> tuple[list[findings.Finding], leniency.Docket]:
    base = running.reading if running is not None else None
    is_moved = base is not None and base.declared.rules != reading.declared.rules
    in_force = policies.parse(base.declared.rules) if base is not None and is_moved else own
    sets = [own] if _rules_came_first(question, reading.ids) else [own, in_force]
    heard = await _heard(question, served, sets, tools)
    by_own = heard[own.digest]
    docket = dockets.docket(
        reading, base, served.rendered, by_own, heard.get(in_force.digest, by_own)
    )
    if running is not None and dockets.wants_baseline(docket):
        standing = await _heard(question, await running.served(), sets, tools)
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


def _on_clusters_of(reading: readings.Reading, base: readings.Reading) -> readings.Reading:
    """What runs, as the clusters that the candidate knows would get it: also those that come."""
    return replace(base, declared=replace(base.declared, clusters=reading.declared.clusters))


async def _heard(
    question: Question,
    served: _Served,
    sets: Iterable[policies.PolicySet],
    tools: Tools,
) -> dict[names.Digest, list[findings.Finding]]:
    """What each set of rules has against what would run, by the set's digest; relations are rules of every set."""
    manifests = served.rendered.manifests
    related = await tools.aside(lambda: relations.check(manifests))
    return {
        digest: [
            *await verdicts.policy(
                manifests,
                each,
                question.environment,
                served.scopes,
                served.brought,
                _bench(tools),
            ),
            *related,
        ]
        for digest, each in {each.digest: each for each in sets}.items()
    }


def _rules_came_first(question: Question, ids: layout.Ids) -> bool:
    candidate = candidates.Candidate(
        environment=question.environment,
        commit=question.commit,
        content=ids.content,
        rules=ids.rules,
        owned=ids.owned,
    )
    base = question.base
    return base is not None and lineage.rules_came_first(candidate, base, question.upstream)


def crds_of(
    said: declared.Declared, manifests: Mapping[names.Cluster, tuple[objects.Manifest, ...]]
) -> list[Mapping[str, object]]:
    unique = {
        each.digest: each.body
        for share in manifests.values()
        for each in share
        if each.key.kind == "CustomResourceDefinition"
    }
    return [*(each.value for each in said.crds), *unique.values()]


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
