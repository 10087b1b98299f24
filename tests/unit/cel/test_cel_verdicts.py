"""Values and words of the API server's evaluator and of cel-go, where the specification alone would not tell."""

from typing import Any

import pytest

import verdicts
from fleet import cel
from fleet.cel import values

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
    verdicts.check(text, value)


def test_the_specification_has_two_keys_for_true_and_1_and_one_for_1_and_1u() -> None:
    verdicts.check("{true: 1, 1: 2}[1]", 2, verdicts.SPECIFICATION)
    assert "already exists" in verdicts.failing("{1: 'a', 1u: 'b'}[1]", verdicts.SPECIFICATION)


def test_entries_of_one_number_are_inserted_once() -> None:
    words = "insert failed: key 1 already exists"
    assert verdicts.failing("[dyn(1), dyn(1u)].transformMapEntry(i, v, {v: i})") == words


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
    verdicts.check(text, value)
    assert "already exists" in verdicts.failing(text, verdicts.SPECIFICATION)


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
    assert str(cel.compile(text, verdicts.KUBERNETES).type) == kind


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
    assert str(cel.compile(text, verdicts.SPECIFICATION).type) == kind


def test_null_is_no_optional_entry() -> None:
    words = "expected type 'optional_type(null)' but found 'null'"
    assert verdicts.refused("[?null]") == verdicts.refused("{?'a': null}") == words
    assert "no such overload" in verdicts.failing("null.optMap(v, v)")


# Numbers


def test_a_remainder_whose_quotient_overflows_is_an_error() -> None:
    assert verdicts.failing("-9223372036854775808 % -1") == "integer overflow"
    verdicts.check("-9223372036854775807 % -1", 0)


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
    verdicts.check(f"double('{text}')", value)


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
    assert verdicts.failing(f"double('{text}')", verdicts.SPECIFICATION) == words


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
    verdicts.check(text, value)


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
    assert verdicts.failing(text) == words


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
    verdicts.check(text, value)


def test_the_specification_looks_at_the_precision() -> None:
    verdicts.check("'%.3e'.format([1052.032911275])", "1.052e+03", verdicts.SPECIFICATION)


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
    assert verdicts.says(f"format.{name}().validate(x).value()", x=text) == found


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
    verdicts.check(text, value)


def test_a_local_date_beyond_all_years_has_no_text() -> None:
    words = verdicts.failing("string(timestamp('9999-12-31T23:59:59+02:00') + duration('2h'))")
    assert words == "timestamp overflow"
