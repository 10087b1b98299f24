"""What the book has seen that gates ask for, beside lineage: laid out for one candidate."""

from dataclasses import replace
from datetime import datetime

from fleet.gate import candidates
from fleet.hub import glass, state
from fleet.model import names, observed


def beside(
    facts: candidates.Facts, candidate: candidates.Candidate, hub: state.Hub
) -> candidates.Facts:
    """With all that is in the book about this content."""
    book, content = hub.ledger, candidate.content
    return replace(
        facts,
        statuses=tuple(book.statuses.get(content, {}).values()),
        measurements=hub.measured,
        open_hotfixes=_hotfixes(candidate.environment, hub),
        quarantine=book.quarantines.get((candidate.environment, content)),
        break_glass=glass.broken(candidate.environment, hub),
        rebaselined=book.rebaselines.get(candidate.environment),
    )


def above(
    environment: names.Environment, content: names.ContentId, hub: state.Hub
) -> tuple[observed.Quarantine, ...]:
    """The quarantines of this content in the environments before that one on the road, the nearest first."""
    road = hub.ledger.seal.road
    order = [step.environment for step in road.steps] if road else []
    before = order[: order.index(environment)] if environment in order else []
    found = (hub.ledger.quarantines.get((each, content)) for each in reversed(before))
    return tuple(each for each in found if each is not None and each.lifted is None)


def _hotfixes(environment: names.Environment, hub: state.Hub) -> tuple[candidates.OpenHotfix, ...]:
    """Those of the release in force, the paths of one commit together."""
    release = hub.ledger.in_force(environment)
    found: dict[tuple[names.CommitId, datetime], list[str]] = {}
    for each in release.hotfixes if release else ():
        found.setdefault((each.commit, each.since), []).append(each.path)
    return tuple(
        candidates.OpenHotfix(
            environment=environment, commit=commit, paths=tuple(sorted(paths)), since=since
        )
        for (commit, since), paths in found.items()
    )
