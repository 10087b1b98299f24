"""Rules that an API server does not take in because they may cost too much, as far as that can be told here.

Source: getExpressionCost and getCostErrorMessage in pkg/apis/apiextensions/validation/validation.go of
k8s.io/apiextensions-apiserver.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from fleet.policy import expressions
from fleet.policy.crds import costs, rules, sizes

_EACH, _WHOLE = 10_000_000, 100_000_000
_ADVICE = (
    "try simplifying the rule, or adding maxItems, maxProperties, and maxLength"
    " where arrays, maps, and strings are declared"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cost:
    """Of one expression, as often as it may be asked in one request; None = nobody here knows."""

    expression: expressions.Expression
    name: str
    most: int | None


def faults(root: rules.Node) -> Iterator[tuple[rules.Path, str]]:
    """Where all costs are known, also what they come to."""
    found = list(_costs(root, 1))
    for each in found:
        if each.most is not None and each.most > _EACH:
            yield each.expression.path, _said(each.name, each.most, _EACH)
    known = [each.most for each in found if each.most is not None]
    if len(known) == len(found) and sum(known) > _WHOLE:
        name = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"
        yield (), _said(name, sum(known), _WHOLE)


def _costs(node: rules.Node, count: int | None) -> Iterator[_Cost]:
    size = sizes.of(node.schema, of_resource=node.of_resource)
    for rule in node.rules:
        yield from _of_rule(rule, size, count)
    bound = sizes.cardinality(node.schema)
    inside = None if count is None or bound is None else costs.times(count, bound)
    for each in (*node.fields.values(), node.entries, node.items):
        if each is not None:
            yield from _costs(each, inside)
    for each in node.all_of:
        for rule in each.everywhere():
            yield _Cost(expression=rule.expression, name="", most=None)


def _of_rule(rule: rules.Rule, size: sizes.Size | None, count: int | None) -> Iterator[_Cost]:
    often = sizes.LARGEST // (size.least + 1) if size is not None and count is None else count
    one = _most(rule.expression, rule, size)
    most = None if one is None or often is None else costs.times(one, often)
    yield _Cost(expression=rule.expression, name="estimated rule cost", most=most)
    if rule.message_expression is not None:
        told = _most(rule.message_expression, rule, size)
        name = "estimated messageExpression cost"
        yield _Cost(expression=rule.message_expression, name=name, most=told)


def _most(
    expression: expressions.Expression, rule: rules.Rule, size: sizes.Size | None
) -> int | None:
    if size is None or expression.program is None or rule.may_lack_old:
        return None
    return costs.most(expression.text, size)


def _said(name: str, cost: int, limit: int) -> str:
    factor = cost / limit
    shown = "more than 100" if factor > 100 else f"{factor:f}" if factor < 1.5 else f"{factor:.1f}"
    return f"Forbidden: {name} exceeds budget by factor of {shown}x ({_ADVICE})"
