"""The way from what is in force to a candidate: what git must be asked, and what its answers mean."""

from collections.abc import Iterator

from fleet.gate import candidates, trailers
from fleet.manifests import layout
from fleet.model import names, snapshots

_SOURCES = 10  # accepted commits of upstream's that a tip is held against by path
_RELEASES = 5  # of the environment's own
_SUSPECTS = 20  # commits that were never accepted


def wanted(
    base: candidates.Accepted,
    own: tuple[candidates.Accepted, ...],
    upstream: candidates.Upstream | None,
    way: candidates.Way,
) -> tuple[names.CommitId, ...]:
    """The commits whose listings tell what a tip is that equals no accepted commit as it is."""
    found = [base.commit, *(each.commit for each in past(base, own, way))]
    if upstream is not None:
        found += [each.commit for each in sources(upstream, way)]
        found += [*_merged(way), *upstream.unaccepted][:_SUSPECTS]
    return tuple(dict.fromkeys(found))


def sources(upstream: candidates.Upstream, way: candidates.Way) -> tuple[candidates.Accepted, ...]:
    """What upstream accepted and a tip may have been made from, the likeliest first: named, merged, newest."""
    named = frozenset(trailers.values(trailers.SOURCE, way.steps))
    newest_first = upstream.accepted[::-1]
    ordered = [
        *(each for each in newest_first if each.commit in named),
        *(each for each in newest_first if each.commit in way.foreign),
        *newest_first,
    ]
    return tuple(dict.fromkeys(ordered))[:_SOURCES]


def past(
    base: candidates.Accepted, own: tuple[candidates.Accepted, ...], way: candidates.Way
) -> Iterator[candidates.Accepted]:
    """Earlier releases of the environment's own that a tip may go back to by path."""
    named = frozenset(named_back(own, way))
    earlier = [each for each in reversed(own) if each.release < base.release]
    yield from (each for each in earlier if each.commit in named)
    yield from (each for each in earlier[:_RELEASES] if each.commit not in named)


def named_back(
    own: tuple[candidates.Accepted, ...], way: candidates.Way
) -> tuple[names.CommitId, ...]:
    """The accepted commits that messages on the way declare to go back to."""
    said = frozenset(trailers.values(trailers.ROLLBACK, way.steps))
    return tuple(dict.fromkeys(each.commit for each in own if each.commit in said))


def _merged(way: candidates.Way) -> Iterator[names.CommitId]:
    """What was merged last, first."""
    for step in reversed(way.steps):
        yield from step.parents[1:]


def is_merge(step: snapshots.Step) -> bool:
    return len(step.parents) > 1


def shared(step: snapshots.Step, where: layout.Layout) -> list[str]:
    """The shared paths that it changes."""
    return [path for path in step.paths if where.is_shared(path)]


def last_change(path: str, way: candidates.Way) -> snapshots.Step | None:
    return next((step for step in reversed(way.steps) if path in step.paths), None)
