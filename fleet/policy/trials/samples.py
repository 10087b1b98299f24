"""What a test is made of: files read as documents, and objects as the requests that policies judge."""

import json
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fleet.manifests import declared, parse, scopes
from fleet.model import findings, names, objects
from fleet.policy import matching

Files = Mapping[str, bytes]  # by path below the folder that is tested
Document = Mapping[str, Any]
_NO_BLOB = names.BlobId("0" * 40)
_REVIEW = ("admission.k8s.io", "AdmissionReview")
_FIELDS = ("apiVersion", "kind")
_NAMES = ("name", "namespace")
_SHOWN = 60  # characters of what is no name


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """The documents of some files, and the paths that gave none."""

    documents: tuple[declared.Rule, ...] = ()
    absent: tuple[str, ...] = ()
    broken: tuple[findings.Finding, ...] = ()

    @property
    def values(self) -> tuple[Document, ...]:
        return tuple(each.value for each in self.documents)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What else is known where an object is judged."""

    namespaces: Mapping[str, Document] = field(default_factory=dict)
    user: Document | None = None
    operation: str = matching.CREATE
    default_namespace: str = "default"  # of what names none


def read(paths: Iterable[str], files: Files) -> Read:
    """Of files and of all that lies directly in folders."""
    documents: list[declared.Rule] = []
    absent: list[str] = []
    broken: list[findings.Finding] = []
    for wanted in paths:
        found = [wanted] if wanted in files else _inside(wanted, files)
        absent += [] if found else [wanted]
        for path in found:
            parsed = parse.documents(files[path], path, _NO_BLOB)
            broken += parsed.findings
            documents += _documents(parsed)
    return Read(documents=tuple(documents), absent=tuple(absent), broken=tuple(broken))


def place(written: declared.Rule, where: tuple[str, ...], files: Files) -> findings.Place:
    """Of a part of a test file."""
    source = written.source
    return parse.locate(files[source.path], source.path, source.line, where)


def joined(folder: str, path: str) -> str:
    """A path as a test file in that folder means it; never outside what is tested."""
    whole = posixpath.normpath(posixpath.join(folder or ".", path))
    return "" if whole in (".", "./") else whole


def folder(path: str) -> str:
    return posixpath.dirname(path)


def _inside(path: str, files: Files) -> list[str]:
    return sorted(
        each
        for each in files
        if posixpath.dirname(each) == path and each.endswith((".yaml", ".yml", ".json"))
    )


def _documents(parsed: parse.Parsed) -> Iterator[declared.Rule]:
    for each in parsed.documents:
        source = objects.Source(
            path=parsed.path, line=each.line, blob=parsed.blob, index=each.index
        )
        for value in _unwrapped(each.value):
            yield declared.Rule(value=value, source=source)


def _unwrapped(value: Any) -> Iterator[Document]:
    if not isinstance(value, Mapping):
        return
    items = value.get("items")
    if str(value.get("kind", "")).endswith("List") and isinstance(items, list):
        for each in items:
            yield from _unwrapped(each)
    else:
        yield value


def is_object(value: Document) -> bool:
    """Whether there is anything that could be judged."""
    metadata = value.get("metadata")
    return all(isinstance(value.get(each), str) for each in _FIELDS) and (
        isinstance(metadata, Mapping) or is_review(value)
    )


def metadata(value: Document) -> Document:
    """Of an object, or of the one that a review is about; nothing where there is none."""
    asked = _mapping(value.get("request")) or {}
    about = asked.get("object") or asked.get("oldObject") if is_review(value) else value
    return _mapping((_mapping(about) or {}).get("metadata")) or {}


def misnamed(value: Document) -> str:
    """What stands where a text should that an object is known by, in words; "" = nothing."""
    written = metadata(value)
    odd = (each for each in _NAMES if not isinstance(written.get(each, ""), str | None))
    return "; ".join(f"metadata.{each} is {no_text(written[each])}" for each in odd)


def no_text(value: Any) -> str:
    """What stands in the place of a text, and what may help."""
    hint = ": write it in quotes" if isinstance(value, (bool, int, float)) else ""
    return f"{shown(value)}, which is no text{hint}"


def no_list(value: Document, name: str) -> str:
    """What stands where a list should, in words; "" = nothing: what is not there is an empty one."""
    written = value.get(name)
    return "" if isinstance(written, list | None) else f"{name}: {shown(written)} is no list"


def shown(value: Any) -> str:
    return findings.escaped(json.dumps(value)[:_SHOWN])


def is_review(value: Document) -> bool:
    group = str(value.get("apiVersion", "")).partition("/")[0]
    return (group, value.get("kind")) == _REVIEW


def scopes_of(values: Iterable[Document]) -> scopes.Scopes:
    return scopes.scopes(e for e in values if e.get("kind") == "CustomResourceDefinition")


def request(
    value: Document, around: Surroundings, known: scopes.Scopes
) -> matching.Request | None:
    """None for what is no object. A review says itself what is asked."""
    if not is_review(value):
        return _request(value, around, known) if is_object(value) else None
    asked = value.get("request")
    if not isinstance(asked, Mapping):
        return None
    old = _mapping(asked.get("oldObject"))
    shown = _mapping(asked.get("object")) or old
    if shown is None or not is_object(shown):
        return None
    return replace(
        _request(shown, around, known),
        old=old,
        operation=str(asked.get("operation") or around.operation),
        user=_mapping(asked.get("userInfo")) or around.user,
    )


def _mapping(value: Any) -> Document | None:
    return value if isinstance(value, Mapping) else None


def _request(body: Document, around: Surroundings, known: scopes.Scopes) -> matching.Request:
    key = _key(body, around, known)
    space = around.namespaces.get(key.namespace, {}) if key.namespace else None
    operation = around.operation
    is_known = operation in (matching.UPDATE, matching.DELETE)
    written = _with_namespace(body, key) if around.default_namespace else body
    return matching.Request(
        key=key,
        version=str(body["apiVersion"]).rpartition("/")[2],
        resource=known.plural(key),
        body=written,
        namespace_labels=None
        if space is None
        else matching.labels_of(key.namespace, {key.namespace: matching.texts(space, "labels")}),
        operation=operation,
        old=written if is_known else None,
        user=around.user,
        namespace_annotations=None if space is None else matching.texts(space, "annotations"),
    )


def _key(body: Document, around: Surroundings, known: scopes.Scopes) -> objects.Key:
    metadata = body["metadata"]
    group, kind = str(body["apiVersion"]).rpartition("/")[0], str(body["kind"])
    is_inside = known.is_namespaced(group, kind) is not False
    written = str(metadata.get("namespace") or around.default_namespace) if is_inside else ""
    return objects.Key(
        group=group, kind=kind, namespace=written, name=str(metadata.get("name") or "")
    )


def _with_namespace(body: Document, key: objects.Key) -> Document:
    metadata = body["metadata"]
    if not key.namespace or metadata.get("namespace"):
        return body
    return {**body, "metadata": {**metadata, "namespace": key.namespace}}
