"""Deployments, ReplicaSets, StatefulSets, DaemonSets, ReplicationControllers, Pods.

Source: apps and core validation.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from fleet.manifests.admission import claims, faults, labels, mounts, pods, rules, texts
from fleet.manifests.admission.tables import Check, Found, Row, below, compiled, row

_MISMATCH = "`selector` does not match template `labels`"


def template_labels(spec: Mapping[str, Any]) -> Mapping[str, str]:
    template = spec.get("template") or {}
    return (template.get("metadata") or {}).get("labels") or {}


def mismatch(spec: Mapping[str, Any], selector: Mapping[str, Any]) -> Found:
    carried = template_labels(spec)
    if labels.matches(selector, carried):
        return ()
    hint = "give the template the labels that the selector asks for"
    fault = faults.invalid(dict(carried), _MISMATCH, "template", "metadata", "labels", hint=hint)
    has = bool(carried)
    where = ("template", "metadata", "labels") if has else ("template",)
    return (faults.written_at(fault, *where),)


def _selector(kind: str) -> Check:
    """There is one, it is not empty, and the template is selected by it."""

    def check(spec: Mapping[str, Any]) -> Found:
        selector = spec.get("selector")
        if selector is None:
            return (faults.required("", "selector"),)
        if labels.is_empty(selector):
            said = f"empty selector is invalid for {kind}"
            return (faults.invalid(dict(selector), said, "selector"),)
        return mismatch(spec, selector) if _is_sound(selector) else ()

    return check


def _is_sound(selector: Mapping[str, Any]) -> bool:
    """An unsound one is a finding by itself; what it would select is nobody's to say."""
    unsound = any(labels.requirement(each) for each in selector.get("matchExpressions") or ())
    return not unsound and not labels.labels(selector.get("matchLabels") or {})


def _always(field: str, kind: str) -> Check:
    def check(spec: Mapping[str, Any]) -> Found:
        inner = (spec.get("template") or {}).get("spec") or {}
        found = []
        policy = inner.get("restartPolicy")
        if policy not in (None, "", "Always"):
            where = ("template", "spec", "restartPolicy")
            found.append(faults.unsupported(policy, ("Always",), *where))
        if inner.get("activeDeadlineSeconds") is not None:
            said = f"activeDeadlineSeconds in {kind} is not Supported"
            found.append(faults.forbidden(said, "template", "spec", field))
        return found

    return check


def _progress(spec: Mapping[str, Any]) -> Found:
    seconds = spec.get("progressDeadlineSeconds")
    limit, ready = 600 if seconds is None else seconds, spec.get("minReadySeconds") or 0
    if limit > ready:
        return ()
    return (
        faults.invalid(limit, "must be greater than minReadySeconds", "progressDeadlineSeconds"),
    )


def _strategy(spec: Mapping[str, Any]) -> Found:
    strategy = spec.get("strategy") or {}
    kind, rolling = strategy.get("type") or "RollingUpdate", strategy.get("rollingUpdate")
    if kind == "RollingUpdate":
        return faults.below(_rolling(rolling or {}), "strategy", "rollingUpdate")
    if kind == "Recreate":
        if rolling is None:
            return ()
        said = "may not be specified when strategy `type` is 'Recreate'"
        return (faults.forbidden(said, "strategy", "rollingUpdate"),)
    fault = faults.unsupported(dict(strategy), ("Recreate", "RollingUpdate"), "strategy")
    return (faults.written_at(fault, "strategy", "type"),)


def _rolling(written: Mapping[str, Any]) -> Iterable[faults.Fault]:
    unavailable, surge = (
        _or_quarter(written.get(each)) for each in ("maxUnavailable", "maxSurge")
    )
    yield from faults.below(rules.count_or_percent(unavailable), "maxUnavailable")
    yield from faults.below(rules.count_or_percent(surge), "maxSurge")
    if not rules.amount(unavailable) and not rules.amount(surge):
        yield faults.invalid(unavailable, "may not be 0 when `maxSurge` is 0", "maxUnavailable")
    yield from faults.below(rules.at_most_all(unavailable), "maxUnavailable")


def _or_quarter(written: int | str | None) -> int | str:
    return "25%" if written is None else written


def _daemon_strategy(spec: Mapping[str, Any]) -> Found:
    strategy = spec.get("updateStrategy") or {}
    kind = strategy.get("type") or "RollingUpdate"
    if kind == "OnDelete":
        return ()
    if kind != "RollingUpdate":
        known = ("RollingUpdate", "OnDelete")
        fault = faults.unsupported(dict(strategy), known, "updateStrategy")
        return (faults.written_at(fault, "updateStrategy", "type"),)
    found = _daemon_rolling(strategy.get("rollingUpdate") or {})
    return faults.below(found, "updateStrategy", "rollingUpdate")


def _daemon_rolling(written: Mapping[str, Any]) -> Iterable[faults.Fault]:
    unavailable, surge = written.get("maxUnavailable"), written.get("maxSurge")
    unavailable, surge = 1 if unavailable is None else unavailable, 0 if surge is None else surge
    for name, value in (("maxUnavailable", unavailable), ("maxSurge", surge)):
        yield from faults.below(rules.count_or_percent(value), name)
        yield from faults.below(rules.at_most_all(value), name)
    if rules.amount(unavailable) and rules.amount(surge):
        yield faults.invalid(surge, "may not be set when maxUnavailable is non-zero", "maxSurge")
    if not rules.amount(unavailable) and not rules.amount(surge):
        yield faults.required("cannot be 0 when maxSurge is 0", "maxUnavailable")


def _set_strategy(spec: Mapping[str, Any]) -> Found:
    strategy = spec.get("updateStrategy") or {}
    kind, rolling = strategy.get("type") or "RollingUpdate", strategy.get("rollingUpdate")
    if kind == "RollingUpdate":
        return faults.below(_set_rolling(rolling or {}), "updateStrategy", "rollingUpdate")
    if kind == "OnDelete":
        if rolling is None:
            return ()
        said = "only allowed for updateStrategy 'RollingUpdate'"
        return (faults.invalid(dict(rolling), said, "updateStrategy", "rollingUpdate"),)
    said = "must be 'RollingUpdate' or 'OnDelete'"
    fault = faults.invalid(dict(strategy), said, "updateStrategy")
    return (faults.written_at(fault, "updateStrategy", "type"),)


def _set_rolling(written: Mapping[str, Any]) -> Iterable[faults.Fault]:
    if (written.get("partition") or 0) < 0:
        yield faults.invalid(written["partition"], rules.NOT_NEGATIVE, "partition")
    most = written.get("maxUnavailable")
    if most is not None:
        yield from faults.below(rules.count_or_percent(most), "maxUnavailable")
        yield from faults.below(rules.at_most_all(most), "maxUnavailable")
        if not rules.amount(most):
            yield faults.invalid(most, "cannot be 0", "maxUnavailable")


def _management(written: str) -> Found:
    if written in ("", "OrderedReady", "Parallel"):
        return ()
    return (faults.invalid(written, "must be 'OrderedReady' or 'Parallel'"),)


def _set_mounted(spec: Mapping[str, Any]) -> Found:
    """Its claims are volumes of its Pods too."""
    inner = (spec.get("template") or {}).get("spec") or {}
    also = {
        (each.get("metadata") or {}).get("name") or ""
        for each in spec.get("volumeClaimTemplates") or ()
    }
    found = [
        f for part in ("containers", "initContainers") for f in mounts.mounted(inner, part, also)
    ]
    return faults.below(found, "template", "spec") if found else ()


_CLAIM = compiled(claims.SPEC)


def _claim(template: Mapping[str, Any]) -> Found:
    """Its spec is there whether it is written or not."""
    return faults.below(_CLAIM(template.get("spec") or {}), "spec")


def _replicas(*fields: str) -> tuple[Row, ...]:
    return tuple(
        row(f"spec.{each}", rules.not_negative, "apps: ValidateNonnegativeField")
        for each in fields
    )


_MOUNTED = below("spec.template.spec", (pods.MOUNTED,))
_TEMPLATE = below("spec.template", pods.TEMPLATE)
_SELECTOR = below("spec.selector", labels.SELECTOR)


def _image(written: str) -> Found:
    if written == written.strip():
        return ()
    return (faults.invalid(written, "must not have leading or trailing whitespace"),)


DEPLOYMENT: tuple[Row, ...] = (
    row("spec", _selector("deployment"), "apps: ValidateDeploymentSpec"),
    row(
        "spec",
        _always("activeDeadlineSeconds", "ReplicaSet"),
        "apps: ValidatePodTemplateSpecForReplicaSet",
    ),
    row("spec", _strategy, "apps: ValidateDeploymentStrategy"),
    row("spec", _progress, "apps: ValidateDeploymentSpec"),
    *_replicas("replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"),
    *_SELECTOR,
    *_TEMPLATE,
    *_MOUNTED,
)
REPLICA_SET: tuple[Row, ...] = (
    row("spec", _selector("deployment"), "apps: ValidateReplicaSetSpec"),
    row(
        "spec",
        _always("activeDeadlineSeconds", "ReplicaSet"),
        "apps: ValidatePodTemplateSpecForReplicaSet",
    ),
    *_replicas("replicas", "minReadySeconds"),
    *_SELECTOR,
    *_TEMPLATE,
    *_MOUNTED,
)
DAEMON_SET: tuple[Row, ...] = (
    row("spec", _selector("daemonset"), "apps: ValidateDaemonSetSpec"),
    row("spec", _always("activeDeadlineSeconds", "DaemonSet"), "apps: ValidateDaemonSetSpec"),
    row("spec", _daemon_strategy, "apps: ValidateDaemonSetUpdateStrategy"),
    *_replicas("minReadySeconds", "revisionHistoryLimit"),
    *_SELECTOR,
    *_TEMPLATE,
    *_MOUNTED,
)
STATEFUL_SET: tuple[Row, ...] = (
    row("metadata.name", rules.shaped(texts.label), "apps: ValidateStatefulSetName", since="1.27"),
    row("spec", _selector("statefulset"), "apps: ValidateStatefulSetSpec"),
    row("spec", _always("activeDeadlineSeconds", "StatefulSet"), "apps: ValidateStatefulSetSpec"),
    row("spec", _set_strategy, "apps: ValidateStatefulSetSpec"),
    row("spec", _set_mounted, "apps: volumesToAddForTemplates"),
    row("spec.podManagementPolicy", _management, "apps: ValidateStatefulSetSpec"),
    row(
        "spec.serviceName",
        rules.shaped(texts.label),
        "apps: ValidateStatefulSetSpec",
        since="1.36",
    ),
    *below(
        "spec.persistentVolumeClaimRetentionPolicy",
        (
            row(
                each,
                rules.among_or_empty("Retain", "Delete"),
                "apps: ValidatePersistentVolumeClaimRetentionPolicy",
            )
            for each in ("whenDeleted", "whenScaled")
        ),
    ),
    *_replicas("replicas", "minReadySeconds", "ordinals.start"),
    row("spec.volumeClaimTemplates[]", _claim, "apps: validateVolumeClaimTemplates"),
    *_SELECTOR,
    *_TEMPLATE,
)


def _rc_selector(spec: Mapping[str, Any]) -> Found:
    """By default the template's own labels."""
    selector = spec.get("selector") or {}
    if selector and not spec.get("template"):
        return ()
    if not selector and not template_labels(spec):
        return (faults.required("", "selector"),)
    return mismatch(spec, {"matchLabels": selector})


def _without_spec(template: Mapping[str, Any]) -> Found:
    if template.get("spec") is not None:
        return ()
    return (faults.required("", "spec", "containers"),)


CONTROLLER: tuple[Row, ...] = (
    row("spec", _rc_selector, "core: ValidateReplicationControllerSpec"),
    row(
        "spec",
        _always("activeDeadlineSeconds", "ReplicationController"),
        "core: ValidatePodTemplateSpecForRC",
    ),
    row("spec.template", _without_spec, "core: validateContainers"),
    row("spec", rules.filled("template"), "core: ValidatePodTemplateSpecForRC"),
    *_replicas("replicas", "minReadySeconds"),
    *_TEMPLATE,
    *_MOUNTED,
)


def _no_ephemeral(spec: Mapping[str, Any]) -> Found:
    if not spec.get("ephemeralContainers"):
        return ()
    return (faults.forbidden("cannot be set on create", "ephemeralContainers"),)


POD: tuple[Row, ...] = (
    *below("spec", (*pods.SPEC, pods.MOUNTED)),
    row("spec", _no_ephemeral, "core: ValidatePodCreate"),
    row("spec.containers[].image", _image, "core: validateContainerOnlyForPod"),
    row("spec.initContainers[].image", _image, "core: validateContainerOnlyForPod"),
)
POD_TEMPLATE: tuple[Row, ...] = (
    *below("template", pods.TEMPLATE),
    *below("template.spec", (pods.MOUNTED,)),
)
