"""What findings of rules come to: by enforcement, waivers and baseline, by both sides, at one moment."""

import time
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

import builders
from fleet.manifests import declared
from fleet.model import findings, kinds, names
from fleet.policy import leniency, waivers

DENY, WARN, AUDIT = findings.Severity.DENY, findings.Severity.WARN, findings.Severity.AUDIT
UNKNOWN, WAIVED = findings.Severity.UNKNOWN, findings.Severity.WAIVED
SUBJECT = "Deployment.apps shop/web"
FOUND = builders.finding("rule", "wrong", subject=SUBJECT, hint="mend it")
NOW = leniency.Moment(now=builders.NOW)


def waiver(name: str = "legacy", seconds: float = 3600, **spec: Any) -> waivers.Declared:
    defaults: dict[str, Any] = {
        "rules": ["rule"],
        "objects": [{"name": "web"}],
        "owner": "team-shop",
        "reason": "moves out in spring",
        "ticket": "OPS-1",
        "expires": builders.later(seconds),
    }
    document = {
        "apiVersion": kinds.API_VERSION,
        "kind": "Waiver",
        "metadata": {"name": name},
        "spec": {**defaults, **spec},
    }
    found = kinds.Waiver.model_validate(document)
    place = findings.Place(path=f"environments/dev/{name}.yaml", line=1)
    return declared.Declaration(document=found, place=place)


def side(
    *heard: findings.Finding,
    by: tuple[waivers.Declared, ...] = (),
    standing: tuple[findings.Finding, ...] = (),
    **spec: Any,
) -> leniency.Side:
    return leniency.Side(
        heard=frozenset(map(leniency.identity, heard or (FOUND,))),
        spec=builders.environment(**spec),
        waivers=by,
        standing=frozenset(map(leniency.identity, standing)),
    )


def settled(
    *sides: leniency.Side,
    of: findings.Finding = FOUND,
    moment: leniency.Moment = NOW,
    **docket: Any,
) -> list[findings.Finding]:
    """Without the notes about waivers."""
    asked = leniency.Docket(sides=sides, **docket)
    return [each for each in leniency.settle([of], asked, moment) if each.rule != "waiver"]


def severity(*sides: leniency.Side, **more: Any) -> findings.Severity:
    (one,) = settled(*sides, **more)
    return one.severity


def notes(*sides: leniency.Side, at: datetime = builders.NOW) -> list[str]:
    asked = leniency.Docket(sides=sides)
    found = leniency.settle([FOUND], asked, leniency.Moment(now=at))
    return [f"{e.severity.value}: {e.message}" for e in found if e.rule == "waiver"]


def setting(enforcement: str, rule: str = "rule") -> dict[str, Any]:
    return {"policies": [{"rule": rule, "enforcement": enforcement}]}


def test_a_finding_that_no_rule_made_stays_as_it_is():
    schema = builders.finding("schema", "wrong", subject=SUBJECT)
    both = side(by=(waiver(rules=["schema", "rule"]),), **setting("audit", "schema"))
    assert settled(both, both, of=schema) == [schema]
    assert settled() == [FOUND]


@pytest.mark.parametrize(
    ("own", "in_force", "severity_"),
    [
        ((True,), (True,), WAIVED),
        ((True,), (False,), DENY),
        ((False,), (True,), DENY),
        ((False,), (False,), DENY),
    ],
)
def test_both_sides_must_waive_what_both_have_found(own: Any, in_force: Any, severity_: Any):
    sides = [side(by=(waiver(),) if has else ()) for (has,) in (own, in_force)]
    assert severity(*sides) is severity_


def test_a_waiver_that_is_not_in_force_yet_shows_the_way():
    (one,) = settled(side(by=(waiver(),)), side())
    assert one.hint.startswith(
        "waiver legacy covers it once it is in force: commit it alone first"
    )


def test_who_has_not_found_it_is_not_asked():
    other = builders.finding("other")
    assert severity(side(by=(waiver(),)), side(other)) is WAIVED
    assert severity(side(other), side(by=(waiver(),))) is WAIVED


def test_of_two_ends_the_first_one_holds():
    for first, second in ((60, 120), (120, 60)):
        (one,) = settled(side(by=(waiver(seconds=first),)), side(by=(waiver(seconds=second),)))
        assert one.waived is not None
        assert one.waived.until == builders.later(60)


@pytest.mark.parametrize(("seconds", "found"), [(1, WAIVED), (0, DENY), (-1, DENY)])
def test_a_waiver_ends_by_the_clock(seconds: float, found: findings.Severity):
    both = side(by=(waiver(seconds=seconds),))
    assert severity(both, both) is found


def test_what_came_back_says_so_beside_its_own_hint():
    (back,) = settled(side(by=(waiver(seconds=-1),)))
    assert back.hint == "mend it; its waiver legacy ended 2026-03-01T11:59:59+00:00"
    assert back.waived is not None


def test_while_one_of_several_lasts_it_is_waived():
    (one,) = settled(side(by=(waiver("a", -1), waiver("b", 60), waiver("c", 30))))
    assert one.waived is not None
    assert one.waived.waiver == "b"


@pytest.mark.threat(39)
def test_ends_are_not_added_up():
    """The rest of the time of one does not lengthen another, however many there are."""
    every = tuple(waiver(f"w{n}", 86400 * 400) for n in range(10))
    assert severity(side(by=every)) is DENY
    (note,) = notes(side(by=every[:1]))
    assert note.startswith("deny: waiver w0 ends")
    assert note.endswith("too far from now")


@pytest.mark.threat(39)
def test_an_unsound_waiver_waives_nothing_though_another_is_sound_for_something_else():
    wide = waiver("wide", objects=[{}])
    narrow = waiver("narrow", objects=[{"name": "api"}])
    assert severity(side(by=(wide, narrow))) is DENY


def test_nobody_s_clock_ends_every_waiver():
    assert severity(side(by=(waiver(),)), moment=leniency.Moment(now=None)) is DENY


@pytest.mark.parametrize(("back", "found"), [(True, WAIVED), (False, DENY)])
def test_the_way_back_is_open(back: bool, found: findings.Severity):
    ended = side(by=(waiver(seconds=-60),))
    assert (
        severity(ended, ended, moment=leniency.Moment(now=builders.NOW, goes_back=back)) is found
    )
    bare = side()
    assert severity(bare, bare, moment=leniency.Moment(now=builders.NOW, goes_back=back)) is DENY


def test_where_only_waivers_change_nothing_new_is_let_through():
    (one,) = settled(side(), side(), only_waivers=True)
    assert (one.severity, one.passed) == (WARN, leniency.ONLY_WAIVERS)
    assert one.hint == f"{leniency.ONLY_WAIVERS}; mend it"


@pytest.mark.threat(43)
def test_while_clusters_wait_a_waiver_that_goes_holds_and_one_that_comes_does_not():
    moment = leniency.Moment(now=builders.NOW, all_out=False)
    has, lacks = side(by=(waiver(),)), side()
    assert severity(lacks, has, only_waivers=True, moment=moment) is DENY
    assert severity(has, lacks, only_waivers=True, moment=moment) is WAIVED


@pytest.mark.parametrize(
    ("own", "in_force", "of", "found"),
    [
        ("warn", "warn", DENY, WARN),
        ("audit", "warn", DENY, WARN),
        ("deny", "audit", DENY, DENY),
        ("audit", None, DENY, DENY),
        (None, "audit", DENY, DENY),
        ("deny", None, WARN, DENY),
        ("deny", "deny", AUDIT, DENY),
        ("deny", "deny", UNKNOWN, UNKNOWN),
        ("warn", "warn", UNKNOWN, WARN),
    ],
)
def test_the_harder_enforcement_counts(own: Any, in_force: Any, of: Any, found: Any):
    sides = [side(**(setting(each) if each else {})) for each in (own, in_force)]
    one = builders.finding("rule", "wrong", subject=SUBJECT, severity=of)
    assert severity(*sides, of=one) is found


@pytest.mark.parametrize(
    ("own", "in_force", "found"),
    [
        ({"baseline": True}, {"baseline": True}, WARN),
        ({"baseline": True}, {}, DENY),
        ({}, {"baseline": True}, DENY),
    ],
)
def test_a_baseline_counts_once_it_is_in_force(own: Any, in_force: Any, found: Any):
    sides = [side(standing=(FOUND,), **spec) for spec in (own, in_force)]
    assert severity(*sides) is found


def test_a_baseline_passes_the_same_violation_only():
    both = side(
        baseline=True, standing=(builders.finding("rule", "wrong", subject="Pod shop/web"),)
    )
    assert severity(both, both) is DENY


def test_a_baseline_hardens_nothing():
    soft = builders.finding("rule", "wrong", subject=SUBJECT, severity=AUDIT)
    both = side(baseline=True, standing=(FOUND,))
    assert severity(both, both, of=soft) is AUDIT


def test_a_finding_is_split_by_the_clusters_that_a_waiver_names():
    clusters = tuple(names.Cluster(f"dev-{n}") for n in (1, 2, 3))
    found = builders.finding("rule", "wrong", subject=SUBJECT, clusters=clusters)
    some_ = waiver(objects=[{"name": "web", "clusters": ["dev-1", "dev-3"]}])
    parts = {each.clusters: each.severity for each in settled(side(by=(some_,)), of=found)}
    assert parts == {("dev-1", "dev-3"): WAIVED, ("dev-2",): DENY}


def test_labels_are_those_of_the_object_in_the_cluster():
    clusters = (names.Cluster("dev-1"), names.Cluster("dev-2"))
    found = builders.finding("rule", "wrong", subject=SUBJECT, clusters=clusters)
    labelled = waiver(objects=[{"labels": {"match_labels": {"team": "shop"}}}])
    labels = {(clusters[0], SUBJECT): {"team": "shop"}}
    parts = settled(side(by=(labelled,)), of=found, labels=labels)
    assert {each.clusters: each.severity for each in parts} == {
        ("dev-1",): WAIVED,
        ("dev-2",): DENY,
    }


def test_notes_are_about_the_waivers_that_come():
    ended, stale = waiver("ended", -1), waiver("stale", objects=[{"name": "api"}])
    used, far = waiver("used"), waiver("far", 86400 * 367)
    assert notes(side(by=(ended, stale, used, far)), side()) == [
        "warn: waiver ended ended 2026-03-01T11:59:59+00:00",
        "warn: waiver stale has nothing to waive",
        f"deny: waiver far ends {builders.later(86400 * 367).isoformat()}, too far from now",
    ]
    assert notes(side(), side(by=(ended, stale))) == []


def test_a_waiver_that_only_what_is_in_force_needs_is_not_stale():
    other = builders.finding("other")
    assert notes(side(other, by=(waiver(),)), side(by=(waiver(),))) == []


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({}, {"baseline": True}, ["the baseline is switched on"]),
        ({"baseline": True}, {}, []),
        ({}, setting("warn"), ["the enforcement of rule is changed"]),
        ({}, setting("deny"), []),
        (setting("warn"), setting("audit"), ["the enforcement of rule is changed"]),
        (setting("deny"), {}, ["the enforcement of rule is changed"]),
        ({}, {"waivers": {"maxDays": 400}}, ["what waivers may say is changed"]),
        (setting("warn"), setting("warn"), []),
    ],
)
def test_settings_that_loosen_are_said(before: Any, after: Any, said: list[str]):
    found = leniency.loosenings(side(**before), side(**after))
    assert [each.message.partition(":")[0] for each in found] == said


def test_waivers_that_are_new_or_changed_are_said_at_their_line():
    old, longer, new = waiver("a", 60), waiver("a", 120), waiver("b")
    found = list(leniency.loosenings(side(by=(old, waiver("gone"))), side(by=(longer, new))))
    assert [(str(e.place), e.message.partition(":")[0]) for e in found] == [
        ("environments/dev/a.yaml:1", "waiver a is changed"),
        ("environments/dev/b.yaml:1", "waiver b is new"),
    ]
    assert list(leniency.loosenings(side(by=(old,)), side(by=(waiver("a", 60),)))) == []


SIDES = some.builds(
    lambda seconds, baseline, enforcement: side(
        by=tuple(waiver(f"w{n}", s) for n, s in enumerate(seconds)),
        baseline=baseline,
        standing=(FOUND,),
        **(setting(enforcement) if enforcement else {}),
    ),
    some.lists(some.sampled_from([-1, 60, 86400 * 400]), max_size=3),
    some.booleans(),
    some.sampled_from(["", "deny", "warn", "audit"]),
)
_HARDEST = list(findings.Severity)


@given(SIDES, SIDES)
def test_two_sides_are_never_milder_than_either_of_them(
    own: leniency.Side, in_force: leniency.Side
):
    together = severity(own, in_force)
    assert _HARDEST.index(together) == min(_HARDEST.index(severity(e)) for e in (own, in_force))


@given(SIDES, some.sampled_from([-10.0, 0.0, 59.0, 60.0, 61.0, 86400.0 * 40]))
def test_as_long_as_the_phases_are_the_same_so_is_the_answer(one: leniency.Side, seconds: float):
    docket = leniency.Docket(sides=(one, one))
    then = leniency.Moment(now=builders.later(seconds))
    if leniency.phases(docket, then) == leniency.phases(docket, NOW):
        assert leniency.settle([FOUND], docket, then) == leniency.settle([FOUND], docket, NOW)


def test_ten_thousand_waivers_and_findings_are_settled_in_time():
    found = [
        builders.finding("rule", "wrong", subject=f"Deployment.apps shop/web-{n}")
        for n in range(10_000)
    ]
    every = tuple(waiver(f"w{n}", objects=[{"name": f"web-{n}"}]) for n in range(10_000))
    both = side(*found, by=every)
    began = time.process_time()
    done = leniency.settle(found, leniency.Docket(sides=(both, both)), NOW)
    assert time.process_time() - began < 6.0
    assert len(done) == 10_000
    assert {each.severity for each in done} == {WAIVED}
