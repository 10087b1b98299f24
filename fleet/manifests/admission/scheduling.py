"""Where a Pod may run: node selectors, affinity, tolerations, spreading.

Source: core validateAffinity and its neighbours.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from fleet.manifests.admission import faults, labels, rules, texts
from fleet.manifests.admission.tables import Found, Row, below, row

_LISTED, _BARE, _ONE = ("In", "NotIn"), ("Exists", "DoesNotExist"), ("Gt", "Lt")
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_ACTIONS = ("DoNotSchedule", "ScheduleAnyway")
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def requirement(written: Mapping[str, Any]) -> Found:
    """Of nodes' labels, with comparisons; its values are checked where the requirement must hold."""
    operator, values = written.get("operator") or "", written.get("values") or ()
    found = [*_operator(operator, values)]
    key = written.get("key") or ""
    return [*found, *faults.each_invalid(key, texts.label_key(key), "key")]


def _operator(operator: str, values: Any) -> Iterable[faults.Fault]:
    if operator in _LISTED and not values:
        yield faults.required("must be specified when `operator` is 'In' or 'NotIn'", "values")
    if operator in _BARE and values:
        said = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        yield faults.forbidden(said, "values")
    if operator in _ONE and len(values) != 1:
        said = "must be specified single value when `operator` is 'Lt' or 'Gt'"
        yield faults.required(said, "values")
    if operator not in (*_LISTED, *_BARE, *_ONE):
        yield faults.invalid(operator, "not a valid selector operator", "operator")


def _field(written: Mapping[str, Any]) -> Found:
    operator, key = written.get("operator") or "", written.get("key") or ""
    found = []
    if operator not in _LISTED:
        found.append(faults.invalid(operator, "not a valid selector operator", "operator"))
    elif len(written.get("values") or ()) != 1:
        said = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        found.append(faults.required(said, "values"))
    if key != "metadata.name":
        found.append(faults.invalid(key, "not a valid field selector key", "key"))
    return found


_TERM: tuple[Row, ...] = (
    row("matchExpressions[]", requirement, "core: ValidateNodeSelectorRequirement"),
    row("matchFields[]", _field, "core: ValidateNodeFieldSelectorRequirement"),
)
NODES: tuple[Row, ...] = (
    row(
        "",
        rules.filled("nodeSelectorTerms", "must have at least one node selector term"),
        "core: ValidateNodeSelector",
    ),
    *below("nodeSelectorTerms[]", _TERM),
    row(
        "nodeSelectorTerms[].matchExpressions[].values[]",
        rules.shaped(texts.label_value),
        "core: ValidateNodeSelectorRequirement",
    ),
)
_WEIGHT = row(
    "weight",
    rules.within(1, 100, "must be in the range 1-100"),
    "core: validateWeightedPodAffinityTerms",
)


def _topology(written: Mapping[str, Any]) -> Found:
    key = written.get("topologyKey") or ""
    problems = texts.label_key(key)
    if not problems:
        return ()
    empty = () if key else (faults.required("can not be empty", "topologyKey"),)
    return [*empty, *faults.each_invalid(key, problems, "topologyKey")]


def _namespaces(written: Mapping[str, Any]) -> Found:
    return [
        faults.written_at(faults.invalid(each, problem, "namespace"), "namespaces", place)
        for place, each in enumerate(written.get("namespaces") or ())
        for problem in texts.label(each or "")
    ]


_POD_TERM: tuple[Row, ...] = (
    *below("labelSelector", labels.SELECTOR),
    *below("namespaceSelector", labels.SELECTOR),
    row("", _namespaces, "core: validatePodAffinityTerm"),
    row("", _topology, "core: validatePodAffinityTerm"),
)
_POD_AFFINITY: tuple[Row, ...] = (
    *below(f"{_REQUIRED}[]", _POD_TERM),
    *below(f"{_PREFERRED}[]", (_WEIGHT,)),
    *below(f"{_PREFERRED}[].podAffinityTerm", _POD_TERM),
)


def toleration(written: Mapping[str, Any]) -> Found:
    key, operator = written.get("key") or "", written.get("operator") or ""
    effect, value = written.get("effect") or "", written.get("value") or ""
    found = [*faults.each_invalid(key, texts.label_key(key), "key")] if key else []
    if not key and operator != "Exists":
        said = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        found.append(faults.invalid(operator, said, "operator"))
    if written.get("tolerationSeconds") is not None and effect != "NoExecute":
        said = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        found.append(faults.invalid(effect, said, "effect"))
    found += _tolerated(operator, value)
    if effect and effect not in _EFFECTS:
        found.append(faults.unsupported(effect, _EFFECTS, "effect"))
    return found


def _tolerated(operator: str, value: str) -> Found:
    if operator == "Exists" and value:
        said = "value must be empty when `operator` is 'Exists'"
        return (faults.written_at(faults.invalid(value, said, "operator"), "value"),)
    if operator in ("Equal", ""):
        problems = texts.label_value(value)
        fault = faults.invalid(value, ";".join(problems), "operator")
        return (faults.written_at(fault, "value"),) if problems else ()
    if operator == "Exists":
        return ()
    known = ("Equal", "Exists", "Lt", "Gt") if operator in ("Lt", "Gt") else ("Equal", "Exists")
    return (faults.unsupported(operator, known, "operator"),)


def _spread(constraints: list[Mapping[str, Any]]) -> Found:
    """The same key and action twice."""
    named = [(e.get("topologyKey"), e.get("whenUnsatisfiable")) for e in constraints]
    if len(set(named)) == len(named):
        return ()
    last = {pair: place for place, pair in enumerate(named)}
    field = "{topologyKey, whenUnsatisfiable}"
    return [
        faults.written_at(faults.duplicate(f"{{{pair[0]}, {pair[1]}}}", place, field), place)
        for place, pair in enumerate(named)
        if last[pair] > place
    ]


def _constraint(written: Mapping[str, Any]) -> Found:
    found = [*rules.needs("topologyKey", detail="can not be empty")(written)]
    action, domains = written.get("whenUnsatisfiable") or "", written.get("minDomains")
    if domains is not None and domains <= 0:
        found.append(faults.invalid(domains, rules.NOT_POSITIVE, "minDomains"))
    if domains is not None and action != "DoNotSchedule":
        said = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
        found.append(faults.invalid(domains, said, "minDomains"))
    if written.get("matchLabelKeys") and written.get("labelSelector") is None:
        said = "must not be specified when labelSelector is not set"
        found.append(faults.forbidden(said, "matchLabelKeys"))
    return found


_SPREAD = "core: validateTopologySpreadConstraints"
TOLERATIONS: tuple[Row, ...] = (row("tolerations[]", toleration, "core: ValidateTolerations"),)
ROWS: tuple[Row, ...] = (
    row("nodeSelector", labels.labels, "core: ValidatePodSpec"),
    *below(f"affinity.nodeAffinity.{_REQUIRED}", NODES),
    *below(f"affinity.nodeAffinity.{_PREFERRED}[]", (_WEIGHT, *below("preference", _TERM))),
    *below("affinity.podAffinity", _POD_AFFINITY),
    *below("affinity.podAntiAffinity", _POD_AFFINITY),
    *TOLERATIONS,
    row("topologySpreadConstraints", _spread, "core: ValidateSpreadConstraintNotRepeat"),
    row("topologySpreadConstraints[]", _constraint, _SPREAD),
    row("topologySpreadConstraints[].maxSkew", rules.positive, _SPREAD),
    row(
        "topologySpreadConstraints[].whenUnsatisfiable",
        rules.among(*_ACTIONS),
        "core: ValidateWhenUnsatisfiable",
    ),
    row(
        "topologySpreadConstraints[].nodeAffinityPolicy",
        rules.among("Honor", "Ignore"),
        "core: validateNodeInclusionPolicy",
    ),
    row(
        "topologySpreadConstraints[].nodeTaintsPolicy",
        rules.among("Honor", "Ignore"),
        "core: validateNodeInclusionPolicy",
    ),
    *below("topologySpreadConstraints[].labelSelector", labels.SELECTOR),
)
