"""Where an object that kustomize printed was written: its resource, and all that was done to it on the way.

The way is followed by kustomize's own rules for names and targets, without the program. Where it is lost there is no
origin, and a finding stays at what is known; nothing here judges, and nothing rendered depends on it.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fleet.manifests import parse, selection
from fleet.model import names, objects, snapshots

Path = tuple[str, ...]

_GENERATED = {"configMapGenerator": "ConfigMap", "secretGenerator": "Secret"}
_HASH = re.compile(r"-[0-9a-z]{10}\Z")
_VISITS = 2_000  # of kustomizations, each counted as often as it is named
_DEPTH = 50  # of kustomizations within each other


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A value in a document: a resource, a patch, or what a field of a kustomization does.

    `at` is its path there. Of a patch that stands as text in a kustomization, `at` leads to that `text`, and `line` is
    where its document begins in the text.
    """

    value: Any = field(repr=False)
    source: objects.Source
    at: Path = ()
    text: str = field(default="", repr=False)
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """An object's resource and what touched it, the last first. A generated object's resource is the generator."""

    kind: str
    name: str
    names: frozenset[str]  # that it ever had: a target may say any of them
    namespace: str
    is_generated: bool
    resource: Written
    touches: tuple[Written, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """All that rendering can read, parsed."""

    kustomizations: Mapping[str, tuple[Any, objects.Source]] = field(repr=False)
    parsed: Mapping[str, parse.Parsed] = field(repr=False)
    entries: Mapping[str, snapshots.Entry] = field(repr=False)


Known = Mapping[str, list[Origin]]  # by kind


def read(folder: str, files: Files) -> Known:
    """Of every object that a folder's kustomization leads to."""
    found: dict[str, list[Origin]] = {}
    for each in _Way(files).folder(folder, (), 0):
        found.setdefault(each.kind, []).append(each)
    return found


def find(known: Known, body: Any) -> Origin | None:
    """Of a rendered object. Of two that cannot be told apart, none: a wrong place is worse than a rough one."""
    metadata = body.get("metadata") if isinstance(body, Mapping) else None
    if not isinstance(metadata, Mapping):
        return None
    kind, name = str(body.get("kind")), str(metadata.get("name"))
    namespace = str(metadata.get("namespace") or "")
    alike = [each for each in known.get(kind, ()) if _is_called(each, name)]
    here = [each for each in alike if each.namespace == namespace]
    found = here or alike
    return found[0] if len(found) == 1 else None


def _is_called(origin: Origin, name: str) -> bool:
    return origin.name == name or (origin.is_generated and _HASH.sub("", name) == origin.name)


class _Way:
    """Goes through kustomizations as kustomize does, within a budget that no circle gets around."""

    def __init__(self, files: Files) -> None:
        self._files, self._left = files, _VISITS

    def folder(self, folder: str, before: tuple[Origin, ...], depth: int) -> tuple[Origin, ...]:
        """What is there after a kustomization; `before` is what a component finds there."""
        files = self._files
        path = selection.kustomization(folder, files.entries) or ""
        document, source = files.kustomizations.get(path, (None, None))
        self._left -= 1
        is_far = self._left < 0 or depth > _DEPTH
        if not isinstance(document, Mapping) or source is None or is_far:
            return before
        found = [*before, *self._resources(folder, document, depth)]
        found = _with_generated(found, document, source)
        for _, entry in _listed(document, "components"):
            found = list(self.folder(_joined(folder, entry), tuple(found), depth + 1))
        touches = list(_touches(folder, document, source, files))
        return tuple(_moved(_touched(each, touches), document) for each in found)

    def _resources(self, folder: str, document: Mapping[str, Any], depth: int) -> Iterator[Origin]:
        for _, entry in (*_listed(document, "resources"), *_listed(document, "bases")):
            inner = _joined(folder, entry)
            if inner in self._files.entries:
                yield from _resources(inner, self._files)
            else:
                yield from self.folder(inner, (), depth + 1)


def _resources(path: str, files: Files) -> Iterator[Origin]:
    for each in _documents(path, files):
        for value, at in _unwrapped(each.value, ()):
            origin = _origin(replace(each, value=value, at=at))
            if origin is not None:
                yield origin


def _unwrapped(value: Any, at: Path) -> Iterator[tuple[Any, Path]]:
    is_list = isinstance(value, Mapping) and str(value.get("kind", "")).endswith("List")
    if is_list and isinstance(value.get("items"), list):
        for index, item in enumerate(value["items"]):
            yield from _unwrapped(item, (*at, "items", str(index)))
    else:
        yield value, at


def _origin(written: Written, kind: str = "") -> Origin | None:
    value = written.value
    metadata = value if kind else value.get("metadata") if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping) or not isinstance(metadata, Mapping):
        return None
    name = str(metadata.get("name"))
    return Origin(
        kind=kind or str(value.get("kind")),
        name=name,
        names=frozenset({name}),
        namespace=str(metadata.get("namespace") or ""),
        is_generated=bool(kind),
        resource=written,
    )


def _with_generated(
    found: list[Origin], document: Mapping[str, Any], source: objects.Source
) -> list[Origin]:
    """A generator that merges or replaces touches what is there already."""
    for generator, kind in _GENERATED.items():
        for index, entry in _listed(document, generator):
            made = _origin(Written(value=entry, source=source, at=(generator, index)), kind)
            if made is None:
                continue
            if entry.get("behavior") in ("merge", "replace"):
                found = [
                    replace(each, touches=(made.resource, *each.touches))
                    if each.kind == kind and made.name in each.names
                    else each
                    for each in found
                ]
            else:
                found.append(made)
    return found


def _moved(origin: Origin, document: Mapping[str, Any]) -> Origin:
    before, after = document.get("namePrefix") or "", document.get("nameSuffix") or ""
    name = f"{before}{origin.name}{after}"
    return replace(
        origin,
        name=name,
        names=origin.names | {name},
        namespace=str(document.get("namespace") or origin.namespace),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Touch:
    """A patch or transformer with the objects that it is for; None = for whatever there is."""

    written: Written
    target: Mapping[str, Any] | None


def _touched(origin: Origin, touches: list[_Touch]) -> Origin:
    here = [each.written for each in touches if _is_target(each.target, origin)]
    return replace(origin, touches=(*reversed(here), *origin.touches))


def _is_target(target: Mapping[str, Any] | None, origin: Origin) -> bool:
    """Names and kinds are patterns, as in kustomize; labels are not looked at."""
    if target is None:
        return True
    kind, name = target.get("kind"), target.get("name")
    fits_kind = not kind or _fits(kind, origin.kind)
    return fits_kind and (not name or any(_fits(name, each) for each in origin.names))


def _fits(pattern: Any, word: str) -> bool:
    try:
        return re.fullmatch(str(pattern)[:500], word) is not None
    except re.error:
        return False


def _touches(
    folder: str, document: Mapping[str, Any], source: objects.Source, files: Files
) -> Iterator[_Touch]:
    """In the order in which kustomize takes them up."""
    for name in ("patchesStrategicMerge", "patches", "patchesJson6902"):
        for index, entry in _listed(document, name):
            written = Written(value=entry, source=source, at=(name, index))
            yield from _entry(folder, written, files)
    for _, entry in _listed(document, "transformers"):
        for each in _documents(_joined(folder, entry), files):
            yield _Touch(written=each, target=None)
    yield _Touch(written=Written(value=document, source=source), target=None)


def _entry(folder: str, written: Written, files: Files) -> Iterator[_Touch]:
    """What an entry of patches is, be it a path, a text, or a mapping with one of them."""
    entry, target = written.value, None
    if isinstance(entry, Mapping):
        target = entry.get("target") if isinstance(entry.get("target"), Mapping) else None
        key = "path" if "path" in entry else "patch"
        written = replace(written, value=entry.get(key), at=(*written.at, key))
    if not isinstance(written.value, str):
        return
    path = _joined(folder, written.value) if "\n" not in written.value else ""
    for each in _documents(path, files) if path in files.entries else _inline(written):
        yield _Touch(written=each, target=_own_target(each.value) if target is None else target)


def _own_target(patch: Any) -> Mapping[str, Any]:
    """A patch without a target is for the object that it names; one that names none is for none."""
    metadata = patch.get("metadata") if isinstance(patch, Mapping) else None
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    if not name:
        return {"kind": "-"}
    return {"kind": re.escape(str(patch.get("kind"))), "name": re.escape(str(name))}


def _documents(path: str, files: Files) -> Iterator[Written]:
    parsed = files.parsed.get(path)
    if parsed is None:
        return
    for each in parsed.documents:
        source = objects.Source(path=path, line=each.line, blob=parsed.blob, index=each.index)
        yield Written(value=each.value, source=source)


def _inline(written: Written) -> Iterator[Written]:
    text = str(written.value).encode("utf-8", "replace")
    for each in parse.documents(text, written.source.path, names.BlobId("")).documents:
        yield replace(written, value=each.value, text=written.value, line=each.line)


def _listed(document: Mapping[str, Any], name: str) -> list[tuple[str, Any]]:
    entries = document.get(name)
    return [(str(i), each) for i, each in enumerate(entries)] if isinstance(entries, list) else []


def _joined(folder: str, entry: Any) -> str:
    joined = posixpath.normpath(posixpath.join(folder or ".", str(entry)))
    return "" if joined == "." else joined
