"""From documents to manifests: lists unwrapped, names and namespaces settled, what only a cluster may say refused.

Every object is counted: what is checked here is what is applied (threat 49).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fleet.manifests import requests, scopes
from fleet.model import findings, json_values, kinds, names, objects

RESERVED_NAMESPACE = "fleetgate-system"
# Fields that say what a cluster did, or bind the object to others of one cluster (threat 19).
_LIVE_FIELDS = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generation",
    "managedFields",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
)
_OURS = f"{kinds.GROUP}/"
_RESERVED_LABELS = ("applyset.kubernetes.io/", _OURS)
_NAME = re.compile(r"(?!\.{1,2}\Z)[^/%\s]{1,253}\Z")
_VERSION = re.compile(r"v[0-9a-z]+\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What the documents of one bundle have in common."""

    bundle: names.Bundle
    namespace: str  # for namespaced objects that name none; "" = none
    takeover: bool
    scopes: scopes.Scopes
    speaks_for_fleet: bool = False  # rules: their annotations in words of ours stay


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    manifests: tuple[objects.Manifest, ...]
    findings: tuple[findings.Finding, ...]


def read(documents: Iterable[tuple[Any, objects.Source]], origin: Origin) -> Read:
    """The objects in these documents, and everything that is wrong with them."""
    return compared(each(documents, origin))


def compared(alone: Read) -> Read:
    """With what is wrong between them."""
    return replace(alone, findings=(*alone.findings, *duplicates(alone.manifests)))


def each(documents: Iterable[tuple[Any, objects.Source]], origin: Origin) -> Read:
    """What can be said of each document without the others."""
    manifests: list[objects.Manifest] = []
    found: list[findings.Finding] = []
    for value, source in documents:
        for body, where in unwrapped(value, ()):
            faults = list(_faults(body, where, source, origin))
            found += faults
            if not faults:
                manifests.append(_manifest(body, source, origin))
    return Read(manifests=tuple(manifests), findings=tuple(found))


def duplicates(manifests: Iterable[objects.Manifest]) -> Iterator[findings.Finding]:
    """One object has one owner; only byte-equal Namespaces may be claimed twice."""
    first: dict[objects.Key, objects.Manifest] = {}
    for each in manifests:
        other = first.setdefault(each.key, each)
        if other is each or (each.key.kind == "Namespace" and other.digest == each.digest):
            continue
        yield findings.deny(
            "ownership",
            each.source.place,
            f"{each.key} is also in {other.source.place} (bundle {other.bundle})",
            hint="let one bundle own it",
            subject=str(each.key),
        )


def unwrapped(value: Any, where: tuple[str, ...]) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """The objects inside a List of any kind, however deep; anything else is itself."""
    is_list = isinstance(value, Mapping) and isinstance(value.get("items"), list)
    if is_list and str(value.get("kind", "")).endswith("List"):
        for place, item in enumerate(value["items"]):
            yield from unwrapped(item, (*where, "items", str(place)))
    else:
        yield value, where


def _faults(
    body: Any, where: tuple[str, ...], source: objects.Source, origin: Origin
) -> Iterator[findings.Finding]:
    for message, field, hint in _identity_faults(body):
        yield _finding(message, (*where, *field), hint, source, _subject(body))
    if isinstance(body, Mapping) and requests.is_request(_group(body), str(body.get("kind"))):
        message = f"{body['kind']} is no object that a cluster keeps"
        yield _finding(message, (*where, "kind"), "remove it", source, _subject(body))
    elif isinstance(body, Mapping) and isinstance(body.get("metadata"), Mapping):
        metadata = _metadata_faults(body, speaks_for_fleet=origin.speaks_for_fleet)
        for message, field, hint in (*metadata, *_scope_faults(body, origin)):
            yield _finding(message, (*where, *field), hint, source, _subject(body))


Fault = tuple[str, tuple[str, ...], str]


def _identity_faults(body: Any) -> Iterator[Fault]:
    if not isinstance(body, Mapping):
        yield f"a manifest is a mapping, this is {type(body).__name__}", (), ""
        return
    version, kind, metadata = body.get("apiVersion"), body.get("kind"), body.get("metadata")
    if not isinstance(version, str) or not _VERSION.match(version.rpartition("/")[2]):
        yield "apiVersion is missing or not like apps/v1", ("apiVersion",), ""
    if not isinstance(kind, str) or not (kind.isalnum() and kind.isascii()):
        yield "kind is missing or not a kind's name", ("kind",), ""
    if not isinstance(metadata, Mapping):
        yield "metadata is missing", ("metadata",), ""
        return
    name = metadata.get("name")
    if "generateName" in metadata:
        yield (
            "generateName makes another object each time",
            ("metadata", "generateName"),
            "name it",
        )
    elif not isinstance(name, str) or not _NAME.match(name):
        yield "metadata.name is missing or no name", ("metadata", "name"), ""


def _metadata_faults(body: Mapping[str, Any], *, speaks_for_fleet: bool) -> Iterator[Fault]:
    metadata = body["metadata"]
    for field in _LIVE_FIELDS:
        if metadata.get(field) is not None:
            yield f"metadata.{field} is for the cluster to say", ("metadata", field), "remove it"
    spec = body.get("spec")
    if isinstance(spec, Mapping) and spec.get("finalizers") is not None and _is_namespace(body):
        yield "spec.finalizers is for the cluster to say", ("spec", "finalizers"), "remove it"
    for group in ("labels", "annotations"):
        written = metadata.get(group)
        may_speak = speaks_for_fleet and group == "annotations"
        for label in written if isinstance(written, Mapping) else ():
            if label.startswith(_RESERVED_LABELS) and not (may_speak and label.startswith(_OURS)):
                yield f"{group} {label} is reserved", ("metadata", group, label), "remove it"


def _is_namespace(body: Mapping[str, Any]) -> bool:
    return (_group(body), body.get("kind")) == ("", "Namespace")


def _scope_faults(body: Mapping[str, Any], origin: Origin) -> Iterator[Fault]:
    namespace = body["metadata"].get("namespace")
    group, kind = _group(body), str(body.get("kind"))
    where = ("metadata", "namespace")
    is_name = isinstance(namespace, str) and names.is_label(namespace)
    if namespace not in (None, "") and not is_name:
        yield "metadata.namespace is no name", where, ""
        return
    is_namespaced = origin.scopes.is_namespaced(group, kind)
    reserved = namespace or (is_namespaced and origin.namespace)
    if reserved == RESERVED_NAMESPACE or _is_reserved(body):
        yield f"namespace {RESERVED_NAMESPACE} is the agent's own", where, "use another"
    if is_namespaced is False and namespace:
        yield f"{kind} lives outside namespaces", where, "remove metadata.namespace"
    if is_namespaced and not namespace and not origin.namespace:
        hint = "write it here or as spec.namespace of the bundle"
        yield "metadata.namespace is missing", ("metadata",), hint


def _is_reserved(body: Mapping[str, Any]) -> bool:
    return _is_namespace(body) and body["metadata"].get("name") == RESERVED_NAMESPACE


def _manifest(body: Mapping[str, Any], source: objects.Source, origin: Origin) -> objects.Manifest:
    metadata = body["metadata"]
    is_namespaced = origin.scopes.is_namespaced(_group(body), body["kind"])
    if is_namespaced and not metadata.get("namespace"):
        body = {**body, "metadata": {**metadata, "namespace": origin.namespace}}
    return objects.Manifest(
        key=objects.key_of(body),
        version=str(body["apiVersion"]).rpartition("/")[2],
        body=body,
        digest=json_values.digest(body),
        bundle=origin.bundle,
        source=source,
        takeover=origin.takeover,
    )


def for_clusters(found: findings.Finding, clusters: tuple[names.Cluster, ...]) -> findings.Finding:
    return replace(found, clusters=clusters)


def _finding(
    message: str, field: tuple[str, ...], hint: str, source: objects.Source, subject: str
) -> findings.Finding:
    return findings.Finding(
        rule="manifest",
        severity=findings.Severity.DENY,
        message=message,
        place=source.place,
        hint=hint,
        subject=subject,
        field=field,
    )


def _subject(body: Any) -> str:
    if not isinstance(body, Mapping):
        return ""
    metadata = body.get("metadata")
    name = metadata.get("name", "") if isinstance(metadata, Mapping) else ""
    return findings.escaped(f"{body.get('kind', '')} {name}".strip())


def _group(body: Mapping[str, Any]) -> str:
    return str(body.get("apiVersion", "")).rpartition("/")[0]
