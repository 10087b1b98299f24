"""The language: how it is read, what it computes, which errors it absorbs, what is refused before anything runs."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet import cel
from fleet.cel import admission, types, values

ENVIRONMENT = admission.ENVIRONMENT
_INTS = st.integers(values.MIN_INT, values.MAX_INT)


def run(text: str, **bindings: Any) -> Any:
    return cel.compile(text, ENVIRONMENT).evaluate({"object": {}, **bindings})


def refused(text: str, environment: cel.Environment = ENVIRONMENT) -> str:
    with pytest.raises(cel.CompileError) as caught:
        cel.compile(text, environment)
    return str(caught.value)


def failing(text: str, **bindings: Any) -> str:
    with pytest.raises(cel.EvaluationError) as caught:
        run(text, **bindings)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3 - 4", 3),
        ("(1 + 2) * 3", 9),
        ("10 - 3 - 2", 5),
        ("100 / 10 / 5", 2),
        ("2 + 3 == 5 && 1 < 2", True),
        ("true || false && false", True),
        ("(true || false) && false", False),
        ("1 == 1 ? 'a' : 'b'", "a"),
        ("false ? 1 : true ? 2 : 3", 2),
        ("!true || !false", True),
        ("!!true", True),
        ("-(-5)", 5),
        ("- -5", 5),
        ("3 -2", 1),
        ("-9223372036854775808", values.MIN_INT),
        ("'a' in ['a'] && !('b' in ['a'])", True),
        ("[1, 2, 3,][1]", 2),
        ("{'a': 1,}['a']", 1),
        ("// nothing\n1 // one\n + 1", 2),
        (".5 + 1.5e1", 15.5),
        ("0xffu == 255u", True),
        ("{'a-b': 1}.`a-b`", 1),
    ],
)
def test_operators_bind_as_the_grammar_says(text: str, value: Any) -> None:
    assert run(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"'a\nb'", "a\nb"),
        (r"'\x41é\U0001F600\101'", "Aé😀A"),
        (r"r'\n'", r"\n"),
        (r'"it\'s \"so\""', 'it\'s "so"'),
        ("'''a\n'b''c'''", "a\n'b''c"),
        ('R"""\\"""', "\\"),
        (r"b'\xff\000é'", b"\xff\x00\xc3\xa9"),
        (r"bR'\x'", rb"\x"),
        (r"'\?\`'", "?`"),
    ],
)
def test_strings_are_read_with_their_escapes(text: str, value: Any) -> None:
    assert run(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 +",
        "(1",
        "1)",
        "[1",
        "{'a' 1}",
        "'a",
        "'a\nb'",
        r"'\q'",
        r"'\ud800'",
        r"b'\u00e9'",
        "'\ud800'",
        "9223372036854775808",
        "18446744073709551616u",
        "1e999",
        "1" * 5000,
        "a b",
        "f(1,)",
        "if",
        "in",
        "x.1",
        "1..2",
        "Foo{a: 1}",
        "has(1)",
        "has(object.?a)",
        "[1].all(1, true)",
        "[1].all(i, i, true)",
        "&& true",
        "1 = 1",
        "@",
    ],
)
def test_what_is_no_expression_is_refused(text: str) -> None:
    assert refused(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nope", "undeclared reference to 'nope'"),
        ("nope()", "undeclared reference to 'nope'"),
        ("object.nope()", "undeclared reference to 'nope'"),
        ("authorizer.resource('pods')", "found no matching overload for 'resource'"),
        ("authorizer.nope", "undefined field 'nope'"),
        ("cel.bind(x, 1, x)", "undeclared reference to 'cel'"),
        ("quantity('1').mul(2)", "undeclared reference to 'mul'"),
        ("math.greatest(1, 2)", "undeclared reference to 'math'"),
        ("[1].map(x, y)", "undeclared reference to 'y'"),
        ("[1].map(x, x) == [x]", "undeclared reference to 'x'"),
        ("request.userInfo.nope", "undefined field 'nope'"),
        ("namespaceObject.metadata.uid", "undefined field 'uid'"),
        ("variables.x", "undefined field 'x'"),
        ("request.name + 1", "no matching overload for '_+_' applied to '(string, int)'"),
        ("request.name == null", "no matching overload for '_==_' applied to '(string, null)'"),
        ("size(1)", "no matching overload for 'size' applied to '(int)'"),
        ("1.size()", "no matching overload for 'size' applied to 'int.()'"),
        ("'a'.b", "type 'string' does not support field selection"),
        ("1 && true", "expected type 'bool' but found 'int'"),
        ("[1].all(x, x)", "expected type 'bool' but found 'int'"),
        ("'a'.all(x, true)", "expression of type 'string' cannot be range of a comprehension"),
        ("[object.a, 'a']", "expected type 'dyn' but found 'string'"),
        ("{1: 'a', 'b': 'c'}", "expected type 'int' but found 'string'"),
        ("[1, 2.0]", "expected type 'int' but found 'double'"),
        ("duration('1x')", "invalid duration argument"),
        ("timestamp('2024-13-01T00:00:00Z')", "invalid timestamp argument"),
        ("'a'.find('[')", "invalid find argument"),
        ("matches('a', '[')", "invalid matches argument"),
        ("'%d'.format(['a'])", "decimal clause can only be used on integers, was given string"),
        ("'%d'.format([1, 2])", "too many arguments supplied to string.format"),
        ("'%d %d'.format([1])", "index 1 out of range"),
        ("'%y'.format([1])", "unrecognized formatting clause"),
        ("[[1]].sortBy(x, x)", "no matching overload for 'sortBy'"),
        ("[1].optMap(x, x)", "no matching overload for 'hasValue' applied to 'list(int).()'"),
    ],
)
def test_what_cannot_work_is_refused_before_it_runs(text: str, words: str) -> None:
    assert words in refused(text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("object", "dyn"),
        ("request.userInfo.groups", "list(string)"),
        ("request.userInfo.extra['a'][0]", "string"),
        ("namespaceObject.metadata.creationTimestamp", "google.protobuf.Timestamp"),
        ("namespaceObject.status.conditions.map(c, c.type)", "list(string)"),
        ("[]", "list(dyn)"),
        ("{}", "map(dyn, dyn)"),
        ("[] + [1]", "list(int)"),
        ("[[], [1]]", "list(list(int))"),
        ("true ? [] : ['a']", "list(string)"),
        ("type(1)", "type(int)"),
        ("object.a + 1", "int"),
        ("object.a + object.b", "dyn"),
        ("object.?a", "optional_type(dyn)"),
        ("[1].first().optMap(x, string(x))", "optional_type(string)"),
        ("[1].map(x, [x])", "list(list(int))"),
        ("{'a': 1}.filter(k, true)", "list(string)"),
        ("[1].transformMap(i, v, 'a')", "map(int, string)"),
        ("oldObject == null", "bool"),
    ],
)
def test_every_expression_has_its_static_type(text: str, kind: str) -> None:
    assert str(cel.compile(text, ENVIRONMENT).type) == kind


def test_fields_of_variables_are_known_by_type() -> None:
    known = ENVIRONMENT.extended("variables", types.object_of("variables", {"n": types.INT}))
    program = cel.compile("variables.n + 1", known)
    assert program.type == types.INT
    assert program.evaluate({"variables": {"n": 2}}) == 3
    assert "undefined field 'm'" in refused("variables.m", known)


def test_an_extended_environment_leaves_the_other_as_it_was() -> None:
    wider = ENVIRONMENT.extended("extra", types.INT)
    assert cel.compile("extra", wider).evaluate({"extra": 1}) == 1
    assert "undeclared" in refused("extra")


class Lazily(Mapping[str, Any]):
    """What a policy's variables are: computed when they are asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getitem__(self, name: str) -> Any:
        self.asked.append(name)
        if name == "broken":
            raise cel.EvaluationError("it is broken")
        return {"one": 1, "two": 2}[name]

    def __iter__(self) -> Iterator[str]:
        return iter(("one", "two", "broken"))

    def __len__(self) -> int:
        return 3


def test_variables_may_be_computed_when_they_are_used() -> None:
    fields = {"one": types.INT, "two": types.INT, "broken": types.BOOL}
    known = ENVIRONMENT.extended("variables", types.object_of("variables", fields))
    lazily = Lazily()
    program = cel.compile("variables.one == 1 || variables.two == 2", known)
    assert program.evaluate({"variables": lazily}) is True
    assert lazily.asked == ["one"]
    absorbed = cel.compile("variables.broken || variables.one == 1", known)
    assert absorbed.evaluate({"variables": lazily}) is True
    with pytest.raises(cel.EvaluationError, match="it is broken"):
        cel.compile("variables.broken", known).evaluate({"variables": lazily})


def test_names_that_macros_bind_hide_outer_ones_and_end_with_them() -> None:
    assert run("[1].map(object, object + 1)") == [2]
    assert run("[[1, 2], [3]].map(x, x.map(x, x * 2))") == [[2, 4], [6]]
    assert run("[1, 2].map(x, [10].map(y, x + y)[0] + x)") == [12, 14]


def test_bind_is_there_only_where_the_environment_says_so() -> None:
    kyverno = cel.Environment({"object": types.DYN}, has_bind=True)
    program = cel.compile("cel.bind(x, object.a, x + x)", kyverno)
    assert program.evaluate({"object": {"a": 2}}) == 4


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("object.nope || true", True),
        ("true || object.nope", True),
        ("object.nope && false", False),
        ("false && object.nope", False),
        ("object.nope || object.gone || true", True),
        ("(object.nope && true) || true", True),
        ("dyn('a') || true", True),
        ("dyn(1) && false", False),
        ("[1, 2].all(x, x == 2 ? false : object.nope)", False),
        ("[1, 2].exists(x, x == 2 ? true : object.nope)", True),
        ("[].all(x, object.nope)", True),
        ("[].exists(x, object.nope)", False),
        ("{'a': 1, 'b': 2}.all(k, v, v == 2 ? false : object.nope)", False),
        ("true ? 1 : object.nope", 1),
        ("object.?a.orValue(1)", 1),
        ("optional.of(1).orValue(object.nope)", 1),
        ("optional.of(1).or(object.nope).value()", 1),
    ],
)
def test_an_error_that_changes_nothing_is_absorbed(text: str, value: Any) -> None:
    assert run(text) == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("object.nope && true", "no such key: nope"),
        ("object.nope || false", "no such key: nope"),
        ("object.nope || object.gone", "no such key: nope"),
        ("dyn(1) || false", "no such overload"),
        ("dyn(1) ? 1 : 2", "no such overload"),
        ("[1, 2].all(x, x == 1 || object.nope)", "no such key: nope"),
        ("[1, 2].exists_one(x, x == 1 || object.nope)", "no such key: nope"),
        ("[1].filter(x, object.nope)", "no such key: nope"),
        ("[1].map(x, object.nope)", "no such key: nope"),
        ("[object.nope].size() == 1", "no such key: nope"),
        ("object.nope == 1", "no such key: nope"),
        ("!object.nope", "no such key: nope"),
        ("dyn(1).all(x, true)", "got 'types.Int', expected iterable type"),
        ("dyn(null).filter(x, true)", "got 'types.Null', expected iterable type"),
        ("dyn('a').exists(x, true)", "got 'types.String', expected iterable type"),
        ("dyn([1]).a", "unsupported index type 'string' in list"),
        ("dyn(1).a", "no such key: a"),
        ("dyn([1])[1]", "index out of bounds: 1"),
        ("dyn([1])[-1]", "index out of bounds: -1"),
        ("dyn(1) + 'a'", "no such overload: _+_(int, string)"),
        ("dyn('a') < 1", "no such overload: _<_(string, int)"),
        ("[dyn(1)].join('a')", "no such overload"),
        ("-(-9223372036854775807 - 1)", "integer overflow"),
        ("(-9223372036854775807 - 1) / -1", "integer overflow"),
        ("1u - 2u", "unsigned integer overflow"),
        ("5 % 0", "modulus by zero"),
        ("dyn(0.0 / 0.0) < 1.0", "NaN values cannot be ordered"),
        ("{dyn(1.5): 1}", "unsupported key type"),
        ("optional.none().value()", "optional.none() dereference"),
        ("[?dyn(1)]", "no such overload"),
        ("params.a", "no such attribute(s): params"),
        ("['a', 'b'].transformMapEntry(i, v, {'x': v})", "key x already exists"),
    ],
)
def test_an_error_that_decides_is_an_error(text: str, words: str) -> None:
    assert words in failing(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("dyn(1) == 1.0 && dyn(1u) == 1 && dyn(1) != true", True),
        ("{true: 'a'}[true]", "a"),
        ("1 in dyn({true: 'a'})", False),
        ("true in dyn({1: 'a'})", False),
        ("dyn({1: 'a'})[1u] + dyn({1: 'a'})[1.0]", "aa"),
        ("[1, 2] == [1, 2] && [1] != [1, 2]", True),
        ("dyn([1, 2]) == [1.0, 2.0] && dyn([1]) != ['1']", True),
        ("{'a': [1]} == {'a': [1]} && {'a': 1} != {'b': 1}", True),
        ("dyn({true: 1}) == dyn({1: 1})", False),
        ("dyn(null) == false || dyn('') == null", False),
        ("0.0 / 0.0 == 0.0 / 0.0", False),
        ("1.0 / 0.0 > 1e308 && -1.0 / 0.0 < -1e308", True),
        ("optional.of(1) == optional.of(1) && optional.none() != optional.of(1)", True),
        ("type(type(1)) == type && type(null) == null_type", True),
        ("type(1u) == uint && type(1.0) == double && type(b'') == bytes", True),
        ("has({'a': null}.a) && !has(object.a)", True),
        ("!has(object.?a.b) || true", True),
        ("{'b': 1, 'a': 2}.exists_one(k, k == 'a')", True),
        ("[1, 2, 1].exists_one(x, x == 1)", False),
        ("{'a': 1}.map(k, k + '!')", ["a!"]),
        ("[3, 1, 2].sortBy(x, -x)", [3, 2, 1]),
        ("[1, 2, 3].transformList(i, v, i > 0, v * 10)", [20, 30]),
        ("[1, 2].transformMap(i, v, v * 10)", {0: 10, 1: 20}),
        ("optional.none().optMap(x, x).hasValue()", False),
        ("optional.of(1).optFlatMap(x, optional.none()).hasValue()", False),
        ("[optional.of(1), optional.none()].unwrapOpt()", [1]),
        ("optional.unwrap([optional.of(1), optional.none()])", [1]),
        ("[?object.?a, ?optional.of(dyn(2))]", [2]),
        ("{?'a': object.?a, ?'b': optional.of(dyn(2))}", {"b": 2}),
        ("optional.of({'a': {'b': 1}}).a.b.value()", 1),
        ("optional.of([5])[0].value() + optional.of({'a': 1})['a'].value()", 6),
        ("object.?a.?b[?0].hasValue()", False),
        ("optional.ofNonZeroValue([]).hasValue() || optional.ofNonZeroValue(0).hasValue()", False),
    ],
)
def test_values_are_compared_and_found_as_the_language_says(text: str, value: Any) -> None:
    assert run(text) == value


def test_text_of_a_value_is_what_string_makes_of_it() -> None:
    assert cel.text_of(1.5) == "1.5"
    assert cel.text_of(True) == "true"
    with pytest.raises(cel.EvaluationError):
        cel.text_of([1])


@given(_INTS, _INTS)
def test_integers_compute_exactly_or_overflow(one: int, other: int) -> None:
    for operator, exact in (("+", one + other), ("-", one - other), ("*", one * other)):
        program = cel.compile(f"object.a {operator} object.b", ENVIRONMENT)
        bindings = {"object": {"a": one, "b": other}}
        if values.MIN_INT <= exact <= values.MAX_INT:
            assert program.evaluate(bindings) == exact
        else:
            with pytest.raises(cel.EvaluationError, match="integer overflow"):
                program.evaluate(bindings)


@given(_INTS, _INTS.filter(bool))
def test_quotient_and_remainder_belong_together(one: int, other: int) -> None:
    program = cel.compile("object.a / object.b * object.b + object.a % object.b", ENVIRONMENT)
    if (one, other) != (values.MIN_INT, -1):
        assert program.evaluate({"object": {"a": one, "b": other}}) == one


_JSON = st.recursive(
    st.none() | st.booleans() | _INTS | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(_JSON, _JSON)
def test_equality_is_reflexive_and_symmetric(one: Any, other: Any) -> None:
    bindings = {"object": {"a": one, "b": other}}
    assert run("object.a == object.a", **bindings) is True
    assert run("object.a == object.b", **bindings) == run("object.b == object.a", **bindings)
    assert run("object.a != object.b", **bindings) == (not run("object.a == object.b", **bindings))


_OUTCOMES = st.sampled_from(["true", "false", "object.nope"])


@given(st.lists(_OUTCOMES, min_size=1, max_size=5))
def test_loops_and_chains_absorb_alike(outcomes: list[str]) -> None:
    """`all` is a chain of `&&`, `exists` one of `||`."""
    for operator, loop in (("&&", "all"), ("||", "exists")):
        chosen = " : ".join(f"x == {n} ? {each}" for n, each in enumerate(outcomes))
        numbers = list(range(len(outcomes)))
        by_loop = _outcome(f"{numbers}.{loop}(x, {chosen} : true)")
        assert by_loop == _outcome(f" {operator} ".join(outcomes))


def _outcome(text: str) -> Any:
    try:
        return run(text)
    except cel.EvaluationError as error:
        return str(error)
