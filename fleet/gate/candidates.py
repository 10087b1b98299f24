"""What the gate is told: a candidate, and the facts that stand beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from fleet.model import approving, findings, kinds, ledger, names, observed


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """The tip of an environment's branch, by content. The ids are computed by fleet.manifests.layout."""

    environment: names.Environment
    commit: names.CommitId
    content: names.ContentId
    rules: names.RulesId
    owned: names.OwnedId
    author: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A commit that an environment accepted, as far as lineage asks."""

    release: int
    commit: names.CommitId
    content: names.ContentId
    rules: names.RulesId
    owned: names.OwnedId


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One commit on the first-parent way from what is in force to the candidate."""

    commit: names.CommitId
    changes_shared: bool
    changes_owned: bool
    is_upstreams: bool = (
        False  # made on upstream's branch, where this environment's owned paths are inert
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """The environment before this one on the road."""

    environment: names.Environment
    accepted: tuple[Accepted, ...]  # in order of release
    undecided: ledger.Decision | None  # on its tip, when that is waiting or refused


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterHealth:
    """How one upstream cluster stands towards the candidate's content, by its last report."""

    cluster: names.Cluster
    runs_content: bool
    healthy: bool
    seen: datetime | None  # last sign of life, on the hub's clock
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two whose settings hold (rule 3): what is in force, and the candidate itself."""

    word: str  # as "in force"; "" where there is but one
    spec: kinds.EnvironmentSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a release would change of the one in force, summed over the clusters."""

    clusters: int
    objects: int  # that come, change or go
    deletions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenHotfix:
    """Shared paths that were changed right here, and that upstream does not have yet."""

    environment: names.Environment
    commit: names.CommitId
    paths: tuple[str, ...]
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What a range query gave: the extremes of all its values, or why there are none."""

    at: datetime
    lowest: float | None = None
    highest: float | None = None
    odd: bool = False  # NaN or an infinity was among them
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything a gate may look at."""

    now: datetime
    base: Accepted | None  # in force here
    descends: bool  # the candidate has `base` among its ancestors
    upstream: Upstream | None  # None for the first environment
    findings: tuple[findings.Finding, ...]
    sides: tuple[Side, ...]
    steps: tuple[Step, ...] = ()  # only where a promotion touches owned paths
    upstream_clusters: tuple[ClusterHealth, ...] = ()
    upstream_was_healthy: datetime | None = (
        None  # a superseded release of that content ended healthy
    )
    stale_after: int = 300  # seconds
    differing: tuple[str, ...] = ()  # paths in which it differs from the nearest accepted upstream
    held: str = ""  # the whole book holds
    consent: approving.Consent | None = None  # what people are asked to agree to
    voices: tuple[approving.Voice, ...] = ()  # what was said here, on whatever
    soak: observed.Soak | None = None  # of this content upstream
    statuses: tuple[observed.Status, ...] = ()  # on this content
    measurements: Mapping[names.Digest, Measurement] = field(default_factory=dict)
    change: Change | None = None  # None = it was not counted
    open_hotfixes: tuple[OpenHotfix, ...] = ()
    quarantine: observed.Quarantine | None = None  # of this content here
    break_glass: observed.BreakGlass | None = None  # the newest here
    signers: Mapping[names.CommitId, str] | None = None  # verified; None = nobody looked
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)  # people of the trust file


Accounts = Mapping[names.Environment, tuple[Accepted, ...]]


def account(releases: Mapping[tuple[names.Environment, int], ledger.Release]) -> Accounts:
    """The accepted commits of each environment in order of release."""
    found: dict[names.Environment, list[Accepted]] = {}
    for (environment, number), release in sorted(releases.items()):
        found.setdefault(environment, []).append(
            Accepted(
                release=number,
                commit=release.commit,
                content=release.content,
                rules=release.rules,
                owned=release.owned,
            )
        )
    return {environment: tuple(accepted) for environment, accepted in found.items()}
