"""Rules of CRDs that may cost too much; tests/real/defaults holds the estimates against a server's."""

import time
from typing import Any

import pytest

import builders
import definitions
from definitions import of, rule, several, whole
from fleet.model import findings
from fleet.policy.crds import costs, customs, sizes

TEXT = {"type": "string"}
SHORT = {"type": "string", "maxLength": 1000}


def told(schema: Any) -> list[findings.Finding]:
    crd = definitions.crd({"x": schema})
    return list(customs.of_definition(crd, builders.manifest(document=crd).source, "it"))


def most(expression: str, schema: Any) -> int | None:
    size = sizes.of(schema)
    assert size is not None
    return costs.most(expression, size)


def unbound(items: Any, *rules: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, "x-kubernetes-validations": list(rules)}


def test_a_rule_that_costs_too_much_is_found_where_it_stands():
    many = {**unbound(SHORT, rule("self.all(x, x.contains('abc'))")), "maxItems": 100_000}
    (found,) = told(many)
    assert found.message.endswith(
        "Forbidden: estimated rule cost exceeds budget by factor of 4.0x (try simplifying the rule, or adding"
        " maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)"
    )
    assert found.severity is findings.Severity.DENY
    assert found.field[-3:] == ("x-kubernetes-validations", "0", "rule")


def test_with_a_bound_it_does_not():
    assert told(several(SHORT, rule("self.all(x, x.contains('abc'))"))) == []


def test_what_all_of_them_cost_has_a_bound_too():
    item = {**TEXT, "x-kubernetes-validations": [rule("self != 'xxxxxxxxx'")]}
    messages = [e.message for e in told(of({f"f{n}": unbound(item) for n in range(60)}))]
    assert len(messages) == 1
    assert "cost total for entire OpenAPIv3 schema exceeds budget by factor of 1." in messages[0]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("true", 0),
        ("self == 'a'", 2),
        ("self == self", 102),
        ("self.startsWith('a') || self.endsWith('b')", 4),
        ("self.contains('abc')", 101),
        ("size(self) > 3 ? self == 'a' : self == 'b'", 5),
        ("self.lowerAscii() == self", 202),
    ],
)
def test_what_a_rule_costs_at_most(expression: str, expected: int):
    assert most(expression, {"type": "string", "maxLength": 250}) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "self.format(['a']) == 'b'",
        "self.replace('a', 'b') == 'c'",
        "type(self) == string",
        "quantity(self) == quantity('1')",
        "optional.of(self).hasValue()",
        "self.",
        "unknown == 1",
    ],
)
def test_of_what_is_in_no_table_nothing_is_said(expression: str):
    assert most(expression, SHORT) is None


def test_a_part_that_nobody_can_estimate_hides_no_other():
    hidden = whole(rule("type(self) == int"))
    (found,) = told(
        of({"a": hidden, "b": unbound(SHORT, rule("self.all(x, self.all(y, x == y))"))})
    )
    assert "more than 100x" in found.message


@pytest.mark.threat(44)
def test_no_rule_takes_long_to_estimate():
    nested = "self"
    for n in range(40):
        nested = f"self.all(x{n}, {nested} == self)"
    started = time.perf_counter()
    assert most(nested, unbound(TEXT)) == 2**64 - 1
    most("self == 'a'" + " && self == 'a'" * 3000, SHORT)
    most("(" * 100_000, SHORT)
    assert time.perf_counter() - started < 2
