"""What the API server's evaluator and cel-go say where the specification's words alone would not tell."""

from typing import Any

import pytest

import twins
from fleet import cel
from fleet.cel import admission, types, values

KUBERNETES = cel.Environment({**admission.ENVIRONMENT.variables, "x": types.DYN}, has_bind=True)
SPECIFICATION = cel.Environment({"x": types.DYN}, has_bind=True, dialect=cel.Dialect.SPECIFICATION)


def says(text: str, environment: cel.Environment = KUBERNETES, **bindings: Any) -> Any:
    """The exact way's value, held against the quick way's."""
    program = cel.compile(text, environment)
    found = program.exactly(bindings)
    quick = twins.quickly(program.quick.write(), bindings)
    assert not twins.difference(program, quick, bindings)
    return found


def check(text: str, value: Any, environment: cel.Environment = KUBERNETES) -> None:
    assert twins.shape(says(text, environment)) == twins.shape(value)


def failing(text: str, environment: cel.Environment = KUBERNETES, **bindings: Any) -> str:
    with pytest.raises(cel.EvaluationError) as caught:
        says(text, environment, **bindings)
    return str(caught.value)


def refused(text: str, environment: cel.Environment = KUBERNETES) -> str:
    with pytest.raises(cel.CompileError) as caught:
        cel.compile(text, environment)
    return str(caught.value)


# Keys


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{dyn(true): 1, dyn(1): 2}[dyn(1)]", 2),
        ("{dyn(true): 1, dyn(1): 2}[dyn(true)]", 1),
        ("{dyn(1): 'a', dyn(1u): 'b'}[1]", "a"),
        ("{dyn(1): 'a', dyn(1u): 'b'}[1u]", "b"),
        ("{dyn(1): 'a', dyn(1u): 'b'}[1.0]", "a"),
        ("{1u: 'b'}[dyn(1)]", "b"),
        ("size({dyn(1): 'a', dyn(1u): 'b', dyn(true): 'c', dyn('d'): 'd'})", 4),
        ("{dyn(1): 'a', dyn(1u): 'b'}.map(k, k)", [1, values.UInt(1)]),
        ("{dyn(true): 1, dyn(1): 2}.transformMap(k, v, v + 1)[1]", 3),
        ("{dyn(true): 1, dyn(1): 2}.transformMap(k, v, v + 1)[true]", 2),
        ("dyn(1u) in {dyn(true): 1, dyn(1): 2}", True),
        ("2 in {dyn(true): 1, dyn(1): 2}", False),
        ("has({dyn(true): 1, dyn(1): 2, dyn('a'): 3}.a)", True),
        ("{dyn(true): 1, dyn(1): 2}[?'a'].hasValue()", False),
        ("{dyn(1): 'a', dyn(1u): 'b'} == {dyn(1u): 'b', dyn(1): 'a'}", True),
        ("{dyn(1): 'a', dyn(1u): 'b'} == {dyn(1u): 'a', dyn(1): 'b'}", False),
        ("{dyn(1): 'a', dyn(1u): 'b'} == {dyn(1): 'a', dyn(2): 'b'}", False),
        ("{dyn(1): 'a', dyn(1u): 'a'} == {dyn(1): 'a', dyn(2): 'a'}", True),
        ("dyn({1u: 'a'}) == dyn({1: 'a'})", True),
        ("[dyn(1), dyn(true)].transformMapEntry(i, v, {v: i})[true]", 1),
        ("'%s'.format([{dyn(true): 1, dyn(1): 2, dyn('a'): 4}])", '{"a":4, 1:2, true:1}'),
    ],
)
def test_a_bool_an_int_and_a_uint_are_three_keys(text: str, value: Any) -> None:
    check(text, value)


def test_the_specification_has_two_keys_for_true_and_1_and_one_for_1_and_1u() -> None:
    check("{true: 1, 1: 2}[1]", 2, SPECIFICATION)
    assert "already exists" in failing("{1: 'a', 1u: 'b'}[1]", SPECIFICATION)


def test_entries_of_one_number_are_inserted_once() -> None:
    words = "insert failed: key 1 already exists"
    assert failing("[dyn(1), dyn(1u)].transformMapEntry(i, v, {v: i})") == words


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{'a': 1, 'a': 2}", {"a": 2}),
        ("{'a': 1, ?'a': optional.of(2)}.a", 2),
        ("{dyn('a'): 1, dyn('a'): 2}", {"a": 2}),
        ("{1: 1, 1: 2}[1]", 2),
        ("{dyn(1): 1, dyn(1u): 2, dyn(1): 3}[1]", 3),
    ],
)
def test_the_last_value_of_a_key_counts_and_the_specification_has_an_error(
    text: str, value: Any
) -> None:
    check(text, value)
    assert "already exists" in failing(text, SPECIFICATION)


# Null and optionals


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("true ? optional.of(1) : null", "optional_type(int)"),
        ("true ? null : optional.of(1)", "null_type"),
        ("optional.of(1) == null", "bool"),
        ("optional.of(1).or(null)", "optional_type(int)"),
    ],
)
def test_null_may_stand_for_an_optional(text: str, kind: str) -> None:
    assert str(cel.compile(text, KUBERNETES).type) == kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("[optional.of(1), null]", "list(optional_type(int))"),
        ("[null, optional.of(1)]", "list(optional_type(int))"),
        ("{'a': optional.of(1), 'b': null}", "map(string, optional_type(int))"),
        ("[type(1), null]", "list(dyn)"),
        ("[1, null]", "list(dyn)"),
    ],
)
def test_null_beside_an_optional_is_one(text: str, kind: str) -> None:
    assert str(cel.compile(text, SPECIFICATION).type) == kind


def test_null_is_no_optional_entry() -> None:
    words = "expected type 'optional_type(null)' but found 'null'"
    assert refused("[?null]") == refused("{?'a': null}") == words
    assert "no such overload" in failing("null.optMap(v, v)")
