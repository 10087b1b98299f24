"""The variables of a ValidatingAdmissionPolicy, typed as the API server types them.

`variables` has no fields here; a policy extends it with an object type whose fields are its own.
"""

from collections.abc import Mapping

from fleet.cel import types
from fleet.cel.environments import Environment
from fleet.cel.library import authorizer

_TEXT, _TEXTS = types.STRING, types.list_of(types.STRING)


def _group_version(name: str, last: str) -> types.Type:
    return types.object_of(name, dict.fromkeys(("group", "version", last), _TEXT))


_KIND = _group_version("kubernetes.GroupVersionKind", "kind")
_RESOURCE = _group_version("kubernetes.GroupVersionResource", "resource")
_USER = types.object_of(
    "kubernetes.UserInfo",
    {
        "username": _TEXT,
        "uid": _TEXT,
        "groups": _TEXTS,
        "extra": types.map_of(_TEXT, _TEXTS),
    },
)
# Kubernetes leaves the request's own object and oldObject out as well.
REQUEST = types.object_of(
    "kubernetes.AdmissionRequest",
    {
        "kind": _KIND,
        "resource": _RESOURCE,
        "subResource": _TEXT,
        "requestKind": _KIND,
        "requestResource": _RESOURCE,
        "requestSubResource": _TEXT,
        "name": _TEXT,
        "namespace": _TEXT,
        "operation": _TEXT,
        "userInfo": _USER,
        "dryRun": types.BOOL,
        "options": types.DYN,
    },
)

_METADATA: Mapping[str, types.Type] = {
    "name": _TEXT,
    "generateName": _TEXT,
    "namespace": _TEXT,
    "labels": types.map_of(_TEXT, _TEXT),
    "annotations": types.map_of(_TEXT, _TEXT),
    "UID": _TEXT,
    "creationTimestamp": types.TIMESTAMP,
    "deletionGracePeriodSeconds": types.INT,
    "deletionTimestamp": types.TIMESTAMP,
    "generation": types.INT,
    "resourceVersion": _TEXT,
    "finalizers": _TEXTS,
}
_CONDITION: Mapping[str, types.Type] = {
    "status": _TEXT,
    "type": _TEXT,
    "lastTransitionTime": types.TIMESTAMP,
    "message": _TEXT,
    "reason": _TEXT,
}
_STATUS: Mapping[str, types.Type] = {
    "conditions": types.list_of(types.object_of("kubernetes.NamespaceCondition", _CONDITION)),
    "phase": _TEXT,
}
NAMESPACE = types.object_of(
    "kubernetes.Namespace",
    {
        "metadata": types.object_of("kubernetes.NamespaceMetadata", _METADATA),
        "spec": types.object_of("kubernetes.NamespaceSpec", {"finalizers": _TEXTS}),
        "status": types.object_of("kubernetes.NamespaceStatus", _STATUS),
    },
)

NOBODY = authorizer.NOBODY
ENVIRONMENT = Environment(
    {
        "object": types.DYN,
        "oldObject": types.DYN,
        "params": types.DYN,
        "request": REQUEST,
        "authorizer": authorizer.AUTHORIZER,
        "namespaceObject": NAMESPACE,
        "variables": types.object_of("kubernetes.variables", {}),
    }
)
