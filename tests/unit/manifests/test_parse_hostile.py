"""Texts made to hurt: each ends in a finding, soon, and never in an exception."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import repositories
from fleet.manifests import parse
from fleet.model import findings, json_values


def seconds(started: float) -> float:
    return time.perf_counter() - started


def refused(data: bytes, path: str = "a.yaml") -> str:
    started = time.perf_counter()
    parsed = parse.documents(data, path, repositories.blob(b""))
    assert seconds(started) < 1.0
    assert parsed.documents == ()
    return parsed.findings[0].message


@pytest.mark.threat(7)
def test_aliases_that_multiply_run_out_of_values():
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 20)]
    assert refused("\n".join(levels).encode()) == "more than 1000000 values, aliases expanded"


@pytest.mark.threat(7)
def test_a_long_text_behind_an_alias_counts_by_its_length():
    written = f"a: &a {'x' * 1_000_000}\nb: [{', '.join(['*a'] * 500)}]\n"
    assert "more than 1000000 values" in refused(written.encode())


@pytest.mark.threat(7)
@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_deep_nesting_is_refused(opening: str):
    assert refused(opening.encode() * 10_000) == "nested deeper than 100"


@pytest.mark.threat(7)
def test_nesting_by_a_chain_of_aliases_is_as_deep_as_it_reads():
    deep = "[" * 60 + "{}" + "]" * 60
    chain = [f"a0: &a0 {deep.format('x')}", f"a1: &a1 {deep.format('*a0')}"]
    assert refused("\n".join(chain).encode()) == "nested deeper than 100"
    assert repositories.parsed("\n".join(chain[:1]).encode()).findings == ()


@pytest.mark.threat(7)
def test_nested_anchors_know_their_own_height():
    inner = "&b [&c [x]]"
    outer = "[" * 96 + "*{}" + "]" * 96
    assert repositories.parsed(f"a: {inner}\nd: {outer.format('b')}\n").findings == ()
    higher = "[" * 99 + "*{}" + "]" * 99
    assert repositories.parsed(f"a: {inner}\nd: {higher.format('b')}\n").findings != ()


@pytest.mark.threat(7)
def test_json_is_no_deeper_than_yaml():
    assert refused(b"[" * 50_000 + b"]" * 50_000, "a.json")
    assert refused(b"[" * 101 + b"]" * 101, "a.json") == "nested deeper than 100"
    assert repositories.parsed(b"[" * 100 + b"]" * 100, "a.json").findings == ()


@pytest.mark.threat(7)
def test_a_hundred_thousand_documents_are_too_many():
    assert refused(b"--- a\n" * 100_000) == "more than 10000 documents in a file"
    assert refused(b"---\n" * 100_000) == "more than 10000 documents in a file"


@pytest.mark.threat(7)
def test_ten_thousand_documents_are_read_in_time():
    data = b"".join(b"---\nkind: A\nmetadata: {name: a%d}\n" % i for i in range(10_000))
    started = time.perf_counter()
    parsed = parse.documents(data, "a.yaml", repositories.blob(data))
    assert len(parsed.documents) == 10_000
    assert seconds(started) < 5.0


@pytest.mark.threat(7)
def test_a_number_of_many_digits_is_no_work():
    assert refused(b"a: " + b"1" * 1_000_000)
    assert refused(b'{"a": ' + b"1" * 1_000_000 + b"}", "a.json")


@pytest.mark.threat(8)
@pytest.mark.parametrize(
    "data",
    [
        b"a: \xff\xfe",
        b"\xff\xfea",
        b"a: \x00",
        b"\x80",
        b"a: \x1b[31m",
        b'"\\ud800"',
        b"a: \xc0\xaf",
    ],
)
def test_bytes_that_are_no_text_are_a_finding(data: bytes):
    assert refused(data)


def _holds(parsed: parse.Parsed) -> bool:
    return bool(parsed.findings) != bool(parsed.documents) or not parsed.documents


@given(data=st.binary(max_size=200), ending=st.sampled_from(["yaml", "json"]))
@settings(max_examples=400)
def test_any_bytes_are_documents_or_findings(data: bytes, ending: str):
    parsed = parse.documents(data, f"a.{ending}", repositories.blob(data))
    assert _holds(parsed)
    for each in parsed.documents:
        json_values.digest(each.value)
        parse.locate(data, "a.yaml", each.line, ("a", "0", "b"))


_PIECES = st.sampled_from([
    "a", "b:", ":", "-", "\n", "\n ", "?", "|", ">", "&", "*a", "&a", "[", "]", "{", "}", ",", "'",
    '"', "#", "!", "!!int", "!!binary", "<<:", "...", "---", "%YAML", "\\x", "\t", "1", "0o7", "~", "é",
    "\x85",
])  # fmt: skip


@given(pieces=st.lists(_PIECES, max_size=40))
@settings(max_examples=600)
def test_any_words_of_yaml_are_documents_or_findings(pieces: list[str]):
    data = " ".join(pieces).encode()
    parsed = parse.documents(data, "a.yaml", repositories.blob(data))
    assert _holds(parsed)
    for each in parsed.documents:
        json_values.digest(each.value)
        assert isinstance(parse.locate(data, "a.yaml", each.line, ("a", "0")), findings.Place)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(value=_JSON)
def test_what_json_says_is_what_is_read(value: object):
    parsed = repositories.parsed(json.dumps(value).encode(), "a.json")
    assert [each.value for each in parsed.documents] == [value]
