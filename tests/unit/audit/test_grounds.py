"""What decisions are made from: kept whole, in one spelling, and enough to decide the same again (invariant 12)."""

import itertools
import os
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

import builders
from fleet.audit import drafts, grounds
from fleet.gate import candidates, decide
from fleet.model import errors, json_values, ledger, names, observed
from fleet.plan import surroundings

PROD = names.Environment("prod")
STAGING = names.Environment("staging")
CANDIDATE = builders.candidate("c2", environment="prod")
OWN = (builders.accepted(1, "c0"), builders.accepted(2, "c1"))
UPSTREAM = replace(
    builders.upstream(builders.accepted(3, "c1"), builders.accepted(4, "c2"), name="staging"),
    skipped=((names.Environment("dev"), builders.accepted(9, "c2")),),
)
KNOWN = {
    **{(PROD, each.release): each for each in OWN},
    **{(STAGING, each.release): each for each in UPSTREAM.accepted},
    (names.Environment("dev"), 9): builders.accepted(9, "c2"),
}
# Made again from git and the judge, so not kept; everything else of the facts is.
AGAIN = {"findings", "sides"}


def resolve(environment: names.Environment, number: int) -> candidates.Accepted:
    return KNOWN[environment, number]


def kept(facts: candidates.Facts | None, **more: Any) -> grounds.Grounds:
    given: dict[str, Any] = {
        "how": grounds.How.GATES,
        "back_to": 0,
        "ran": {},
        "candidate": CANDIDATE,
        "road": builders.road("dev", "staging", "prod"),
        "base": OWN[-1],
        "upstream": UPSTREAM,
        "facts": facts,
        "around": surroundings.Surroundings(
            number=2, slices={names.Cluster("p"): names.SliceDigest(builders.digest("s"))}
        ),
        "drawn": builders.NOW,
        "numbered": grounds.Numbered(),
        **more,
    }
    return grounds.kept(**given)


def facts_of(**told: Any) -> candidates.Facts:
    said = {"upstream": UPSTREAM, "base": OWN[-1], "own": OWN, **told}
    return builders.facts(**said)


HEALTH = some.builds(
    builders.cluster_health,
    some.sampled_from(["a", "b", "c"]),
    healthy=some.booleans(),
    runs=some.booleans(),
    reason=some.text(max_size=20),
)
SPEC = builders.gates(soak="1h", statuses=[{"issuer": "ci", "context": "e2e"}])
STATUSES = some.lists(
    some.builds(builders.status, outcome=some.sampled_from(list(observed.Outcome))), max_size=2
)
FACTS = some.fixed_dictionaries(
    {},
    optional={
        "held": some.sampled_from(["", "the book is old"]),
        "upstream_clusters": some.lists(HEALTH, max_size=3).map(tuple),
        "soak": some.integers(-9000, -1).map(
            lambda since: builders.soak(running=builders.interval(since))
        ),
        "statuses": STATUSES.map(tuple),
        "quarantine": some.just(builders.quarantine()),
        "coming_back": some.just(
            (candidates.ComingBack(quarantine=builders.quarantine("c1"), paths=("a",), count=1),)
        ),
        "quarantined_above": some.just((builders.quarantine(environment="dev"),)),
        "signers": some.dictionaries(
            some.sampled_from([builders.commit(each) for each in "abc"]), some.just("ada")
        ),
        "groups": some.dictionaries(
            some.sampled_from(["devs", "ops"]), some.frozensets(some.sampled_from("abcd"))
        ),
        "scope": some.lists(some.sampled_from(["apps/**", "x"]), max_size=2).map(tuple),
        "stale_after": some.integers(1, 1000),
    },
)


@given(told=FACTS)
def test_equal_facts_are_equal_bytes_and_decide_the_same(told: dict[str, Any]):
    facts = facts_of(sides=(candidates.Side(word="", spec=SPEC),), **told)
    data = grounds.encode(kept(facts))
    assert grounds.encode(kept(replace(facts))) == data
    read = grounds.facts_of(grounds.decode(data), resolve)
    assert read is not None
    again = replace(read, findings=facts.findings, sides=facts.sides, way=facts.way)
    one, other = (drafts.decision(decide.decide(CANDIDATE, each)).body for each in (facts, again))
    assert json_values.encode(one) == json_values.encode(other)


@given(told=FACTS)
def test_what_is_kept_is_read_and_written_again_as_it_was(told: dict[str, Any]):
    data = grounds.encode(kept(facts_of(**told)))
    read = grounds.decode(data)
    assert grounds.encode(read) == data
    facts = grounds.facts_of(read, resolve)
    assert facts is not None
    assert (facts.base, facts.own, facts.upstream) == (OWN[-1], OWN, UPSTREAM)


OTHER: dict[str, Any] = {
    "now": builders.later(1),
    "layout": replace(builders.facts().layout, owned=("x/{environment}/**",)),
    "base": OWN[0],
    "own": OWN[:1],
    "upstream": replace(UPSTREAM, tip=builders.commit("x")),
    "way": candidates.Way(descends=False),
    "scope": ("a/**",),
    "rebaselined": observed.Rebaseline(
        environment=PROD, commit=CANDIDATE.commit, base=OWN[-1].commit,
        reason="a lost repository", by="ada", since=builders.NOW,
    ),
    "upstream_clusters": (builders.cluster_health("a"),),
    "upstream_was_healthy": builders.NOW,
    "stale_after": 7,
    "held": "old",
    "consent": None,
    "voices": None,
    "soak": builders.soak(is_sick=True),
    "statuses": (builders.status(),),
    "measurements": {builders.digest("m"): candidates.Measurement(at=builders.NOW, lowest=0.5)},
    "change": candidates.Change(clusters=1, objects=2, deletions=3),
    "open_hotfixes": (
        candidates.OpenHotfix(
            environment=PROD, commit=builders.commit("h"), paths=("a",), since=builders.NOW
        ),
    ),
    "quarantine": builders.quarantine(),
    "quarantined_above": (builders.quarantine(environment="staging"),),
    "coming_back": (
        candidates.ComingBack(
            quarantine=builders.quarantine(environment="staging"), paths=("a",), count=7
        ),
    ),
    "break_glass": None,
    "signers": {builders.commit("x"): "ada"},
    "groups": {"devs": frozenset({"ada"})},
}  # fmt: skip
ELSEWHERE = {"consent", "voices", "break_glass"}  # other parts' words: tests/simulation has them


def test_every_fact_is_kept_or_made_again():
    """Whoever gives gates another fact says here how a replay comes by it."""
    assert {each.name for each in fields(candidates.Facts)} == OTHER.keys() | AGAIN


@pytest.mark.parametrize("name", sorted(OTHER.keys() - ELSEWHERE))
def test_another_fact_is_another_digest(name: str):
    one, other = facts_of(), replace(facts_of(), **{name: OTHER[name]})
    assert grounds.encode(kept(one)) != grounds.encode(kept(other))


@pytest.mark.parametrize(
    "more",
    [
        {"how": grounds.How.BACK, "back_to": 1},
        {"ran": {names.Cluster("p"): names.SliceDigest(builders.digest("s"))}},
        {"road": builders.road("dev", "prod")},
        {"base": None},
        {"upstream": None},
        {"around": surroundings.Surroundings(number=3)},
        {"around": surroundings.Surroundings(broken=(names.Cluster("p"),))},
        {"drawn": builders.later(1)},
        {"numbered": grounds.Numbered(release=3)},
        {"candidate": replace(CANDIDATE, subject="other")},
    ],
)
def test_other_surroundings_are_another_digest(more: dict[str, Any]):
    assert grounds.encode(kept(facts_of(), **more)) != grounds.encode(kept(facts_of()))


def test_what_accepted_a_release_is_read_from_its_record():
    decision = builders.decision(
        verdict=ledger.Verdict.ACCEPTED,
        release=4,
        source=2,
        hotfixes=(
            ledger.Hotfix(
                path="a", based_on="100644 1", fixed="100644 2", commit=builders.commit("h"),
                reason="why", since=builders.NOW,
            ),
        ),
    )  # fmt: skip
    found = grounds.accepted_in(drafts.decision(decision).body)
    assert found is not None
    assert (found.release, found.content, found.source) == (4, decision.content, 2)
    assert found.hotfixes == decision.hotfixes
    refused = replace(decision, verdict=ledger.Verdict.REFUSED)
    assert grounds.accepted_in(drafts.decision(refused).body) is None


def test_facts_of_another_version_are_refused_in_words():
    document = json_values.decode(grounds.encode(kept(facts_of())))
    for spoiled in ({**document, "more": 1}, {k: v for k, v in document.items() if k != "how"}):
        with pytest.raises(errors.InputError):
            grounds.decode(json_values.encode(spoiled))


SEEDED = """
import sys; sys.path[:0] = {paths!r}
import test_grounds
from fleet.audit import drafts, grounds
from fleet.gate import decide
from fleet.model import json_values
facts = test_grounds.facts_of(
    groups={{w: frozenset("abcdefgh") for w in ("devs", "ops", "all")}},
    statuses=(test_grounds.builders.status(),), held="old",
    sides=(test_grounds.candidates.Side(word="", spec=test_grounds.SPEC),),
)
data = grounds.encode(test_grounds.kept(facts))
body = drafts.decision(decide.decide(test_grounds.CANDIDATE, facts)).body
print(json_values.digest_of_bytes(data), json_values.digest(body))
"""
PLACES = [
    {"PYTHONHASHSEED": "0", "TZ": "Etc/UTC", "LC_ALL": "C"},
    {"PYTHONHASHSEED": "1", "TZ": "Pacific/Kiritimati", "LC_ALL": "C.UTF-8"},
    {"PYTHONHASHSEED": "4242", "TZ": "America/St_Johns", "LANG": "tr_TR.UTF-8", "HOSTNAME": "x"},
]


@pytest.mark.threat(47)
def test_seed_zone_locale_and_host_change_no_byte():
    here = Path(__file__).parent
    paths = [str(here), str(here.parents[1]), str(here.parents[2])]
    script = SEEDED.format(paths=paths)
    told = [
        subprocess.run(  # noqa: S603 - our own words
            [sys.executable, "-c", script], env={**os.environ, **place}, check=True,
            capture_output=True, text=True,
        ).stdout
        for place in PLACES
    ]  # fmt: skip
    assert all(one == other for one, other in itertools.pairwise(told))
    assert told[0].startswith("sha256:")
