"""What a way back is let through with: the very objects that ran, each in its cluster, and nothing else."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import builders
from fleet.model import findings, names, objects
from fleet.policy import exemptions, waivers

WEB, API = builders.manifest("web"), builders.manifest("api")
NEWER = builders.manifest("web", document=builders.body("web", data={"word": "newer"}))
Share = Mapping[names.Cluster, tuple[objects.Manifest, ...]]


def ran(**clusters: Iterable[objects.Manifest]) -> exemptions.Ran:
    return {
        names.Cluster(each): frozenset((m.key, m.digest) for m in share)
        for each, share in clusters.items()
    }


def past(before: exemptions.Ran, **more: Any) -> exemptions.Past:
    return exemptions.Past(**{"ran": before, "runs": {}, **more})


def comes(**clusters: Iterable[objects.Manifest]) -> Share:
    return {names.Cluster(each): tuple(share) for each, share in clusters.items()}


def denied(what: objects.Manifest = WEB, *clusters: str, rule: str = "new", **fields: Any):
    return builders.finding(
        rule, subject=str(what.key), clusters=tuple(map(names.Cluster, clusters)), **fields
    )


def told(
    found: findings.Finding, share: Share, past: exemptions.Past
) -> list[tuple[bool, tuple[str, ...]]]:
    """Whether each part refuses still, and where."""
    parts = exemptions.exempted([found], share, past)
    return [(findings.refuses([each]), each.clusters) for each in parts]


BOTH = comes(eu=[WEB], us=[WEB])
Told = list[tuple[bool, tuple[str, ...]]]
CASES: dict[str, tuple[findings.Finding, Share, exemptions.Ran, Told]] = {
    "it ran so": (denied(), BOTH, ran(eu=[WEB], us=[WEB]), [(False, ())]),
    "in both of those it names": (
        denied(WEB, "eu", "us"), BOTH, ran(eu=[WEB], us=[WEB]), [(False, ("eu", "us"))],
    ),
    "in one of them": (
        denied(WEB, "eu", "us"), BOTH, ran(eu=[WEB], us=[API]), [(True, ("us",)), (False, ("eu",))],
    ),
    "in one, and it names none": (
        denied(), BOTH, ran(eu=[WEB], us=[]), [(True, ("us",)), (False, ("eu",))],
    ),
    "another one ran": (denied(NEWER), comes(eu=[NEWER]), ran(eu=[WEB]), [(True, ())]),
    "nothing ran": (denied(), BOTH, {}, [(True, ())]),
    "a cluster that came later": (
        denied(WEB, "us"), comes(eu=[WEB], us=[WEB]), ran(eu=[WEB]), [(False, ("us",))],
    ),
    "what goes is not what comes": (denied(API, "eu"), BOTH, ran(eu=[WEB, API]), [(True, ("eu",))]),
    "what cannot be evaluated": (
        denied(severity=findings.Severity.UNKNOWN), BOTH, ran(eu=[WEB], us=[WEB]), [(False, ())],
    ),
    "what only warns": (
        denied(severity=findings.Severity.WARN), BOTH, ran(eu=[WEB], us=[WEB]), [(False, ())],
    ),
    "about nothing in particular": (
        builders.finding("new"), BOTH, ran(eu=[WEB], us=[WEB]), [(True, ())],
    ),
    "the step from what runs": (
        denied(rule="swap"), BOTH, ran(eu=[WEB], us=[WEB]), [(True, ())],
    ),
}  # fmt: skip


@pytest.mark.threat(38)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_exempt(case: tuple[findings.Finding, Share, exemptions.Ran, Told]):
    found, share, before, expected = case
    assert told(found, share, past(before)) == expected


@pytest.mark.parametrize("rule", sorted(waivers.STRUCTURAL))
def test_what_no_waiver_covers_is_never_exempt(rule: str):
    before = past(ran(eu=[WEB]))
    found = denied(rule=rule)
    assert exemptions.exempted([found], comes(eu=[WEB]), before) == (found,)


def test_what_clusters_enforce_themselves_is_never_exempt():
    before = past(ran(eu=[WEB]), installed=frozenset({"new"}))
    assert told(denied(), comes(eu=[WEB]), before) == [(True, ())]


def test_bundles_that_never_ran_together_are_held_against_each_other():
    found, share, before = denied(rule="reference"), comes(eu=[WEB]), ran(eu=[WEB])
    assert told(found, share, past(before)) == [(False, ())]
    assert told(found, share, past(before, in_part=True)) == [(True, ())]


def test_what_runs_there_now_is_exempt_too():
    held = past(ran(eu=[API]), runs=ran(eu=[WEB]))
    assert told(denied(), comes(eu=[WEB]), held) == [(False, ())]


def test_a_cluster_that_came_after_that_release_takes_what_the_others_ran_then():
    """It runs something by now, but never had that release."""
    held = past(ran(eu=[WEB]), runs=ran(eu=[NEWER], us=[NEWER]))
    assert told(denied(), comes(eu=[WEB], us=[WEB]), held) == [(False, ())]
    assert told(denied(NEWER), comes(eu=[NEWER], asia=[NEWER]), held) == [
        (True, ("asia",)),
        (False, ("eu",)),
    ]


def test_it_says_why_and_keeps_the_way_to_mend_it():
    before = past(ran(eu=[WEB]))
    (found,) = exemptions.exempted([denied(hint="mend it")], comes(eu=[WEB]), before)
    assert (found.severity, found.passed) == (findings.Severity.WARN, findings.EXEMPT)
    assert found.hint.endswith("mend it")


MANIFESTS = st.lists(st.sampled_from([WEB, API, NEWER]), unique_by=lambda each: each.key)
CLUSTERS = st.dictionaries(st.sampled_from(["eu", "us", "asia"]), MANIFESTS)
FOUND = st.lists(
    st.builds(
        denied,
        st.sampled_from([WEB, API]),
        rule=st.sampled_from(["new", "schema", "swap"]),
        severity=st.sampled_from(findings.Severity),
    )
)


@given(FOUND, CLUSTERS, CLUSTERS)
def test_no_finding_is_lost_and_none_gets_harder(found: list, here: dict, before: dict):
    parts = exemptions.exempted(found, comes(**here), past(ran(**before)))
    kept = {(each.rule, each.subject, each.message) for each in found}
    assert {(each.rule, each.subject, each.message) for each in parts} == kept
    assert findings.refuses(found) or not findings.refuses(parts)
    for each in parts:
        assert each in found or findings.refuses(
            e for e in found if (e.rule, e.subject) == (each.rule, each.subject)
        )
