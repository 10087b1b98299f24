"""What the gate is told: a candidate, and the facts that stand beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from fleet.gate import glass
from fleet.manifests import layout
from fleet.model import approving, findings, kinds, ledger, names, observed, snapshots


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
    source: int = 0  # the newest release of upstream's in it
    hotfixes: tuple[ledger.Hotfix, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What git says of how a candidate came about, as far as `ways.wanted` asked for it."""

    descends: bool = True  # the tip has what is in force among its ancestors
    steps: tuple[snapshots.Step, ...] = ()  # the first-parent commits from there, oldest first
    foreign: frozenset[names.CommitId] = frozenset()  # new ones, of upstream's branch
    trees: Mapping[names.CommitId, snapshots.Snapshot] = field(default_factory=dict, repr=False)
    forks: Mapping[names.CommitId, names.CommitId] = field(
        default_factory=dict
    )  # where a source's history and that of what is in force part


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """The environment before this one on the road."""

    environment: names.Environment
    accepted: tuple[Accepted, ...]  # in order of release
    undecided: ledger.Decision | None  # on its tip, when that is waiting or refused
    tip: names.CommitId | None = None  # of its branch, as it was seen last
    unaccepted: tuple[names.CommitId, ...] = ()  # of its branch, newest first; not all of them
    skipped: tuple[tuple[names.Environment, Accepted], ...] = ()  # of those before it


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
class ComingBack:
    """A quarantine, here or before on the road, of which the candidate has every path just as it was left."""

    quarantine: observed.Quarantine  # without what each path was: that may be thousands
    paths: tuple[str, ...]  # the first few
    count: int  # of all


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything a gate may look at."""

    now: datetime
    layout: layout.Layout
    base: Accepted | None  # in force here
    own: tuple[Accepted, ...] = ()  # accepted here, in order of release
    upstream: Upstream | None  # None for the first environment
    findings: tuple[findings.Finding, ...]
    sides: tuple[Side, ...]
    way: Way = Way()
    scope: tuple[str, ...] = ()  # patterns of paths that a hotfix may change
    rebaselined: observed.Rebaseline | None = None  # the newest here
    upstream_clusters: tuple[ClusterHealth, ...] = ()
    upstream_was_healthy: datetime | None = (
        None  # a superseded release of that content ended healthy
    )
    stale_after: int = 300  # seconds
    held: str = ""  # the whole book holds
    consent: approving.Consent | None = None  # what people are asked to agree to
    voices: tuple[approving.Voice, ...] = ()  # what was said here, on whatever
    soak: observed.Soak | None = None  # of this content upstream
    statuses: tuple[observed.Status, ...] = ()  # on this content
    measurements: Mapping[names.Digest, Measurement] = field(default_factory=dict)
    change: Change | None = None  # None = it was not counted
    open_hotfixes: tuple[OpenHotfix, ...] = ()
    quarantine: observed.Quarantine | None = None  # of this content here
    quarantined_above: tuple[
        observed.Quarantine, ...
    ] = ()  # of its source's content, in the environments before this one
    coming_back: tuple[ComingBack, ...] = ()  # in whatever other content
    break_glass: glass.Broken | None = None  # here, now
    signers: Mapping[names.CommitId, str] | None = None  # verified; None = nobody looked
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)  # people of the trust file


def of_release(release: ledger.Release) -> Accepted:
    return Accepted(
        release=release.number,
        commit=release.commit,
        content=release.content,
        rules=release.rules,
        owned=release.owned,
        source=release.source,
        hotfixes=release.hotfixes,
    )


def unnumbered(commit: names.CommitId, ids: layout.Ids) -> Accepted:
    """As if it was accepted, where there is no book to say so."""
    return Accepted(
        release=0, commit=commit, content=ids.content, rules=ids.rules, owned=ids.owned
    )


def accepted(
    releases: Mapping[tuple[names.Environment, int], ledger.Release],
    environment: names.Environment,
) -> tuple[Accepted, ...]:
    """The accepted commits of an environment in order of release."""
    numbers = sorted(n for name, n in releases if name == environment)
    return tuple(of_release(releases[environment, n]) for n in numbers)
