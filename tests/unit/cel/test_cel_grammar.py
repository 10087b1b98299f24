"""What cel-go takes, refuses and evaluates late, where the specification alone would not tell."""

import sys
from typing import Any

import pytest

import verdicts
from fleet import cel
from fleet.cel import values

# Macros


def test_one_name_has_exists_one_and_two_names_have_both() -> None:
    verdicts.check("[1].exists_one(e, e == 1)", True)
    verdicts.check("[1].existsOne(i, e, e == 1)", True)
    verdicts.check("[1].exists_one(i, e, e == 1)", True)
    for environment in (verdicts.KUBERNETES, verdicts.SPECIFICATION):
        words = "undeclared reference to 'existsOne' (in container '')"
        assert verdicts.refused("[1].existsOne(e, e == 1)", environment) == words


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
    verdicts.check(text, value)


def test_the_error_of_a_bound_value_is_its_readers() -> None:
    assert verdicts.failing("cel.bind(b, 1 / 0, b)") == "division by zero"
    assert verdicts.failing("cel.bind(b, 1 / 0, b == 1 || b == 2)") == "division by zero"


def test_a_bound_value_is_computed_once() -> None:
    asked = "cel.bind(b, lists.range(1000).map(e, e).size(), {})"
    once = cel.compile(asked.format("b == 1000"), verdicts.KUBERNETES)
    often = cel.compile(asked.format(" && ".join(["b == 1000"] * 50)), verdicts.KUBERNETES)
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
    assert verdicts.refused(text) == words
    cel.compile(text, verdicts.SPECIFICATION)


def test_what_is_computed_of_literals_fails_when_it_runs() -> None:
    assert "type conversion error" in verdicts.failing("int('a' + 'b')")
    assert verdicts.failing("1 / 0 == 1") == "division by zero"
    assert verdicts.failing("-(-9223372036854775808)") == "integer overflow"
    verdicts.check("[1].all(e, int('1') == e)", True)


# What is written


@pytest.mark.parametrize(
    "text",
    [
        *(r"rb'\n'", r"Rb'\n'", 'rB"x"', "0XFF", "0XFFu", "x.in", "x.true", "x.false", "x.null"),
        *("x.true()", "x.?in", "x.?null", "has(x.true)"),
    ],
)
def test_what_the_grammar_leaves_out_is_refused(text: str) -> None:
    for environment in (verdicts.KUBERNETES, verdicts.SPECIFICATION):
        assert verdicts.refused(text, environment)


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
    verdicts.check(text, value)


@pytest.mark.parametrize(
    "text",
    [
        *("[1].all(__result__, true)", "[1].map(__result__, 1)", "[1].filter(__result__, true)"),
        *("[1].all(i, __result__, true)", "[1].transformList(i, __result__, 1)"),
        "[1].sortBy(__result__, __result__)",
    ],
)
def test_no_loop_may_use_the_name_of_its_own_result(text: str) -> None:
    assert verdicts.refused(text) == "iteration variable overwrites accumulator variable"


def test_a_binding_may() -> None:
    verdicts.check("cel.bind(__result__, 1, 2)", 2)
    verdicts.check("optional.of(1).optMap(__result__, 1).value()", 1)


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
    assert str(cel.compile(text, verdicts.KUBERNETES).type) == kind


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
    verdicts.check(text, value)


def test_go_has_no_pattern_for_a_single_byte() -> None:
    assert verdicts.refused(r"'a'.matches('\\C')") == "invalid matches argument"
    assert verdicts.refused(r"'a'.matches('[\\C]')") == "invalid matches argument"
    assert verdicts.failing("'a'.matches(x)", x=r"\C") == (
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
    assert words in verdicts.failing("url(x)", x=f"https://{host}/")


# Nesting


def _loops(depth: int) -> str:
    return "".join(f"[1].all(e{n}, " for n in range(depth)) + "true" + ")" * depth


def _bindings(depth: int) -> str:
    head = "".join(f"cel.bind(b{n}, {f'b{n - 1}' if n else '1'}, " for n in range(depth))
    return f"{head}b{depth - 1}" + ")" * depth


_DEEPEST = 249  # parentheses, as cel-go takes them
_DEEP = {
    "parentheses": "(" * _DEEPEST + "1" + ")" * _DEEPEST,
    "negations": "!(" * _DEEPEST + "true" + ")" * _DEEPEST,
    "lists": "[" * _DEEPEST + "1" + "]" * _DEEPEST,
    "maps": "{'a': " * _DEEPEST + "1" + "}" * _DEEPEST,
    "calls": "dyn(" * _DEEPEST + "1" + ")" * _DEEPEST,
    "choices": "true ? 1 : " * _DEEPEST + "2",
    "choices in parentheses": "true ? (" * _DEEPEST + "2" + ") : 1" * _DEEPEST,
    "indices": "[0][" * _DEEPEST + "0" + "]" * _DEEPEST,
    "loops": _loops(_DEEPEST),
    "bindings": _bindings(_DEEPEST),
}


@pytest.mark.parametrize("name", _DEEP)
def test_expressions_nest_as_deep_as_in_cel_go(name: str) -> None:
    limit = sys.getrecursionlimit()
    cel.compile(_DEEP[name], verdicts.KUBERNETES).evaluate({})
    assert sys.getrecursionlimit() == limit


@pytest.mark.parametrize("text", ["({})", "[{}]", "dyn({})", "!({})"])
def test_one_level_more_is_refused(text: str) -> None:
    head, tail = text.split("{}")
    depth = _DEEPEST + 1
    assert verdicts.refused(head * depth + "true" + tail * depth) == "nested deeper than 250"


def test_chains_are_as_long_as_in_cel_go() -> None:
    verdicts.check("1" + " + 1" * 250, 251)
    verdicts.check("'a'" + ".trim()" * 250, "a")
    assert verdicts.failing("{'a': 1}" + ".map(e, e)" * 250 + "[1]") == "index out of bounds: 1"


def test_two_operators_in_a_row_are_none() -> None:
    verdicts.check("!" * 700 + "true", True)
    verdicts.check("-" * 701 + "5", -5)
    verdicts.check("!!1", 1)
    assert verdicts.says("--x", x=5) == 5
    for text in ("-!true", "!-x", "!!-x"):
        assert verdicts.refused(text)
