"""What rules of CRDs are estimated to cost, beside a real API server: the same are refused, by the same factor."""

import asyncio
import copy
from collections.abc import Callable
from typing import Any

import pytest

import builders
import definitions
import lines
from definitions import entries, of, rule
from fleet.lab import clusters
from fleet.policy.crds import customs

Schema = dict[str, Any]
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
LOOSE: Schema = {"type": "string"}
SHORT: Schema = {"type": "string", "maxLength": 1000}
ENUM: Schema = {"type": "string", "enum": ["a", "bbbb"]}
INT: Schema = {"type": "integer"}


def unbound(items: Schema, *rules: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items, "x-kubernetes-validations": list(rules), **more}


def lists(*rules: Schema, **more: Any) -> Schema:
    return unbound(SHORT, *rules, **more)


def held(item: Schema, *expressions: str) -> Schema:
    """A list of them without bound, the rules on each."""
    return unbound({**item, "x-kubernetes-validations": [rule(each) for each in expressions]})


NESTED = of({"a": unbound(of({"b": unbound(LOOSE)}))})
PAIR = of({"name": SHORT, "n": INT}, required=["name"])
# By name: a schema of one field with rules; some are refused, some are not.
SCHEMAS: dict[str, Schema] = {
    "cheap": of({"a": INT}, rule("self.a > 1")),
    "eachText": held(LOOSE, "self == 'x'"),
    "eachShort": held(SHORT, "self.startsWith('x')"),
    "eachWord": held(SHORT, "self.matches('^[a-z]+$')"),
    "eachEnum": held(ENUM, "self == 'a'"),
    "eachNumber": held(INT, "self > 1 && self < 9 && self != 5"),
    "eachMoment": held({"type": "string", "format": "date-time"}, "self == self"),
    "eachPair": held(PAIR, "self.name != 'x' || self.n == 3"),
    "eachSum": held(PAIR, "size(self.name) + self.n * 2 > -self.n"),
    "all": lists(rule("self.all(x, x != 'a')")),
    "allInAll": lists(rule("self.all(x, self.all(y, x == y))")),
    "allInAllBound": lists(rule("self.all(x, self.all(y, x == y))"), maxItems=100),
    "allInAllLess": lists(rule("self.all(x, self.all(y, x == y))"), maxItems=400),
    "exists": lists(rule("self.exists(x, x == 'a')")),
    "existsTwice": lists(rule("self.all(x, self.exists(y, x < y))"), maxItems=300),
    "one": lists(rule("self.all(x, self.exists_one(y, x == y))"), maxItems=500),
    "filter": lists(rule("size(self.filter(x, x.contains('abc'))) < 5")),
    "map": lists(rule("self.map(x, size(x)).all(n, n > 1)")),
    "mapThree": lists(rule("self.map(x, x != 'a', x).all(n, n != 'b')"), maxItems=20000),
    "mapTexts": lists(rule("self.all(y, self.map(x, x).exists(n, n == y))"), maxItems=200),
    "in": lists(rule("'x' in self")),
    "inEach": lists(rule("self.all(x, x in self)"), maxItems=5000),
    "inLiteral": lists(rule("self.all(x, x in ['a', 'b'])")),
    "literal": lists(rule("['a', 'b'].all(x, x in self)")),
    "ternary": lists(rule("size(self) > 3 ? self.all(x, x == 'a') : self.exists(x, x == 'b')")),
    "join": lists(rule("self.all(x, x + x != 'ab')")),
    "lower": lists(rule("self.all(x, x.lowerAscii() == x.trim())")),
    "index": lists(rule("self[0] == self[1]")),
    "matches": lists(rule("self.all(x, x.matches('^[a-z0-9.-]{1,20}$'))")),
    "equalLists": of({"a": unbound(LOOSE), "b": unbound(LOOSE)}, rule("self.a == self.b")),
    "mapKeys": entries(SHORT, rule("self.all(k, k != 'a' && self[k] != 'b')")),
    "mapWide": {**entries(SHORT, rule("self.all(k, self.all(l, self[k] == self[l]))")), "maxProperties": 700},
    "mapEach": {"type": "object", "additionalProperties": {**SHORT, "x-kubernetes-validations": [rule("self != 'a'")]}},
    "has": held(of({"a": LOOSE}), "!has(self.a) || self.a == 'x'"),
    "deep": {**NESTED, "x-kubernetes-validations": [rule("self.a.all(x, x.b.all(y, y != 'a'))")]},
    "deepRule": of({"a": unbound(of({"b": unbound({**LOOSE, "x-kubernetes-validations": [rule("self == 'a'")]})}))}),
    "message": {**SHORT, "x-kubernetes-validations": [rule("self != 'a'", messageExpression="self + self")]},
    "numberedMessage": of({"n": INT}, rule("self.n < 9", messageExpression="'not ' + string(self.n)")),
    "longMessage": {**LOOSE, "x-kubernetes-validations": [
        rule("self != 'a'", messageExpression="self.contains(self) ? 'a' : self")]},
    "change": {**LOOSE, "x-kubernetes-validations": [rule("self.contains(oldSelf)")]},
    "byte": held({"type": "string", "format": "byte"}, "self == b'abc'"),
    "required": held(of({"abcdefghij": LOOSE}, required=["abcdefghij"]), "self.abcdefghij == 'x'"),
    "texts": held(INT, "string(self) == 'a'", "string(self) + 'a' != 'b'"),
    "numbers": lists(rule("self.all(x, int(x) > 3 && double(x) < 5.0)")),
    "quantities": held(LOOSE, "isQuantity(self) && quantity(self).isLessThan(quantity('5Gi'))"),
    "addresses": lists(rule("self.all(x, isIP(x) && ip(x).family() == 4)")),
    "substring": lists(rule("self.all(x, x.substring(1, 3) == 'ab' || x.substring(4) == x)")),
    "split": lists(rule("self.all(x, x.split(',').all(y, y == 'ab'))"), maxItems=9),
    "splitAny": held(LOOSE, "size(self.split(',')) < 4"),
    "find": held(SHORT, "self.find('[a-z]+') == 'abc'"),
    "indexOf": held(LOOSE, "self.indexOf('a') > self.lastIndexOf('b')"),
    "sorted": of({"a": unbound(unbound(LOOSE, rule("self.isSorted() || self.max() == 'x'")))}),
    "summed": of({"a": unbound(unbound(INT, rule("self.sum() > self.max()")))}),
    "durations": held({"type": "string", "format": "duration"}, "self == duration('1h') || self > duration('1s')"),
    "sum": of({f"f{n}": held(LOOSE, "self != 'xxxxxxxxx'") for n in range(40)}),
}  # fmt: skip


def crd(name: str) -> dict[str, Any]:
    made = definitions.crd({"x": copy.deepcopy(SCHEMAS[name])}, kind=f"C{name}")
    made["spec"]["names"]["plural"] = made["spec"]["names"]["plural"].lower()
    return made


def ours(name: str) -> set[str]:
    body = crd(name)
    manifest = builders.manifest(document=body)
    return {each.message for each in customs.of_definition(body, manifest.source, "it")}


def facts(said: str) -> set[tuple[str, str]]:
    """What costs too much, by which factor."""
    words = said.replace("Forbidden: ", "\n").split("\n")
    return {
        (line.partition(" exceeds")[0], line.partition("factor of ")[2].partition("x (")[0])
        for line in words
        if "exceeds budget" in line
    }


@pytest.mark.timeout(90, func_only=True)
async def test_the_same_rules_are_too_dear(lab_clusters: Callable[[int], list[clusters.Cluster]]):
    owner = lines.Owner(lab_clusters(1)[0].kubeconfig)
    try:
        answers = await asyncio.gather(
            *(owner.ask("POST", f"{CRDS}?dryRun=All", crd(name)) for name in SCHEMAS)
        )
    finally:
        await owner.close()
    differing = []
    for name, (status, said) in zip(SCHEMAS, answers, strict=True):
        theirs = facts(said["message"]) if status >= 300 else set()
        assert status < 300 or theirs, (name, said["message"])
        own = {fact for each in ours(name) for fact in facts(each)}
        if own != theirs:
            differing.append(f"{name}: ours {sorted(own)}, theirs {sorted(theirs)}")
    assert not differing, "\n".join(differing)
    refused = sum(status >= 300 for status, _ in answers)
    assert 10 < refused < len(SCHEMAS) - 10
