"""The rollout plan: which cluster gets which slice, in which wave, and who leaves. It leaves no choices to anyone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from fleet.model import gating, kinds, ledger, names, pacing
from fleet.model import slices as form
from fleet.plan import slices
from fleet.protocol import merkle

CANARY_LABEL = "fleetgate.dev/canary"
_CANARIES_FIRST = (
    kinds.Wave(name="canary", selector=kinds.Selector(match_labels={CANARY_LABEL: "true"})),
)


REST = "rest"  # the wave of those who fit no declared one, or leave
_LARGEST = 1 << 30  # clusters


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    environment: names.Environment
    slices: Mapping[names.Cluster, slices.Slice]
    retired: Mapping[names.Cluster, kinds.OnRemoval]
    waves: tuple[tuple[names.Cluster, ...], ...]  # in parts, where a wave has a size
    terms: tuple[pacing.Terms, ...]  # of each of `waves`
    slices_root: names.Root


def plan(
    environment: kinds.EnvironmentSpec,
    clusters: Sequence[kinds.Cluster],
    cut: Mapping[names.Cluster, slices.Slice],
    retired: Mapping[names.Cluster, kinds.OnRemoval],
    broken: frozenset[names.Cluster] = frozenset(),
) -> Plan:
    """`retired` were in force and their document is gone: they leave last. `broken` may go first, if so declared."""
    drawn = _waves(environment, clusters, retired, broken)
    return Plan(
        environment=names.Environment(environment.name),
        slices=dict(sorted(cut.items())),
        retired=dict(sorted(retired.items())),
        waves=tuple(members for members, _ in drawn),
        terms=tuple(terms for _, terms in drawn),
        slices_root=merkle.slices_root(
            leaves({cluster: each.digest for cluster, each in cut.items()}, retired)
        ),
    )


def paced(terms: tuple[pacing.Terms, ...], kind: ledger.Lineage) -> tuple[pacing.Terms, ...]:
    """Ways back and hotfixes go wave by wave as well, and no wave of theirs waits for a soak."""
    if kind in (ledger.Lineage.HOTFIX, ledger.Lineage.ROLLBACK):
        return tuple(replace(each, soak=0) for each in terms)
    return terms


def leaves(
    slices_of: Mapping[names.Cluster, names.SliceDigest],
    retired: Mapping[names.Cluster, kinds.OnRemoval],
) -> dict[names.Cluster, names.SliceDigest]:
    """What approvers sign for each cluster; one that leaves is bound to how it leaves."""
    leaving = {c: form.digest(form.farewell(how)) for c, how in retired.items()}
    return dict(sorted({**leaving, **slices_of}.items()))


_Members: TypeAlias = tuple[names.Cluster, ...]


def _waves(
    environment: kinds.EnvironmentSpec,
    clusters: Sequence[kinds.Cluster],
    retired: Mapping[names.Cluster, kinds.OnRemoval],
    broken: frozenset[names.Cluster],
) -> list[tuple[_Members, pacing.Terms]]:
    """Each cluster goes with the first wave that fits; plan.placement refuses where another would fit too."""
    left = {names.Cluster(each.metadata.name): each.metadata.labels for each in clusters}
    first = sorted(broken & left.keys()) if environment.rollout.broken_first else []
    left = {name: labels for name, labels in left.items() if name not in first}
    found: list[tuple[_Members, pacing.Terms]] = []
    for wave in environment.waves or _CANARIES_FIRST:
        chosen = sorted(
            name for name, labels in left.items() if kinds.selects(wave.selector, labels)
        )
        left = {name: labels for name, labels in left.items() if name not in chosen}
        found += _parts(wave, tuple(chosen))
    found += _parts(_rest(environment), (*sorted(left), *sorted(retired)))
    return _with_first(tuple(first), found, _rest(environment))


def _rest(environment: kinds.EnvironmentSpec) -> kinds.Wave:
    """As careful as the wave before it."""
    last = environment.waves[-1] if environment.waves else kinds.Wave(name=REST)
    return kinds.Wave(name=REST, size=last.size, max_unavailable=last.max_unavailable)


def _parts(wave: kinds.Wave, members: _Members) -> list[tuple[_Members, pacing.Terms]]:
    count = len(members)
    size = max(1, gating.counted(wave.size or f"{_LARGEST}", count))
    cut = [members[at : at + size] for at in range(0, count, size)]
    return [(each, _terms(wave, count, n, len(cut))) for n, each in enumerate(cut, 1)]


def _terms(wave: kinds.Wave, count: int, part: int, parts: int) -> pacing.Terms:
    return pacing.Terms(
        wave=wave.name,
        part=part,
        parts=parts,
        at_once=max(1, gating.counted(wave.size, count)) if wave.size else 0,
        max_unavailable=gating.counted(wave.max_unavailable, count),
        soak=int(wave.soak.total_seconds()),
        approvals=tuple(_asked(each) for each in wave.approvals),
    )


def _asked(approvals: gating.Approvals) -> pacing.Asked:
    return pacing.Asked(
        group=approvals.group,
        count=approvals.count,
        expires=int(approvals.expires.total_seconds()),
        unsigned=approvals.unsigned,
    )


def _with_first(
    first: _Members, drawn: list[tuple[_Members, pacing.Terms]], rest: kinds.Wave
) -> list[tuple[_Members, pacing.Terms]]:
    """Who is broken goes beside the first part, not instead of it: it must not be the only one to prove a release."""
    if not first:
        return drawn
    if not drawn:
        return [(first, _terms(rest, 0, 1, 1))]
    members, terms = drawn[0]
    return [((*members, *first), terms), *drawn[1:]]
