"""What stops a rollout, by the book alone: each reason once, and nothing that a decree has passed."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

import builders
from fleet.hub import rollouts
from fleet.model import approving, ledger, names, observed, pacing


def stopped(release: ledger.Release, *rows: ledger.Row) -> str:
    book = ledger.Ledger()
    book.take(ledger.Seal(schema=1, road=builders.road("dev", "staging", "prod")))
    for row in (release, builders.environment_state(release.environment, release=1), *rows):
        book.take(row)
    hub = SimpleNamespace(ledger=book, clock=SimpleNamespace(now=lambda: builders.later(60)))
    return rollouts.stopped(release, hub)  # type: ignore[arg-type]  # as much as is asked for


def test_an_approval_that_lapsed_is_told_once():
    subject = approving.Subject(
        environment=names.Environment("prod"), content=builders.release().content,
        rules=builders.release().rules, owned=builders.release().owned,
        slices_root=builders.release().slices_root, gates=builders.digest("g"), trust=1,
    )  # fmt: skip
    wanted = approving.Wanted(
        group="leads", count=1, people=("ada",), lifetime=60, allows_unsigned=False
    )
    consent = approving.Consent(subject=subject, wanted=(wanted,))
    why = stopped(builders.release(environment="prod", consent=consent))
    assert why.count("leads") == 1


CONTENT = builders.release().content
SOURCE = names.ContentId(builders.digest("c9"))
FOOTING = pacing.Footing(source=SOURCE, statuses=(("ci", "e2e"),))
STOPPING: dict[str, tuple[pacing.Footing, ledger.Row, str]] = {
    "here": (pacing.Footing(), builders.quarantine(), "quarantined in prod"),
    "lifted": (pacing.Footing(), builders.quarantine(lifted=builders.NOW), ""),
    "elsewhere": (FOOTING, builders.quarantine(environment="dev"), ""),
    "its source": (FOOTING, builders.quarantine("c9", environment="dev"), "quarantined in dev"),
    "before a decree": (
        pacing.Footing(is_settled=True), builders.quarantine(since=builders.later(-1)), "",
    ),
    "after a decree": (
        pacing.Footing(is_settled=True), builders.quarantine(since=builders.later(1)),
        "quarantined in prod",
    ),
    "a status": (FOOTING, builders.status(outcome=observed.Outcome.FAILURE), "ci/e2e"),
    "a good status": (FOOTING, builders.status(), ""),
    "another context": (
        FOOTING, builders.status(outcome=observed.Outcome.FAILURE, context="lint"), "",
    ),
    "of another content": (FOOTING, builders.status("c9", outcome=observed.Outcome.FAILURE), ""),
}  # fmt: skip


@pytest.mark.parametrize(("footing", "row", "why"), STOPPING.values(), ids=STOPPING.keys())
def test_what_turns_against_a_release(footing: pacing.Footing, row: ledger.Row, why: str):
    release = builders.release(environment="prod", content=CONTENT)
    found = stopped(replace(release, footing=footing), row)
    assert (why in found) if why else (found == "")
