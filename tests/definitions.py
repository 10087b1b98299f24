"""Structural schemas with rules, and values for them: what a CRD can say, a line or two for each way of saying it."""

from collections.abc import Mapping
from typing import Any, TypeAlias

Schema: TypeAlias = dict[str, Any]

GROUP, VERSION, KIND = "example.com", "v1", "Gadget"


def rule(expression: str, **more: Any) -> Schema:
    return {"rule": expression, **more}


def text(*rules: Schema, **more: Any) -> Schema:
    return {"type": "string", "maxLength": 64, "x-kubernetes-validations": list(rules), **more}


def whole(*rules: Schema, **more: Any) -> Schema:
    return {"type": "integer", "x-kubernetes-validations": list(rules), **more}


def of(properties: Schema, *rules: Schema, **more: Any) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "x-kubernetes-validations": list(rules),
        **more,
    }


def several(items: Schema, *rules: Schema, **more: Any) -> Schema:
    return {
        "type": "array",
        "maxItems": 8,
        "items": items,
        "x-kubernetes-validations": list(rules),
        **more,
    }


def entries(values: Schema, *rules: Schema, **more: Any) -> Schema:
    return {
        "type": "object",
        "maxProperties": 8,
        "additionalProperties": values,
        "x-kubernetes-validations": list(rules),
        **more,
    }


_TEXT = {"type": "string", "maxLength": 32}
_INT = {"type": "integer"}
_NAMED = of({"name": _TEXT, "n": _INT}, required=["name"])
_SET = {"x-kubernetes-list-type": "set"}
_BY_NAME = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
_LOOSE = {"x-kubernetes-preserve-unknown-fields": True}
_EITHER = {"x-kubernetes-int-or-string": True, "maxLength": 8}

# By name: the schema of one field, and values for it of which some are refused.
FIELDS: Mapping[str, tuple[Schema, tuple[Any, ...]]] = {
    # messages, reasons and field paths
    "plain": (text(rule("self != 'x'")), ("x", "y", "", None)),
    "message": (whole(rule("self < 3", message=" too many ")), (3, 2)),
    "expressed": (whole(rule("self < 3", messageExpression="self > 3 ? 'far more' : 'one more'")), (3, 4)),
    "brokenMessage": (
        whole(rule("self < 3", messageExpression="string(1 / (self - 3))", message="plain")), (3, 4),
    ),
    "emptyMessage": (whole(rule("self < 3", messageExpression="' '", message="plain")), (3,)),
    "forbidden": (text(rule("false", reason="FieldValueForbidden")), ("x",)),
    "required": (text(rule("false", reason="FieldValueRequired", message="say it")), ("x",)),
    "duplicate": (text(rule("false", reason="FieldValueDuplicate")), ("x",)),
    "blamed": (
        of({"a": of({"b": _TEXT})}, rule("!has(self.a)", fieldPath=".a.b", message="no b")),
        ({"a": {"b": "x"}}, {}),
    ),
    "blamedKey": (
        of({"m": entries(_INT)}, rule("size(self.m) < 2", fieldPath=".m['k']", message="one")),
        ({"m": {"k": 1, "l": 2}}, {"m": {}}),
    ),
    "twoRules": (whole(rule("self > 1"), rule("self > 2"), rule("self > 0")), (1, 2, 3)),
    # what self is
    "object": (of({"a": _INT, "b": _INT}, rule("self.a <= self.b")), ({"a": 2, "b": 1}, {"a": 1})),
    "has": (of({"a": _INT}, rule("has(self.a)", message="a")), ({}, {"a": 0}, {"a": None})),
    "escaped": (
        of(
            {"namespace": _TEXT, "a-b": _INT, "c.d": _INT, "e__f": _INT, "g/h": _INT},
            rule("!has(self.__namespace__) || self.__namespace__ != 'x'"),
            rule("!has(self.namespace) || self.namespace != 'x'", message="keyword"),
            rule("!has(self.a__dash__b) || self.a__dash__b > 1"),
            rule("!has(self.c__dot__d) || self.c__dot__d > 1"),
            rule("!has(self.e__underscores__f) || self.e__underscores__f > 1"),
            rule("!has(self.g__slash__h) || self.g__slash__h > 1"),
        ),
        ({"namespace": "x", "a-b": 1, "c.d": 1, "e__f": 1, "g/h": 1}, {"a-b": 2}),
    ),
    "intOrString": (
        {**_EITHER, "x-kubernetes-validations": [
            rule("type(self) == int ? self < 10 : self == '50%'")]},
        (9, 10, "50%", "51%"),
    ),
    "wrongOverload": ({**_EITHER, "x-kubernetes-validations": [rule("self + 1 < 10")]}, (9, 1, "a")),
    "number": ({"type": "number", "x-kubernetes-validations": [rule("self < 1.5")]}, (1, 2, 1.4, 1.5)),
    "boolean": ({"type": "boolean", "x-kubernetes-validations": [rule("self")]}, (True, False)),
    "moment": (
        text(rule("self.getFullYear() > 2020"), format="date-time"),
        ("2021-01-02T03:04:05Z", "2019-01-02T03:04:05.678+01:00", "soon"),
    ),
    "day": (text(rule("self.getDayOfMonth() == 1"), format="date"), ("2021-01-02", "2021-01-03", "x")),
    "span": (
        text(rule("self < duration('1h')"), format="duration"),
        ("59m", "1h", "61m", "1 day", "2weeks", "never"),
    ),
    "bytes": (text(rule("size(self) == 2"), format="byte"), ("aGk=", "aGlo", "***")),
    "int32": ({"type": "integer", "format": "int32"}, (2**31, -1)),
    "int64": ({"type": "integer", "format": "int64"}, (2**62,)),
    "ipv4": (text(format="ipv4"), ("1.2.3.4", "1.2.3", "::1", "01.2.3.4", "")),
    "ipv6": (text(format="ipv6"), ("::1", "1.2.3.4", "g::", "::ffff:1.2.3.4", "")),
    "cidr": (text(format="cidr"), ("10.0.0.0/8", "::/0", "10.0.0.0", "10.0.0.1/33", "")),
    "mac": (text(format="mac"), ("00:11:22:33:44:55", "00-11-22-33-44-55", "0011.2233.4455", "0:1", "")),
    "uri": (text(format="uri"), ("https://a.b/c", "/a", "a", "a b", "http://", "", "urn:a:b", "a:b")),
    "email": (text(format="email"), ("a@b.c", "a", "a@b", "A <a@b.c>", "", "a@b.c\n")),
    "hostname": (text(format="hostname"), ("a.b", "a", "-a", "a_b", "A.b", "a.b.", "", "1.2.3.4")),
    "uuid": (
        text(format="uuid"),
        ("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6BA7B8109DAD11D180B400C04FD430C8", "6ba7", ""),
    ),
    "uuid3": (text(format="uuid3"), ("6fa459ea-ee8a-3ca4-894e-db77e160355e",
                                     "6fa459ea-ee8a-4ca4-894e-db77e160355e")),
    "uuid4": (text(format="uuid4"), ("6fa459ea-ee8a-3ca4-894e-db77e160355e",
                                     "6fa459ea-ee8a-4ca4-894e-db77e160355e")),
    "uuid5": (text(format="uuid5"), ("6fa459ea-ee8a-3ca4-894e-db77e160355e",
                                     "6fa459ea-ee8a-5ca4-894e-db77e160355e")),
    "hexcolor": (text(format="hexcolor"), ("#fff", "#ffffff", "fff", "#ff", "")),
    "rgbcolor": (text(format="rgbcolor"), ("rgb(1,2,3)", "rgb(1, 2, 3)", "rgb(256,1,1)", "")),
    "bsonobjectid": (text(format="bsonobjectid"), ("507f1f77bcf86cd799439011", "507f", "")),
    "isbn": (text(format="isbn"), ("9780306406157", "0306406152", "9780306406158", "x")),
    "isbn10": (text(format="isbn10"), ("0306406152", "0306406153")),
    "isbn13": (text(format="isbn13"), ("978-0-306-40615-7", "9780306406158")),
    "creditcard": (text(format="creditcard"), ("4111111111111111", "4111111111111112", "x")),
    "ssn": (text(format="ssn"), ("111-11-1111", "111 11 1111", "11-1", "")),
    "password": (text(format="password"), ("", "x")),
    "shortName": (text(format="k8s-short-name"), ("a-b", "A", "-a", "a.b", "", "1a")),
    "longName": (text(format="k8s-long-name"), ("a.b", "A.b", "a..b", "-a", "")),
    "unknownFormat": (text(format="no-such-format"), ("x",)),
    "map": (entries(_INT, rule("self.all(k, self[k] > 0)")), ({"a": 1, "b-c": 0}, {"a": 2}, {})),
    "mapOfRules": (entries(whole(rule("self > 0"))), ({"a": 1, "b.c": 0}, {})),
    "list": (several(_INT, rule("self.all(x, x > 0)")), ([1, 0], [1], [])),
    "listOfRules": (several(whole(rule("self > 0"))), ([1, 0, -1], [1])),
    "deep": (several(of({"a": several(whole(rule("self > 0")))})), ([{"a": [1]}, {"a": [1, 0]}],)),
    "kept": (
        of({"a": _INT}, rule("!has(self.a) || self.a > 0"), **_LOOSE),
        ({"a": 0, "b": {"c": None}}, {"b": [1, {"c": 2}]}),
    ),
    "nullable": (
        of({"a": {**_TEXT, "nullable": True}}, rule("!has(self.a) || self.a != 'x'")),
        ({"a": None}, {"a": "x"}, {}),
    ),
    "quantity": (text(rule("quantity(self).isLessThan(quantity('1Gi'))")), ("1Mi", "1Gi", "much")),
    "optional": (of({"a": _INT}, rule("self.?a.orValue(5) > 3")), ({}, {"a": 3}, {"a": 4})),
    # transitions
    "transition": (text(rule("self == oldSelf")), ("x",)),
    "optionalOld": (
        text(rule("oldSelf.hasValue() || self == 'new'", optionalOldSelf=True)), ("x", "new"),
    ),
    # lists
    "set": (several(_TEXT, **_SET), (["a", "b", "a", "a"], ["a", "b"], [])),
    "keyed": (
        several(_NAMED, **_BY_NAME),
        ([{"name": "a"}, {"name": "a", "n": 1}], [{"name": "a"}, {"name": "b"}]),
    ),
    "keyedTwice": (
        several(
            of({"name": _TEXT, "n": {**_INT, "default": 1}}, required=["name"]),
            **{**_BY_NAME, "x-kubernetes-list-map-keys": ["name", "n"]},
        ),
        ([{"name": "a"}, {"name": "a", "n": 1}], [{"name": "a"}, {"name": "a", "n": 2}]),
    ),
    "sameSet": (
        of({"a": several(_TEXT, **_SET), "b": several(_TEXT, **_SET)}, rule("self.a == self.b")),
        ({"a": ["x", "y"], "b": ["y", "x"]}, {"a": ["x"], "b": ["y"]}),
    ),
    "sameMap": (
        entries(several(_NAMED, **_BY_NAME), rule("self['a'] == self['b']")),
        (
            {"a": [{"name": "x"}, {"name": "y"}], "b": [{"name": "y"}, {"name": "x"}]},
            {"a": [{"name": "x"}], "b": [{"name": "x", "n": 1}]},
        ),
    ),
    "joinedMap": (
        entries(several(_NAMED, **_BY_NAME), rule("size(self['a'] + self['b']) == 2")),
        (
            {"a": [{"name": "x"}], "b": [{"name": "y"}, {"name": "x"}]},
            {"a": [{"name": "x"}, {"name": "y"}], "b": [{"name": "z"}]},
        ),
    ),
    "joined": (
        of({"a": several(_TEXT, **_SET)}, rule("size(self.a + ['x', 'x']) == 2")),
        ({"a": ["x", "y"]}, {"a": ["y", "z"]}),
    ),
    # defaults and pruning
    "defaulted": (
        of({"a": {**_INT, "default": 3}, "b": _INT}, rule("self.a < 3")),
        ({}, {"a": 2}, {"a": None}, {"a": 2, "b": None}),
    ),
    "deepDefault": (
        of({"a": of({"b": {**_TEXT, "default": "x"}}, default={}), "c": of({"d": {**_INT, "default": 1}})}),
        ({}, {"c": {}}, {"a": None}, {"a": {"b": "y"}}),
    ),
    "requiredDefault": (of({"a": {**_INT, "default": 1}}, required=["a"]), ({}, {"a": 2})),
    "elementDefault": (
        several(of({"a": {**_INT, "default": 1}}, default={"a": 7})), ([{}, {"a": 2}], []),
    ),
    "nullableDefault": (
        of({"a": {**_INT, "default": 1, "nullable": True}}), ({"a": None}, {}, {"a": 2}),
    ),
    "embedded": (
        {"type": "object", "x-kubernetes-embedded-resource": True, **_LOOSE,
         "x-kubernetes-validations": [rule("self.kind != 'Secret'"),
                                      rule("self.metadata.name == 'n'", message="n")]},
        (
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "n"}, "spec": {"x": [1]}},
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "m"}},
            {"kind": "", "metadata": {"name": "n"}},
            {"apiVersion": "v1", "kind": "Pod"},
        ),
    ),
}  # fmt: skip

# Schemas of a field that no API server takes, because of their rules.
UNSOUND: Mapping[str, Schema] = {
    "no expression": text(rule("self ==")),
    "an unknown name": text(rule("object.spec == 'x'")),
    "an unknown field": of({"a": _INT}, rule("self.b == 1")),
    "an unescaped name": of({"a.b": of({"c": _TEXT})}, rule("self.a.b.c == 'x'")),
    "no truth": text(rule("self")),
    "types that do not fit": text(rule("self > 1")),
    "an object as a map": of({"a": _INT}, rule("self.all(k, k != 'x')")),
    "nothing": text(rule(" ")),
    "a message of no text": text(rule("true", messageExpression="1")),
    "a message that does not compile": text(rule("true", messageExpression="selv")),
    "a blank message": text(rule("true", message=" ")),
    "a message of two lines": text(rule("true", message="a\nb")),
    "a rule of two lines without message": text(rule("true ||\nfalse")),
    "a path to nothing": of({"a": _INT}, rule("true", fieldPath=".b")),
    "a path that is none": of({"a": _INT}, rule("true", fieldPath="a")),
    "another reason": text(rule("true", reason="FieldValueOdd")),
    "lists of elements of two types": of(
        {"a": several(_NAMED), "b": several(_NAMED)}, rule("self.a == self.b")
    ),
    "an old self that cannot be told": several(text(rule("self == oldSelf"))),
    "an optional old self unused": text(rule("true", optionalOldSelf=True)),
    "a value of unknown type": of({"a": _LOOSE}, rule("self.a == 1")),
    "no self": {**_LOOSE, "x-kubernetes-validations": [rule("true")]},
    "the owner of a resource": {
        "type": "object", "x-kubernetes-embedded-resource": True, **_LOOSE,
        "x-kubernetes-validations": [rule("size(self.metadata.labels) == 0")],
    },
}  # fmt: skip


def crd(fields: Schema, *root_rules: Schema, kind: str = KIND, **spec: Any) -> dict[str, Any]:
    """A kind whose spec has these fields."""
    schema = {
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": fields, **spec}},
        "x-kubernetes-validations": list(root_rules),
    }
    plural = f"{kind.lower()}s"
    version = {"name": VERSION, "served": True, "storage": True,
               "schema": {"openAPIV3Schema": schema}}  # fmt: skip
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": kind, "singular": kind.lower()},
            "versions": [version],
        },
    }


def resource(name: str = "a", kind: str = KIND, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": kind,
        "metadata": {"name": name, "namespace": "default"},
        "spec": spec,
    }
