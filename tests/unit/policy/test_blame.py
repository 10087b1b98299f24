"""At which field a denial points."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

import builders
import rulebooks
from fleet.cel import parser, tree
from fleet.policy import spelling

POD = rulebooks.pod(
    hostNetwork=True,
    containers=[
        {"name": "web", "image": "web:1"},
        {"name": "side", "image": "side", "ports": [{"containerPort": 80}, {"containerPort": 22}]},
    ],
    initContainers=[{"name": "init", "image": "init", "tags": ["a", "b"]}],
)
VARIABLES = [
    {"name": "containers", "expression": "object.spec.containers + object.spec.initContainers"},
    {"name": "wrong", "expression": "variables.containers.filter(c, !c.image.contains(':'))"},
    {"name": "fine", "expression": "object.spec.hostNetwork == false"},
]


def blamed(expression: str, **source: Any) -> tuple[str, ...]:
    policy = rulebooks.policy(expression, variables=VARIABLES)
    (found,) = rulebooks.judge(POD, policy, rulebooks.binding(), **source)
    assert found.severity is rulebooks.DENY
    return found.field


@pytest.mark.parametrize(
    ("expression", "field"),
    [
        ("object.spec.hostNetwork == false", "spec.hostNetwork"),
        ("!object.spec.hostNetwork", "spec.hostNetwork"),
        ("has(object.spec.hostPID)", "spec.hostPID"),
        ("!has(object.spec.hostNetwork)", "spec.hostNetwork"),
        ("object.spec.?hostNetwork.orValue(false) == false", "spec.hostNetwork"),
        ("object.metadata.name == 'web' && object.kind == 'Job'", "kind"),
        ("object.kind == 'Job' || object.spec.hostNetwork == false", "spec.hostNetwork"),
        ("object.kind == 'Pod' ? object.metadata.name == 'api' : true", "metadata.name"),
        ("object.metadata['name'] == 'api'", "metadata.name"),
        ("object.spec.containers.all(c, c.image.contains(':'))", "spec.containers.1.image"),
        (
            "object.spec.containers.all(c, c.name != '' && has(c.resources))",
            "spec.containers.0.resources",
        ),
        ("!object.spec.containers.exists(c, c.image == 'side')", "spec.containers.1.image"),
        ("object.spec.containers.exists(c, c.image == 'db')", "spec.containers"),
        (
            "object.spec.containers.all(c, !has(c.ports) || c.ports.all(p, p.containerPort > 22))",
            "spec.containers.1.ports.1.containerPort",
        ),
        (
            "object.spec.initContainers.all(c, c.tags.all(t, t == 'a'))",
            "spec.initContainers.0.tags.1",
        ),
        ("variables.containers.all(c, c.name != 'init')", "spec.initContainers.0.name"),
        ("variables.wrong.size() == 0", "spec.containers.1.image"),
        ("variables.wrong == []", "spec.containers.1.image"),
        ("variables.fine", "spec.hostNetwork"),
        ("1 == 2", ""),
        ("request.name == 'api'", ""),
    ],
)
def test_it_points_at_what_made_the_expression_false(expression: str, field: str) -> None:
    assert ".".join(blamed(expression)) == field


def test_looking_for_it_ends() -> None:
    """Variables that double each other would make the search endless."""
    variables = [{"name": "v0", "expression": "object.spec.hostNetwork == false"}]
    variables += [
        {"name": f"v{n}", "expression": f"variables.v{n - 1} || variables.v{n - 1}"}
        for n in range(1, 60)
    ]
    policy = rulebooks.policy("variables.v59", variables=variables)
    (found,) = rulebooks.judge(POD, policy, rulebooks.binding())
    assert found.field == ()


EXPRESSIONS = [
    "a.b.?c[0]['x'] == -1 || !has(a.`x-y`.z) && 2u in [1, ?b, 3]",
    "a ? b : c + 'it\\'s \\u00fc' * 3.5 - -d % e / f",
    "x.map(y, y > 1, y + 1).filter(z, z != null).all(i, v, i < v)",
    "{'a': 1, ?b: c}.transformMap(k, v, v != true, v) == {}",
    "x.optMap(y, y.size()).orValue(b'\\x00abc') >= -5",
    "'a'.matches('[a-z]') && size(x) <= 9223372036854775807",
    "a[?b].hasValue() && (a || b) && !(c && d)",
]


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_a_tree_spelled_out_parses_to_the_same_tree(text: str) -> None:
    once = spelling.spelled(parser.parse(text))
    assert spelling.spelled(parser.parse(once)) == once
    assert without_offsets(parser.parse(once)) == without_offsets(parser.parse(text))


@given(some.one_of(some.text(), some.binary(), some.floats(allow_nan=False, allow_infinity=False)))
def test_literals_are_spelled_as_they_are(value: Any) -> None:
    spelled = spelling.spelled(tree.Literal(value=value, at=0))
    again = parser.parse(spelled)
    assert isinstance(again, tree.Literal)
    assert again.value == value


def without_offsets(node: Any) -> str:
    return re.sub(r"at=\d+", "at=", repr(node))


def test_one_text_means_what_the_variables_of_its_own_policy_mean():
    """Parts of expressions are compiled once for all policies that mean the same by them."""
    for field in ("a", "b", "a"):
        policy = rulebooks.policy(
            "variables.seen.word == 'x'",
            variables=[{"name": "seen", "expression": f"object.{field}"}],
        )
        body = builders.body("web", a={"word": "1"}, b={"word": "2"})
        (found,) = rulebooks.judge(body, policy, rulebooks.binding())
        assert found.field == (field, "word")
