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


# Numbers


def test_a_remainder_whose_quotient_overflows_is_an_error() -> None:
    assert failing("-9223372036854775808 % -1") == "integer overflow"
    check("-9223372036854775807 % -1", 0)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1_0", 10.0),
        ("1_0.5", 10.5),
        ("1e5_0", 1e50),
        ("0x1p4", 16.0),
        ("0X1P4", 16.0),
        ("0x1.8p1", 3.0),
        ("0x_1p4", 16.0),
        ("0x1_0p4", 256.0),
        ("0x.8p1", 1.0),
        ("0x1p1_0", 1024.0),
        ("+0x1p-2", 0.25),
        ("0x1.fffffffffffffp1023", 1.7976931348623157e308),
        ("0x1p-1080", 0.0),
        ("1e-400", 0.0),
        ("-iNf", float("-inf")),
        ("infinity", float("inf")),
        ("nan", float("nan")),
        (".5", 0.5),
        ("5.", 5.0),
    ],
)
def test_doubles_are_read_as_go_reads_them(text: str, value: float) -> None:
    check(f"double('{text}')", value)


@pytest.mark.parametrize(
    "text",
    [
        *("1e400", "-1e400", "0x1p1024", "0x1.fffffffffffff8p1023", "+nan", "-nan", "."),
        *("_1", "1_", "1__0", "1_.5", "1._5", "1_e5", "0x1", "0x1.8", "0x.p1", "0x1p", "0x1_p1"),
        *("0b1p0", "0o7p0", "1e", " 1", "1 ", "0x", "", "1e5_"),
    ],
)
def test_what_go_reads_as_no_double_is_an_error(text: str) -> None:
    words = "type conversion error from 'string' to 'double'"
    assert failing(f"double('{text}')", SPECIFICATION) == words


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[dyn(1), dyn(2.5)].max()", 2.5),
        ("[dyn(1), dyn(2.5)].min()", 1),
        ("[dyn(1), dyn(2.5), dyn(2u)].max()", 2.5),
        ("[dyn(1), dyn(1.0)].max()", 1),
        ("[dyn(1.0), dyn(1)].min()", 1.0),
        ("[dyn(true), dyn(1)].max()", True),
        ("[dyn(1), dyn('a')].max()", 1),
        ("[0.0 / 0.0, 1.0].max()", float("nan")),
        ("[1.0, 0.0 / 0.0].min()", 1.0),
        ("[dyn(1), dyn(2.5)].isSorted()", True),
        ("[dyn(2.5), dyn(1)].isSorted()", False),
        ("[dyn(3), dyn('a'), dyn(1)].isSorted()", True),
        ("[dyn(3), dyn(1), dyn([])].isSorted()", False),
        ("[0.0 / 0.0, 1.0].isSorted() && [1.0, 0.0 / 0.0].isSorted()", True),
    ],
)
def test_elements_of_several_types_are_compared_as_far_as_they_can_be(
    text: str, value: Any
) -> None:
    check(text, value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[dyn([1])].max()", "no such overload: max(list)"),
        ("[dyn(1), dyn(null)].min()", "no such overload: min(list)"),
        ("[dyn(1), dyn({})].isSorted()", "no such overload: isSorted(list)"),
        ("[dyn(1), dyn(2.5)].sort()", "list elements must have the same type"),
        ("[dyn(1), dyn(2.5)].sortBy(e, e)", "list elements must have the same type"),
    ],
)
def test_what_has_no_order_is_an_error(text: str, words: str) -> None:
    assert failing(text) == words


# Text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'%.3e'.format([1052.032911275])", "1.052033\u00d710⁰³"),
        ("'%.10e'.format([1052.032911275])", "1.052033\u00d710⁰³"),
        ("'%e'.format([-0.0])", "0.000000\u00d710⁰⁰"),
        ("'%f'.format([-0.0])", "0.000000"),
        ("'%.0f'.format([-0.0])", "0"),
        ("'%.2f'.format([-0.001])", "-0.00"),
        ("'%s'.format([-0.0])", "-0"),
        ("'%s'.format([[-0.0]])", "[-0.000000]"),
    ],
)
def test_numbers_are_formatted_as_kubernetes_formats_them(text: str, value: str) -> None:
    check(text, value)


def test_the_specification_looks_at_the_precision() -> None:
    check("'%.3e'.format([1052.032911275])", "1.052e+03", SPECIFICATION)


_LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must "
    "start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for "
    "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_NAME_PART = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with "
    "an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_NAME_PARTS = (
    "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix "
    "and '/' (e.g. 'example.com/MyName')"
)


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("dns1123Label", "a.b", ["must not contain dots"]),
        ("dns1123Label", "A.b", [_LABEL]),
        ("dns1123Label", "a" * 64, ["must be no more than 63 characters"]),
        (
            "dns1123Label",
            f"{'a' * 64}.b",
            ["must be no more than 63 characters", "must not contain dots"],
        ),
        ("dns1123LabelPrefix", "a.b-", ["must not contain dots"]),
        ("dns1123Subdomain", "a" * 254, ["must be no more than 253 characters"]),
        ("dns1035Label", "a" * 64, ["must be no more than 63 characters"]),
        ("qualifiedName", "a/b/c", [_NAME_PARTS]),
        ("qualifiedName", "", ["name part must be non-empty", _NAME_PART]),
        (
            "qualifiedName",
            "/",
            ["prefix part must be non-empty", "name part must be non-empty", _NAME_PART],
        ),
        ("qualifiedName", "a" * 64, ["name part must be no more than 63 bytes"]),
        ("labelValue", "a" * 64, ["must be no more than 63 bytes"]),
    ],
)
def test_formats_say_what_the_api_server_says(name: str, text: str, found: list[str]) -> None:
    assert says(f"format.{name}().validate(x).value()", x=text) == found


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("string(timestamp('2020-01-01T00:00:00+02:00'))", "2020-01-01T00:00:00+02:00"),
        ("'%s'.format([timestamp('2020-01-01T00:00:00+02:00')])", "2020-01-01T00:00:00+02:00"),
        ("string(timestamp('2020-01-01T00:00:00.5-07:30'))", "2020-01-01T00:00:00.5-07:30"),
        ("string(timestamp('2020-01-01T00:00:00-00:00'))", "2020-01-01T00:00:00Z"),
        ("string(timestamp('0001-01-01T00:00:00-02:00'))", "0001-01-01T00:00:00-02:00"),
        (
            "string(timestamp('2020-01-01T00:00:00+02:00') + duration('1h'))",
            "2020-01-01T01:00:00+02:00",
        ),
        (
            "string(duration('1h') + timestamp('2020-01-01T00:00:00+02:00'))",
            "2020-01-01T01:00:00+02:00",
        ),
        (
            "string(timestamp('2020-01-01T00:00:00+02:00') - duration('1h'))",
            "2019-12-31T23:00:00+02:00",
        ),
        ("timestamp('2020-01-01T00:00:00+02:00') == timestamp('2019-12-31T22:00:00Z')", True),
        ("timestamp('2020-01-01T00:00:00+02:00') < timestamp('2019-12-31T22:00:00Z')", False),
        ("timestamp('2020-01-01T00:00:00+02:00') in [timestamp('2019-12-31T22:00:00Z')]", True),
        ("timestamp('2020-01-01T00:00:00+02:00').getHours()", 22),
        ("timestamp('2020-01-01T00:00:00+02:00').getHours('01:00')", 23),
    ],
)
def test_a_moment_keeps_its_offset_in_text_and_nowhere_else(text: str, value: Any) -> None:
    check(text, value)


def test_a_local_date_beyond_all_years_has_no_text() -> None:
    words = failing("string(timestamp('9999-12-31T23:59:59+02:00') + duration('2h'))")
    assert words == "timestamp overflow"


# Macros


def test_one_name_has_exists_one_and_two_names_have_both() -> None:
    check("[1].exists_one(e, e == 1)", True)
    check("[1].existsOne(i, e, e == 1)", True)
    check("[1].exists_one(i, e, e == 1)", True)
    for environment in (KUBERNETES, SPECIFICATION):
        words = "undeclared reference to 'existsOne' (in container '')"
        assert refused("[1].existsOne(e, e == 1)", environment) == words


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("cel.bind(b, 1 / 0, true)", True),
        ("cel.bind(b, 1 / 0, b == 1 || true)", True),
        ("cel.bind(b, 1 / 0, b == b || b > 1 || true)", True),
        ("cel.bind(b, 1 / 0, [1, 2].all(e, e > 0 || b > 1))", True),
        ("cel.bind(b, dyn({'a': 1}).x, has(b.y) || true)", True),
        ("cel.bind(b, [1, 2].map(e, e / 0), true)", True),
        ("cel.bind(b, [1, 2].map(e, e + 1), [5, 6].map(e, b.map(f, f * e)))", [[10, 15], [12, 18]]),
        ("[1, 2].map(e, cel.bind(b, [e].map(f, f + 1), [7].map(g, b[0] + g)[0]))", [9, 10]),
        ("cel.bind(a, [1].map(e, e), cel.bind(b, a.map(e, e + a[0]), b.map(e, e + a[0])))", [3]),
        ("cel.bind(a, cel.bind(c, [3].map(e, e), c[0]), [1].map(e, e + a))", [4]),
        ("cel.bind(a, 1, cel.bind(a, a + 1, [a].map(a, a + 1)[0] + a))", 5),
        ("optional.of(2).optMap(o, cel.bind(b, o * 2, [1].map(e, b + e)[0])).value()", 5),
    ],
)  # fmt: skip
def test_a_bound_value_is_computed_when_it_is_asked_for(text: str, value: Any) -> None:
    check(text, value)


def test_the_error_of_a_bound_value_is_its_readers() -> None:
    assert failing("cel.bind(b, 1 / 0, b)") == "division by zero"
    assert failing("cel.bind(b, 1 / 0, b == 1 || b == 2)") == "division by zero"


def test_a_bound_value_is_computed_once() -> None:
    asked = "cel.bind(b, lists.range(1000).map(e, e).size(), {})"
    once = cel.compile(asked.format("b == 1000"), KUBERNETES)
    often = cel.compile(asked.format(" && ".join(["b == 1000"] * 50)), KUBERNETES)
    assert once.exactly({}, budget=10_000) is often.exactly({}, budget=10_000) is True


# Conversions of literals


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("int('abc')", "type conversion error from 'string' to 'int'"),
        ("true || int('abc') == 1", "type conversion error from 'string' to 'int'"),
        ("[1].all(e, int('abc') == e)", "type conversion error from 'string' to 'int'"),
        ("int(string('abc'))", "type conversion error from 'string' to 'int'"),
        ("int(dyn('abc'))", "type conversion error from 'string' to 'int'"),
        ("uint('-1')", "type conversion error from 'string' to 'uint'"),
        ("uint(-1)", "unsigned integer overflow"),
        ("int(1e100)", "integer overflow"),
        ("bool('yes')", "type conversion error from 'string' to 'bool'"),
        ("double('1e400')", "type conversion error from 'string' to 'double'"),
        (r"string(b'\xff')", "invalid UTF-8 in bytes, cannot convert to string"),
        ("string(dyn(null))", "no such overload: string(null_type)"),
        ("timestamp(253402300800)", "invalid timestamp argument"),
        ("timestamp(dyn(253402300800))", "timestamp overflow"),
    ],
)
def test_what_can_only_fail_is_refused_and_the_specification_lets_it_run(
    text: str, words: str
) -> None:
    assert refused(text) == words
    cel.compile(text, SPECIFICATION)


def test_what_is_computed_of_literals_fails_when_it_runs() -> None:
    assert "type conversion error" in failing("int('a' + 'b')")
    assert failing("1 / 0 == 1") == "division by zero"
    assert failing("-(-9223372036854775808)") == "integer overflow"
    check("[1].all(e, int('1') == e)", True)


# What is written


@pytest.mark.parametrize(
    "text",
    [
        *(r"rb'\n'", r"Rb'\n'", 'rB"x"', "0XFF", "0XFFu", "x.in", "x.true", "x.false", "x.null"),
        *("x.true()", "x.?in", "x.?null", "has(x.true)"),
    ],
)
def test_what_the_grammar_leaves_out_is_refused(text: str) -> None:
    for environment in (KUBERNETES, SPECIFICATION):
        assert refused(text, environment)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"br'\n'", rb"\n"),
        (r"BR'\n'", rb"\n"),
        ("0xFFU", values.UInt(255)),
        ("has({'as': 1, 'package': 2}.as)", True),
        ("{'package': 2}.package", 2),
        ("{'in': 1}['in']", 1),
    ],
)
def test_what_the_grammar_takes_is_taken(text: str, value: Any) -> None:
    check(text, value)


@pytest.mark.parametrize(
    "text",
    [
        *("[1].all(__result__, true)", "[1].map(__result__, 1)", "[1].filter(__result__, true)"),
        *("[1].all(i, __result__, true)", "[1].transformList(i, __result__, 1)"),
        "[1].sortBy(__result__, __result__)",
    ],
)
def test_no_loop_may_use_the_name_of_its_own_result(text: str) -> None:
    assert refused(text) == "iteration variable overwrites accumulator variable"


def test_a_binding_may() -> None:
    check("cel.bind(__result__, 1, 2)", 2)
    check("optional.of(1).optMap(__result__, 1).value()", 1)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("list", "type(list(dyn))"),
        ("type(map)", "type(type(map(dyn, dyn)))"),
        ("[list]", "list(type(list(dyn)))"),
        ("type", "type(type)"),
        ("int", "type(int)"),
    ],
)
def test_lists_and_maps_by_name_are_of_anything(text: str, kind: str) -> None:
    assert str(cel.compile(text, KUBERNETES).type) == kind


# Single functions


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("optional.ofNonZeroValue(optional.none()).hasValue()", True),
        ("optional.ofNonZeroValue(optional.of(0)).hasValue()", True),
        ("optional.ofNonZeroValue(timestamp('0001-01-01T00:00:00Z')).hasValue()", False),
        ("optional.ofNonZeroValue(timestamp(0)).hasValue()", True),
        ("optional.ofNonZeroValue(duration('0s')).hasValue()", False),
        (r"'a\\C'.matches('a\\\\C')", True),
        (r"'\\C'.matches('\\Q\\C\\E')", True),
        ("url('https://[::1%25eth0]:80/').getHostname()", "::1%eth0"),
        ("url('https://[::1%25eth0]:80/').getHost()", "[::1%eth0]:80"),
        ("url('https://[::1%2541]/').getHostname()", "::1%41"),
        ("url('https://[::1%25e%20h]/').getHostname()", "::1%e h"),
        ("url('https://[::1%25a%3Ab]/').getHostname()", "::1%a:b"),
        ("url('https://[::ffff:1.2.3.4]/').getHostname()", "::ffff:1.2.3.4"),
        ("url('https://a%25b/').getHost()", "a%b"),
        ("isQuantity('-') && isQuantity('+') && isQuantity('.') && isQuantity('-Ki')", True),
        ("isQuantity('') || isQuantity('--') || isQuantity('e') || isQuantity('x')", False),
        ("quantity('-') == quantity('0') && quantity('Ki').isInteger()", True),
        ("semver('9223372036854775807.0.0').major()", 2**63 - 1),
        ("semver('9223372036854775808.0.0').major()", -(2**63)),
        ("semver('1.18446744073709551615.0').minor()", -1),
        ("semver('18446744073709551615.0.0').isGreaterThan(semver('1.0.0'))", True),
        ("isSemver('18446744073709551616.0.0') || isSemver('1.0.0-18446744073709551616')", False),
        ("isSemver('1.0.0-18446744073709551615')", True),
    ],
)
def test_functions_at_their_edges(text: str, value: Any) -> None:
    check(text, value)


def test_go_has_no_pattern_for_a_single_byte() -> None:
    assert refused(r"'a'.matches('\\C')") == "invalid matches argument"
    assert refused(r"'a'.matches('[\\C]')") == "invalid matches argument"
    assert failing("'a'.matches(x)", x=r"\C") == (
        r"error parsing regexp: invalid escape sequence: `\C`"
    )


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("[foo]", 'invalid host: ParseAddr("foo")'),
        ("[1.2.3.4]", "invalid IP-literal"),
        ("[::1%25]", "zone must be a non-empty string"),
        ("[::1%41]", 'invalid URL escape "%41"'),
        ("[::1%25e%3C%0a]", 'invalid URL escape "%0a"'),
        ("[::1%25e h]", 'invalid character " " in host name'),
        ("[::1 ]", 'invalid character " " in host name'),
    ],
)
def test_hosts_in_brackets_are_addresses(host: str, words: str) -> None:
    assert words in failing("url(x)", x=f"https://{host}/")
