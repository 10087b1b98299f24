"""The rollout plan: which cluster gets which slice, in which wave, and who leaves. It leaves no choices to anyone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fleet.model import kinds, names
from fleet.model import slices as form
from fleet.plan import slices
from fleet.protocol import merkle

CANARY_LABEL = "fleetgate.dev/canary"
_CANARIES_FIRST = (
    kinds.Wave(name="canary", selector=kinds.Selector(match_labels={CANARY_LABEL: "true"})),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    environment: names.Environment
    slices: Mapping[names.Cluster, slices.Slice]
    retired: Mapping[names.Cluster, kinds.OnRemoval]
    waves: tuple[tuple[names.Cluster, ...], ...]
    slices_root: names.Root


def plan(
    environment: kinds.EnvironmentSpec,
    clusters: Sequence[kinds.Cluster],
    cut: Mapping[names.Cluster, slices.Slice],
    retired: Mapping[names.Cluster, kinds.OnRemoval],
) -> Plan:
    """`retired` are clusters that were in force and whose document is gone: they leave in the last wave."""
    return Plan(
        environment=names.Environment(environment.name),
        slices=dict(sorted(cut.items())),
        retired=dict(sorted(retired.items())),
        waves=_waves(environment, clusters, retired),
        slices_root=merkle.slices_root(
            leaves({cluster: each.digest for cluster, each in cut.items()}, retired)
        ),
    )


def leaves(
    slices_of: Mapping[names.Cluster, names.SliceDigest],
    retired: Mapping[names.Cluster, kinds.OnRemoval],
) -> dict[names.Cluster, names.SliceDigest]:
    """What approvers sign for each cluster; one that leaves is bound to how it leaves."""
    leaving = {c: form.digest(form.farewell(how)) for c, how in retired.items()}
    return dict(sorted({**leaving, **slices_of}.items()))


def _waves(
    environment: kinds.EnvironmentSpec,
    clusters: Sequence[kinds.Cluster],
    retired: Mapping[names.Cluster, kinds.OnRemoval],
) -> tuple[tuple[names.Cluster, ...], ...]:
    left = {names.Cluster(each.metadata.name): each.metadata.labels for each in clusters}
    found: list[tuple[names.Cluster, ...]] = []
    for wave in environment.waves or _CANARIES_FIRST:
        chosen = sorted(
            name for name, labels in left.items() if kinds.selects(wave.selector, labels)
        )
        left = {name: labels for name, labels in left.items() if name not in chosen}
        found.append(tuple(chosen))
    found.append((*sorted(left), *sorted(retired)))
    return tuple(wave for wave in found if wave)
