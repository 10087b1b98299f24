"""One custom resource under the rules of its CRD, in the API server's words.

Transition rules say nothing where there is no older value, unless they allow for it. What did not change is held to the
other rules as well, where an API server would only warn: the next cluster that gets it would refuse it. Source:
pkg/apiserver/schema/cel/validation.go of k8s.io/apiextensions-apiserver.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fleet import cel
from fleet.cel import values
from fleet.policy.crds import correlation, rules, selves, spots

_MAX_MESSAGE = 5 * 1024  # bytes; a longer one is not taken from a message expression
_WHOLE = 3_000_000  # of all rules on one resource, in the evaluator's units: a second or two
_LEAST = 1_000  # of one rule, however many there are
_KINDS = {
    "FieldValueForbidden": "Forbidden",
    "FieldValueRequired": "Required value",
    "FieldValueDuplicate": "Duplicate value",
}
_NO_OVERLOAD = "no such overload"
_ROOT = spots.Spot()


def faults(node: rules.Node, value: Any, old: Any = None) -> Iterator[spots.Fault]:
    """Of a resource that fits its schema. Nulls are for the rules of what is around them, and no older value."""
    share = _WHOLE // max(1, _asked(node, value))
    budget = max(_LEAST, min(cel.DEFAULT_BUDGET, share))
    yield from _faults(node, _Values(value, old), _ROOT, budget)


@dataclass(frozen=True, slots=True)
class _Values:
    now: Any
    old: Any = None


def _asked(node: rules.Node, value: Any) -> int:
    """How often a rule will be evaluated."""
    here = len(node.rules) + sum(_asked(each, value) for each in node.all_of)
    return here + sum(
        _asked(inner, each.now) for inner, each, _ in _inside(node, _Values(value), _ROOT)
    )


def _faults(
    node: rules.Node, value: _Values, spot: spots.Spot, budget: int
) -> Iterator[spots.Fault]:
    if value.now is None:
        return
    if node.rules:
        yield from _here(node, value, spot, budget)
    for inner in node.all_of:
        yield from _faults(inner, value, spot, budget)
    for inner, each, place in _inside(node, value, spot):
        yield from _faults(inner, each, place, budget)


def _inside(
    node: rules.Node, value: _Values, spot: spots.Spot
) -> Iterator[tuple[rules.Node, _Values, spots.Spot]]:
    match value.now:
        case dict():
            before = value.old if isinstance(value.old, dict) else {}
            for key, each in value.now.items():
                if key in node.fields:
                    yield node.fields[key], _Values(each, before.get(key)), spot.child(key)
                elif node.entries is not None:
                    yield node.entries, _Values(each, before.get(key)), spot.key(key)
        case list() if node.items is not None:
            earlier = correlation.of(value.old, node.schema)
            for place, each in enumerate(value.now):
                yield node.items, _Values(each, earlier(each)), spot.index(place)
        case _:
            pass


def _here(
    node: rules.Node, value: _Values, spot: spots.Spot, budget: int
) -> Iterator[spots.Fault]:
    plain = {"self": selves.seen(value.now, node.schema, of_resource=node.of_resource)}
    optional = {**plain, "oldSelf": values.NONE}
    if value.old is not None and any(rule.uses_old for rule in node.rules):
        old = selves.seen(value.old, node.schema, of_resource=node.of_resource)
        plain["oldSelf"], optional["oldSelf"] = old, values.optional(old)
    for rule in node.rules:
        bindings = optional if rule.may_lack_old else plain
        if rule.uses_old and "oldSelf" not in bindings:
            continue
        try:
            if rule.expression.evaluate(bindings, budget=budget) is True:
                continue
        except cel.EvaluationError as error:
            yield spots.Fault(spot, _error(node, rule, str(error)))
        except cel.ExhaustedError as error:
            yield spots.Fault(spot, _error(node, rule, str(error)), is_verdict=False)
        else:
            yield _refusal(node, rule, value.now, plain, spot)


def _error(node: rules.Node, rule: rules.Rule, said: str) -> str:
    about = rule.message or rule.expression.text.strip()
    kind = json.dumps(str(node.schema.get("type", "")))
    if rule.expression.program is None:
        return f"Invalid value: {kind}: rule compile error: {said}"
    if said.startswith(_NO_OVERLOAD):
        said = _NO_OVERLOAD  # the server does not know of which types
        words = "call arguments did not match a supported operator, function or macro signature"
        return f"Invalid value: {kind}: '{said}': {words} for rule: {about}"
    return f"Invalid value: {kind}: {said} evaluating rule: {about}"


def _refusal(
    node: rules.Node,
    rule: rules.Rule,
    value: Any,
    plain: Mapping[str, Any],
    spot: spots.Spot,
) -> spots.Fault:
    shown = spot.shown
    if rule.shown:
        shown = f"{shown}.{rule.shown}" if shown else rule.shown
    place = spots.Spot(shown, (*spot.steps, *rule.steps))
    detail = _expressed(rule, plain) or rule.message or _unexplained(rule)
    kind = _KINDS.get(rule.reason, "Invalid value")
    is_whole = node.schema.get("type") in ("object", "array")
    said = "" if is_whole or kind in ("Forbidden", "Required value") else f": {_shown(value)}"
    told = "" if kind == "Duplicate value" else f": {detail}"
    return spots.Fault(place, f"{kind}{said}{told}")


def _unexplained(rule: rules.Rule) -> str:
    return f"failed rule: {rule.expression.text.strip()}"


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _expressed(rule: rules.Rule, bindings: Mapping[str, Any]) -> str:
    """What the message expression says, if that is one line. To it no older value is optional, unlike to its rule."""
    if rule.message_expression is None:
        return ""
    try:
        text = rule.message_expression.evaluate(bindings)
    except (cel.EvaluationError, cel.ExhaustedError):
        return ""
    text = text.strip() if isinstance(text, str) else ""
    return "" if "\n" in text or len(text.encode("utf-8", "replace")) > _MAX_MESSAGE else text
