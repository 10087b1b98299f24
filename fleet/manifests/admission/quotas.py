"""ResourceQuotas and LimitRanges. Source: core ValidateResourceQuotaSpec, ValidateLimitRange."""

from collections.abc import Iterable, Mapping
from typing import Any

from fleet.manifests.admission import faults, quantities, resources, texts
from fleet.manifests.admission.tables import Found, Row, below, row

_COMPUTE = frozenset(
    {
        "cpu",
        "memory",
        "limits.cpu",
        "limits.memory",
        "requests.cpu",
        "requests.memory",
    }
)
_PODS = _COMPUTE | {"pods"}
_STANDARD = resources.STANDARD - {"storage"}
_EVERY = "requests.storage"
_SCOPES = {
    "BestEffort": frozenset({"pods"}),
    "NotBestEffort": _PODS,
    "Terminating": _PODS,
    "NotTerminating": _PODS,
    "PriorityClass": _PODS,
    "CrossNamespacePodAffinity": _PODS,
    "VolumeAttributesClass": frozenset({"persistentvolumeclaims", _EVERY}),
}
_BARE = frozenset(_SCOPES) - {"PriorityClass", "VolumeAttributesClass"}
_CONFLICTS = (
    frozenset({"BestEffort", "NotBestEffort"}),
    frozenset({"Terminating", "NotTerminating"}),
)
_NO_QUOTA = "must be a standard resource for quota"
_HUGE = ("hugepages-", "requests.hugepages-")


def _quota_name(name: str) -> texts.Problems:
    problems = resources.any_name(name)
    if "/" in name or name in _STANDARD or name.startswith(_HUGE):
        return problems
    return (*problems, _NO_QUOTA)


def _scopes(spec: Mapping[str, Any]) -> Found:
    scopes = spec.get("scopes") or []
    found = []
    for place, scope in enumerate(scopes):
        problems = [] if scope in _SCOPES else ["unsupported scope"]
        problems += _ill_applied(scope, spec)
        more = faults.each_invalid(scopes, problems, "scopes")
        found += [faults.written_at(each, "scopes", place) for each in more]
    if any(each <= set(scopes) for each in _CONFLICTS):
        found.append(faults.invalid(scopes, "conflicting scopes", "scopes"))
    return found


def _ill_applied(scope: str, spec: Mapping[str, Any]) -> list[str]:
    allowed = _SCOPES.get(scope)
    named = [e for e in spec.get("hard") or {} if e in _STANDARD or e.startswith(_HUGE)]
    return ["unsupported scope applied to resource" for e in named if allowed and e not in allowed]


def _selected(spec: Mapping[str, Any]) -> Found:
    selector = spec.get("scopeSelector")
    if not selector:
        return ()
    where = ("scopeSelector", "matchExpressions")
    found: list[faults.Fault] = []
    for place, each in enumerate(selector.get("matchExpressions") or ()):
        for fault in (*_ill_selected(each, spec), *_expression(each)):
            found += [faults.written_at(e, *where, place) for e in faults.below([fault], *where)]
    return found


def _ill_selected(written: Mapping[str, Any], spec: Mapping[str, Any]) -> Found:
    scope = written.get("scopeName") or ""
    problems = _ill_applied(scope, spec)
    return faults.each_invalid(spec.get("scopeSelector"), problems)


def _expression(written: Mapping[str, Any]) -> Iterable[faults.Fault]:
    scope, operator = written.get("scopeName") or "", written.get("operator") or ""
    values = written.get("values") or []
    if scope not in _SCOPES:
        yield faults.invalid(scope, "unsupported scope", "scopeName")
    if scope in _BARE and operator != "Exists":
        said = (
            "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, "
            "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
            "ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
        )
        yield faults.invalid(operator, said, "operator")
    if operator in ("In", "NotIn") and not values:
        said = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
        yield faults.required(said, "values")
    if operator in ("Exists", "DoesNotExist") and values:
        said = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
        yield faults.invalid(values, said, "values")
    if operator not in ("In", "NotIn", "Exists", "DoesNotExist"):
        yield faults.invalid(operator, "not a valid selector operator", "operator")


QUOTA: tuple[Row, ...] = (
    row("spec.hard", resources.amounts(_quota_name), "core: ValidateResourceQuotaSpec"),
    row("spec", _scopes, "core: validateResourceQuotaScopes"),
    row("spec", _selected, "core: validateScopedResourceSelectorRequirement"),
)


def _types(limits: list[Mapping[str, Any]]) -> Found:
    seen: set[str] = set()
    found = []
    for place, each in enumerate(limits):
        kind = each.get("type") or ""
        if kind in seen:
            found.append(faults.duplicate(kind, place, "type"))
        seen.add(kind)
    return found


def _type(written: Mapping[str, Any]) -> Found:
    kind = written.get("type") or ""
    problems = texts.label_key(kind)
    if (
        not problems
        and "/" not in kind
        and kind not in ("Pod", "Container", "PersistentVolumeClaim")
    ):
        problems = ("must be a standard limit type or fully qualified",)
    return faults.each_invalid(kind, problems, "type")


_AMOUNTS = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")


def _limit(written: Mapping[str, Any]) -> Found:
    kind = written.get("type")
    if kind == "Pod":
        said = "may not be specified when `type` is 'Pod'"
        barred = [
            faults.forbidden(said, e) for e in ("default", "defaultRequest") if written.get(e)
        ]
    else:
        barred = []
    if kind == "PersistentVolumeClaim" and not any(
        "storage" in (written.get(each) or {}) for each in ("min", "max")
    ):
        said = "either minimum or maximum storage value is required, but neither was provided"
        fault = faults.required(said, "limits")
        barred.append(faults.written_at(fault, "type"))
    return [*barred, *_limit_names(written), *_order(written)]


def _limit_names(written: Mapping[str, Any]) -> Iterable[faults.Fault]:
    in_pods = written.get("type") in ("Pod", "Container")
    check = resources.amounts(
        resources.container_name if in_pods else resources.any_name, is_deep=False
    )
    for each in _AMOUNTS:
        if not (written.get("type") == "Pod" and each.startswith("default")):
            yield from faults.below(check(written.get(each) or {}), each)


# lower, upper, where the fault is, whose value it shows, words
_ORDER = (
    ("min", "max", "min", "min", "min value {0} is greater than max value {1}"),
    (
        "min",
        "defaultRequest",
        "defaultRequest",
        "defaultRequest",
        "min value {0} is greater than default request value {1}",
    ),
    (
        "defaultRequest",
        "max",
        "defaultRequest",
        "defaultRequest",
        "default request value {0} is greater than max value {1}",
    ),
    (
        "defaultRequest",
        "default",
        "defaultRequest",
        "defaultRequest",
        "default request value {0} is greater than default limit value {1}",
    ),
    ("min", "default", "default", "min", "min value {0} is greater than default value {1}"),
    ("default", "max", "default", "max", "default value {0} is greater than max value {1}"),
)


def _order(written: Mapping[str, Any]) -> Iterable[faults.Fault]:
    for low, high, where, whose, words in _ORDER:
        lower, upper = written.get(low) or {}, written.get(high) or {}
        if written.get("type") == "Pod" and "default" in f"{low}{high}":
            continue
        for name in lower.keys() & upper.keys():
            least, most = quantities.parse(lower[name]), quantities.parse(upper[name])
            if least is not None and most is not None and least > most:
                said = words.format(quantities.shown(lower[name]), quantities.shown(upper[name]))
                value = quantities.shown((written.get(whose) or {}).get(name))
                yield faults.invalid(value, said, where, faults.Key(name))
    for name, ratio in (written.get("maxLimitRequestRatio") or {}).items():
        amount = quantities.parse(ratio)
        if amount is not None and amount < quantities.UNIT:
            said = f"ratio {quantities.shown(ratio)} is less than 1"
            place = ("maxLimitRequestRatio", faults.Key(name))
            yield faults.invalid(quantities.shown(ratio), said, *place)


LIMITS: tuple[Row, ...] = (
    row("spec.limits", _types, "core: ValidateLimitRange"),
    *below(
        "spec.limits[]",
        (
            row("", _type, "core: validateLimitRangeTypeName"),
            row("", _limit, "core: ValidateLimitRange"),
        ),
    ),
)
