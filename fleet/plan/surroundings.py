"""What a plan depends on besides the commit: what is in force, who else is registered, who fails already."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fleet.model import leaving, ledger, names


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """As the book had it. With these and the judged commit a plan is drawn again at any later time."""

    number: int = 0  # the release in force; 0 = none
    slices: Mapping[names.Cluster, names.SliceDigest] = field(default_factory=dict)  # of that
    retired: Mapping[names.Cluster, leaving.OnRemoval] = field(default_factory=dict)
    claims: tuple[ledger.ClusterState, ...] = ()  # of names, UIDs and keys, in other environments
    broken: tuple[names.Cluster, ...] = ()  # that fail already, by their last report
    goes_back: bool = False  # to content that ran here before, under the same rules
    all_out: bool = True  # no cluster waits for the release in force
