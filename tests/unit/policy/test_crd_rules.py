"""The rules inside CRDs: what they see, what they say, where; tests/real/defaults holds the words against a server."""

import time
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import builders
import definitions
from definitions import entries, of, rule, several, text, whole
from fleet.manifests import declared
from fleet.manifests.schemas import completion
from fleet.model import findings
from fleet.policy.crds import customs, formats, invariants, lists, rules, words

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)
WORDS = st.sampled_from(
    ["type", "properties", "items", "additionalProperties", "default", "nullable", "format", "allOf",
     "x-kubernetes-validations", "x-kubernetes-list-type", "x-kubernetes-list-map-keys",
     "x-kubernetes-embedded-resource", "x-kubernetes-preserve-unknown-fields", "rule", "a", "b"]
)  # fmt: skip
SCHEMAS = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3)
    | st.sampled_from(["object", "array", "string", "integer", "map", "set", "self == 1", "self == oldSelf", "date"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=20,
)  # fmt: skip

# Of each value of definitions.FIELDS whether the API server refuses it (x), as tests/real/defaults saw it.
VERDICTS = {
    "plain": "x...", "message": "x.", "expressed": "xx", "brokenMessage": "xx", "emptyMessage": "x",
    "forbidden": "x", "required": "x", "duplicate": "x", "blamed": "x.", "blamedKey": "x.", "twoRules": "xx.",
    "object": "xx", "has": "x.x", "escaped": "x.", "intOrString": ".x.x", "wrongOverload": "x.x", "number":
    ".x.x", "boolean": ".x", "moment": ".xx", "day": ".xx", "span": ".xxxxx", "bytes": ".xx", "int32": "x.",
    "int64": ".", "ipv4": ".xx.x", "ipv6": ".xx.x", "cidr": "..xxx", "mac": "...xx", "uri": "..xx.x..", "email":
    ".x..xx", "hostname": "x.xxxxxx", "uuid": "..xx", "uuid3": ".x", "uuid4": "x.", "uuid5": "x.", "hexcolor":
    "...xx", "rgbcolor": "..xx", "bsonobjectid": ".xx", "isbn": "..xx", "isbn10": ".x", "isbn13": ".x",
    "creditcard": ".xx", "ssn": "..xx", "password": "..", "shortName": ".xxxx.", "longName": ".xxxx",
    "unknownFormat": ".", "map": "x..", "mapOfRules": "x.", "list": "x..", "listOfRules": "x.", "deep": "x",
    "kept": "x.", "nullable": ".x.", "quantity": ".xx", "optional": ".x.", "transition": ".", "optionalOld":
    "x.", "set": "x..", "keyed": "x.", "keyedTwice": "x.", "sameSet": ".x", "sameMap": ".x", "joinedMap": ".x",
    "joined": ".x", "defaulted": "x.x.", "deepDefault": "....", "requiredDefault": "..", "elementDefault": "..",
    "nullableDefault": "...", "embedded": ".xxx",
}  # fmt: skip


def schemas(*crds: Mapping[str, Any]) -> customs.Schemas:
    return customs.Schemas(
        version="1.36", source="test", definitions={}, brought=customs.Customs(crds)
    )


def judged(schema: Any, value: Any) -> tuple[findings.Finding, ...]:
    judge = schemas(definitions.crd({"x": schema}))
    return judge.validate(builders.manifest(document=definitions.resource(x=value)))


def messages(schema: Any, value: Any) -> list[str]:
    return [each.message for each in judged(schema, value)]


def unsound(schema: Any) -> list[findings.Finding]:
    crd = definitions.crd({"x": schema})
    return list(customs.of_definition(crd, builders.manifest(document=crd).source, "it"))


def seen(schema: Any, value: Any) -> Any:
    crds = customs.Customs([definitions.crd({"x": schema})])
    return crds.judged(builders.manifest(document=definitions.resource(x=value)))["spec"]["x"]


# What is said, and where


def test_a_refusal_says_where_and_why():
    schema = of({"a": several(whole(rule("self < 3", message="too many")))})
    (found,) = judged(schema, {"a": [1, 5]})
    assert found.rule == "schema"
    assert found.severity is findings.Severity.DENY
    assert found.message == "spec.x.a[1]: Invalid value: 5: too many"
    assert found.field == ("spec", "x", "a", "1")
    assert found.subject == "Gadget.example.com default/a"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "Invalid value: \"x\": failed rule: self != 'x'"),
        ({"message": " no x "}, 'Invalid value: "x": no x'),
        ({"messageExpression": "'not ' + self"}, 'Invalid value: "x": not x'),
        ({"messageExpression": "'a\\nb'", "message": "m"}, 'Invalid value: "x": m'),
        ({"reason": "FieldValueForbidden"}, "Forbidden: failed rule: self != 'x'"),
        ({"reason": "FieldValueRequired", "message": "m"}, "Required value: m"),
        ({"reason": "FieldValueDuplicate", "message": "m"}, 'Duplicate value: "x"'),
    ],
)
def test_the_words_are_the_api_servers(more: Any, said: str):
    assert messages(text(rule("self != 'x'", **more)), "x") == [f"spec.x: {said}"]


def test_a_field_path_moves_the_finding():
    schema = of(
        {"a": entries({"type": "integer"})}, rule("false", fieldPath=".a['k.l']", message="m")
    )
    (found,) = judged(schema, {"a": {"k.l": 1}})
    assert found.message == "spec.x.a[k.l]: Invalid value: m"
    assert found.field == ("spec", "x", "a", "k.l")


def test_every_rule_is_asked_and_an_error_is_no_pass():
    schema = of({"a": {"type": "integer"}}, rule("self.a > 1"), rule("false", message="second"))
    assert messages(schema, {}) == [
        'spec.x: Invalid value: "object": no such key: a evaluating rule: self.a > 1',
        "spec.x: Invalid value: second",
    ]


def test_a_transition_is_none_at_a_creation():
    assert judged(text(rule("self == oldSelf"), rule("oldSelf == 'a'")), "x") == ()
    optional = text(rule("oldSelf.orValue('a') == self", optionalOldSelf=True))
    assert judged(optional, "a") == ()
    assert len(judged(optional, "b")) == 1


def test_nothing_is_said_about_what_does_not_fit_its_schema():
    (found,) = judged(text(rule("false")), 5)
    assert "failed rule" not in found.message


@pytest.mark.parametrize("name", definitions.FIELDS)
def test_every_value_is_judged_as_a_server_judged_it(name: str):
    schema, values = definitions.FIELDS[name]
    found = "".join("x" if judged(schema, each) else "." for each in values)
    assert found == VERDICTS[name]


@pytest.mark.parametrize("name", definitions.FIELDS)
def test_every_rule_of_the_table_compiles(name: str):
    assert unsound(definitions.FIELDS[name][0]) == []


@pytest.mark.parametrize("name", definitions.UNSOUND)
def test_an_unsound_rule_is_found_in_its_crd(name: str):
    found = unsound(definitions.UNSOUND[name])
    assert found
    for each in found:
        assert each.field[:6] == (
            "spec",
            "versions",
            "0",
            "schema",
            "openAPIV3Schema",
            "properties",
        )
        assert "x-kubernetes-validations" in each.field
        assert each.severity is findings.Severity.DENY


def test_a_crd_is_checked_in_a_bundle_and_among_the_rules():
    crd = definitions.crd({"x": text(rule("self >"))})
    manifest = builders.manifest(document=crd)
    found = schemas().validate(manifest)
    assert any("compilation failed" in each.message for each in found)
    assert list(customs.of_rule(declared.Rule(value=crd, source=manifest.source)))


# What policies and rules see


@pytest.mark.parametrize(
    ("schema", "written", "made"),
    [
        (of({"a": {"type": "integer", "default": 1}}), {}, {"a": 1}),
        (of({"a": {"type": "integer", "default": 1}}), {"a": None}, {"a": 1}),
        (of({"a": {"type": "integer"}}), {"a": None, "b": 1}, {}),
        (of({"a": {"type": "integer", "nullable": True, "default": 1}}), {"a": None}, {"a": None}),
        (of({}, **{"x-kubernetes-preserve-unknown-fields": True}), {"b": {"c": None}},
         {"b": {"c": None}}),
        (of({"a": of({"b": {"type": "string"}})}, **{"x-kubernetes-preserve-unknown-fields": True}),
         {"a": {"b": "x", "c": 1}, "d": 2}, {"a": {"b": "x"}, "d": 2}),
        (entries(of({"b": {"type": "string"}})), {"k": {"b": "x", "c": 1}}, {"k": {"b": "x"}}),
        (several(of({"b": {"type": "string", "default": "y"}})), [{"c": 1}], [{"b": "y"}]),
        ({"type": "object", "additionalProperties": True}, {"a": {"b": 1}, "c": 2}, {"a": {}, "c": 2}),
    ],
)  # fmt: skip
def test_a_custom_resource_is_completed_and_pruned(schema: Any, written: Any, made: Any):
    assert seen(schema, written) == made


def test_an_embedded_resource_keeps_what_makes_it_one():
    schema = {"type": "object", "x-kubernetes-embedded-resource": True,
              "properties": {"spec": of({"a": {"type": "integer"}})}}  # fmt: skip
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "n", "labels": {"a": "b"}},
            "spec": {"a": 1, "b": 2}, "more": 1}  # fmt: skip
    assert seen(schema, body) == {
        "apiVersion": "v1", "kind": "Pod", "metadata": body["metadata"], "spec": {"a": 1},
    }  # fmt: skip


def test_a_status_with_a_subresource_of_its_own_is_not_created():
    crd = definitions.crd({})
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"] = {
        "type": "object", "x-kubernetes-preserve-unknown-fields": True,
    }  # fmt: skip
    body = {**definitions.resource(), "status": {"a": 1}}
    manifest = builders.manifest(document=body)
    assert "status" in customs.Customs([crd]).judged(manifest)
    crd["spec"]["versions"][0]["subresources"] = {"status": {}}
    assert "status" not in customs.Customs([crd]).judged(manifest)


def test_no_crd_speaks_for_kubernetes_own_kinds():
    crd = definitions.crd({})
    crd["spec"] |= {"group": "apps", "names": {"kind": "Deployment", "plural": "deployments"}}
    body = {"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "a", "namespace": "n"}, "spec": {"paused": True}}  # fmt: skip
    assert customs.Customs([crd]).judged(builders.manifest(document=body))["spec"]["replicas"] == 1


def test_what_is_judged_is_remembered_by_its_schema():
    one = customs.Customs([definitions.crd({"x": text()})])
    other = customs.Customs([definitions.crd({"x": whole()})])
    manifest = builders.manifest(document=definitions.resource())
    assert one.identity(manifest) != other.identity(manifest)
    assert one.identity(builders.manifest()) == ""
    assert schemas().identity != schemas(definitions.crd({})).identity


# Lists


def test_keys_and_elements_are_unique():
    found = judged(definitions.FIELDS["set"][0], ["a", "b", "a", "a"])
    assert [(each.message, each.field[-1]) for each in found] == [
        ('spec.x[2]: Duplicate value: "a"', "2")
    ]
    assert messages(definitions.FIELDS["keyed"][0], [{"name": "a"}, {"name": "a"}]) == [
        'spec.x[1]: Duplicate value: {"name":"a"}'
    ]


def test_unordered_lists_are_equal_in_any_order():
    one = lists.set_of(["a", "b"])
    assert one == lists.set_of(["b", "a"])
    assert one != lists.set_of(["a"])
    assert one != lists.set_of(["a", "c"])
    assert list(one.__add__(["b", "c"])) == ["a", "b", "c"]
    keyed = lists.map_of([{"n": "a", "v": 1}, {"n": "b"}], ["n"])
    assert keyed == lists.map_of([{"n": "b"}, {"n": "a", "v": 1}], ["n"])
    assert keyed != lists.map_of([{"n": "b"}, {"n": "a", "v": 2}], ["n"])
    assert list(keyed.__add__([{"n": "a"}])) == [{"n": "a"}, {"n": "b"}]


# Formats


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("date", ("2024-02-29",), ("2023-02-29", "20240229", "2024-2-9", "")),
        (
            "date-time",
            ("2024-02-29T10:11:12Z", "2024-02-29T10:11:12.5+02:00"),
            ("2024-02-29", "x"),
        ),
        (
            "duration",
            ("1h30m", "-1.5s", "0", "3 days", "1w", "2 hr"),
            ("", "h", "1", "2 hrs", "soon"),
        ),
        ("byte", ("aGk=", "aGlo", "a+/="), ("", "a", "a===", "aGk", "a-_=")),
    ],
)
def test_formats_are_as_generous_as_the_server(kind: str, good: Any, bad: Any):
    assert [each for each in good if not words.holds(kind, each)] == []
    assert [each for each in bad if words.holds(kind, each)] == []


def test_what_is_not_of_its_format_is_said_and_no_rule_is_asked():
    assert messages(text(rule("false"), format="ipv4"), "1.2.3") == [
        'spec.x: Invalid value: "1.2.3": spec.x in body must be of type ipv4: "1.2.3"'
    ]
    assert len(judged({"type": "integer", "format": "int32"}, 2**31)) == 1


def test_a_moment_knows_its_offset():
    assert formats.moment("1970-01-01T02:00:00.5+02:00") == 500_000_000
    assert formats.moment("1970-01-01T00:00:00-00:30") == 1_800_000_000_000
    assert formats.day("1970-01-02") == 86_400 * 10**9
    assert formats.span("1h1.5s") == 3_601_500_000_000
    assert formats.span("2 days") == 2 * 86_400 * 10**9


# Transitions


def changed(schema: Any, old: Any, value: Any) -> list[str]:
    judge = schemas(definitions.crd({"x": schema}))
    was, now = (builders.manifest(document=definitions.resource(x=each)) for each in (old, value))
    assert judge.has_transitions
    assert judge.heeds_update(now)
    return [each.message for each in judge.validate(now, was)]


STAYS = text(rule("self == oldSelf", message="it stays"))
BY_NAME = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
NAMED = of({"name": text(), "n": whole(rule("self >= oldSelf", message="it grows"))})


@pytest.mark.parametrize(
    ("schema", "old", "value", "said"),
    [
        (STAYS, "a", "a", []),
        (STAYS, "a", "b", ['spec.x: Invalid value: "b": it stays']),
        (of({"a": STAYS}), {}, {"a": "b"}, []),
        (of({"a": STAYS}), {"a": None}, {"a": "b"}, []),
        (of({"a": STAYS}), {"a": "a"}, {}, []),
        (of({"a": STAYS}), "another kind of value", {"a": "b"}, []),
        (entries(STAYS), {"k": "a", "l": "a"}, {"k": "a", "l": "b", "m": "c"},
         ['spec.x[l]: Invalid value: "b": it stays']),
        (several(NAMED, **BY_NAME), [{"name": "a", "n": 1}, {"name": "b", "n": 5}],
         [{"name": "b", "n": 4}, {"name": "a", "n": 1}, {"name": "c", "n": 0}],
         ["spec.x[0].n: Invalid value: 4: it grows"]),
        (several(whole(), rule("size(self) >= size(oldSelf)", message="it grows")), [1, 2], [1],
         ["spec.x: Invalid value: it grows"]),
        (whole(rule("oldSelf.orValue(0) <= self", optionalOldSelf=True)), 3, 2,
         ["spec.x: Invalid value: 2: failed rule: oldSelf.orValue(0) <= self"]),
        (whole(rule("oldSelf.orValue(0) <= self", optionalOldSelf=True)), 1, 2, []),
        (whole(rule("self > oldSelf", messageExpression="string(oldSelf) + ' to ' + string(self)")),
         3, 2, ["spec.x: Invalid value: 2: 3 to 2"]),
        (of({"a": {"type": "integer", "default": 1}}, rule("self.a == oldSelf.a", message="m")),
         {}, {"a": 2}, ["spec.x: Invalid value: m"]),
    ],
)  # fmt: skip
def test_a_transition_compares_with_what_was(schema: Any, old: Any, value: Any, said: list[str]):
    assert changed(schema, old, value) == said


def test_kinds_without_transitions_do_not_ask_what_was():
    judge = schemas(definitions.crd({"x": text(rule("self != 'x'"))}))
    assert not judge.has_transitions
    assert not judge.heeds_update(builders.manifest(document=definitions.resource()))


# Hostile


@given(SCHEMAS, JSON, JSON)
def test_no_schema_and_no_value_breaks_the_judge(schema: Any, value: Any, before: Any):
    crd = definitions.crd({"x": schema})
    unsound(schema)
    body = definitions.resource(x=value)
    crds = customs.Customs([crd])
    manifest = builders.manifest(document=body)
    crds.judged(manifest)
    list(crds.faults(manifest))
    list(crds.faults(manifest, builders.manifest(document=definitions.resource(x=before))))
    if isinstance(schema, Mapping):
        completion.defaulted(value, schema)
        list(invariants.faults(value, schema))
        list(invariants.unformed(value, schema))


@given(JSON)
def test_no_crd_breaks_the_judge(spec: Any):
    crd = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
           "metadata": {"name": "a"}, "spec": spec}  # fmt: skip
    customs.Customs([crd])
    assert isinstance(list(customs.of_definition(crd, builders.manifest().source, "")), list)


@given(st.text(max_size=300))
def test_no_text_breaks_a_format(written: str):
    for kind in words._TEXTS:
        assert words.holds(kind, written) in (True, False)
    assert formats.data(written) is None or isinstance(formats.data(written), bytes)


@pytest.mark.threat(44)
def test_no_rule_runs_long():
    numbers = several(
        {"type": "integer"}, rule("self.all(a, self.all(b, self.all(c, a + b + c > -1)))")
    )
    started = time.perf_counter()
    (found,) = judged({**numbers, "maxItems": 10_000}, list(range(3000)))
    assert time.perf_counter() - started < 2
    assert "costs more than it may" in found.message
    assert found.severity is findings.Severity.UNKNOWN


@pytest.mark.threat(44)
def test_no_number_of_rules_runs_long():
    """Each is within its own budget, which is smaller the more there are."""
    element = several({"type": "integer"}, rule("self.all(a, self.all(b, a + b > -1))"))
    element["maxItems"] = 100
    lists_of_numbers = {**several(element), "maxItems": 10_000}
    started = time.perf_counter()
    found = judged(lists_of_numbers, [list(range(60))] * 2_000)
    assert time.perf_counter() - started < 20
    assert {each.severity for each in found} == {findings.Severity.UNKNOWN}
    assert judged(lists_of_numbers, [[1]] * 2_000) == ()


@pytest.mark.threat(45)
def test_no_format_takes_long():
    started = time.perf_counter()
    for hostile in (
        "1" * 50_000,
        "1s" * 50_000 + "!",
        "AAAA" * 50_000 + "!",
        "0" * 30 + "T" * 999,
    ):
        for kind in (*words._TEXTS, "byte"):
            words.holds(kind, hostile)
    assert time.perf_counter() - started < 1


def test_a_deep_value_is_walked_to_its_end():
    schema: Any = whole(rule("self > 0"))
    value: Any = 0
    for _ in range(40):
        schema, value = of({"a": schema}), {"a": value}
    assert len(judged(schema, value)) == 1
    node = rules.tree_of(schema)
    assert node is not None
    assert len(list(node.everywhere())) == 1
