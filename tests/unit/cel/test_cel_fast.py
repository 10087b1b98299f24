"""The quick way: it answers where it should, differs nowhere, and leaves to the exact evaluator what is not its own."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

import twins
from fleet import cel
from fleet.cel import admission, budgets, fast, lookup, types, values
from fleet.cel.fast import programs, runtime, waiting

_TABLE = json.loads(Path(__file__).with_name("cel-kubernetes-1.36.json").read_text())
_TABLE_ENVIRONMENT = admission.ENVIRONMENT.extended(
    "variables", types.object_of("kubernetes.variables", {"n": types.DYN})
)
ENVIRONMENT = cel.Environment(
    {**admission.ENVIRONMENT.variables, "x": types.DYN, "y": types.DYN}, has_bind=True
)
_LIMIT = 2.0  # seconds of processor time, on a machine that is busy
# Every kind of value that a document or an expression can hand to an operator.
_VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 2, 0.0, 1.0, -0.5, 2.0, float("nan"), float("inf"),
    values.UInt(0), values.UInt(1), 2**63 - 1, -(2**63), 2**53 + 1, float(2**53),
    "", "a", "ab", "é\U0001f600", "a" * 256, "a" * 257, "0", "1", "true", b"", b"a",
    [], [1], [True], [1.0], ["a"], [None], [[1]], {}, {"a": 1}, {"a": True}, {"b": None}, {"a": {"b": "c"}},
    values.NONE, values.optional(1), values.optional(True), values.optional({"a": 1}),
    values.Duration(0), values.Timestamp(0), values.TypeName("int"),
]  # fmt: skip


def _compared(text: str, bindings: dict[str, Any]) -> Any:
    """What the quick way says, after it was held against the exact one."""
    program = cel.compile(text, ENVIRONMENT)
    quick = twins.quickly(twins.written(text, ENVIRONMENT), bindings)
    assert not twins.difference(program, quick, bindings)
    return quick


@pytest.mark.parametrize("case", [c for c in _TABLE["cases"] if "compile" not in c["kubernetes"]])
def test_it_agrees_on_every_case_of_the_table(case: dict[str, Any]) -> None:
    program = cel.compile(case["expr"], _TABLE_ENVIRONMENT)
    function = twins.written(case["expr"], _TABLE_ENVIRONMENT)
    assert function is not None
    quick = twins.quickly(function, _TABLE["variables"])
    assert not twins.difference(program, quick, _TABLE["variables"])
    if "error" not in case["kubernetes"] and "||" not in case["expr"]:
        absorbs = "nope" in case["expr"] or "4/x" in case["expr"] or "foo == 1" in case["expr"]
        assert quick is not twins.LEFT_OPEN or absorbs


_TWO = [
    *(f"x {sign} y" for sign in ("==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "in")),
    *("x && y", "x || y", "x ? y : 1", "x[y]", "x[?y]", "x.contains(y)", "x.startsWith(y)"),
    *("x.endsWith(y)", "[x] == [y]", "{'k': x} == {'k': y}", "x.orValue(y)", "x.or(y)"),
    *("[x, y]", "[?x, y]", "{x: y}", "{?'k': x}", "x.exists(e, e == y)", "x.all(e, e != y)"),
    *("x in [y]", "x.map(e, e == y)", "size(x) == y", "[1, 2].map(i, x == y)", "has(x.a) && y"),
]
_ONE = [
    *(f"x {sign} {word}" for sign in ("==", "!=") for word in ("0", "1", "2", "1u", "0.0", "1.5")),
    *(f"{word} {sign} x" for sign in ("==", "!=") for word in ("true", "false", "null", "'a'")),
    *(f"x {sign} {word}" for sign in ("<", ">=") for word in ("0", "1", "1.5", "'a'", "1u")),
    *(f"x in {word}" for word in ("[0, 1]", "['a', '1']", "[1.0]", "[true]", "[]", "[2, 3]")),
    *("x.a", "x.?a", "has(x.a)", "x.?a.?b", "x.?a.orValue(x)", "x.?a.hasValue()", "has(x.a.b)"),
    *("x['a']", "x[0]", "x[-1]", "x[?0]", "x[?'a']", "x[1.0]", "x[true]", "x.?a.b", "x.?a[?'b']"),
    *("size(x)", "x.size()", "string(x)", "int(x)", "x.trim()", "x.lowerAscii()", "!x", "-x"),
    *("x.matches('^a+$')", "x.contains('a')", "x.startsWith('a')", "x.endsWith('a')", "x + 'a'"),
    *("x + 1", "1 + x", "x - 1", "x * 2", "size(x) + 1", "x + []", "[] + x", "x + x", "type(x)"),
    *("x.all(e, e == 1)", "x.exists(e, e)", "x.exists_one(e, e == 1)", "x.filter(e, e != null)"),
    *("x.map(e, e)", "x.map(e, e == 1, [e])", "x.transformList(i, e, i)", "x.sortBy(e, e)"),
    *("x.transformMap(k, v, v == 1)", "x.transformMapEntry(k, v, {v: k})", "x.all(i, e, i == e)"),
    *("x.optMap(o, o == 1)", "x.optFlatMap(o, optional.of(o))", "x.?a.optMap(o, o)", "x.value()"),
    *("cel.bind(b, x, b == b)", "cel.bind(b, x.?a, b.hasValue())", "optional.of(x)", "x.hasValue()"),
    *("x ? 1 : 2", "true ? x.?a : optional.none()", "false ? dyn(x.?a) : 1", "dyn(x) == 1", "{'a': x}.a"),
    *("x.filter(e, e == 'a').size() > 0 && x[0] == 'a'", "[x].exists(e, e == true)", "x == x"),
]  # fmt: skip


@pytest.mark.parametrize("text", _ONE)
def test_operators_agree_on_every_kind_of_value(text: str) -> None:
    for one in _VALUES:
        _compared(text, {"x": one})


@pytest.mark.parametrize("text", _TWO)
def test_operators_agree_on_every_pair_of_kinds(text: str) -> None:
    program = cel.compile(text, ENVIRONMENT)
    function = twins.written(text, ENVIRONMENT)
    for one in _VALUES:
        for other in _VALUES:
            bindings = {"x": one, "y": other}
            assert not twins.difference(program, twins.quickly(function, bindings), bindings)


@pytest.mark.parametrize(
    "text",
    [
        *("size({text})", "{text} + 'b'", "'b' + {text}", "{text} < 'b'", "int({text})", "string({text})"),
        *("size({list})", "{list} + []", "{list} + {list}", "'a' in {list}", "1 in {list}", "x in {list}"),
        *("size({map})", "'a' in {map}", "{number} + 1", "1 - {number}", "{number} < 1", "{number} in [1]"),
        *("{double} < 1", "{double} == 1", "string({number})", "int({double})", "{text} in ['a', '1']"),
        *("{text}.contains('a')", "{text}.trim()", "{text}.matches('a')", "{text} == 'a'", "{truth} && true"),
    ],
)  # fmt: skip
def test_what_the_static_types_exclude_stays_an_error(text: str) -> None:
    """An optional's other value gives it a type that the document need not keep."""
    others = {
        "text": "''",
        "list": "['b']",
        "map": "{}",
        "number": "1",
        "double": "1.0",
        "truth": "true",
    }
    shown = text
    for name, other in others.items():
        shown = shown.replace(f"{{{name}}}", f"x.?a.orValue({other})")
    for one in _VALUES:
        _compared(shown, {"x": {"a": one}})
    _compared(shown, {"x": {}})


_POD = {
    "metadata": {"name": "p", "labels": {"app": "web", "a b": "'\"\\\n"}},
    "spec": {
        "replicas": 3,
        "containers": [
            {"name": "a", "image": "nginx:latest", "securityContext": {"privileged": False}},
            {"name": "b", "image": "registry/x:1", "ports": [{"port": 80}, {"port": 443}]},
        ],
    },
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("object.spec.containers.all(c, !c.image.endsWith(':latest'))", False),
        ("object.spec.containers.exists(c, c.?securityContext.?privileged.orValue(false))", False),
        ("object.metadata.?labels[?'app'].orValue('') in ['web', 'db']", True),
        ("has(object.spec.containers) && size(object.spec.containers) <= 4", True),
        ("object.spec.containers.map(c, c.name)", ["a", "b"]),
        ("(object.spec.containers + object.spec.?initContainers.orValue([])).size()", 2),
        ("object.spec.containers.exists(c, c.?ports.orValue([]).exists(p, p.port == 443))", True),
        ("object.metadata.labels['a b'] == '\\'\"\\\\\\n'", True),
        ("object.metadata.labels.all(k, object.metadata.labels[k] != '')", True),
        ("object.spec.replicas > 2 ? 'many' : 'few'", "many"),
        ("object.spec.containers.filter(c, c.image.matches('^nginx'))[0].name + '!'", "a!"),
    ],
)
def test_what_policies_ask_is_answered_quickly(text: str, value: Any) -> None:
    assert _compared(text, {"object": _POD}) == value


@pytest.mark.parametrize(
    ("text", "document", "right", "wrong"),
    [
        ("x == 1", True, " and v1 is not True", ""),
        ("x != 0", False, " or v1 is False", ""),
        ("x in [1, 2]", True, "type(v1) is int", "True"),
        ("x < 1", False, "type(v1) is int", "True"),
        ("has(x.a)", "cat", " if type(v1) is dict else holds(v1, 'a')", ""),
        ("x[0]", "cat", " if type(v1) is list else value_at(v1, 0)", ""),
        ("x[0]", {False: 1}, " if type(v1) is list else value_at(v1, 0)", ""),
        ("x + size('a')", True, "type(v1) is int", "True"),
        ("size('a') + x", 2**63 - 1, "if not -9223372036854775808 <=", "if False and -1 <="),
        ("x.all(e, e)", [True, 1], "if v2 is not True and v2 is not False: return BAIL", "pass"),
        ("x.contains('a')", ["a"], "type(v1) is str", "True"),
        ("x.exists(e, e == 'b')", ["a"] * 15_000, "return BAIL", "pass"),
    ],
)
def test_a_shortcut_too_many_is_caught(text: str, document: Any, right: str, wrong: str) -> None:
    """The comparison itself: each test that the written code makes is missed once it is taken away."""
    source = programs.source(twins.definition(text, ENVIRONMENT))
    names = {**runtime.names(lookup.LENIENT), **source.constants}
    assert right in source.text()
    exec(source.text().replace(right, wrong), names)  # noqa: S102  our own writing, once wrong
    program, bindings = cel.compile(text, ENVIRONMENT), {"x": document}
    if text.startswith("x.exists"):  # a larger budget than the exact one would be needed
        bindings = {"x": document * 20}
    assert twins.difference(program, twins.quickly(names["run"], bindings), bindings)
    _compared(text, bindings)


def test_no_text_of_an_expression_becomes_code() -> None:
    for text in ("'\\'); import os #'", 'object.metadata.`x y` == \'"""\'', "'\\n\\u2028\\x00'"):
        program = cel.compile(text, ENVIRONMENT)
        bindings = {"object": {"metadata": {"x y": '"""'}}}
        quick = twins.quickly(twins.written(text, ENVIRONMENT), bindings)
        assert twins.shape(quick) == twins.shape(program.exactly(bindings))


def test_written_code_has_no_builtins() -> None:
    function = twins.written("x == 1", ENVIRONMENT)
    assert function is not None
    assert function.__globals__["__builtins__"] == {}


def test_it_is_written_when_it_pays_and_the_answer_stays() -> None:
    program = cel.compile("x.y == 1", ENVIRONMENT)
    answers = set()
    for _ in range(waiting.RUNS):
        assert program.quick.function is None
        answers.add(program.evaluate({"x": {"y": 1}}))
    assert program.quick.function is not None
    answers.add(program.evaluate({"x": {"y": 1}}))
    assert answers == {True}
    with pytest.raises(cel.EvaluationError, match="no such key: y"):
        program.evaluate({"x": {}})


def test_a_smaller_budget_is_the_exact_evaluators() -> None:
    program = cel.compile("x.all(e, e > 0)", ENVIRONMENT)
    assert program.quick.write() is not None
    assert program.evaluate({"x": [1] * 100}) is True
    with pytest.raises(cel.ExhaustedError):
        program.evaluate({"x": [1] * 100}, budget=50)


class Spent(dict[str, Any]):
    asked = 0

    def __getitem__(self, name: str) -> Any:
        self.asked += 1
        raise cel.ExhaustedError


def test_a_variable_whose_budget_is_spent_is_not_asked_twice() -> None:
    program = cel.compile("x.y == 1 || true", ENVIRONMENT)
    program.quick.write()
    spent = Spent()
    with pytest.raises(cel.ExhaustedError):
        program.evaluate({"x": spent})
    assert spent.asked == 1


_WIDE = {
    "wide": " + ".join(["x"] * 150),
    "deep": "dyn(" * 90 + "x" + ") == 1" * 1 + ")" * 89,
    "deep choices": "x == 1 ? 1 : " * 90 + "2",
    "loops in loops": "x" + "".join(f".map(e{n}, e{n}" for n in range(30)) + ")" * 30,
    "pattern": "x.matches('" + "(a{1,9}b?){1,20}" * 4 + "')",
}


@pytest.mark.parametrize("name", _WIDE)
def test_what_python_cannot_take_stays_exact(name: str) -> None:
    """Or is written all the same: a fault it is in no case."""
    for value in _VALUES:
        _compared(_WIDE[name], {"x": value})


@pytest.mark.threat(44)
@pytest.mark.parametrize(
    "text",
    [
        "object.long.all(e, object.long.all(f, e == e))",
        "object.long.map(e, object.long)",
        "object.long.all(e, object.text.contains('z') || true)",
        "object.long.all(e, 'a'.matches('(a{1,50}b?){1,10}'))",
        "object.long.all(e, !('z' in object.long))",
        "cel.bind(a, object.long + object.long, cel.bind(b, a + a, cel.bind(c, b + b, c + c)))",
        "cel.bind(a, [1, 2, 3], [a, a].map(b, [b, b, b].map(c, [c, c, c, a]))).size()",
        "object.long.map(e, object.long == object.long).size()",
        "object.keys.map(e, object.keys.exists(k, k == e)).size()",
        "object.long.map(e, string(e) + object.text).join('')",
    ],
)
def test_it_ends_before_the_exact_budget_does(text: str) -> None:
    document = {
        "long": list(range(3000)),
        "text": "a" * 500_000,
        "keys": {str(n): n for n in range(3000)},
    }
    start = time.process_time()
    _compared(text, {"object": document})
    assert time.process_time() - start < _LIMIT


@pytest.mark.threat(44)
def test_where_the_quick_allowance_ends_the_exact_budget_has_not_ended() -> None:
    """Around the border, the two never differ about whether an answer costs too much."""
    texts = (
        "x.all(e, e.startsWith('a') && e.contains('a') && e != 'b' && size(e) > 0)",
        "x.map(e, string(e) + e).size() > 0",
        "x.all(e, e in x || true)",
        "x.all(e, e.matches('^a*$'))",
        "x.all(e, e.split('').size() > 0)",
    )
    for text in texts:
        function, program = twins.written(text, ENVIRONMENT), cel.compile(text, ENVIRONMENT)
        answered = []
        for count in (1, 10, 50, 100, 200, 400, 800, 1600, 3200):
            bindings = {"x": ["a" * 250] * count}
            quick = twins.quickly(function, bindings)
            assert not twins.difference(program, quick, bindings)
            answered.append(quick is not twins.LEFT_OPEN)
        assert answered[0]
        assert not answered[-1]


def test_the_allowances_fit_into_the_budget() -> None:
    """The sum of which `runtime` speaks."""
    outside = 9 * runtime.MOST_NODES
    assert 9 * runtime.TURNS + outside + runtime.CALLS < budgets.DEFAULT_BUDGET
    assert fast.BAIL is runtime.BAIL
