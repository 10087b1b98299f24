"""Kustomizations, judged before the program runs: nothing remote, nothing outside, no plugins (threat 9)."""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fleet.manifests import selection
from fleet.model import findings, objects, snapshots

# Fields whose entries are files or folders of the repository.
_PATHS = ("resources", "bases", "components", "crds", "configurations", "patchesStrategicMerge")
# Fields that start programs, load plugins or fetch charts.
_FORBIDDEN = ("generators", "transformers", "validators", "helmCharts", "helmGlobals", "openapi")
_REMOTE = ("://", "git@", "github.com/", "?ref=")
_LIMIT = 500  # kustomizations of one bundle


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """All files that rendering a folder can read, and what forbids rendering it."""

    paths: frozenset[str]
    findings: tuple[findings.Finding, ...]


def reach(
    folder: str,
    snapshot: snapshots.Snapshot,
    documents: Mapping[str, tuple[Mapping[str, Any], objects.Source]],
) -> Reach:
    """`documents` are the parsed kustomization files by path."""
    found: list[findings.Finding] = []
    paths: set[str] = set()
    left, seen = [folder], set[str]()
    while left and len(seen) < _LIMIT:
        here = left.pop()
        if here in seen:
            continue
        seen.add(here)
        paths.update(entry.path for entry in snapshot.under(here))
        path = selection.kustomization(here, snapshot.entries)
        if path is None or path not in documents:
            continue
        for inner, finding in _references(here, *documents[path]):
            if finding is not None:
                found.append(finding)
            elif inner in snapshot.entries:
                paths.add(inner)
            else:
                left.append(inner)
    return Reach(paths=frozenset(paths), findings=tuple(found))


def _references(
    here: str, document: Mapping[str, Any], source: objects.Source
) -> Iterator[tuple[str, findings.Finding | None]]:
    for field in _FORBIDDEN:
        if document.get(field):
            yield "", _finding(f"{field} could run or fetch what nobody checked", (field,), source)
    for field in _PATHS:
        for place, entry in enumerate(document.get(field) or ()):
            yield _reference(here, entry, (field, str(place)), source)
    for field in ("patches", "replacements"):
        for place, entry in enumerate(document.get(field) or ()):
            if isinstance(entry, Mapping) and entry.get("path"):
                yield _reference(here, entry["path"], (field, str(place), "path"), source)
    yield from _generated(here, document, source)


def _generated(
    here: str, document: Mapping[str, Any], source: objects.Source
) -> Iterator[tuple[str, findings.Finding | None]]:
    for field in ("configMapGenerator", "secretGenerator"):
        for place, generator in enumerate(document.get(field) or ()):
            if not isinstance(generator, Mapping):
                continue
            listed = [*(generator.get("files") or ()), *(generator.get("envs") or ())]
            listed += [generator["env"]] if generator.get("env") else []
            for entry in listed:
                file = str(entry).rpartition("=")[2]
                yield _reference(here, file, (field, str(place)), source)


def _reference(
    here: str, entry: Any, field: tuple[str, ...], source: objects.Source
) -> tuple[str, findings.Finding | None]:
    if not isinstance(entry, str) or "\n" in entry:
        return here, None  # an inline patch
    if any(mark in entry for mark in _REMOTE):
        return "", _finding(f"{findings.escaped(entry)} is remote", field, source)
    if entry.startswith(("/", "-")):
        return "", _finding(f"{findings.escaped(entry)} is not a path in here", field, source)
    path = posixpath.normpath(posixpath.join(here or ".", entry))
    if path.startswith(".."):
        return "", _finding(f"{findings.escaped(entry)} leads out of here", field, source)
    return ("" if path == "." else path), None


def _finding(message: str, field: tuple[str, ...], source: objects.Source) -> findings.Finding:
    return findings.Finding(
        rule="kustomize",
        severity=findings.Severity.DENY,
        message=message,
        place=source.place,
        hint="keep everything that is rendered inside the repository, as plain files",
        field=field,
    )
