"""HorizontalPodAutoscalers and PodDisruptionBudgets. Source: autoscaling and policy validation."""

from collections.abc import Iterable, Mapping
from typing import Any

from fleet.manifests.admission import faults, labels, quantities, rules, texts
from fleet.manifests.admission.tables import Found, Row, below, row

_TYPES = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}
_FIELDS = ("object", "external", "pods", "resource", "containerResource")
_TARGETS = ("Utilization", "Value", "AverageValue")


def _bounds(spec: Mapping[str, Any]) -> Found:
    least, most = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    found = []
    if least is not None and least < 1:
        found.append(faults.invalid(least, "must be greater than or equal to 1", "minReplicas"))
    if not most:
        found.append(faults.required("must be set and greater than 0", "maxReplicas"))
    elif most < 0:
        found.append(faults.invalid(most, "must be greater than or equal to 1", "maxReplicas"))
    if most < (1 if least is None else least):
        said = "must be greater than or equal to `minReplicas`"
        found.append(faults.invalid(most, said, "maxReplicas"))
    return [*found, *_to_zero(spec)]


def _to_zero(spec: Mapping[str, Any]) -> Found:
    metrics = spec.get("metrics") or ()
    if spec.get("minReplicas") != 0 or any(
        e.get("type") in ("Object", "External") for e in metrics
    ):
        return ()
    said = (
        "must specify at least one Object or External metric to support scaling to zero replicas"
    )
    return (faults.forbidden(said, "metrics"),)


def _reference(written: Mapping[str, Any]) -> Found:
    found = []
    for field in ("kind", "name"):
        value = written.get(field) or ""
        if not value:
            found.append(faults.required("", field))
        found += faults.each_invalid(value, texts.path_segment(value), field)
    return found


def _group(written: Mapping[str, Any]) -> Found:
    version = written.get("apiVersion") or ""
    if version.count("/") > 1:
        said = f"unexpected GroupVersion string: {version}"
        return (faults.invalid(version, said, "apiVersion"),)
    if version.partition("/")[0] and "/" in version:
        return ()
    said = "apiVersion must specify API group"
    return (faults.invalid(version, said, "apiVersion", hint="as in apps/v1"),)


def _metric(written: Mapping[str, Any]) -> Found:
    kind = written.get("type") or ""
    if kind not in _TYPES:
        return (faults.unsupported(kind, tuple(_TYPES), "type"),)
    wanted, given = _TYPES[kind], [each for each in _FIELDS if written.get(each) is not None]
    found = []
    if wanted not in given:
        said = "must populate information for the given metric source"
        found.append(faults.required(said, wanted))
    if len(given) != 1:
        said = "must populate the given metric source only"
        found += [faults.forbidden(said, each) for each in given if each != wanted]
    return found


def _target(written: Mapping[str, Any]) -> Iterable[faults.Fault]:
    kind = written.get("type") or ""
    if kind not in _TARGETS:
        said = "must be either Utilization, Value, or AverageValue"
        yield faults.invalid(kind, said, "type")
    for field in ("value", "averageValue"):
        value = written.get(field)
        if value is not None and (quantities.parse(value) or 0) <= 0:
            is_read = quantities.parse(value) is not None
            said = "must be positive" if is_read else quantities.SYNTAX
            yield faults.invalid(quantities.shown(value), said, field)
    use = written.get("averageUtilization")
    if use is not None and use < 1:
        yield faults.invalid(use, "must be greater than 0", "averageUtilization")


def _resource(written: Mapping[str, Any]) -> Found:
    target = written.get("target") or {}
    found = (
        [] if written.get("name") else [faults.required("must specify a resource name", "name")]
    )
    has_use, has_value = (
        target.get(e) is not None for e in ("averageUtilization", "averageValue")
    )
    if not has_use and not has_value:
        said = "must set either a target raw value or a target utilization"
        found.append(faults.required(said, "target", "averageUtilization"))
    if has_use and has_value:
        said = "may not set both a target raw value and a target utilization"
        found.append(faults.forbidden(said, "target", "averageValue"))
    return found


_POLICY: tuple[Row, ...] = (
    row("type", rules.among("Percent", "Pods"), "autoscaling: validateScalingPolicy"),
    row("value", rules.positive, "autoscaling: validateScalingPolicy"),
    row("periodSeconds", rules.positive, "autoscaling: validateScalingPolicy"),
    row(
        "periodSeconds",
        lambda value: (
            () if value <= 1800 else (faults.invalid(value, "must be less than or equal to 1800"),)
        ),
        "autoscaling: validateScalingPolicy",
    ),
)


def _window(written: int) -> Found:
    if written < 0:
        return (faults.invalid(written, "must be greater than or equal to zero"),)
    if written > 3600:
        return (faults.invalid(written, "must be less than or equal to 3600"),)
    return ()


_SCALING: tuple[Row, ...] = (
    row("stabilizationWindowSeconds", _window, "autoscaling: validateScalingRules"),
    row(
        "selectPolicy", rules.among("Disabled", "Max", "Min"), "autoscaling: validateScalingRules"
    ),
    *below("policies[]", _POLICY),
)
HPA: tuple[Row, ...] = (
    row("spec", _bounds, "autoscaling: validateHorizontalPodAutoscalerSpec"),
    row("spec.scaleTargetRef", _reference, "autoscaling: ValidateCrossVersionObjectReference"),
    row("spec.scaleTargetRef", _group, "autoscaling: ValidateAPIVersion", since="1.36"),
    row("spec.metrics[]", _metric, "autoscaling: validateMetricSpec"),
    row("spec.metrics[].resource", _resource, "autoscaling: validateResourceSource"),
    row("spec.metrics[].resource.target", _target, "autoscaling: validateMetricTarget"),
    row(
        "spec.metrics[].containerResource",
        _resource,
        "autoscaling: validateContainerResourceSource",
    ),
    row("spec.metrics[].containerResource.target", _target, "autoscaling: validateMetricTarget"),
    row("spec.metrics[].pods.target", _target, "autoscaling: validateMetricTarget"),
    row("spec.metrics[].object.target", _target, "autoscaling: validateMetricTarget"),
    row("spec.metrics[].external.target", _target, "autoscaling: validateMetricTarget"),
    *below("spec.behavior.scaleUp", _SCALING),
    *below("spec.behavior.scaleDown", _SCALING),
)


def _either(spec: Mapping[str, Any]) -> Found:
    if spec.get("minAvailable") is None or spec.get("maxUnavailable") is None:
        return ()
    said = "minAvailable and maxUnavailable cannot be both set"
    fault = faults.invalid(dict(spec), said)
    return (faults.written_at(fault, "maxUnavailable"),)


def _share(at: str) -> tuple[Row, ...]:
    source = "policy: ValidatePodDisruptionBudgetSpec"
    return (row(at, rules.count_or_percent, source), row(at, rules.at_most_all, source))


BUDGET: tuple[Row, ...] = (
    row("spec", _either, "policy: ValidatePodDisruptionBudgetSpec"),
    *_share("spec.minAvailable"),
    *_share("spec.maxUnavailable"),
    *below("spec.selector", labels.SELECTOR),
    row(
        "spec.unhealthyPodEvictionPolicy",
        rules.among("AlwaysAllow", "IfHealthyBudget"),
        "policy: ValidatePodDisruptionBudgetSpec",
    ),
)
