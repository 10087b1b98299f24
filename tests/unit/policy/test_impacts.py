"""What other rules change: by rule, object and cluster, whatever the words and lines are."""

from typing import Any

import rulebooks
from fleet.model import findings, names
from fleet.policy import impacts


def found(severity: findings.Severity = rulebooks.DENY, **source: Any) -> findings.Finding:
    known: dict[str, Any] = {
        "rule": "rule",
        "message": "no",
        "place": findings.Place(path="apps/a.yaml", line=1),
        "subject": "Pod a/b",
        "clusters": (names.Cluster("one"), names.Cluster("two")),
    }
    return findings.Finding(severity=severity, **{**known, **source})


def test_the_same_in_other_words_is_no_change() -> None:
    moved = found(message="never", place=findings.Place(path="apps/a.yaml", line=9))
    assert impacts.between([found()], [moved]) == ()


def test_each_side_of_the_border_is_told_apart() -> None:
    before = [found(rule="gone"), found(rulebooks.WARN, rule="harder"), found(rule="unsure")]
    after = [found(rule="harder"), found(rulebooks.UNKNOWN, rule="unsure"), found(rule="new")]
    said = [
        (e.shown.rule, e.change.name, e.before, e.after) for e in impacts.between(before, after)
    ]
    assert said == [
        ("harder", "REFUSED", rulebooks.WARN, rulebooks.DENY),
        ("new", "REFUSED", None, rulebooks.DENY),
        ("gone", "ALLOWED", rulebooks.DENY, None),
        ("unsure", "SEVERITY", rulebooks.DENY, rulebooks.UNKNOWN),
    ]


def test_a_waiver_that_covers_allows_and_only_where_it_does() -> None:
    here, there = (found(clusters=(names.Cluster(each),)) for each in ("one", "two"))
    covered = found(findings.Severity.WAIVED, clusters=here.clusters)
    (only,) = impacts.between([found()], [covered, there])
    assert (only.change, only.shown.clusters) == (impacts.Change.ALLOWED, ("one",))


def test_of_several_findings_of_one_rule_the_hardest_counts() -> None:
    before = [found(rulebooks.AUDIT, message="a"), found(message="b")]
    assert impacts.between(before, [found(message="c"), found(rulebooks.WARN, message="d")]) == ()


def test_what_is_about_no_object_is_told_apart_by_its_words() -> None:
    one, other = (found(subject="", clusters=(), message=each) for each in ("a", "b"))
    changes = [each.change for each in impacts.between([one], [other])]
    assert changes == [impacts.Change.REFUSED, impacts.Change.ALLOWED]
    assert impacts.between([one], [one]) == ()
