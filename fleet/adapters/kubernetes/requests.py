"""What is asked of an API server, as values: method, path, body. Nothing is sent here.

A name comes from a manifest and becomes part of a path, so each part is checked as Kubernetes checks it: the API server
would take an escaped slash apart again.
"""

import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field

from fleet.converge import fields
from fleet.model import errors, json_values, objects
from fleet.ports import cluster

JSON = "application/json"
_APPLY = "application/apply-patch+yaml"
_PARTIAL = "application/json;as={};g=meta.k8s.io;v=v1,application/json"
_MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    method: str
    path: str  # with its query, escaped
    body: json_values.JsonObject | None = field(default=None, repr=False)
    type: str = JSON
    accept: str = JSON
    most: int = 64 * _MIB  # bytes of an answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The objects of one kind that are listed and watched."""

    resource: cluster.Resource
    selector: str
    namespace: str  # "" = all
    metadata_only: bool


def document(path: str, accept: str = JSON) -> Request:
    return Request(method="GET", path=path, accept=accept)


def apply(
    resource: cluster.Resource, body: json_values.JsonObject, *, force: bool, dry_run: bool
) -> Request:
    # Fields that the schema does not know are an error of server-side apply in any case.
    query = {"fieldManager": fields.MANAGER, "force": str(force).lower()}
    if dry_run:
        query["dryRun"] = "All"
    path = _queried(_of_body(resource, body), query)
    return Request(method="PATCH", path=path, body=body, type=_APPLY)


def read(resource: cluster.Resource, key: objects.Key) -> Request:
    return document(_one(resource, resource.version, key))


def create(resource: cluster.Resource, body: json_values.JsonObject) -> Request:
    namespace = body["metadata"].get("namespace", "")
    if resource.namespaced and not namespace:
        raise _needs_namespace(resource)
    path = _collection(resource, _version(body), namespace)
    return Request(method="POST", path=_queried(path, _WRITER), body=body)


def replace(resource: cluster.Resource, body: json_values.JsonObject) -> Request:
    return Request(method="PUT", path=_queried(_of_body(resource, body), _WRITER), body=body)


def delete(resource: cluster.Resource, key: objects.Key, uid: str) -> Request:
    options = {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": {"uid": uid},
        "propagationPolicy": "Background",
    }
    return Request(method="DELETE", path=_one(resource, resource.version, key), body=options)


def listing(selection: Selection, *, page: str) -> Request:
    """`page` continues where the one before ended. Without a version, so never from an older state than the newest."""
    query = _selected(selection)
    query["limit"] = "500" if selection.metadata_only else "100"
    if page:
        query["continue"] = page
    kind = "PartialObjectMetadataList"
    return Request(
        method="GET",
        path=_queried(_all(selection), query),
        accept=_PARTIAL.format(kind) if selection.metadata_only else JSON,
        most=256 * _MIB,
    )


def watching(selection: Selection, *, version: str) -> Request:
    """What happens after that version."""
    query = _selected(selection)
    query |= {"watch": "1", "allowWatchBookmarks": "true", "resourceVersion": version}
    kind = "PartialObjectMetadata"
    return Request(
        method="GET",
        path=_queried(_all(selection), query),
        accept=_PARTIAL.format(kind) if selection.metadata_only else JSON,
    )


_WRITER = {"fieldManager": fields.MANAGER}


def _selected(selection: Selection) -> dict[str, str]:
    return {"labelSelector": selection.selector} if selection.selector else {}


def _all(selection: Selection) -> str:
    resource = selection.resource
    return _collection(resource, resource.version, selection.namespace)


def _of_body(resource: cluster.Resource, body: json_values.JsonObject) -> str:
    """In the version that the body is written in, which need not be the preferred one."""
    return _one(resource, _version(body), objects.key_of(body))


def _one(resource: cluster.Resource, version: str, key: objects.Key) -> str:
    if resource.namespaced and not key.namespace:
        raise _needs_namespace(resource)
    return f"{_collection(resource, version, key.namespace)}/{_part(key.name)}"


def _collection(resource: cluster.Resource, version: str, namespace: str) -> str:
    root = f"/apis/{_part(resource.group)}" if resource.group else "/api"
    inside = f"/namespaces/{_part(namespace)}" if resource.namespaced and namespace else ""
    return f"{root}/{_part(version)}{inside}/{_part(resource.plural)}"


def _version(body: json_values.JsonObject) -> str:
    return str(body["apiVersion"]).rpartition("/")[2]


def _part(name: str) -> str:
    if name in {"", ".", ".."} or "/" in name or "%" in name:
        raise errors.InputError(f"{name!r} is no name that Kubernetes knows")
    return urllib.parse.quote(name, safe="")


def _queried(path: str, query: Mapping[str, str]) -> str:
    return f"{path}?{urllib.parse.urlencode(query)}" if query else path


def _needs_namespace(resource: cluster.Resource) -> errors.InputError:
    return errors.InputError(f"a {resource.kind} needs a namespace")
