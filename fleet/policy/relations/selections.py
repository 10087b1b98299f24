"""Services and disruption budgets that select no Pod of the revision."""

from collections.abc import Iterator, Mapping
from typing import Any

from fleet.model import findings, objects
from fleet.policy.relations import index as indexes
from fleet.policy.relations import reading, saying

_ELSEWHERE = "Pods that are not in git are not seen here"
_SELECTING = (("", "Service"), ("policy", "PodDisruptionBudget"))
_OPERATED = "Pods that an operator makes are not seen here"


def check(index: indexes.Index) -> Iterator[findings.Finding]:
    if not any(kind in index.kinds for kind in _SELECTING):
        return
    for each in index.manifests:
        selector = _selector(each)
        if selector is None:
            continue
        try:
            if index.selects_something(each.key.namespace, selector):
                continue
        except indexes.ExhaustedError:
            yield _unknown(each)
            return
        yield _nothing(each, index)


def _selector(manifest: objects.Manifest) -> Mapping[str, Any] | None:
    """As a label selector; None for an object that is to select nothing."""
    kind = reading.kind_of(manifest)
    if kind not in _SELECTING:
        return None
    spec = reading.part(reading.body(manifest), "spec")
    match kind:
        case ("", "Service"):
            selector = reading.part(spec, "selector")
            is_own = spec.get("type") != "ExternalName"
            return {"matchLabels": selector} if selector and is_own else None
        case ("policy", "PodDisruptionBudget"):
            written = spec.get("selector")
            return written if isinstance(written, Mapping) and _is_sound(written) else None
        case _:
            return None


def _is_sound(selector: Mapping[str, Any]) -> bool:
    """Of the form that it must have; else it is the schema's finding."""
    expressions = selector.get("matchExpressions")
    fits = expressions is None or isinstance(expressions, list)
    listed = [*reading.each(selector, "matchExpressions")]
    lists = all(_is_requirement(one) for _, one in listed)
    is_map = isinstance(selector.get("matchLabels") or {}, Mapping)
    return fits and lists and is_map and len(listed) == len(expressions or ())


def _is_requirement(written: Mapping[str, Any]) -> bool:
    has_key = isinstance(written.get("key") or "", str)
    return has_key and isinstance(written.get("values") or [], list)


def _nothing(manifest: objects.Manifest, index: indexes.Index) -> findings.Finding:
    is_operated = index.may_be_operated(manifest.key.namespace)
    return saying.warning(
        "selection",
        manifest,
        f"its selector selects no Pod in namespace {manifest.key.namespace}",
        hint=_OPERATED if is_operated else _ELSEWHERE,
        field=("spec", "selector"),
        severity=findings.Severity.AUDIT if is_operated else findings.Severity.WARN,
    )


def _unknown(manifest: objects.Manifest) -> findings.Finding:
    return saying.warning(
        "selection",
        manifest,
        "not evaluated: there are too many selectors and labels to compare from here on",
        hint="fewer objects in one namespace, or fewer labels that they share",
    )
