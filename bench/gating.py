"""The gates of 1,000 environments with ten clusters each, asked again after one new fact."""

import statistics
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bench import results
from fleet.gate import candidates, decide
from fleet.manifests import layout
from fleet.model import kinds, ledger, names, observed

ENVIRONMENTS, CLUSTERS, ROUNDS = 1_000, 10, 20
NOW = datetime(2026, 6, 1, 10, 0, tzinfo=UTC)
_ASKED: dict[str, Any] = {
    "soak": "24h",
    "windows": [
        {"name": "work", "effect": "allow", "timeZone": "Europe/Berlin", "start": "2026-01-05T09:00",
         "duration": "8h", "recurrence": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"},
        {"name": "year-end", "effect": "deny", "timeZone": "Europe/Berlin",
         "start": "2026-12-18T18:00", "duration": "17d"},
    ],
    "statuses": [{"issuer": "ci", "context": "e2e"}],
    "budget": {"clusters": 50, "objects": 500},
    "debt": {"maxAge": "7d"},
}  # fmt: skip


def run(report: results.Report) -> None:
    section = report.section(f"gates of {ENVIRONMENTS:,} environments x {CLUSTERS} clusters")
    for name, comes in (
        ("settings as in force", None),
        ("other gates come, so both judge", {"gates": {**_ASKED, "soak": "48h"}}),
    ):
        took = _took([_case(number, comes) for number in range(ENVIRONMENTS)])
        middle, worst = statistics.median(took) * 1000, max(took) * 1000
        each = f"{middle / ENVIRONMENTS * 1000:.0f} us each"
        section.row(name, f"{middle:.1f} ms", f"at most {worst:.1f} ms", each, "goal 50 ms")


def _took(asked: list["Case"]) -> list[float]:
    """Seconds for all of them, round by round."""
    took = []
    for number in range(ROUNDS):
        asked = [(c, _later(f, number + 1)) for c, f in asked]
        began = time.perf_counter()
        decided = [decide.decide(candidate, facts) for candidate, facts in asked]
        took.append(time.perf_counter() - began)
        assert all(each.verdict is ledger.Verdict.WAITING for each in decided)
    return took


Case = tuple[candidates.Candidate, candidates.Facts]


def _case(number: int, comes: dict[str, Any] | None) -> Case:
    content = names.ContentId(f"sha256:{number:064x}")
    rules, owned = names.RulesId("rules"), names.OwnedId("owned")
    accepted = [
        candidates.Accepted(
            release=each,
            commit=names.CommitId(f"{number:038x}{each:02x}"),
            content=content if each == 2 else names.ContentId("before"),
            rules=rules,
            owned=owned,
        )
        for each in (1, 2)
    ]
    before, here = names.Environment(f"s-{number}"), names.Environment(f"p-{number}")
    candidate = candidates.Candidate(
        environment=here, commit=accepted[1].commit, content=content, rules=rules, owned=owned
    )
    written = {"name": here, "gates": _ASKED, "health": {"quorum": "80%"}}
    sides = tuple(
        candidates.Side(word=word, spec=kinds.EnvironmentSpec.model_validate({**written, **more}))
        for word, more in (
            ("by what is in force", {}),
            *([] if comes is None else [("by this commit itself", comes)]),
        )
    )
    began = observed.Interval(began=NOW - timedelta(hours=1), confirmed=NOW, quorum=CLUSTERS)
    status = observed.Status(
        issuer="ci",
        context="e2e",
        content=content,
        outcome=observed.Outcome.SUCCESS,
        said=NOW,
        at=NOW,
    )
    return candidate, candidates.Facts(
        now=NOW,
        base=accepted[0],
        upstream=candidates.Upstream(environment=before, accepted=tuple(accepted), undecided=None),
        findings=(),
        layout=layout.Layout(environment=here, owned=layout.OWNED),
        sides=sides,
        upstream_clusters=tuple(_cluster(f"{before}-{each}") for each in range(CLUSTERS)),
        soak=observed.Soak(environment=before, content=content, running=began),
        statuses=(status,),
        change=candidates.Change(clusters=CLUSTERS, objects=40, deletions=0),
    )


def _cluster(name: str) -> candidates.ClusterHealth:
    return candidates.ClusterHealth(
        cluster=names.Cluster(name), runs_content=True, healthy=True, seen=NOW
    )


def _later(facts: candidates.Facts, seconds: int) -> candidates.Facts:
    """The new fact: time has passed, and a cluster has spoken."""
    now = NOW + timedelta(seconds=seconds)
    first, *others = facts.upstream_clusters
    return replace(facts, now=now, upstream_clusters=(replace(first, seen=now), *others))
