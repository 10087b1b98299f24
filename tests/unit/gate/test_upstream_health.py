"""Upstream's health: unknown means wait."""

import pytest

import builders
from fleet.gate import candidates, health
from fleet.model import ledger

Gate = ledger.GateState
cluster = builders.cluster_health
CANDIDATE = builders.candidate("c2", environment="staging")


def ask(
    *clusters: candidates.ClusterHealth,
    settings: dict[str, object] | None = None,
    **told: object,
) -> ledger.GateResult:
    dev = builders.upstream(builders.accepted(2, "c2"))
    facts = builders.facts(upstream=dev, upstream_clusters=clusters, **told)
    return health.gate(CANDIDATE, facts, builders.environment("staging", health=settings or {}))


CASES = {
    "all healthy": ((cluster("a"), cluster("b")), Gate.OPEN),
    "no cluster at all": ((), Gate.WAITING),
    "never seen": ((cluster("a", seen=None),), Gate.WAITING),
    "all stale": ((cluster("a", seen=builders.later(-301)),), Gate.WAITING),
    "just not stale": ((cluster("a", seen=builders.later(-300)),), Gate.OPEN),
    "one stale, one healthy": ((cluster("a", seen=builders.later(-301)), cluster("b")), Gate.OPEN),
    "one stale and sick, one healthy": (
        (cluster("a", seen=builders.later(-301), healthy=False), cluster("b")),
        Gate.OPEN,
    ),
    "one sick": ((cluster("a"), cluster("b", healthy=False)), Gate.WAITING),
    "healthy with something else": ((cluster("a", runs=False),), Gate.WAITING),
    "one does not run it yet": ((cluster("a"), cluster("b", runs=False)), Gate.WAITING),
}


@pytest.mark.threat(57)
@pytest.mark.parametrize(("clusters", "state"), CASES.values(), ids=CASES.keys())
def test_health_of_upstream(clusters: tuple[candidates.ClusterHealth, ...], state: Gate):
    assert ask(*clusters).state is state


def test_it_names_the_cluster_that_it_waits_for():
    result = ask(
        cluster("a"),
        cluster("b", healthy=False, reason="Deployment shop/web: 1 of 3 ready"),
        cluster("c", runs=False),
    )
    assert result.reason == "b: Deployment shop/web: 1 of 3 ready and 1 more"
    assert result.hint == "fleet status --environment dev"


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (cluster("a", healthy=False), "a: not healthy"),
        (cluster("a", runs=False), "a: does not run it yet"),
        (cluster("a", seen=None), "no cluster of dev reports"),
    ],
)
def test_it_says_what_is_missing(found: candidates.ClusterHealth, reason: str):
    assert ask(found).reason == reason


def test_the_bound_of_staleness_is_a_setting():
    seen_a_minute_ago = cluster("a", seen=builders.later(-60))
    assert ask(seen_a_minute_ago, stale_after=60).state is Gate.OPEN
    assert ask(seen_a_minute_ago, stale_after=59).state is Gate.WAITING


def test_content_that_was_healthy_before_upstream_moved_on_may_go_on():
    moved_on = cluster("a", runs=False)
    assert ask(moved_on, upstream_was_healthy=builders.later(-3600)).state is Gate.OPEN


def test_a_sign_of_life_from_the_future_is_no_older_than_now():
    assert ask(cluster("a", seen=builders.later(30))).state is Gate.OPEN


QUORUMS = {
    "one of three": ("1", 1, 2, Gate.OPEN),
    "none is never enough": ("0", 0, 3, Gate.WAITING),
    "none by share is never enough": ("0%", 0, 3, Gate.WAITING),
    "no share lets one do": ("0%", 1, 2, Gate.OPEN),
    "two of three by number": ("2", 2, 1, Gate.OPEN),
    "one where two must": ("2", 1, 2, Gate.WAITING),
    "two of three are less than 80%": ("80%", 2, 1, Gate.WAITING),
    "a share is rounded up": ("34%", 1, 2, Gate.WAITING),
    "all": ("100%", 3, 0, Gate.OPEN),
    "more than there are": ("4", 3, 0, Gate.WAITING),
}


@pytest.mark.threat(57, 114)
@pytest.mark.parametrize(
    ("quorum", "awake", "silent", "state"), QUORUMS.values(), ids=QUORUMS.keys()
)
def test_a_quorum_must_report(quorum: str, awake: int, silent: int, state: Gate):
    found = [cluster(f"a{n}") for n in range(awake)]
    found += [cluster(f"b{n}", seen=None) for n in range(silent)]
    assert ask(*found, settings={"quorum": quorum}).state is state


def test_it_says_how_many_are_missing():
    result = ask(cluster("a"), cluster("b", seen=None), settings={"quorum": "2"})
    assert result.reason == "1 of 2 clusters of dev report; 2 must"
