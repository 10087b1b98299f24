"""Which bundles go to which clusters, and which files a bundle has."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import Enum

from fleet.manifests import declared, layout
from fleet.model import findings, kinds, names, snapshots

_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_MANIFESTS = (".yaml", ".yml", ".json")
_ENVIRONMENT = "{environment}"

Bundle = declared.Declaration[kinds.Bundle]
Cluster = declared.Declaration[kinds.Cluster]


class Renderer(Enum):
    PLAIN = "plain"
    KUSTOMIZE = "kustomize"
    HELM = "helm"  # not yet: its place is here


def folder(bundle: Bundle) -> str:
    """The folder of the bundle's manifests; "" = the top. Leading out of the repository gives ".."."""
    path = bundle.document.spec.path
    parts: list[str] = [] if path.startswith("/") else bundle.folder.split("/")
    for part in path.strip("/").split("/"):
        if part == ".." and not parts:
            return ".."
        if part == "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(part for part in parts if part)


def targets(bundle: Bundle, clusters: Iterable[Cluster]) -> tuple[Cluster, ...]:
    asked = bundle.document.spec.targets
    return tuple(
        each
        for each in clusters
        if kinds.selects(asked, each.document.metadata.labels)
        and (asked.clusters is None or each.document.metadata.name in asked.clusters)
    )


def renderer(bundle: Bundle, entries: Mapping[str, snapshots.Entry]) -> Renderer:
    where = folder(bundle)
    if any(_join(where, name) in entries for name in _KUSTOMIZATIONS):
        return Renderer.KUSTOMIZE
    return Renderer.HELM if _join(where, "Chart.yaml") in entries else Renderer.PLAIN


def kustomization(where: str, entries: Mapping[str, snapshots.Entry]) -> str | None:
    """The kustomization file of a folder."""
    return next((p for p in (_join(where, n) for n in _KUSTOMIZATIONS) if p in entries), None)


class Folders:
    """Where bundles are, known once for all of them: which files are a bundle's own and which another's."""

    def __init__(self, bundles: Collection[Bundle]) -> None:
        self._folders = frozenset(map(folder, bundles))
        self._written = {each.place.path for each in bundles}

    def plain_files(self, bundle: Bundle, snapshot: snapshots.Snapshot) -> Iterator[str]:
        """The manifest files of a plain bundle: all below its folder, less other bundles and files of values."""
        where = folder(bundle)
        depth = where.count("/") + 1 if where else 0
        for entry in snapshot.under(where):
            path = entry.path
            is_other = path in self._written or _is_values(bundle, path)
            if path.endswith(_MANIFESTS) and not is_other and not self._is_inner(path, depth):
                yield path

    def _is_inner(self, path: str, depth: int) -> bool:
        """Whether a folder on the way to it, below so many, is a bundle's."""
        steps = path.split("/")
        return any("/".join(steps[:n]) in self._folders for n in range(depth + 1, len(steps)))


def _is_values(bundle: Bundle, path: str) -> bool:
    """Of whatever environment."""
    for written in bundle.document.spec.values:
        before, wild, after = written.partition(_ENVIRONMENT)
        if path == written or (wild and path.startswith(before) and path.endswith(after)):
            return True
    return False


def check(bundles: Collection[Bundle], snapshot: snapshots.Snapshot) -> Iterator[findings.Finding]:
    """What is wrong with bundles as such: paths, names of other bundles, renderers."""
    known = {each.document.metadata.name for each in bundles}
    for bundle in bundles:
        yield from _path_faults(bundle, snapshot)
        for other in bundle.document.spec.depends_on:
            if other not in known:
                yield _finding(
                    bundle, f"dependsOn names bundle {other}, which is not here", "dependsOn"
                )


def values_paths(
    bundle: Bundle, environment: names.Environment, where: layout.Layout
) -> Iterator[tuple[str, bool]]:
    """Each file of values with whether this bundle may read it."""
    for written in bundle.document.spec.values:
        path = written.replace(_ENVIRONMENT, environment)
        yield path, where.part(path) is not layout.Part.INERT


def _path_faults(bundle: Bundle, snapshot: snapshots.Snapshot) -> Iterator[findings.Finding]:
    where = folder(bundle)
    if where == "..":
        yield _finding(bundle, "path leads out of the repository", "path")
    elif next(snapshot.under(where), None) is None:
        yield _finding(bundle, f"path {where or '.'} is no folder here", "path")
    elif renderer(bundle, snapshot.entries) is Renderer.HELM:
        yield _finding(bundle, "a Helm chart: fleet does not render charts yet", "path")


def _finding(bundle: Bundle, message: str, field: str) -> findings.Finding:
    return findings.Finding(
        rule="bundle",
        severity=findings.Severity.DENY,
        message=message,
        place=bundle.place,
        subject=f"Bundle {bundle.document.metadata.name}",
        field=("spec", field),
    )


def _join(where: str, name: str) -> str:
    return f"{where}/{name}" if where else name
