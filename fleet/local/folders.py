"""The hub's judge on manifests that are no fleet: plain files and kustomizations, against policies from anywhere.

What has no namespace is judged as in `default`. Each kustomization that no other leads to stands for itself, so two
overlays of one base are no duplicates.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from fleet.judge import imagined, judging, readings
from fleet.local import offline
from fleet.manifests import declared, folders, layout, parse, selection, tree
from fleet.model import errors, findings, kinds, ledger, names, snapshots
from fleet.policy import coverage, policies, unreached

_ANY = names.Environment("any")
_PATIENT = frozenset({"ownership"})  # of files that may well be variants of each other


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    commit: names.CommitId
    rules: Mapping[str, snapshots.Entry]
    version: str  # of Kubernetes; "" = the newest that is known
    environment: str  # whose bindings count; "" = only those of every environment


async def check(asked: Asked, tools: judging.Tools) -> tuple[offline.Verdict, ...]:
    """One verdict for plain files, one for kustomizations. Raises errors.InputError where nothing can be judged."""
    version = asked.version or tools.schemas.versions()[-1]
    if version not in tools.schemas.versions():
        known = tools.schemas.versions()
        hint = f"known are {known[0]} to {known[-1]}"
        raise errors.InputError(f"no schemas for Kubernetes {version}", hint=hint)
    snapshot = await tools.repository.snapshot(asked.commit)
    parsed = await tools.files.parsed(
        entry for path, entry in snapshot.entries.items() if _is_kustomization(path, snapshot)
    )
    parts = folders.parts(snapshot, {path: readings.only(each) for path, each in parsed.items()})
    rules = await tools.files.parsed(asked.rules.values())
    plain, others = await _plain(snapshot, parts, tools)
    verdicts = []
    if plain.entries or not parts.roots:
        bundles = [folders.bundle("plain", "", folders.cluster(0))] if plain.entries else []
        verdicts.append(await _verdict(asked, version, plain, bundles, rules, tools))
    if parts.roots:
        bundles = [
            folders.bundle(f"kustomization-{n}", folder, folders.cluster(n))
            for n, folder in enumerate(parts.roots)
        ]
        verdicts.append(await _verdict(asked, version, snapshot, bundles, rules, tools))
    return tuple(replace(each, findings=(*others, *each.findings)) for each in verdicts)


def _is_kustomization(path: str, snapshot: snapshots.Snapshot) -> bool:
    return path == selection.kustomization(path.rpartition("/")[0], snapshot.entries)


async def _plain(
    snapshot: snapshots.Snapshot, parts: folders.Parts, tools: judging.Tools
) -> tuple[snapshots.Snapshot, list[findings.Finding]]:
    """The files that hold manifests, and a word on those that hold none."""
    parsed = await tools.files.parsed(snapshot.entries[path] for path in parts.plain)
    entries = {
        path: snapshot.entries[path] for path, each in parsed.items() if folders.is_manifest(each)
    }
    others = [_no_manifest(path) for path in parsed if path not in entries]
    return snapshots.Snapshot(commit=snapshot.commit, entries=entries), others


def _no_manifest(path: str) -> findings.Finding:
    return findings.Finding(
        rule="manifest",
        severity=findings.Severity.AUDIT,
        message="no Kubernetes manifest: neither apiVersion nor kind is in it, so it is not judged",
        place=findings.Place(path=path),
    )


async def _verdict(
    asked: Asked,
    version: str,
    snapshot: snapshots.Snapshot,
    bundles: list[declared.Declaration[kinds.Bundle]],
    rules: Mapping[str, parse.Parsed],
    tools: judging.Tools,
) -> offline.Verdict:
    environment = names.Environment(asked.environment or _ANY)
    clusters = tuple(
        imagined.cluster(folders.cluster(number), version) for number, _ in enumerate(bundles)
    )
    said = declared.Declared(
        fleet=None,
        spec=kinds.EnvironmentSpec(name=environment),
        clusters=clusters,
        bundles=tuple(bundles),
        permits=(),
        waivers=(),
        rules=folders.rules(rules.values()),
        findings=(),
    )
    odd = tree.check(snapshot)
    reading = readings.Reading(
        snapshot=replace(snapshot, entries={**asked.rules, **snapshot.entries}),
        shared=snapshot if not odd else replace(snapshot, entries={}),
        layout=layout.Layout(environment=environment, owned=layout.OWNED),
        ids=readings.NO_IDS,
        parsed={},
        declared=said if not odd else replace(said, bundles=()),
        findings=(*odd, *(finding for each in rules.values() for finding in each.findings)),
    )
    question = judging.Question(
        environment=environment,
        commit=asked.commit,
        road=ledger.Road(steps=(), owned=layout.OWNED),
        base=None,
        upstream=None,
    )
    judged = await judging.of_reading(question, reading, None, tools)
    counted = offline.counted(judged)
    found = (*_eased(judged.findings), *_unreached(judged, counted))
    return offline.Verdict(
        environment=environment,
        judged=judged,
        findings=found,
        passed=coverage.passed(counted, found),
        assumed=(f"Kubernetes {version}", f"namespace {folders.NAMESPACE} where none is named"),
    )


def _unreached(judged: judging.Judged, counted: coverage.Judged) -> Iterable[findings.Finding]:
    """Nobody knows the Namespaces of a cluster that is none: what depends on them is said."""
    manifests = (each for share in judged.manifests.values() for each in share)
    bound = policies.for_environment(judged.rulebook, judged.question.environment)
    reached = {rule for rule, _ in counted}
    return unreached.check(manifests, bound, offline.kinds_of(judged), reached)


def _eased(found: Iterable[findings.Finding]) -> Iterable[findings.Finding]:
    """No cluster is named, since there is none; an object that is there twice is worth a warning."""
    for each in found:
        is_patient = each.rule in _PATIENT and each.severity is findings.Severity.DENY
        severity = findings.Severity.WARN if is_patient else each.severity
        yield replace(each, clusters=(), severity=severity)
