"""Documents, their lines, and the places of their fields."""

import pytest

import repositories
from fleet.manifests import parse
from fleet.model import findings


def values(written: str | bytes, path: str = "a.yaml") -> list[object]:
    parsed = repositories.parsed(written, path)
    assert parsed.findings == ()
    return [each.value for each in parsed.documents]


def refusal(written: str | bytes, path: str = "a.yaml") -> findings.Finding:
    parsed = repositories.parsed(written, path)
    assert parsed.documents == ()
    (found,) = parsed.findings
    assert found.severity is findings.Severity.DENY
    return found


def located(written: str, *where: str, path: str = "a.yaml", document: int = 0) -> str:
    data = repositories.text(written)
    line = parse.documents(data, path, repositories.blob(data)).documents[document].line
    return str(parse.locate(data, path, line, where))


def test_each_document_has_its_line_and_its_number_among_all():
    parsed = repositories.parsed("# first\n---\na: 1\n---\n# nothing\n---\n\nb: 2\n")
    assert [(each.value, each.line, each.index) for each in parsed.documents] == [
        ({"a": 1}, 3, 0),
        ({"b": 2}, 8, 2),
    ]


@pytest.mark.parametrize("written", ["", "\n\n", "# only words\n", "---\n---\n", "~\n"])
def test_a_text_without_values_has_no_documents(written: str):
    assert values(written) == []


@pytest.mark.threat(50)
def test_a_document_after_three_dots_is_a_document_like_any_other():
    assert values("a: 1\n...\n---\nb: 2\n") == [{"a": 1}, {"b": 2}]
    assert refusal("a: 1\n...\nb: 2\n").place.line == 3


@pytest.mark.threat(50)
def test_a_separator_inside_a_block_scalar_is_text():
    assert values("a: |\n  ---\n  kind: Secret\n  ...\n") == [{"a": "---\nkind: Secret\n...\n"}]


def test_windows_line_ends_change_nothing():
    assert values(b"a: 1\r\nb: |\r\n  x\r\n  y\r\n---\r\nc: 2\r\n") == [
        {"a": 1, "b": "x\ny\n"},
        {"c": 2},
    ]


def test_a_tab_as_indentation_is_refused_with_its_line():
    found = refusal("a:\n\tb: 1\n")
    assert str(found.place).startswith("a.yaml:2:")
    assert "cannot start any token" in found.message


@pytest.mark.threat(8)
def test_marks_of_byte_order_are_no_text():
    assert values(b"\xef\xbb\xbfa: 1\n") == [{"a": 1}]
    assert values("a: 1\n".encode("utf-16")) == [{"a": 1}]


@pytest.mark.threat(8)
@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system", "!!python/name:os", "!Ref"])
def test_a_tag_of_another_world_makes_nothing_but_text(tag: str):
    assert values(f"a: {tag} 'echo'\n") == [{"a": "echo"}]


@pytest.mark.threat(8)
def test_another_version_of_yaml_is_refused_or_read_as_this_one():
    assert values("%YAML 1.1\n---\na: yes\n") == [{"a": True}]
    assert "incompatible" in refusal("%YAML 2.0\n---\na: yes\n").message


def test_an_alias_repeats_its_anchor_within_a_document():
    assert values("a: &x {b: 1}\nc: *x\nd: [*x]\n") == [
        {"a": {"b": 1}, "c": {"b": 1}, "d": [{"b": 1}]}
    ]
    assert refusal("a: &x 1\n---\nb: *x\n").message == "alias *x has no anchor before it"
    assert refusal("a: &x [*x]\n").message == "alias *x has no anchor before it"


@pytest.mark.threat(8)
def test_a_merge_key_replaces_what_stands_before_it_as_in_kubernetes():
    written = "one: &x {a: merged, b: merged}\ntwo:\n  a: before\n  <<: *x\n  b: after\n"
    assert values(written)[0]["two"] == {"a": "merged", "b": "after"}


def test_of_several_merged_mappings_the_first_wins():
    assert values("<<: [{a: 1}, {a: 2, b: 2}]\n") == [{"a": 1, "b": 2}]


@pytest.mark.parametrize("merged", ["1", "[1]", "text", "[[{a: 1}]]"])
def test_only_mappings_are_merged(merged: str):
    assert refusal(f"<<: {merged}\n").message == "only mappings can be merged"


def test_a_quoted_merge_key_is_a_key():
    assert values('"<<": {a: 1}\n') == [{"<<": {"a": 1}}]


@pytest.mark.threat(52)
@pytest.mark.parametrize(
    "again", ["image", '"image"', '"\\x69mage"', '"\\u0069mage"', "!!str image", "'image'"]
)
def test_a_key_that_is_here_again_is_refused_with_both_lines(again: str):
    found = refusal(f"spec:\n  image: good\n  replicas: 1\n  {again}: evil\n")
    assert found.message == 'key "image" is here again: first in line 2'
    assert (found.place.line, found.rule) == (4, "yaml")
    assert found.hint


@pytest.mark.threat(52)
@pytest.mark.parametrize("keys", [("1", '"1"'), ("0x10", "16"), ("yes", '"true"'), ("1.0", "1")])
def test_keys_that_kubernetes_writes_the_same_are_the_same(keys: tuple[str, str]):
    assert "is here again: first in line 1" in refusal(f"{keys[0]}: a\n{keys[1]}: b\n").message


@pytest.mark.threat(52)
def test_json_names_both_lines_of_a_key_too():
    found = refusal('{\n "image": "good",\n "\\u0069mage": "evil"\n}', "a.json")
    assert found.message == 'key "image" is here again: first in line 2'
    assert str(found.place) == "a.json:3:2"


@pytest.mark.threat(50)
def test_json_and_yaml_of_one_meaning_have_one_value():
    written = '{"kind": "X", "n": [1, 2.5, true, null, "yes", "\\ud83d\\ude00"]}'
    assert values(written, "a.json") == [
        {"kind": "X", "n": [1, 2.5, True, None, "yes", "\U0001f600"]}
    ]
    plain = '{"kind": "X", "n": [1, 2.5, true, null, "yes"]}'
    assert values(plain, "a.json") == values(plain, "a.yaml")


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("", "Expecting value"),
        ("{", "Expecting property name"),
        ("a: 1", "Expecting value"),
        ("{} {}", "Extra data"),
        ('{"a": NaN}', "NaN is not JSON"),
        ('{"a": 1e400}', "1e400 is too large"),
        ('{"a": Infinity}', "Infinity is not JSON"),
    ],
)
def test_what_is_not_json_is_said(written: str, message: str):
    found = refusal(written, "a.json")
    assert message in found.message
    assert found.rule == "json"


def test_values_that_json_cannot_say_are_refused_with_their_line():
    found = refusal("a: 1\nb: .inf\n")
    assert (found.place.line, found.message) == (2, ".inf has no JSON value")


@pytest.mark.parametrize("key", ["[a]", "{a: 1}", "~"])
def test_a_key_that_is_no_text_is_refused(key: str):
    assert refusal(f"? {key}\n: 1\n").message == "a key must be a string, a number or a boolean"


DEPLOYMENT = """
    # a comment
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web}
    spec:
      template:
        spec:
          containers:
          - name: one
            image: one:1
          - name: two
            image:   "two:latest"
    ---
    kind: Other
    other: {deep: [1, {image: x}]}
"""


@pytest.mark.parametrize(
    ("where", "place"),
    [
        (("kind",), "3:7"),
        (("metadata", "name"), "4:18"),
        (("spec", "template", "spec", "containers", "1", "image"), "12:18"),
        (("spec", "template", "spec", "containers", "1", "tag"), "11:9"),
        (("spec", "template", "spec", "containers", "7"), "9:7"),
        (("spec", "template", "spec", "containers", "x"), "9:7"),
        ((), "2:1"),
        (("status", "replicas"), "2:1"),
        (("kind", "deeper"), "3:7"),
    ],
)
def test_a_field_is_found_or_else_its_nearest_parent(where: tuple[str, ...], place: str):
    assert located(DEPLOYMENT, *where) == f"a.yaml:{place}"


def test_a_field_is_found_in_its_own_document():
    assert located(DEPLOYMENT, "other", "deep", "1", "image", document=1) == "a.yaml:15:27"


def test_a_field_is_found_in_json():
    written = '\n\n{\n\t"spec": {"image": "x"}\n}\n'
    assert located(written, "spec", "image", path="a.json") == "a.json:2:20"


def test_a_place_in_a_text_that_has_changed_is_the_line_that_was_known():
    assert str(parse.locate(b"a: [", "a.yaml", 7, ("a",))) == "a.yaml:7"
