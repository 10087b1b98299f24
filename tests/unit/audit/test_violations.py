"""The life of a violation: it begins, moves, ends, comes again; and how people find it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

import builders
from fleet.audit import violations
from fleet.model import errors, findings, ledger, names

LATEST = builders.finding("disallow-latest-tag", 'image "web:latest"', line=14)
LIMITS = builders.finding("require-limits", "container web has no limits", line=20)


def decided(*found: findings.Finding, minutes: float = 0, **fields: Any) -> ledger.Decision:
    at = builders.NOW + timedelta(minutes=minutes)
    return builders.decision(findings=found, at=at, **fields)


class Book:
    """Keeps violations by id, as the ledger does."""

    def __init__(self) -> None:
        self.rows: dict[names.Digest, ledger.Violation] = {}

    def take(self, decision: ledger.Decision) -> tuple[ledger.Violation, ...]:
        changed = violations.between(self.rows.values(), decision)
        self.rows |= {each.id: each for each in changed}
        return changed

    def open(self) -> list[findings.Finding]:
        return [each.finding for each in self.rows.values() if each.until is None]


def test_a_new_finding_begins_with_commit_and_author():
    decision = decided(LATEST)
    (began,) = Book().take(decision)
    assert (began.finding, began.commit, began.author) == (
        LATEST,
        decision.commit,
        decision.author,
    )
    assert (began.environment, began.since, began.until) == ("dev", decision.at, None)


def test_the_same_finding_again_changes_nothing():
    book = Book()
    book.take(decided(LATEST))
    assert book.take(decided(LATEST, minutes=5, content="c3")) == ()


def test_a_finding_that_moves_in_its_file_is_the_same_one():
    book = Book()
    book.take(decided(LATEST))
    moved = replace(LATEST, place=replace(LATEST.place, line=99, column=3))
    assert book.take(decided(moved, minutes=5)) == ()


def test_a_finding_that_reaches_another_cluster_is_the_same_one_and_says_so():
    book = Book()
    (began,) = book.take(decided(replace(LATEST, clusters=(names.Cluster("dev-1"),))))
    wider = replace(LATEST, clusters=(names.Cluster("dev-1"), names.Cluster("dev-2")))
    (changed,) = book.take(decided(wider, minutes=5))
    assert changed == replace(began, finding=wider)
    assert changed.id == began.id
    assert violations.matches(changed, violations.Filter(cluster="dev-2"))


@pytest.mark.parametrize("rule", ["yaml", "json"])
def test_a_file_that_cannot_be_read_ends_nothing_in_it(rule: str):
    book = Book()
    book.take(decided(LATEST, LIMITS))
    torn = builders.finding(rule, "not closed", line=1)
    elsewhere = replace(torn, place=replace(torn.place, path="apps/other/web.yaml"))
    assert {each.until for each in book.take(decided(torn, minutes=5))} == {None}
    assert set(book.open()) == {LATEST, LIMITS, torn}
    book.take(decided(elsewhere, minutes=9))
    assert book.open() == [elsewhere]


def test_a_tree_that_is_refused_ends_nothing():
    book = Book()
    book.take(decided(LATEST))
    link = replace(builders.finding("tree", "a symlink"), place=findings.Place(path="odd"))
    book.take(decided(link, minutes=5))
    assert set(book.open()) == {LATEST, link}
    book.take(decided(minutes=9))
    assert book.open() == []


@pytest.mark.parametrize(
    "other",
    [
        replace(LATEST, rule="another"),
        replace(LATEST, message='image "api:latest"'),
        replace(LATEST, subject="Deployment.apps shop/api"),
        replace(LATEST, place=findings.Place(path="apps/api.yaml", line=14)),
    ],
    ids=["rule", "message", "subject", "file"],
)
def test_another_finding_begins_and_the_old_one_ends(other: findings.Finding):
    book = Book()
    book.take(decided(LATEST))
    began, ended = book.take(decided(other, minutes=5))
    assert (began.finding, began.until) == (other, None)
    assert (ended.finding, ended.until) == (LATEST, builders.later(300))


def test_what_ends_keeps_its_id_and_its_beginning():
    book = Book()
    (began,) = book.take(decided(LATEST))
    (ended,) = book.take(decided(minutes=5))
    assert ended == replace(began, until=builders.later(300))
    assert ended.id == began.id
    assert book.open() == []


def test_what_comes_again_is_a_new_life():
    book = Book()
    (first,) = book.take(decided(LATEST))
    book.take(decided(minutes=5))
    (again,) = book.take(decided(LATEST, minutes=10, author="Bob"))
    assert again.id != first.id
    assert (again.since, again.author) == (builders.later(600), "Bob")
    assert book.rows[first.id].until == builders.later(300)
    assert book.open() == [LATEST]


def test_environments_have_their_own():
    book = Book()
    book.take(decided(LATEST))
    (staging,) = book.take(decided(LATEST, environment="staging"))
    assert staging.environment == "staging"
    assert book.take(decided(environment="prod")) == ()
    assert len(book.open()) == 2


def test_a_finding_that_is_told_twice_begins_once():
    assert len(Book().take(decided(LATEST, LATEST))) == 1


@given(some.lists(some.sets(some.sampled_from([LATEST, LIMITS, builders.finding()])), max_size=6))
def test_open_are_always_those_of_the_newest_decision(history: list[set[findings.Finding]]):
    book = Book()
    for number, found in enumerate(history):
        book.take(decided(*found, minutes=number))
        assert set(book.open()) == found
    ended = [each for each in book.rows.values() if each.until is not None]
    assert all(each.since < each.until for each in ended if each.until)


VIOLATION = builders.violation(
    replace(
        LATEST,
        place=findings.Place(path="apps/web/deploy.yaml", line=14, column=11),
        clusters=(names.Cluster("dev-1"), names.Cluster("dev-2")),
    ),
    author="Ada Lovelace <ada@example.org>",
)
ENDED = replace(VIOLATION, until=builders.later(60))

FILTERS = [
    ({}, True),
    ({"rule": "disallow-latest-tag"}, True),
    ({"rule": "disallow"}, False),
    ({"environment": "dev"}, True),
    ({"environment": "prod"}, False),
    ({"cluster": "dev-2"}, True),
    ({"cluster": "dev-3"}, False),
    ({"path": "apps/web/deploy.yaml"}, True),
    ({"path": "apps/*"}, True),
    ({"path": "*.yml"}, False),
    ({"path": "APPS/*"}, False),
    ({"author": "ada"}, True),
    ({"author": "EXAMPLE.org"}, True),
    ({"author": "bob"}, False),
    ({"since": "2026-03-01T12:00:00Z"}, True),
    ({"since": "2026-03-01T12:00:01Z"}, False),
    ({"since": "2026-03-01T14:00:00+02:00"}, True),
    ({"since": "2026-03-01"}, True),
    ({"since": "2026-03-02"}, False),
    ({"open": True}, True),
    ({"rule": "disallow-latest-tag", "cluster": "dev-1", "author": "bob"}, False),
]


@pytest.mark.parametrize(("asked", "is_found"), FILTERS, ids=[str(asked) for asked, _ in FILTERS])
def test_filters(asked: dict[str, Any], is_found: bool):
    assert violations.matches(VIOLATION, violations.Filter(**asked)) is is_found


def test_open_leaves_out_what_has_ended():
    assert not violations.matches(ENDED, violations.Filter(open=True))
    assert violations.matches(ENDED, violations.Filter())


def test_a_finding_of_whatever_cluster_is_one_of_each():
    assert violations.matches(builders.violation(LATEST), violations.Filter(cluster="dev-3"))


def test_a_time_that_is_none_is_told_in_words():
    with pytest.raises(errors.InputError, match="'yesterday' is no time"):
        violations.matches(VIOLATION, violations.Filter(since="yesterday"))


def test_the_stable_shape():
    assert violations.as_json(ENDED) == {
        "id": VIOLATION.id,
        "environment": "dev",
        "commit": VIOLATION.commit,
        "author": "Ada Lovelace <ada@example.org>",
        "since": "2026-03-01T12:00:00+00:00",
        "until": "2026-03-01T12:01:00+00:00",
        "rule": "disallow-latest-tag",
        "severity": "deny",
        "message": 'image "web:latest"',
        "path": "apps/web/deploy.yaml",
        "line": 14,
        "column": 11,
        "hint": "",
        "subject": "",
        "clusters": ["dev-1", "dev-2"],
        "level": "",
        "waived": None,
        "lapsed": None,
        "passed": "",
    }


@pytest.mark.threat(18)
@pytest.mark.threat(73)
def test_author_and_path_are_shown_escaped():
    found = replace(LATEST, place=findings.Place(path="a\x1b[31m\u202e.yaml"))
    shown = violations.as_json(builders.violation(found, author="Ada\n<x>"))
    assert shown["author"] == r"Ada\n<x>"
    assert shown["path"] == r"a\x1b[31m\u202e.yaml"


def waived(seconds: float, **fields: Any) -> findings.Finding:
    found = replace(LATEST, severity=findings.Severity.WAIVED, **fields)
    return replace(
        found,
        waived=findings.Waived(
            waiver="legacy",
            owner="team-shop",
            reason="moves out in spring",
            ticket="OPS-1",
            until=builders.later(seconds),
            place=findings.Place(path="environments/dev/legacy.yaml", line=1),
            otherwise=findings.Severity.DENY,
        ),
    )


def test_a_violation_that_is_waived_is_the_same_one():
    book = Book()
    (began,) = book.take(decided(LATEST))
    (changed,) = book.take(decided(waived(60), minutes=5))
    assert (changed.id, changed.since, changed.until) == (began.id, began.since, None)
    assert changed.finding.severity is findings.Severity.WAIVED
    assert book.take(decided(waived(60), minutes=6)) == ()
    assert len(book.take(decided(waived(120), minutes=7))) == 1  # with another end


def test_what_is_waived_in_some_clusters_only_is_not_waived():
    here, there = (names.Cluster("dev-1"),), (names.Cluster("dev-2"),)
    for parts in ((waived(60, clusters=here), replace(LATEST, clusters=there)),) * 2:
        (began,) = Book().take(decided(*parts))
        assert began.finding.severity is findings.Severity.DENY
        assert began.finding.clusters == (*here, *there)


def test_of_two_waivers_the_one_that_ends_first_is_told():
    here, there = (names.Cluster("dev-1"),), (names.Cluster("dev-2"),)
    (began,) = Book().take(decided(waived(120, clusters=here), waived(60, clusters=there)))
    assert began.finding.waived == waived(60).waived


@pytest.mark.parametrize(("seconds", "comes_back"), [(59, False), (60, True), (61, True)])
def test_a_waived_violation_comes_back_at_the_end(seconds: float, comes_back: bool):
    book = Book()
    (began,) = book.take(decided(waived(60)))
    found = violations.lapsed(
        book.rows.values(), names.Environment("dev"), builders.later(seconds)
    )
    assert bool(found) is comes_back
    for each in found:
        assert (each.id, each.until) == (began.id, None)
        assert each.finding.severity is findings.Severity.DENY
        shown = violations.as_json(each)
        assert shown["waived"] is None
        assert shown["lapsed"]["waiver"] == "legacy"


def test_what_comes_back_is_open_and_of_that_environment():
    book = Book()
    book.take(decided(waived(60)))
    assert (
        violations.lapsed(book.rows.values(), names.Environment("prod"), builders.later(60)) == ()
    )
    book.take(decided(minutes=0.5))
    assert (
        violations.lapsed(book.rows.values(), names.Environment("dev"), builders.later(60)) == ()
    )
