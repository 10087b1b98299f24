"""Findings: which of them refuse, and how they look to people."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

import builders
from fleet.model import findings

DENY, UNKNOWN = findings.Severity.DENY, findings.Severity.UNKNOWN
WARN, AUDIT = findings.Severity.WARN, findings.Severity.AUDIT


@pytest.mark.parametrize(
    ("severities", "refused"),
    [
        ((), False),
        ((WARN, AUDIT), False),
        ((DENY,), True),
        ((UNKNOWN,), True),
        ((AUDIT, WARN, UNKNOWN), True),
    ],
)
def test_denied_and_not_evaluated_refuse(severities: tuple[findings.Severity, ...], refused: bool):
    found = [builders.finding(severity=each) for each in severities]
    assert findings.refuses(found) is refused


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        (findings.Place(path="apps/web.yaml", line=14, column=11), "apps/web.yaml:14:11"),
        (findings.Place(path="apps/web.yaml", line=14), "apps/web.yaml:14"),
        (findings.Place(path="apps/web.yaml"), "apps/web.yaml"),
        (findings.Place(path="apps/web.yaml", column=3), "apps/web.yaml"),
    ],
)
def test_a_place_is_written_as_compilers_do(place: findings.Place, shown: str):
    assert str(place) == shown


def test_places_sort_by_file_then_line():
    def at(path: str, line: int) -> findings.Place:
        return findings.Place(path=path, line=line)

    assert sorted([at("b", 1), at("a", 10), at("a", 9)]) == [at("a", 9), at("a", 10), at("b", 1)]


MISLEADING = {
    "line end": ("a\nb", r"a\nb"),
    "terminal colour": ("\x1b[31mred", r"\x1b[31mred"),
    "NUL": ("a\x00b", r"a\x00b"),
    "right-to-left override": ("gpj\u202e.exe", r"gpj\u202e.exe"),
    "isolate": ("a\u2066b", r"a\u2066b"),
    "zero width space": ("we\u200bb", r"we\u200bb"),
    "byte order mark": ("\ufeffweb", r"\ufeffweb"),
    "no-break space": ("a\u00a0b", r"a\xa0b"),
    "line separator": ("a\u2028b", r"a\u2028b"),
    "byte that is no UTF-8": ("caf\udce9", r"caf\udce9"),
    "private use": ("a\ue000", r"a\ue000"),
    "tag character": ("a\U000e0041", r"a\U000e0041"),
    "soft hyphen": ("a\u00adb", r"a\xadb"),
}


@pytest.mark.threat(18)
@pytest.mark.parametrize(("text", "shown"), MISLEADING.values(), ids=MISLEADING.keys())
def test_misleading_text_is_spelled_out(text: str, shown: str):
    assert findings.escaped(text) == shown
    assert str(findings.Place(path=text, line=1)) == f"{shown}:1"


@pytest.mark.parametrize("text", ["apps/web.yaml", "größer als 東京", "a b", "emoji 🚀", ""])
def test_plain_text_stays_as_it_is(text: str):
    assert findings.escaped(text) == text


@pytest.mark.threat(73)
@given(some.text(some.characters(exclude_categories=())))
def test_escaped_text_is_printable_on_one_line(text: str):
    shown = findings.escaped(text)
    assert shown.isprintable()
    assert findings.escaped(shown) == shown
