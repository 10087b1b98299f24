"""Waivers alone: which are sound, which covers what, and that each is looked at by itself."""

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import ValidationError

import builders
from fleet.judge import judging
from fleet.manifests import declared
from fleet.model import findings, kinds, names
from fleet.policy import waivers

PLAIN = kinds.WaiverTerms()
WILD = kinds.WaiverTerms(wildcards=True)


def document(name: str = "legacy", **spec: Any) -> dict[str, Any]:
    defaults: dict[str, Any] = {
        "rules": ["rule"],
        "objects": [{"name": "web"}],
        "owner": "team-shop",
        "reason": "moves out in spring",
        "ticket": "OPS-1",
        "expires": builders.later(3600).isoformat(),
    }
    return {
        "apiVersion": kinds.API_VERSION,
        "kind": "Waiver",
        "metadata": {"name": name},
        "spec": {**defaults, **spec},
    }


def waiver(name: str = "legacy", **spec: Any) -> waivers.Declared:
    found = kinds.Waiver.model_validate(document(name, **spec), by_alias=True, by_name=False)
    place = findings.Place(path=f"environments/dev/{name}.yaml", line=1)
    return declared.Declaration(document=found, place=place)


def case(**fields: Any) -> waivers.Case:
    defaults: dict[str, Any] = {
        "rule": "rule",
        "key": builders.key("web", "Deployment", "shop", "apps"),
        "path": "apps/shop/web.yaml",
        "cluster": names.Cluster("dev-1"),
        "labels": {"team": "shop"},
    }
    return waivers.Case(**{**defaults, **fields})


def covers(*objects: dict[str, Any], of: waivers.Case | None = None, **spec: Any) -> bool:
    return waivers.covers(waiver(objects=list(objects), **spec).document, of or case())


def messages(written: waivers.Declared, *terms: kinds.WaiverTerms) -> list[str]:
    return [each.message for each in waivers.faults(written, terms or (PLAIN,))]


@pytest.mark.parametrize(
    ("entry", "covered"),
    [
        ({"name": "web"}, True),
        ({"name": "we"}, False),
        ({"name": "w*"}, True),
        ({"name": "w*eb*"}, True),
        ({"name": "web-*"}, False),
        ({"kind": "Deployment", "name": "web"}, True),
        ({"kind": "StatefulSet", "name": "web"}, False),
        ({"group": "apps", "name": "web"}, True),
        ({"group": "", "name": "web"}, False),
        ({"namespace": "shop"}, True),
        ({"namespace": "sh*", "name": "web"}, True),
        ({"namespace": "", "name": "web"}, False),
        ({"path": "apps/shop/web.yaml"}, True),
        ({"path": "apps/shop/*.yaml"}, True),
        ({"path": "apps/shop/**"}, True),
        ({"path": "apps/**/web.yaml"}, True),
        ({"path": "**/shop/web.yaml"}, True),
        ({"path": "apps/**/shop/**/web.yaml"}, True),
        ({"path": "apps/*.yaml"}, False),
        ({"path": "apps/shop"}, False),
        ({"path": "apps/shop/**/more/*"}, False),
        ({"path": "apps/shop.web.yaml"}, False),
        ({"name": "web", "clusters": ["dev-1", "dev-2"]}, True),
        ({"name": "web", "clusters": ["dev-2"]}, False),
        ({"labels": {"matchLabels": {"team": "shop"}}}, True),
        ({"labels": {"matchLabels": {"team": "bank"}}}, False),
        ({"labels": {"matchExpressions": [{"key": "team", "operator": "Exists"}]}}, True),
        ({"name": "web", "labels": {"matchLabels": {"team": "bank"}}}, False),
        ({"name": "[w]eb"}, False),
        ({"name": "w?b"}, False),
        ({"name": "web\n"}, False),
    ],
)
def test_an_entry_means_objects_that_fit_all_it_says(entry: dict[str, Any], covered: bool):
    assert covers(entry) is covered


def test_a_finding_of_whatever_cluster_is_not_covered_for_some():
    assert not covers({"name": "web", "clusters": ["dev-1"]}, of=case(cluster=None))


def test_any_entry_and_any_rule_of_one_waiver_will_do():
    assert covers({"name": "api"}, {"name": "web"}, rules=["other", "rule"])


@pytest.mark.threat(39)
def test_entries_are_not_added_up_even_in_one_waiver():
    halves = [{"name": "web", "kind": "Service"}, {"name": "api", "kind": "Deployment"}]
    assert not covers(*halves)


CONDITIONS = {
    "kind": ("Deployment", "Service"),
    "namespace": ("shop", "bank"),
    "name": ("web", "api"),
    "path": ("apps/shop/web.yaml", "apps/bank/web.yaml"),
}
ENTRIES = some.fixed_dictionaries(
    {}, optional={k: some.sampled_from(v) for k, v in CONDITIONS.items()}
)
WAIVERS = some.builds(
    lambda entries, rule: (entries, rule),
    some.lists(ENTRIES, min_size=1, max_size=3),
    some.sampled_from(["rule", "other"]),
)


@pytest.mark.threat(39)
@given(some.lists(WAIVERS, max_size=4))
def test_together_waivers_cover_no_more_than_each_alone(
    written: Sequence[tuple[list[dict[str, str]], str]],
):
    every = [waiver(f"w{n}", objects=e, rules=[r]) for n, (e, r) in enumerate(written)]
    together = {each.document.metadata.name for each in waivers.Index(every).covering(case())}
    alone = {e.document.metadata.name for e in every if waivers.covers(e.document, case())}
    assert together == alone


@given(some.text(alphabet="ab*", max_size=8), some.text(alphabet="ab", max_size=8))
def test_a_star_stands_for_any_letters(pattern: str, text: str):
    def naive(pattern: str, text: str) -> bool:
        if not pattern:
            return not text
        if pattern[0] == "*":
            return naive(pattern[1:], text) or (bool(text) and naive(pattern, text[1:]))
        return text[:1] == pattern[0] and naive(pattern[1:], text[1:])

    assert waivers.fits(pattern, text) is naive(pattern, text)


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"kind": "Deployment"},
        {"group": "apps", "kind": "Deployment"},
        {"clusters": ["dev-1"]},
        {"name": "*"},
        {"name": "*eb"},
        {"namespace": "*"},
        {"namespace": ""},
        {"path": "**"},
        {"path": "*"},
        {"path": "apps/**"},
        {"path": "apps/*"},
        {"path": "apps*/web/a.yaml"},
        {"path": "**/web.yaml"},
        {"labels": {}},
        {"labels": {"matchExpressions": [{"key": "x", "operator": "DoesNotExist"}]}},
        {"labels": {"matchExpressions": [{"key": "x", "operator": "NotIn", "values": ["y"]}]}},
    ],
)
def test_an_entry_that_could_mean_everything_needs_leave(entry: dict[str, Any]):
    wide = waiver(objects=[{"name": "web"}, entry])
    assert messages(wide) == [
        "it names no object: say name, namespace, labels, or a path below apps/"
    ]
    assert messages(wide, WILD) == []
    assert (
        len(messages(wide, WILD, PLAIN)) == 1
    )  # both what is in force and what comes must allow it


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "web-*"},
        {"namespace": "shop"},
        {"path": "apps/web/**"},
        {"path": "apps/web*"},
        {"path": "web.yaml"},
        {"labels": {"matchExpressions": [{"key": "x", "operator": "In", "values": ["y"]}]}},
    ],
)
def test_an_entry_that_names_something_needs_none(entry: dict[str, Any]):
    assert messages(waiver(objects=[entry])) == []


@pytest.mark.threat(39)
def test_every_rule_is_named():
    assert messages(waiver(rules=["rule", "require-*"])) == [
        "require-* is no rule's name: name each rule that is waived"
    ]
    assert messages(waiver(rules=["*"]), WILD) == []


@pytest.mark.parametrize("rule", sorted(waivers.STRUCTURAL))
def test_what_is_structural_is_never_waived(rule: str):
    (message,) = messages(waiver(rules=[rule]), WILD)
    assert message == f"{rule} cannot be waived: {waivers.STRUCTURAL[rule]}"
    found = builders.finding(rule, subject="Deployment.apps shop/web")
    assert not waivers.is_waivable(found)


def test_what_no_decree_overlooks_no_waiver_does():
    assert waivers.STRUCTURAL.keys() >= judging.NOT_BY_DECREE


@pytest.mark.parametrize(
    ("severity", "waivable"),
    [
        ("deny", True),
        ("warn", True),
        ("audit", False),
        ("waived", False),
        ("not evaluated", False),
    ],
)
def test_unknown_is_never_waived(severity: str, waivable: bool):
    found = builders.finding("rule", severity=findings.Severity(severity), subject="Pod shop/web")
    assert waivers.is_waivable(found) is waivable


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    ("owners", "sound"),
    [
        ([], True),
        (["team-shop"], True),
        (["team-bank"], False),
        (["team-shops"], False),
    ],
)
def test_only_those_who_may_own_waivers_do(owners: list[str], sound: bool):
    assert (messages(waiver(), kinds.WaiverTerms(owners=owners)) == []) is sound


def test_an_owner_must_be_among_those_in_force_and_those_that_come():
    old, new = kinds.WaiverTerms(owners=["team-bank"]), kinds.WaiverTerms(owners=["team-shop"])
    assert messages(waiver(), new, old) == ["team-shop may not own a waiver here"]


@pytest.mark.threat(39)
@pytest.mark.threat(18)
@pytest.mark.parametrize(
    "owner",
    ["", " ", "te\u0430m-shop", "team\u200b-shop", "team-shop\n", "\u202eteam", "-x", "a" * 129],
)
def test_no_owner_looks_like_another(owner: str):
    with pytest.raises(ValidationError):
        waiver(owner=owner)


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    "expires",
    [
        None, "", "never", "inf", 0, 1e300, True, 1893456000, "1893456001", "2027-02-30", "2027-13-01",
        "2026-03-01T12:00:00", "tomorrow", "P1D", [], {}, "2026-03-01T25:00:00Z", "+2027-01-01",
    ],
)  # fmt: skip
def test_an_end_is_a_moment(expires: object):
    with pytest.raises(ValidationError):
        waiver(expires=expires)


@pytest.mark.parametrize("missing", ["rules", "objects", "owner", "reason", "ticket", "expires"])
def test_nothing_may_be_left_out(missing: str):
    spoiled = document()
    del spoiled["spec"][missing]
    with pytest.raises(ValidationError):
        kinds.Waiver.model_validate(spoiled)


def test_a_day_ends_as_it_begins():
    assert (
        waiver(expires="2027-01-31").document.spec.expires.isoformat()
        == "2027-01-31T00:00:00+00:00"
    )


@pytest.mark.parametrize(("seconds", "ended"), [(-1, True), (0, True), (1, False)])
def test_at_its_end_it_has_ended(seconds: float, ended: bool):
    written = waiver(expires=builders.later(seconds).isoformat())
    assert waivers.is_ended(written.document, builders.NOW) is ended


@pytest.mark.parametrize(("days", "limit"), [(30, None), (30.01, 30), (400000, 30)])
def test_an_end_has_a_limit(days: float, limit: int | None):
    written = waiver(expires=(builders.NOW + timedelta(days=days)).isoformat())
    terms = (PLAIN, kinds.WaiverTerms(max_days=30))
    assert waivers.is_too_far(written.document, terms, builders.NOW) == limit


@pytest.mark.parametrize("expires", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_ends_at_the_edge_of_all_time_are_just_ends(expires: str):
    written = waiver(expires=expires)
    found = waivers.covered(builders.finding(subject="Pod shop/web"), written)
    assert found.waived is not None
    assert waivers.is_ended(written.document, builders.NOW) is expires.startswith("0001")
    waivers.is_too_far(written.document, (PLAIN,), builders.NOW)


def test_of_several_the_one_that_ends_last_comes_first():
    ends = {"a": 60, "b": 180, "c": 120}
    index = waivers.Index(
        waiver(n, expires=builders.later(s).isoformat()) for n, s in ends.items()
    )
    assert [e.document.metadata.name for e in index.covering(case())] == ["b", "c", "a"]


def test_ten_thousand_waivers_cost_a_finding_little():
    written = [waiver(f"w{n}", objects=[{"name": f"web-{n}"}]) for n in range(10_000)]
    began = time.process_time()
    index = waivers.Index(written)
    asked = [case(key=builders.key(f"web-{n}")) for n in range(0, 10_000, 2)]
    assert all(len(index.covering(each)) == 1 for each in asked)
    assert time.process_time() - began < 2.0


def test_no_pattern_is_slow():
    hostile = "a" + "*a" * 126
    began = time.process_time()
    for _ in range(100):
        assert not covers({"name": hostile}, of=case(key=builders.key("a" * 252 + "b")))
        assert not covers({"path": "**/" * 300 + "x"}, of=case(path="a/" * 300 + "y"))
    assert time.process_time() - began < 10.0


def test_what_is_said_of_a_waiver_cannot_mislead():
    written = waiver(reason="because\u202e\x1b[31m", ticket="OPS\u200b-1")
    found = waivers.covered(builders.finding(subject="Pod shop/web"), written)
    assert found.hint.isprintable()
    assert found.waived is not None
    assert (found.waived.reason, found.waived.ticket) == (
        "because\\u202e\\x1b[31m",
        "OPS\\u200b-1",
    )


def test_what_came_back_is_as_hard_as_it_was():
    soft = builders.finding(severity=findings.Severity.WARN, subject="Pod shop/web")
    back = waivers.reopened(waivers.covered(soft, waiver()))
    assert back.severity is findings.Severity.WARN
    assert waivers.reopened(soft) == soft
