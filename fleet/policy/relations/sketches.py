"""What relations ask of an object and no more: as small as that is, kept for an object that nothing else is asked of.

Law: all rules find the same in the sketches of objects as in the objects.
"""

from typing import Any

from fleet.model import json_values, objects
from fleet.policy.relations import reading

_HEAD = ("apiVersion", "kind", "metadata")
_DATA = ("data", "binaryData", "stringData")
_KEYED = (("", "ConfigMap"), ("", "Secret"))
_OF_POD = ("serviceAccountName", "serviceAccount", "imagePullSecrets", "volumes")
_OF_WORKLOAD = ("replicas", "serviceName", "volumeClaimTemplates")
_CONTAINERS = ("initContainers", "containers")


def sketch(manifest: objects.Manifest) -> json_values.JsonObject | None:
    """None for an object that is to be kept whole."""
    body = manifest.body
    if reading.kind_of(manifest) in _KEYED:
        return {**_only(body, _HEAD), **_blank(body)}
    found = reading.pod(manifest)
    if found is None:
        return None
    where, pod = found
    made: dict[str, Any] = {**_only(pod, ("metadata",)), "spec": _pod(reading.part(pod, "spec"))}
    for step in reversed(where[1:]):
        made = {step: made}
    if where:
        made = {"spec": {**made, **_only(reading.part(body, "spec"), _OF_WORKLOAD)}}
    return {**made, **_only(body, _HEAD)}


def _only(value: reading.Part, fields: tuple[str, ...]) -> dict[str, Any]:
    return {each: value[each] for each in fields if each in value}


def _blank(body: reading.Part) -> dict[str, Any]:
    return {each: dict.fromkeys(reading.part(body, each), "") for each in _DATA if each in body}


def _pod(spec: reading.Part) -> dict[str, Any]:
    made = _only(spec, _OF_POD)
    for each in _CONTAINERS:
        listed = spec.get(each)
        if isinstance(listed, list):
            made[each] = [_container(one) for one in listed]
    return made


def _container(value: Any) -> Any:
    """Places in lists stay what they are."""
    made = _only(reading.part(value), ("envFrom",))
    env = reading.part(value).get("env")
    if isinstance(env, list):
        made["env"] = [_only(reading.part(one), ("valueFrom",)) for one in env]
    return made
