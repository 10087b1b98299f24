"""Bundles as manifests: each rendered as seldom as its inputs allow, then given to its clusters."""

import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fleet.judge import installing, keeping, memory, needs, readings, substitution
from fleet.manifests import (
    declared,
    kustomizations,
    objects,
    origins,
    parse,
    scopes,
    selection,
    tracing,
)
from fleet.model import findings, json_values, kinds, names, sharing
from fleet.model import objects as words
from fleet.ports import renderer, store


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What each cluster would run, unjudged."""

    manifests: Mapping[names.Cluster, tuple[words.Manifest, ...]]
    findings: tuple[findings.Finding, ...]
    traces: tuple[tracing.Trace, ...]  # of what a program printed


@dataclass(frozen=True, slots=True, kw_only=True)
class Kitchen:
    """What rendering needs from outside."""

    files: readings.Files
    kustomize: renderer.Renderer | None
    memo: store.Memo
    aside: memory.Aside = memory.inline
    ahead: keeping.Ahead | None = None


Documents = list[tuple[Any, words.Source]]
Cooked = tuple[Documents, list[findings.Finding], list[tracing.Trace]]
_YAML = (".yaml", ".yml")


async def render(reading: readings.Reading, kitchen: Kitchen) -> Rendered:
    said = reading.declared
    read, found, traces = await _all_documents(reading, kitchen)
    crds = [*(each.value for each in said.crds), *_crds(each.documents for each in read)]
    known = scopes.scopes(crds)
    shares: dict[names.Cluster, list[words.Manifest]] = {
        names.Cluster(each.document.metadata.name): [] for each in said.clusters
    }
    for each in read:
        for clusters, part in await _parts(each, reading, kitchen, known):
            found += [replace(fault, clusters=clusters) for fault in part.findings]
            for cluster in clusters:
                shares[cluster] += part.manifests
    rules = installing.read(reading, known)
    found += rules.findings
    whole = {cluster: (*share, *rules.manifests) for cluster, share in shares.items()}
    found += _claims(whole)
    return Rendered(
        manifests=whole,
        findings=tuple(found),
        traces=tuple(traces),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """One bundle as documents, less those of which the objects are kept."""

    bundle: selection.Bundle
    documents: Documents
    kept: keeping.Bundle | None


async def _all_documents(
    reading: readings.Reading, kitchen: Kitchen
) -> tuple[list[_Read], list[findings.Finding], list[tracing.Trace]]:
    said = reading.declared
    found = list(selection.check(said.bundles, reading.shared))
    traced: list[tracing.Trace] = []
    broken = {each.place.path for each in found}
    sound = [each for each in said.bundles if each.place.path not in broken]
    folders = selection.Folders(said.bundles)
    asked = dict(_at_hand(sound, folders, reading, kitchen))
    cooked = {
        each.place.path: await _documents(each, folders, reading, kitchen)
        for each in sound
        if each.place.path not in asked
    }
    others = [
        _Read(bundle=each, documents=cooked[each.place.path][0], kept=None)
        for each in sound
        if each.place.path in cooked
    ]
    shelf = await _shelf(asked, others, reading, kitchen)
    read: list[_Read] = []
    for bundle in sound:
        kept = shelf.get(bundle.place.path)
        if kept is not None:
            documents, faults = kept.fresh()
        else:
            documents, faults, traces = cooked[bundle.place.path]
            traced += _reaching(traces, selection.targets(bundle, said.clusters))
        if not documents and not faults and not (kept and kept.is_known):
            faults = [_cannot(bundle, "there is not one object in it")]
        read.append(_Read(bundle=bundle, documents=documents, kept=kept))
        found += faults
    return read, found, traced


def _at_hand(
    bundles: Iterable[selection.Bundle],
    folders: selection.Folders,
    reading: readings.Reading,
    kitchen: Kitchen,
) -> Iterator[tuple[str, keeping.Asked]]:
    """The plain bundles whose files are at hand, by the place that declares them."""
    for bundle in bundles:
        is_plain = selection.renderer(bundle, reading.snapshot.entries) is selection.Renderer.PLAIN
        if is_plain and not bundle.document.spec.substitute:
            paths = folders.plain_files(bundle, reading.shared)
            entries = tuple([reading.snapshot.entries[path] for path in paths])
            if kitchen.files.are_near(entries):
                yield (
                    bundle.place.path,
                    keeping.Asked(
                        origin=_origin(bundle, scopes.scopes([])),
                        entries=entries,
                        clusters=_named(selection.targets(bundle, reading.declared.clusters)),
                    ),
                )


async def _shelf(
    asked: Mapping[str, keeping.Asked],
    others: Iterable[_Read],
    reading: readings.Reading,
    kitchen: Kitchen,
) -> dict[str, keeping.Bundle]:
    known = scopes.scopes([])  # what it says of kinds that CRDs bring is not asked
    ground = []
    for each in others if kitchen.ahead is not None else ():
        telling = [pair for pair in each.documents if keeping.is_ground(pair[0])]
        told = replace(each, documents=telling)
        ground += [
            keeping.Ground(
                clusters=frozenset(clusters),
                written=tuple(value for value, _ in telling),
                manifests=part.manifests,
            )
            for clusters, part in await _parts(told, reading, kitchen, known)
        ]
    return await keeping.look_up(asked, kitchen.files, kitchen.memo, kitchen.ahead, ground)


def _named(clusters: Iterable[selection.Cluster]) -> frozenset[names.Cluster]:
    return frozenset(names.Cluster(each.document.metadata.name) for each in clusters)


def _reaching(
    traces: Iterable[tracing.Trace], clusters: Iterable[selection.Cluster]
) -> Iterator[tracing.Trace]:
    named = _named(clusters)
    return (replace(each, clusters=named) for each in traces)


async def _documents(
    bundle: selection.Bundle,
    folders: selection.Folders,
    reading: readings.Reading,
    kitchen: Kitchen,
) -> Cooked:
    if selection.renderer(bundle, reading.snapshot.entries) is selection.Renderer.KUSTOMIZE:
        return await _kustomized(bundle, reading, kitchen)
    paths = folders.plain_files(bundle, reading.shared)
    parsed = await kitchen.files.parsed(reading.snapshot.entries[path] for path in paths)
    faults = [finding for each in parsed.values() for finding in each.findings]
    return [pair for each in parsed.values() for pair in readings.sourced(each)], faults, []


async def _kustomized(
    bundle: selection.Bundle, reading: readings.Reading, kitchen: Kitchen
) -> Cooked:
    where = selection.folder(bundle)
    shared = reading.shared
    parsed = await needs.parsed_kustomizations(shared, kitchen.files)
    found = {path: readings.only(each) for path, each in parsed.items()}
    reach = kustomizations.reach(where, shared, found)
    live = sorted(reach.paths)
    faults = [*reach.findings, *(f for p in live if p in parsed for f in parsed[p].findings)]
    faults += await _pointers(live, reading, kitchen)
    faults += await _transformers(reach.transformers, reading, kitchen)
    if kitchen.kustomize is None and not faults:
        faults = [_cannot(bundle, "there is no kustomize program here")]
    if faults or kitchen.kustomize is None:
        return [], faults, []
    stream = await _stream(where, live, reading, kitchen, kitchen.kustomize)
    if not isinstance(stream, bytes):
        return [], [replace(each, place=bundle.place) for each in stream], []
    out = parse.documents(stream, f"{where}/(rendered)", names.BlobId(""))
    bodies = [each.value for each in out.documents]
    traces = await _traces(where, bodies, live, found, reading, kitchen)
    return [(each.body, each.source) for each in traces], list(out.findings), traces


async def _pointers(
    paths: Iterable[str], reading: readings.Reading, kitchen: Kitchen
) -> list[findings.Finding]:
    contents = await kitchen.files.contents(reading.snapshot.entries[path] for path in paths)
    found = (readings.pointer(path, data) for path, data in contents.items())
    return [each for each in found if each is not None]


async def _transformers(
    paths: Iterable[str], reading: readings.Reading, kitchen: Kitchen
) -> list[findings.Finding]:
    entries = [reading.snapshot.entries[path] for path in sorted(paths)]
    contents = await kitchen.files.contents(entries)
    parsed = await kitchen.files.parsed(entries)
    found = [finding for each in parsed.values() for finding in each.findings]
    for path, each in parsed.items():
        for document, source in readings.sourced(each):
            found += kustomizations.transformer(document, contents[path], source)
    return found


async def _stream(
    where: str,
    paths: Sequence[str],
    reading: readings.Reading,
    kitchen: Kitchen,
    program: renderer.Renderer,
) -> bytes | tuple[findings.Finding, ...]:
    entries = {path: reading.snapshot.entries[path] for path in sorted(paths)}
    inputs = [[path, entry.mode, entry.blob] for path, entry in entries.items()]
    key = "kustomize/" + json_values.digest([program.identity, where, inputs])
    known = await kitchen.memo.recall([key])
    if key in known:
        return known[key]
    stream = await program.render(await kitchen.files.contents(entries.values()), where)
    if isinstance(stream, bytes):
        await kitchen.memo.remember({key: stream})
    return stream


async def _traces(
    where: str,
    bodies: Iterable[Any],
    reach: Iterable[str],
    found: Mapping[str, tuple[Any, words.Source]],
    reading: readings.Reading,
    kitchen: Kitchen,
) -> list[tracing.Trace]:
    """Where each rendered object was written; where that cannot be told, the kustomization."""
    entries = reading.shared.entries
    listed = (entries[path] for path in reach if path in entries and path.endswith(_YAML))
    files = origins.Files(
        kustomizations=found, parsed=await kitchen.files.parsed(listed), entries=entries
    )
    known = origins.read(where, files)
    fallback = found[selection.kustomization(where, entries) or ""][1]
    return [tracing.begin(body, origins.find(known, body), fallback) for body in bodies]


def _origin(bundle: selection.Bundle, known: scopes.Scopes) -> objects.Origin:
    spec = bundle.document.spec
    return objects.Origin(
        bundle=names.Bundle(bundle.document.metadata.name),
        namespace=spec.namespace or "",
        takeover=spec.takeover,
        scopes=known,
    )


async def _parts(
    read: _Read, reading: readings.Reading, kitchen: Kitchen, known: scopes.Scopes
) -> list[tuple[tuple[names.Cluster, ...], objects.Read]]:
    """The bundle's manifests, once for all clusters that get the same."""
    bundle, documents, kept = read.bundle, read.documents, read.kept
    origin = _origin(bundle, known)
    targets = selection.targets(bundle, reading.declared.clusters)
    named = tuple(names.Cluster(each.document.metadata.name) for each in targets)
    if not named:
        return []
    if kept is not None:
        return [(named, await keeping.read(kept, known, kitchen.memo, kitchen.aside))]
    if not bundle.document.spec.substitute:
        return [(named, await kitchen.aside(lambda: objects.read(documents, origin)))]
    shared, faults = await _values(bundle, reading, kitchen)
    pieces = substitution.pieces(documents, origin)
    groups: dict[tuple[str | None, ...], tuple[list[names.Cluster], objects.Read]] = {}
    used: tuple[str, ...] | None = None
    for name, cluster in zip(named, targets, strict=True):
        values = substitution.values(cluster.document, bundle.document, shared, reading.layout)
        if used is not None and (same := groups.get(tuple(map(values.get, used)))):
            same[0].append(name)
            continue
        part, asked = await kitchen.aside(
            lambda own=values: substitution.filled(pieces, own, origin)  # type: ignore[misc]  # bound here
        )
        used = tuple(sorted(asked))
        with_faults = replace(part, findings=(*faults, *part.findings))
        groups[tuple(map(values.get, used))] = [name], with_faults
    return [(tuple(clusters), part) for clusters, part in groups.values()]


async def _values(
    bundle: selection.Bundle, reading: readings.Reading, kitchen: Kitchen
) -> tuple[dict[str, str], list[findings.Finding]]:
    """The variables from the bundle's files of values; a file that is not there gives none."""
    found: dict[str, str] = {}
    faults: list[findings.Finding] = []
    for path, is_allowed in selection.values_paths(
        bundle, reading.layout.environment, reading.layout
    ):
        entry = reading.snapshot.entries.get(path)
        if entry is None or not is_allowed:
            faults.append(_cannot(bundle, f"values names {path}, which is not here"))
            continue
        parsed = (await kitchen.files.parsed([entry]))[path]
        faults += parsed.findings
        for document in parsed.documents:
            if isinstance(document.value, dict):
                found |= {k: v for k, v in document.value.items() if isinstance(v, str)}
                odd = [k for k, v in document.value.items() if not isinstance(v, str)]
                faults += [_not_text(path, document.line, key) for key in odd]
    return found, faults


def _claims(shares: Mapping[names.Cluster, tuple[words.Manifest, ...]]) -> list[findings.Finding]:
    """Objects that two bundles claim, each named once with all the clusters where they meet."""
    met: dict[findings.Finding, list[names.Cluster]] = {}
    keys = sharing.Numbers(operator.attrgetter("key"))
    for cluster, manifests in shares.items():
        if len(set(keys.of(manifests))) == len(manifests):
            continue
        for finding in objects.duplicates(manifests):
            met.setdefault(finding, []).append(cluster)
    return [replace(each, clusters=tuple(clusters)) for each, clusters in met.items()]


def _crds(read: Iterable[Documents]) -> Iterable[Mapping[str, Any]]:
    for documents in read:
        for value, _ in documents:
            if isinstance(value, dict) and value.get("kind") == "CustomResourceDefinition":
                yield value


def _not_text(path: str, line: int, key: str) -> findings.Finding:
    return findings.Finding(
        rule="variables",
        severity=findings.Severity.DENY,
        message=f"{findings.escaped(key)} is no text: write it in quotes",
        place=findings.Place(path=path, line=line),
        field=(key,),
    )


def _cannot(bundle: declared.Declaration[kinds.Bundle], message: str) -> findings.Finding:
    return findings.deny("bundle", bundle.place, message)
