"""The functions by topic, at their edges; the expected values are those of the Go libraries behind Kubernetes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet import cel
from fleet.cel import admission, values


def run(text: str, **bindings: Any) -> Any:
    return cel.compile(text, admission.ENVIRONMENT).evaluate(bindings)


def check(text: str, value: Any) -> None:
    found = run(text)
    assert found == value
    assert type(found) is type(value)


def check_failing(text: str, words: str) -> None:
    with pytest.raises(cel.EvaluationError) as caught:
        run(text)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("string(1000000.0)", "1e+06"),
        ("string(123456.0)", "123456"),
        ("string(1234567.5)", "1.2345675e+06"),
        ("string(0.0001)", "0.0001"),
        ("string(0.00001)", "1e-05"),
        ("string(-0.5)", "-0.5"),
        ("string(100.0)", "100"),
        ("string(1.0 / 0.0)", "+Inf"),
        ("string(-7)", "-7"),
        ("string(7u)", "7"),
        ("string(b'abc')", "abc"),
        ("string(duration('1h30m1.5s'))", "5401.5s"),
        ("string(duration('1000000s'))", "1000000s"),
        ("string(timestamp('2024-01-02T03:04:05.678+02:00'))", "2024-01-02T03:04:05.678+02:00"),
        ("string(timestamp('0001-01-01T00:00:00Z'))", "0001-01-01T00:00:00Z"),
        ("int('-12') + int('+12')", 0),
        ("int(-3.9)", -3),
        ("int(5u) + int(duration('1ns')) + int(timestamp('1970-01-01T00:00:10Z'))", 16),
        ("uint('5')", values.UInt(5)),
        ("uint(3.9)", values.UInt(3)),
        ("double('1e3') + double(1) + double(1u)", 1002.0),
        ("bool('T') && !bool('0')", True),
        ("duration(duration('1s')) == duration('1000ms')", True),
        ("timestamp(10) == timestamp('1970-01-01T00:00:10Z')", True),
        ("dyn(1) == 1", True),
    ],
)
def test_conversions(text: str, value: Any) -> None:
    check(text, value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("int('1.0')", "type conversion error from 'string' to 'int'"),
        ("int(' 1')", "type conversion error"),
        ("int('1_0')", "type conversion error"),
        ("int('9223372036854775808')", "type conversion error"),
        ("int(1e30)", "integer overflow"),
        ("int(0.0 / 0.0)", "integer overflow"),
        ("int(18446744073709551615u)", "integer overflow"),
        ("uint(-1)", "unsigned integer overflow"),
        ("uint('-1')", "type conversion error from 'string' to 'uint'"),
        ("uint(-0.5)", "unsigned integer overflow"),
        ("bool('yes')", "type conversion error from 'string' to 'bool'"),
        ("string(b'\\xff')", "invalid UTF-8"),
        ("string(dyn([1]))", "no such overload: string(list)"),
        ("timestamp(999999999999)", "timestamp overflow"),
        ("duration(dyn('1x'))", "invalid duration"),
        ("timestamp(dyn('2024-02-30T00:00:00Z'))", "RFC 3339"),
    ],
)
def test_conversions_that_fail(text: str, words: str) -> None:
    """Where Kubernetes refuses them before they run, the specification lets them."""
    specified = cel.Environment({}, dialect=cel.Dialect.SPECIFICATION)
    with pytest.raises(cel.EvaluationError) as caught:
        cel.compile(text, specified).evaluate({})
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'abc'.charAt(3)", ""),
        ("'😀b'.charAt(1) + '😀b'.substring(0, 1)", "b😀"),
        ("'abc'.indexOf('', 7)", 7),
        ("'abcabc'.indexOf('c', 3)", 5),
        ("'abc'.indexOf('z') + 'abc'.indexOf('a', 99)", -2),
        ("'abcabc'.lastIndexOf('a', 2)", 0),
        ("'abcabc'.lastIndexOf('bc', 4)", 4),
        ("'abc'.lastIndexOf('')", 3),
        ("''.lastIndexOf('a')", -1),
        ("'AÄz'.lowerAscii() + 'aäZ'.upperAscii()", "aÄzAäZ"),
        ("' \\t\\u00a0a\\u2003\\n'.trim()", "a"),
        ("'\\u001ca'.trim()", "\x1ca"),
        ("'aaa'.replace('a', 'b', 0) + 'aaa'.replace('a', 'b', -1)", "aaabbb"),
        ("'ab'.replace('', '-')", "-a-b-"),
        ("'abc'.split('')", ["a", "b", "c"]),
        ("'abc'.split('', 2)", ["a", "bc"]),
        ("''.split('')", []),
        ("''.split(',')", [""]),
        ("'a,b,c'.split(',', 0)", []),
        ("'a,b,c'.split(',', 1)", ["a,b,c"]),
        ("'a,b,c'.split(',', -1)", ["a", "b", "c"]),
        ("[].join(',') + ['a'].join()", "a"),
        ("'abc'.substring(3)", ""),
        ("strings.quote('a\\n\\u0001')", '"a\\n\x01"'),
        ("'abc'.contains('') && 'abc'.startsWith('ab') && !'abc'.endsWith('b')", True),
    ],
)
def test_strings(text: str, value: Any) -> None:
    check(text, value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("'abc'.charAt(4)", "index out of range: 4"),
        ("'abc'.charAt(-1)", "index out of range: -1"),
        ("'abc'.indexOf('a', -1)", "index out of range: -1"),
        ("'abc'.substring(2, 1)", "invalid substring range. start: 2, end: 1"),
        ("'abc'.substring(0, 4)", "index out of range: 4"),
        ("'abc'.substring(-1)", "index out of range: -1"),
        (
            "dyn('%d').format([1.5])",
            "decimal clause can only be used on integers, was given double",
        ),
        ("dyn('%s').format([])", "index 0 out of range"),
        ("dyn('%').format([1])", "unexpected end of string"),
        ("dyn('%.f').format([1.0])", "could not parse formatting clause"),
        ("dyn('%f').format(['1'])", "fixed-point clause can only be used on doubles"),
        ("dyn('%s').format([optional.none()])", "string clause can only be used on"),
    ],
)
def test_strings_that_fail(text: str, words: str) -> None:
    check_failing(text, words)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'%s %s %s'.format([null, true, 1.0])", "null true 1"),
        ("'%s'.format([[1.5, 'a\"', b'x', null, {'k': true}]])", '[1.500000, "a\\"", b"x", null, {"k":true}]'),
        ("'%s'.format([{'b': 1, 'a': 2}])", '{"a":2, "b":1}'),
        ("'%s'.format([duration('1m')])", "60s"),
        ("'%s'.format([[duration('1m'), timestamp('2024-01-02T03:04:05Z')]])",
         '[duration("60s"), timestamp("2024-01-02T03:04:05Z")]'),
        ("'%s %s'.format([type(1), [type(1)]])", "int [int]"),
        ("'%.2f %f'.format([1234567.891, -0.5])", "1,234,567.89 -0.500000"),
        ("'%f %f'.format(['NaN', '-Infinity'])", "NaN -∞"),
        ("'%.3e'.format([0.00123])", "1.230000\u00d710⁻⁰³"),
        ("'%x %X %x'.format([255, 'hi', b'\\xff'])", "ff 6869 ff"),
        ("'%o %b %b %d'.format([8, 5, false, 7u])", "10 101 0 7"),
        ("'100%%'.format([])", "100%"),
    ],
)  # fmt: skip
def test_formatting(text: str, value: str) -> None:
    check(text, value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[].isSorted() && [b'a', b'b'].isSorted() && ![true, false].isSorted()", True),
        ("[1u, 2u].sum()", values.UInt(3)),
        ("object.nothing.sum()", 0),
        ("object.doubles.sum()", 4.0),
        ("['b', 'a'].min() + ['b', 'a'].max()", "ab"),
        ("[1, 2].indexOf(3) + [[1], [2]].indexOf([2])", 0),
        ("[1, 2, 3].slice(1, 1)", []),
        ("[[1, [2]], [dyn([3])]].flatten()", None),
        ("dyn([1, [2, [3, [4]]]]).flatten(2)", None),
        ("[1, 2, 1].distinct() + [3, 1, 2].sort().reverse()", [1, 2, 3, 2, 1]),
        ("['b', 'a', 'b'].distinct()", ["b", "a"]),
        ("lists.range(0)", []),
        ("[1, 2].last().value()", 2),
        ("sets.contains([1, 2], []) && !sets.contains([], [1])", True),
        ("sets.equivalent([1, 1], [1]) && !sets.intersects([], [])", True),
        ("sets.equivalent(dyn([1]), dyn([1.0]))", True),
    ],
)
def test_lists(text: str, value: Any) -> None:
    if value is None:
        with pytest.raises(cel.CompileError, match="expected type"):
            run(text)
        return
    bindings = {"nothing": [], "doubles": [1.5, 2.5]}
    found = run(text, object=bindings)
    assert found == value
    assert type(found) is type(value)


def test_flattening_goes_as_deep_as_it_is_told() -> None:
    nested = {"object": [1, [2, [3, [4]]]]}
    assert run("object.flatten(2)", **nested) == [1, 2, 3, [4]]
    assert run("object.flatten(0)", **nested) == [1, [2, [3, [4]]]]
    assert run("object.flatten()", **nested) == [1, 2, [3, [4]]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("dyn([]).min()", "min called on empty list"),
        ("dyn([1, 2]).slice(0, 3)", "cannot slice(0, 3), list is length 2"),
        ("[1].slice(-1, 0)", "negative indexes not supported"),
        ("[1].slice(1, 0)", "start index must be less than or equal to end index"),
        ("[dyn(1), dyn('a')].sort()", "list elements must have the same type"),
        ("[dyn(1), dyn('a')].sum()", "no such overload"),
        ("[[1]].map(x, dyn(x)).sort()", "no such overload"),
        ("[[1]].flatten(-1)", "level must be non-negative"),
        ("lists.range(-1)", "size must be non-negative, got -1"),
        ("[9223372036854775807, 1].sum()", "integer overflow"),
    ],
)
def test_lists_that_fail(text: str, words: str) -> None:
    check_failing(text, words)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'abc 123'.find('[0-9]*')", ""),
        ("'äöü'.find('ö.')", "öü"),
        ("'123 abc 456'.findAll('[0-9]*')", ["123", "", "", "", "", "456"]),
        ("'aä'.findAll('')", ["", "", ""]),
        ("'a1b2'.findAll('[0-9]', 0)", []),
        ("'a\\nb'.matches('^b') || 'a\\nb'.matches('(?m)^b')", True),
        ("matches('abc', 'b')", True),
        ("'é'.matches('^.$')", True),
    ],
)
def test_regular_expressions(text: str, value: Any) -> None:
    check(text, value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("url('HTTPS://u:p@[::1]:8080/p?a=b#f').getScheme()", "https"),
        ("url('https://u:p@[::1]:8080/p').getHost()", "[::1]:8080"),
        ("url('https://[::1]:8080/p').getHostname()", "::1"),
        ("url('https://[::1]/p').getHostname() + url('https://[::1]/p').getPort()", "::1"),
        ("url('/path').getHost() + url('/path').getEscapedPath()", "/path"),
        ("url('https://a.com/p q/%2f').getEscapedPath()", "/p%20q//"),
        ("url('https://a.com/p%2fq').getEscapedPath()", "/p%2fq"),
        ("url('https://a.com/p#f').getEscapedPath()", "/p"),
        ("url('https://a.com/?k+1=v%20w&x;y=1&z').getQuery()", {"k 1": ["v w"], "z": [""]}),
        ("url('mailto:a@b').getScheme()", "mailto"),
        ("isURL('https://a.com:x/') || isURL('https://a b/') || isURL('https://a/%zz')", False),
        ("isURL('') || isURL(':a') || isURL('../a') || isURL('http://[::1/')", False),
        ("isURL('*') && isURL('//a/b') && isURL('https://ä.com')", True),
        ("url('https://a.com') == url('https://a.com')", True),
    ],
)
def test_urls(text: str, value: Any) -> None:
    check(text, value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("quantity('0.5') == quantity('500m') && quantity('1e3') == quantity('1k')", True),
        ("quantity('1E').isGreaterThan(quantity('1E2')) && quantity('.5') == quantity('+0.50')", True),
        ("quantity('0.1n') == quantity('1n')", True),
        ("quantity('-1.5Gi').isLessThan(quantity('0'))", True),
        ("isQuantity('1K') || isQuantity('1.2.3') || isQuantity('') || isQuantity('K')", False),
        ("isQuantity('1 ') || isQuantity('0x1') || isQuantity('+-') || isQuantity('1e')", False),
        ("quantity('2000m').isInteger() || quantity('1.5Gi').isInteger()", False),
        ("quantity('1Gi').asInteger()", 1073741824),
        ("quantity('50k').sub(20000).asInteger() + quantity('-1').asInteger()", 29999),
        ("sign(quantity('-1')) + sign(quantity('0'))", -1),
        ("quantity('9999999999999999999999999999999999999G').isInteger()", False),
        ("quantity('1Gi').compareTo(quantity('1G'))", 1),
        ("quantity('9999999999999Ti') == quantity('9999999999999Pi')", True),  # the most there is
        ("quantity('100m').add(quantity('0.9')) == quantity('1')", True),
    ],
)  # fmt: skip
def test_quantities(text: str, value: Any) -> None:
    check(text, value)


def test_exponents_beyond_reason_are_an_error_not_a_wrong_answer() -> None:
    check_failing("isQuantity('1e999999999')", "too large to be evaluated")


@given(st.integers(0, 10**12), st.sampled_from(["", "k", "M", "Ki", "Mi", "m", "n"]))
def test_quantities_are_ordered_as_their_numbers(number: int, suffix: str) -> None:
    text = f"quantity('{number}{suffix}')"
    assert run(f"{text}.compareTo(quantity('{number + 1}{suffix}'))") == -1
    assert run(f"{text}.add({text}) == quantity('{2 * number}{suffix}')") is True


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("isIP('::ffff:1.2.3.4') || isIP('fe80::1%eth0') || isIP('010.0.0.1') || isIP('1.2.3')", False),
        ("ip.isCanonical('2001:db8::1') && ip.isCanonical('10.0.0.1')", True),
        ("ip('224.0.0.5').isLinkLocalMulticast() && ip('ff02::1').isLinkLocalMulticast()", True),
        ("ip('224.0.1.1').isLinkLocalMulticast() || ip('fd80::1').isLinkLocalUnicast()", False),
        ("ip('255.255.255.255').isGlobalUnicast() || ip('ff00::1').isGlobalUnicast()", False),
        ("ip('192.168.0.1').isGlobalUnicast() && ip('169.254.1.1').isLinkLocalUnicast()", True),
        ("ip('::').isUnspecified() && ip('::1').isLoopback() && ip('127.1.2.3').isLoopback()", True),
        ("isCIDR('10.0.0.0/33') || isCIDR('10.0.0.0/08') || isCIDR('10.0.0.0/255.0.0.0')", False),
        ("isCIDR('10.0.0.0') || isCIDR('::ffff:1.2.3.4/96') || isCIDR('10.0.0.0/')", False),
        ("string(cidr('10.1.2.3/8')) + ' ' + string(cidr('10.1.2.3/8').masked())",
         "10.1.2.3/8 10.0.0.0/8"),
        ("cidr('10.0.0.0/8').containsCIDR(cidr('10.0.0.0/7'))", False),
        ("cidr('10.1.2.3/8').containsCIDR('10.9.0.0/16')", True),
        ("cidr('::/0').containsIP('10.0.0.1')", False),
        ("cidr('10.1.2.3/8') == cidr('10.0.0.0/8')", False),
        ("type(cidr('::/0')) == net.CIDR", True),
    ],
)  # fmt: skip
def test_networks(text: str, value: Any) -> None:
    check(text, value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ip('x')", "parse error during conversion from string"),
        ("ip('fe80::1%1')", "with zone value is not allowed"),
        ("cidr('::ffff:1.2.3.4/96')", "IPv4-mapped IPv6 address"),
        ("cidr('10.0.0.0/8').containsIP('x')", "parse error during conversion"),
        ("semver('1.2')", "is not a semantic version"),
        ("url('https://a.com:x/')", 'invalid port ":x" after host'),
        ("url('https://a/%zz')", 'invalid URL escape "%zz"'),
    ],
)
def test_what_cannot_be_read_is_an_error(text: str, words: str) -> None:
    check_failing(text, words)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("isSemver('1.02.3') || isSemver('1.2.3-01') || isSemver('1.2.3-') || isSemver('1.2')", False),
        ("isSemver('v1', true) && isSemver('01.2.3-rc.1+b', true)", True),
        ("isSemver('1.2-rc', true)", False),
        ("semver('1.0.0-alpha').isLessThan(semver('1.0.0-alpha.1'))", True),
        ("semver('1.0.0-2').isLessThan(semver('1.0.0-10'))", True),
        ("semver('1.0.0-10').isLessThan(semver('1.0.0-a'))", True),
        ("semver('1.0.0-rc').isLessThan(semver('1.0.0'))", True),
        ("semver('1.0.0+a') == semver('1.0.0+b')", True),
        ("semver('1.2.3').minor() * 10 + semver('1.2.3').patch()", 23),
        ("semver('2.0.0').isGreaterThan(semver('1.9.9'))", True),
    ],
)  # fmt: skip
def test_versions(text: str, value: Any) -> None:
    check(text, value)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("dns1123Label", "a-1", "-a"),
        ("dns1123Subdomain", "a.b-c", "a..b"),
        ("dns1035Label", "a1", "1a"),
        ("qualifiedName", "example.com/My.Name", "example.com/a/b"),
        ("dns1123LabelPrefix", "a-", "-"),
        ("dns1123SubdomainPrefix", "a.b-", ".a"),
        ("dns1035LabelPrefix", "a-", "1"),
        ("labelValue", "", "a b"),
        ("uri", "https://a.com", "a.com"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123e4567"),
        ("byte", "aGVsbG8=", "aGVsbG8"),
        ("date", "2024-02-29", "2023-02-29"),
        ("datetime", "2024-01-01T00:00:00Z", "2024-01-01 00:00:00"),
    ],
)
def test_formats(name: str, good: str, bad: str) -> None:
    assert run(f"format.{name}().validate('{good}').hasValue()") is False
    assert run(f"format.named('{name}').value().validate('{bad}').value().size() > 0") is True


def test_formats_that_nobody_named() -> None:
    assert run("format.named('nope').hasValue()") is False
    words = (
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
        "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex "
        "used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
    )
    found = run("format.dns1123Label().validate(object).value()", object="A" * 64)
    assert found == ["must be no more than 63 characters", words]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("duration('-1.5h') == duration('-90m') && duration('1h1m1s1ms1us1ns') > duration('1h')", True),
        ("duration('0') == duration('0s')", True),
        ("duration('90s').getMinutes() + duration('-90s').getMinutes()", 0),
        ("duration('1.5s').getMilliseconds() + duration('1h').getSeconds()", 5100),
        ("timestamp('2024-02-29T23:59:59.5Z').getDayOfYear()", 59),
        ("timestamp('2024-03-03T00:00:00Z').getDayOfWeek()", 0),
        ("timestamp('2024-01-31T00:00:00Z').getMonth()", 0),
        ("timestamp('2024-01-31T00:00:00Z').getDate()", 31),
        ("timestamp('2024-01-31T00:00:00Z').getDayOfMonth()", 30),
        ("timestamp('2024-01-01T00:00:00Z').getHours('-02:30')", 21),
        ("timestamp('2024-01-01T00:00:00Z').getMinutes('05:30')", 30),
        ("timestamp('2024-01-01T00:00:01.25Z').getMilliseconds()", 250),
        ("timestamp('2024-01-01T00:00:00Z') - timestamp('2023-12-31T23:00:00Z') == duration('1h')", True),
        ("timestamp('2024-01-01T00:00:00Z') - duration('1s') < timestamp('2024-01-01T00:00:00Z')", True),
        ("duration('1s') + timestamp('2024-01-01T00:00:00Z') > timestamp('2024-01-01T01:00:00+01:00')", True),
    ],
)  # fmt: skip
def test_times(text: str, value: Any) -> None:
    check(text, value)


def test_times_that_leave_their_range() -> None:
    check_failing("timestamp('9999-12-31T23:59:59Z') + duration('1s')", "timestamp overflow")
    check_failing("duration('2562047h') + duration('1h')", "duration overflow")
    check_failing(
        "timestamp('2024-01-01T00:00:00Z').getHours('Nowhere/At_All')", "unknown time zone"
    )


@given(st.integers(values.MIN_INT // 10**9 + 1, values.MAX_INT // 10**9))
def test_durations_are_read_as_they_are_written(seconds: int) -> None:
    assert run("duration(object) == duration(string(duration(object)))", object=f"{seconds}s")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_doubles_are_read_as_they_are_written(number: float) -> None:
    assert run("double(string(object)) == object", object=number) is True


@given(st.text(), st.text(min_size=1))
def test_splitting_and_joining_belong_together(text: str, separator: str) -> None:
    bindings = {"object": {"text": text, "by": separator}}
    assert run("object.text.split(object.by).join(object.by) == object.text", **bindings) is True
