"""HorizontalPodAutoscalers of autoscaling/v1 and v2: one target on CPU beside annotations, or a list of metrics.

Source: pkg/apis/autoscaling/{annotations,helpers}.go and v1/conversion.go of k8s.io/kubernetes.
"""

import json
from collections.abc import Mapping
from typing import Any

from fleet.manifests.conversions import forms

Body = dict[str, Any]

_PREFIX = "autoscaling.alpha.kubernetes.io/"
_METRICS, _BEHAVIOR = f"{_PREFIX}metrics", f"{_PREFIX}behavior"
_KEPT = frozenset(
    {
        _METRICS,
        _BEHAVIOR,
        *(f"{_PREFIX}{each}" for each in ("current-metrics", "conditions")),
        *(f"{_PREFIX}scale-{each}-tolerance" for each in ("down", "up")),
    }
)
_PERCENTAGE = "targetCPUUtilizationPercentage"
_DEFAULT = 80
_NONE: Mapping[str, Any] = {}


def to_v2(body: Body) -> Body:
    spec = _mapping(body.get("spec"))
    made = {key: each for key, each in spec.items() if key != _PERCENTAGE}
    held = _mapping(_mapping(body.get("metadata")).get("annotations"))
    behavior = _read(_decoded(held.get(_BEHAVIOR)))
    target = spec.get(_PERCENTAGE)
    others = _decoded(held.get(_METRICS))
    metrics = (
        [_new(each) for each in others if isinstance(each, dict)]
        if isinstance(others, list)
        else []
    )
    if target is not None or not metrics:
        metrics.append(_on_cpu(_DEFAULT if target is None else target))
    made["metrics"] = metrics
    if isinstance(behavior, dict) and behavior:
        made["behavior"] = behavior
    return forms.without_annotations({**body, "spec": made}, _KEPT)


def to_v1(body: Body) -> Body:
    spec = _mapping(body.get("spec"))
    made = {key: each for key, each in spec.items() if key not in ("metrics", "behavior")}
    written = spec.get("metrics")
    metrics = (
        [each for each in written if isinstance(each, dict)] if isinstance(written, list) else []
    )
    on_cpu = [each for each in metrics if _cpu(each) is not None]
    if on_cpu:
        made[_PERCENTAGE] = _cpu(on_cpu[0])
    kept = {}
    others = [_old(each) for each in metrics if _cpu(each) is None]
    if others:
        kept[_METRICS] = _encoded(others)
    if isinstance(spec.get("behavior"), dict):
        kept[_BEHAVIOR] = _encoded(_spelled_out(spec["behavior"], _FIELDS))
    plain = forms.without_annotations({**body, "spec": made}, _KEPT)
    return forms.with_annotations(plain, kept) if kept else plain


def _cpu(metric: Body) -> Any:
    """The utilization that it is about, if it is about that of CPU."""
    resource = _mapping(metric.get("resource"))
    if metric.get("type") != "Resource" or resource.get("name") != "cpu":
        return None
    return _mapping(resource.get("target")).get("averageUtilization")


def _on_cpu(percentage: Any) -> Body:
    target = {"type": "Utilization", "averageUtilization": percentage}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else _NONE


def _decoded(text: Any) -> Any:
    """What an annotation keeps; one that cannot be read keeps nothing."""
    try:
        return json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None


def _encoded(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _without_nothing(body: Mapping[str, Any]) -> Body:
    return {key: each for key, each in body.items() if each is not None}


def _new(metric: Body) -> Body:
    """One of v1, as an annotation keeps it, in the form of v2."""
    found: Body = {"type": metric.get("type")}
    for name, read in _READ.items():
        if isinstance(metric.get(name), dict):
            found[name] = read(metric[name])
    return found


def _old(metric: Body) -> Body:
    found: Body = {"type": metric.get("type")}
    for name, write in _WRITTEN.items():
        if isinstance(metric.get(name), dict):
            found[name] = write(metric[name])
    return found


def _identifier(source: Body, selector: str) -> Body:
    return _without_nothing({"name": source.get("metricName"), "selector": source.get(selector)})


def _target(value: Any, average: Any) -> Body:
    kind = "AverageValue" if value is None else "Value"
    return _without_nothing({"type": kind, "value": value, "averageValue": average})


def _new_object(source: Body) -> Body:
    average, value = source.get("averageValue"), source.get("targetValue")
    if average is None:
        target = {"type": "Value", "value": value}
    else:
        more = {} if value in (None, "0", 0) else {"value": value}
        target = {"type": "AverageValue", **more, "averageValue": average}
    return {
        "describedObject": source.get("target"),
        "target": target,
        "metric": _identifier(source, "selector"),
    }


def _old_object(source: Body) -> Body:
    target, metric = _mapping(source.get("target")), _mapping(source.get("metric"))
    return _without_nothing(
        {
            "target": source.get("describedObject"),
            "metricName": metric.get("name"),
            "targetValue": target.get("value", "0"),
            "selector": metric.get("selector"),
            "averageValue": target.get("averageValue"),
        }
    )


def _new_pods(source: Body) -> Body:
    target = {"type": "AverageValue", "averageValue": source.get("targetAverageValue")}
    return {"metric": _identifier(source, "selector"), "target": target}


def _old_pods(source: Body) -> Body:
    target, metric = _mapping(source.get("target")), _mapping(source.get("metric"))
    return _without_nothing(
        {
            "metricName": metric.get("name"),
            "targetAverageValue": target.get("averageValue", "0"),
            "selector": metric.get("selector"),
        }
    )


def _new_external(source: Body) -> Body:
    target = _target(source.get("targetValue"), source.get("targetAverageValue"))
    return {"metric": _identifier(source, "metricSelector"), "target": target}


def _old_external(source: Body) -> Body:
    target, metric = _mapping(source.get("target")), _mapping(source.get("metric"))
    return _without_nothing(
        {
            "metricName": metric.get("name"),
            "metricSelector": metric.get("selector"),
            "targetValue": target.get("value"),
            "targetAverageValue": target.get("averageValue"),
        }
    )


def _new_resource(source: Body) -> Body:
    utilization = source.get("targetAverageUtilization")
    target = {
        "type": "AverageValue" if utilization is None else "Utilization",
        "averageValue": source.get("targetAverageValue"),
        "averageUtilization": utilization,
    }
    return {**_named(source), "target": _without_nothing(target)}


def _old_resource(source: Body) -> Body:
    target = _mapping(source.get("target"))
    said = {
        "targetAverageUtilization": target.get("averageUtilization"),
        "targetAverageValue": target.get("averageValue"),
    }
    return {**_named(source), **_without_nothing(said)}


def _named(source: Body) -> Body:
    return {key: source[key] for key in ("name", "container") if key in source}


_READ = {
    "object": _new_object,
    "pods": _new_pods,
    "resource": _new_resource,
    "containerResource": _new_resource,
    "external": _new_external,
}
_WRITTEN = {
    "object": _old_object,
    "pods": _old_pods,
    "resource": _old_resource,
    "containerResource": _old_resource,
    "external": _old_external,
}


def _read(value: Any) -> Any:
    """The server's own type, every field by its name in Go, nulls and all."""
    if isinstance(value, dict):
        return {
            f"{key[:1].lower()}{key[1:]}": _read(each)
            for key, each in value.items()
            if each is not None
        }
    return [_read(each) for each in value] if isinstance(value, list) else value


def _spelled_out(value: Any, fields: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_spelled_out(each, fields) for each in value]
    if not isinstance(value, dict) or not fields:
        return value
    return {
        f"{key[:1].upper()}{key[1:]}": _spelled_out(value.get(key), inner)
        for key, inner in fields.items()
    }


_POLICIES: Mapping[str, Any] = {"type": {}, "value": {}, "periodSeconds": {}}
_RULES: Mapping[str, Any] = {
    "stabilizationWindowSeconds": {},
    "selectPolicy": {},
    "policies": _POLICIES,
    "tolerance": {},
}
_FIELDS: Mapping[str, Any] = {"scaleUp": _RULES, "scaleDown": _RULES}
