"""What an expression needs of an API server, by the version that its parts came with."""

import pytest

from fleet import cel
from fleet.cel import admission, history


def needed(text: str) -> dict[str, int]:
    return {each.word: each.minor for each in cel.compile(text, admission.ENVIRONMENT).needs}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("object.a == 1 && [1].all(x, x > 0) && 'a'.matches('b')", {}),
        ("[1, 2].sum() == 3 && url('https://a').getHost() == 'a'", {}),
        ("authorizer.path('/').check('get').allowed()", dict.fromkeys(("path", "check", "allowed"), 27)),
        ("1 < 2.0", {"numbers of two types compared": 28}),
        ("1 < 2", {}),
        ("object.a < 2", {}),
        ("object.?a.orValue(1) == 1", {"optional syntax": 28, "orValue": 28}),
        ("[?object.?a].size() == 1", {"optional syntax": 28}),
        ("object[?'a'].hasValue()", {"optional syntax": 28, "hasValue": 28}),
        ("object.?a.optMap(x, x).hasValue()", {"optional syntax": 28, "optMap": 28, "hasValue": 28}),
        ("quantity('1').asInteger() == 1", {"quantity": 28, "asInteger": 28}),
        ("'%d'.format([1]) == '1'", {"format": 29}),
        ("sets.contains([1], [1])", {"sets.contains": 29}),
        ("isIP('::1') && cidr('::/0').containsIP('::1')", {"isIP": 30, "cidr": 30, "containsIP": 30}),
        ("format.dns1123Label().validate('a').hasValue()",
         {"format.dns1123Label": 31, "validate": 31, "hasValue": 28}),
        ("[1].all(i, x, i < x)", {"all with two variables": 32}),
        ("{'a': 1}.transformList(k, v, v) == [1]", {"transformList with two variables": 32}),
        ("isSemver('1.2.3')", {"isSemver": 33}),
        ("[2, 1].sort() == [1, 2]", {"sort": 34}),
        ("[2, 1].sortBy(x, x) == [1, 2]", {"sortBy": 34}),
    ],
)  # fmt: skip
def test_each_part_came_with_a_version(text: str, wanted: dict[str, int]):
    assert needed(text) == wanted


def test_the_newest_comes_first():
    found = cel.compile("isIP('a') && [1].sort() == [1]", admission.ENVIRONMENT).needs
    assert [each.minor for each in found] == [34, 30]


@pytest.mark.parametrize(("minor", "takes"), [(30, False), (31, True), (36, True)])
def test_a_version_takes_what_the_one_before_it_knew(minor: int, takes: bool):
    assert history.is_known(history.Need("ip", 30), minor) is takes


@pytest.mark.parametrize(
    "text",
    [
        "authorizer.group('').resource('pods').check('create').allowed()",
        "authorizer.requestResource.check('get').allowed()",
        "authorizer.serviceAccount('a', 'b').path('/x').check('get').errored()",
    ],
)
def test_the_authorizer_is_asked_in_vain(text: str):
    bindings = {"authorizer": admission.NOBODY}
    with pytest.raises(cel.EvaluationError, match="no cluster is asked"):
        cel.compile(text, admission.ENVIRONMENT).evaluate(bindings)
    absorbed = cel.compile(f"{text} || true", admission.ENVIRONMENT)
    assert absorbed.evaluate(bindings) is True
