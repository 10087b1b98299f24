"""Kustomizations, judged before the program runs: nothing remote, nothing outside, no plugins (threat 9)."""

import posixpath
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fleet.manifests import selection
from fleet.model import findings, objects, snapshots

# Fields whose entries are files or folders of the repository.
_PATHS = ("resources", "bases", "components", "crds", "configurations", "patchesStrategicMerge")
# Fields whose entries name a file in `path`.
_WITH_PATH = ("patches", "patchesJson6902", "replacements")
_GENERATORS = ("configMapGenerator", "secretGenerator")
# Fields that start programs, load plugins or fetch charts.
_FORBIDDEN = (
    "generators", "validators", "openapi",
    "helmCharts", "helmGlobals", "helmChartInflationGenerator",
)  # fmt: skip
# Of what `transformers` names, those that neither read a file nor start anything.
_TRANSFORMERS = frozenset({
    "AnnotationsTransformer", "ImageTagTransformer", "LabelTransformer", "NamespaceTransformer",
    "PrefixSuffixTransformer", "PrefixTransformer", "ReplicaCountTransformer", "SuffixTransformer",
})  # fmt: skip
# kustomize takes "Resources" for "resources" too. So only what is spelled as here is let through.
_KNOWN = {
    *_PATHS, *_WITH_PATH, *_GENERATORS, *_FORBIDDEN, "transformers",
    "apiVersion", "kind", "metadata", "namePrefix", "nameSuffix", "namespace", "commonLabels",
    "labels", "commonAnnotations", "images", "imageTags", "replicas", "vars", "generatorOptions",
    "sortOptions", "buildMetadata", "inventory",
}  # fmt: skip
_KNOWN_INSIDE = {
    "path", "patch", "target", "options", "source", "targets",
    "name", "namespace", "behavior", "type", "files", "literals", "envs", "env",
}  # fmt: skip
_REMOTE = ("://", "git@", "github.com/", "?ref=")
_LIMIT = 500  # kustomizations of one bundle


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """All files that rendering a folder can read, and what forbids rendering it."""

    paths: frozenset[str]
    transformers: frozenset[str]  # files among them that `transformer` has yet to judge
    findings: tuple[findings.Finding, ...]


Documents = Mapping[str, tuple[Any, objects.Source]]


def reach(folder: str, snapshot: snapshots.Snapshot, documents: Documents) -> Reach:
    """`documents` are the parsed kustomization files by path."""
    found: list[findings.Finding] = []
    paths: set[str] = set()
    transformers: set[str] = set()
    left, seen = [folder], set[str]()
    while left and len(seen) < _LIMIT:
        here = left.pop()
        if here in seen:
            continue
        seen.add(here)
        paths.update(entry.path for entry in snapshot.under(here))
        transformers |= _transformers(here, snapshot, documents)
        for inner, finding in _references(here, snapshot, documents):
            if finding is not None:
                found.append(finding)
            elif inner in snapshot.entries:
                paths.add(inner)
            else:
                left.append(inner)
    if left:
        found.append(_too_many(folder))
    return Reach(
        paths=frozenset(paths), transformers=frozenset(transformers), findings=tuple(found)
    )


def transformer(document: Any, data: bytes, source: objects.Source) -> Iterator[findings.Finding]:
    """What forbids a document that a kustomization names as a transformer."""
    said = document if isinstance(document, Mapping) else {}
    kind = said.get("kind")
    is_known = isinstance(kind, str) and kind in _TRANSFORMERS
    if said.get("apiVersion") != "builtin" or not is_known:
        yield _finding("a transformer that could run or read what nobody checked", (), source)
    elif b"<<" in data:  # its reader merges in another order than Kubernetes does
        yield _finding("a transformer is written without merge keys", (), source)


Reference = tuple[str, findings.Finding | None]


def _references(
    here: str, snapshot: snapshots.Snapshot, documents: Documents
) -> Iterator[Reference]:
    path = selection.kustomization(here, snapshot.entries)
    if path is None or path not in documents:
        return
    document, source = documents[path]
    if not isinstance(document, Mapping):
        yield "", _finding("a kustomization is one mapping", (), source)
        return
    yield from _misspelled(document, _KNOWN, (), source)
    for field in _FORBIDDEN:
        if document.get(field):
            yield "", _finding(f"{field} could run or fetch what nobody checked", (field,), source)
    yield from _read(here, document, source, snapshot.entries)


def _transformers(here: str, snapshot: snapshots.Snapshot, documents: Documents) -> set[str]:
    document = documents.get(selection.kustomization(here, snapshot.entries) or "", (None,))[0]
    listed = _listed(document, "transformers") if isinstance(document, Mapping) else []
    joined = (posixpath.join(here or ".", entry) for _, entry in listed if isinstance(entry, str))
    return {posixpath.normpath(each) for each in joined} & snapshot.entries.keys()


def _read(
    here: str, document: Mapping[str, Any], source: objects.Source, entries: Collection[str]
) -> Iterator[Reference]:
    """What the fields of one kustomization read."""
    for field in _PATHS:
        for place, entry in _listed(document, field):
            yield _reference(here, entry, (field, place), source)
    for place, entry in _listed(document, "transformers"):
        path, finding = _reference(here, entry, ("transformers", place), source)
        if finding is None and path not in entries:
            finding = _finding("a transformer is a file in here", ("transformers", place), source)
        yield path, finding
    for field in (*_WITH_PATH, *_GENERATORS):
        for place, entry in _listed(document, field):
            yield from _inside(here, entry, (field, place), source)


def _inside(
    here: str, entry: Any, field: tuple[str, ...], source: objects.Source
) -> Iterator[Reference]:
    """What one entry of patches, replacements or a generator reads."""
    if not isinstance(entry, Mapping):
        yield "", _finding(f"{field[0]} has an entry that is no mapping", field, source)
        return
    yield from _misspelled(entry, _KNOWN_INSIDE, field, source)
    for name in ("path", "env"):
        if entry.get(name):
            yield _reference(here, entry[name], (*field, name), source)
    for name in ("files", "envs"):
        for place, each in _listed(entry, name):
            file = each.rpartition("=")[2] if isinstance(each, str) else each
            yield _reference(here, file, (*field, name, place), source)


def _misspelled(
    document: Mapping[str, Any],
    known: Collection[str],
    field: tuple[str, ...],
    source: objects.Source,
) -> Iterator[Reference]:
    for key in document:
        if key not in known:
            message = f"{findings.escaped(key)} is no field of a kustomization that fleet knows"
            yield "", _finding(message, (*field, key), source)


def _listed(document: Mapping[str, Any], field: str) -> list[tuple[str, Any]]:
    """The entries of a field with their places; what is no list is the program's own error."""
    entries = document.get(field)
    return [(str(i), each) for i, each in enumerate(entries)] if isinstance(entries, list) else []


def _reference(here: str, entry: Any, field: tuple[str, ...], source: objects.Source) -> Reference:
    if not isinstance(entry, str):
        return "", _finding("a path is a text", field, source)
    # kustomize tries an inline patch as a path first, so that must not lead out either
    is_inline = field[0] == "patchesStrategicMerge" and "\n" in entry
    if not is_inline and any(mark in entry for mark in _REMOTE):
        return "", _finding(f"{findings.escaped(entry)} is remote", field, source)
    if entry.startswith(("/", "-")) or not (is_inline or entry.isprintable()):
        return "", _finding(f"{findings.escaped(entry)} is not a path in here", field, source)
    path = posixpath.normpath(posixpath.join(here or ".", entry))
    if path == ".." or path.startswith("../"):
        return "", _finding(f"{findings.escaped(entry)} leads out of here", field, source)
    return (here if is_inline else "" if path == "." else path), None


def _too_many(folder: str) -> findings.Finding:
    place = findings.Place(path=folder or ".")
    message = f"more than {_LIMIT} kustomizations in one bundle"
    return findings.deny("kustomize", place, message, hint="split the bundle")


def _finding(message: str, field: tuple[str, ...], source: objects.Source) -> findings.Finding:
    return findings.Finding(
        rule="kustomize",
        severity=findings.Severity.DENY,
        message=message,
        place=source.place,
        hint="keep everything that is rendered inside the repository, as plain files",
        field=field,
    )
