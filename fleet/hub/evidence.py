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
        quarantine=quarantined(candidate.environment, content, hub),
        break_glass=glass.broken(candidate.environment, hub),
        rebaselined=book.rebaselines.get(candidate.environment),
    )


def quarantined(
    environment: names.Environment, content: names.ContentId, hub: state.Hub
) -> observed.Quarantine | None:
    """What the book says of this content, lifted or not; its paths are for `telling`."""
    row = hub.ledger.quarantines.get((environment, content))
    return replace(row, forms={}) if row is not None else None


def above(
    environment: names.Environment, content: names.ContentId, hub: state.Hub
) -> tuple[observed.Quarantine, ...]:
    """The quarantines of this content in the environments before that one on the road, the nearest first."""
    found = (quarantined(each, content, hub) for each in _before(environment, hub))
    return tuple(each for each in found if each is not None and each.lifted is None)


def telling(environment: names.Environment, hub: state.Hub) -> list[observed.Quarantine]:
    """The quarantines that tell paths, of that environment and of those before it."""
    places = [environment, *_before(environment, hub)]
    return [
        each
        for place in places
        for each in hub.ledger.quarantines.values()
        if each.environment == place and each.forms and each.lifted is None
    ]


def _before(environment: names.Environment, hub: state.Hub) -> list[names.Environment]:
    """On the road, the nearest first."""
    road = hub.ledger.seal.road
    order = [step.environment for step in road.steps] if road else []
    before = order[: order.index(environment)] if environment in order else []
    return before[::-1]


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
