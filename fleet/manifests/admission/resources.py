"""What containers ask for: names of resources, quantities, requests beside limits.

Source: core validateResourceRequirements.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fleet.manifests.admission import faults, quantities, rules, texts
from fleet.manifests.admission.tables import Found, Row, row

_HUGE = "hugepages-"
_CONTAINER = frozenset({"cpu", "memory", "ephemeral-storage"})
_COMPUTE = ("cpu", "memory", "ephemeral-storage")
COUNTED = frozenset(
    {
        "pods",
        "resourcequotas",
        "services",
        "replicationcontrollers",
        "secrets",
        "configmaps",
        "persistentvolumeclaims",
        "services.nodeports",
        "services.loadbalancers",
    }
)
STANDARD = frozenset(
    {
        *_COMPUTE,
        *(f"requests.{each}" for each in _COMPUTE),
        *(f"limits.{each}" for each in _COMPUTE),
        *COUNTED,
        "storage",
        "requests.storage",
    }
)
_NOT_STANDARD = "must be a standard resource type or fully qualified"
_NOT_WHOLE = "must be an integer"
Names = Callable[[str], texts.Problems]


def is_native(name: str) -> bool:
    return "/" not in name or "kubernetes.io/" in name


def is_extended(name: str) -> bool:
    if is_native(name) or name.startswith("requests."):
        return False
    return not texts.label_key(f"requests.{name}")


def may_overcommit(name: str) -> bool:
    return is_native(name) and not name.startswith(_HUGE)


def any_name(name: str) -> texts.Problems:
    problems = texts.label_key(name)
    is_known = name in STANDARD or name.startswith((_HUGE, f"requests.{_HUGE}"))
    if problems or "/" in name or is_known:
        return problems
    return (_NOT_STANDARD,)


@texts.remembered
def container_name(name: str) -> texts.Problems:
    problems = any_name(name)
    if "/" not in name:
        is_known = name in _CONTAINER or name.startswith(_HUGE)
        more = () if is_known else ("must be a standard resource for containers",)
        return (*problems, *more)
    if not is_native(name) and not is_extended(name):
        return (*problems, "doesn't follow extended resource name standard")
    return problems


def amounts(names: Names, *, is_deep: bool = True) -> Callable[[Mapping[str, Any]], Found]:
    """A map of resources: names, and amounts that are none below zero and whole where the thing is."""

    def check(written: Mapping[str, Any]) -> Found:
        found: list[faults.Fault] | tuple[()] = ()
        for name, value in written.items():
            amount = 0 if value is None else value
            more = [*_named(name, names), *_amount(name, amount, is_deep=is_deep)]
            if more:
                found = [*found, *faults.below(more, faults.Key(name))]
        return found

    return check


def _named(name: str, names: Names) -> Iterable[faults.Fault]:
    problems = names(name)
    hint = "as cpu, memory, ephemeral-storage or example.com/name"
    return [faults.invalid(name, each, hint=hint) for each in problems] if problems else ()


def _amount(name: str, value: object, *, is_deep: bool) -> Found:
    amount = quantities.parse(value)
    if amount is None:
        return rules.quantity(value)
    if not is_deep:
        return ()
    if amount < 0:
        return rules.quantity_not_negative(value)
    if (name in COUNTED or is_extended(name)) and not quantities.is_whole(amount):
        return (faults.invalid(quantities.shown(value), _NOT_WHOLE),)
    return _huge(name, value, amount) if name.startswith(_HUGE) else ()


def _huge(name: str, value: object, amount: int) -> Found:
    page = quantities.parse(name.removeprefix(_HUGE))
    is_page = page is not None and page > 0 and quantities.is_whole(page)
    if is_page and page and quantities.whole(amount) % quantities.whole(page) == 0:
        return ()
    shown = quantities.shown(value)
    return (faults.invalid(shown, f"{shown} is not positive integer multiple of {name}"),)


def _pairs(written: Mapping[str, Any]) -> Found:
    """Requests beside limits."""
    requests, limits = written.get("requests"), written.get("limits") or {}
    if not requests:
        return _huge_alone(limits) if any(map(_is_huge, limits)) else ()
    found: list[faults.Fault] | tuple[()] = ()
    for name, value in requests.items():
        limit = limits.get(name)
        if limit is not None and value == limit:
            continue
        more = _beside(name, value, limit)
        if more:
            found = [*found, *more]
    if any(_is_huge(each) for each in (*requests, *limits)):
        return [*found, *_huge_alone({**limits, **requests})]
    return found


def _is_huge(name: str) -> bool:
    return name.startswith(_HUGE)


def _huge_alone(named: Mapping[str, Any]) -> Found:
    if "cpu" in named or "memory" in named:
        return ()
    return (faults.forbidden("HugePages require cpu or memory"),)


def _beside(name: str, value: object, limit: object) -> Found:
    if limit is None:
        if may_overcommit(name):
            return ()
        detail = "Limit must be set for non overcommitable resources"
        return (faults.required(detail, "limits", hint=f"a limit of {name}"),)
    asked, most = quantities.parse(value), quantities.parse(limit)
    if asked is None or most is None or asked == most:
        return ()
    if not may_overcommit(name):
        said = f"must be equal to {name} limit of {quantities.shown(limit)}"
    elif asked > most:
        said = f"must be less than or equal to {name} limit of {quantities.shown(limit)}"
    else:
        return ()
    fault = faults.invalid(quantities.shown(value), said, "requests")
    return (faults.written_at(fault, "requests", name),)


CONTAINER: tuple[Row, ...] = (
    row("", _pairs, "core: validateResourceRequirements"),
    row("limits", amounts(container_name), "core: ValidateResourceQuantityValue"),
    row("requests", amounts(container_name), "core: ValidateResourceQuantityValue"),
)
OVERHEAD: tuple[Row, ...] = (row("", amounts(container_name), "core: validateOverhead"),)
