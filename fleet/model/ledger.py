"""What the hub knows and must not forget: the rows of its book.

Rows are the present, records (fleet.audit) are how it came about; both are written in one transaction.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TypeAlias, get_args

from fleet.model import (
    approving,
    findings,
    json_values,
    leaving,
    messages,
    names,
    observed,
    pacing,
)
from fleet.model import permits as allowed

_LATER = findings.LATER  # inside Decision the module's name is a field's


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One environment on the road."""

    environment: names.Environment
    branch: names.Branch


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """List and order of environments, and which paths each owns. It changes only by its last environment."""

    steps: tuple[Step, ...]
    owned: tuple[str, ...]  # patterns with {environment}; the built-in three come first

    def before(self, environment: names.Environment) -> names.Environment | None:
        """The environment that it takes promotions from; None for the first."""
        order = [step.environment for step in self.steps]
        place = order.index(environment)
        return order[place - 1] if place else None

    def after(self, environment: names.Environment) -> names.Environment | None:
        """The environment that takes promotions from it; None for the last."""
        order = [step.environment for step in self.steps]
        return next((n for one, n in itertools.pairwise(order) if one == environment), None)

    def branch(self, environment: names.Environment) -> names.Branch:
        return next(step.branch for step in self.steps if step.environment == environment)


class Verdict(Enum):
    ACCEPTED = "accepted"
    WAITING = "waiting"
    REFUSED = "refused"


class Lineage(Enum):
    """What a candidate is towards what its environment runs; see fleet.gate.lineage."""

    BASELINE = "baseline"
    ENTRY = "entry"
    PROMOTION = "promotion"
    PARTIAL = "partial promotion"
    OWNED = "owned-path change"
    NOTHING = "no change"
    HOTFIX = "hotfix"
    ROLLBACK = "rollback"
    REWRITE = "rewritten branch"
    UNADOPTED = "nothing accepted here yet"
    UNDECIDED = "waits for upstream's decision"
    UNACCEPTED = "not accepted upstream"
    OLDER = "older than what runs"
    ALTERED = "altered on the way"
    DIRECT = "direct change of shared paths"
    INCOMPLETE = "incomplete"
    CARRIED = "changes the target's owned paths"


class GateState(Enum):
    OPEN = "open"
    WAITING = "waiting"
    REFUSED = "refused"
    ERROR = "error"  # it could not be judged: counts as waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    gate: str
    state: GateState
    reason: str
    hint: str = ""
    until: datetime | None = field(
        default=None, metadata=findings.LATER
    )  # when the clock alone changes it


@dataclass(frozen=True, slots=True, kw_only=True)
class Hotfix:
    """A shared path that was changed right here. It is open until upstream has it, or it is dropped.

    `based_on` is upstream's form of the file when it was made: while upstream keeps that, promotions keep the fix.
    Forms are mode and blob, as `100644 0123...`; "" = no such file.
    """

    path: str
    based_on: str
    fixed: str
    commit: names.CommitId
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The verdict on one candidate with every reason."""

    environment: names.Environment
    commit: names.CommitId
    author: str
    subject: str
    verdict: Verdict
    lineage: Lineage
    content: names.ContentId
    rules: names.RulesId
    owned: names.OwnedId
    findings: tuple[findings.Finding, ...]
    gates: tuple[GateResult, ...]
    at: datetime
    release: int = 0  # of an accepted one
    slices_root: names.Root | None = None
    clusters: tuple[names.Cluster, ...] = ()
    source: int = field(default=0, metadata=_LATER)  # the newest of upstream's in it
    back_to: int = field(default=0, metadata=_LATER)  # the own release it goes back to
    hotfixes: tuple[Hotfix, ...] = field(default=(), metadata=_LATER)  # open with it


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """An accepted commit of an environment with what it means for each cluster."""

    environment: names.Environment
    number: int
    commit: names.CommitId
    content: names.ContentId
    rules: names.RulesId
    owned: names.OwnedId
    slices_root: names.Root
    statement: json_values.JsonObject = field(repr=False)
    slices: Mapping[names.Cluster, names.SliceDigest]
    retired: Mapping[names.Cluster, leaving.OnRemoval]
    waves: tuple[tuple[names.Cluster, ...], ...]
    objects: Mapping[names.Cluster, int]
    permits: tuple[allowed.Permit, ...]
    max_deleted_share: float
    stale_after: int
    accepted: datetime
    healthy: datetime | None = None  # when all its clusters that reported were healthy, first
    trace: str = ""
    waived: tuple[findings.Finding, ...] = field(
        default=(), metadata=findings.LATER
    )  # what it was let through with
    source: int = field(default=0, metadata=findings.LATER)  # the newest of upstream's in it
    hotfixes: tuple[Hotfix, ...] = field(default=(), metadata=findings.LATER)  # open with it
    trust: tuple[approving.TrustFile, ...] = field(default=(), metadata=findings.LATER)
    consent: approving.Consent | None = field(
        default=None, metadata=findings.LATER
    )  # what people had to agree to
    terms: tuple[pacing.Terms, ...] = field(
        default=(), metadata=findings.LATER
    )  # of each of `waves`
    windows: tuple[tuple[json_values.JsonObject, ...], ...] = field(
        default=(), metadata=findings.LATER
    )  # by the settings in force and by its own, as gating.written has them: all must be open
    broken: tuple[names.Cluster, ...] = field(
        default=(), metadata=findings.LATER
    )  # that failed already with the release before: they count neither as failed nor as unavailable
    deadline: int = field(default=0, metadata=findings.LATER)  # seconds; 0 = none
    rolls_back: bool = field(default=False, metadata=findings.LATER)  # when a wave of it fails
    replaces: pacing.Replaced | None = field(default=None, metadata=findings.LATER)
    footing: pacing.Footing = field(default=pacing.Footing(), metadata=findings.LATER)

    def term(self, number: int) -> pacing.Terms:
        """Of the wave of that number, from 0. Releases of an older book have none: no limits."""
        if number < len(self.terms):
            return self.terms[number]
        return pacing.Terms(wave=str(number + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentState:
    """Where an environment stands. `decision` is on the newest tip seen, whether or not it was accepted."""

    environment: names.Environment
    release: int = 0  # the release in force; 0 = none yet
    wave: int = 0  # how many waves of it are out
    decision: Decision | None = None
    hold: str = ""  # why nothing is decided here, in words; "" = nothing holds
    floor: int = 0  # releases up to here may have been seen by agents of a newer, lost book
    spell: pacing.Spell | None = field(
        default=None, metadata=findings.LATER
    )  # where soak or deadline ask
    failed: pacing.Failure | None = field(
        default=None, metadata=findings.LATER
    )  # the release in force


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterState:
    """What the hub knows of one cluster of one environment."""

    environment: names.Environment
    cluster: names.Cluster
    uid: str
    public_key: str
    labels: Mapping[str, str]
    kubernetes_version: str
    release: int = 0  # what it shall run; 0 = nothing yet
    era: int = 1
    sequence: int = 0  # of the last dispatch signed
    dispatch: messages.Dispatch | None = None
    envelope: json_values.JsonObject | None = field(default=None, repr=False)
    report: messages.Report | None = None
    reported: datetime | None = None  # the hub's clock
    retire: leaving.OnRemoval | None = None
    retired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A finding with its life: from the first commit that had it to the first that no longer does."""

    environment: names.Environment
    finding: findings.Finding
    commit: names.CommitId
    author: str
    since: datetime
    until: datetime | None = None

    @property
    def id(self) -> names.Digest:
        finding = self.finding
        subject = [
            self.environment,
            finding.rule,
            finding.place.path,
            finding.subject,
            finding.message,
        ]
        return json_values.digest([*subject, self.since.isoformat()])


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What a person signed, whose key a trust file of the environment named when it came."""

    environment: names.Environment
    signed: approving.Signed
    voice: approving.Voice

    @property
    def id(self) -> names.Digest:
        """By key and words: the same said again, even with another signature, is the same."""
        return json_values.digest([self.voice.key, self.signed.text])


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """Facts of the book as a whole. `held` set: everything holds until someone recovers the book."""

    schema: int
    road: Road | None = None
    held: str = ""
    epoch: int = field(default=1, metadata=findings.LATER)  # of the log; grows by recovery
    began: int = field(default=0, metadata=findings.LATER)  # the record of that recovery


Row: TypeAlias = (
    Seal
    | EnvironmentState
    | Release
    | ClusterState
    | Violation
    | Approval
    | pacing.Halt
    | observed.Row
)


KINDS: Mapping[str, type[Row]] = {
    kind.__name__: kind for kind in get_args(Row)
}  # as a book names them

Place: TypeAlias = tuple[names.Environment, names.ContentId]


@dataclass(slots=True, kw_only=True)
class Ledger:
    """All rows in memory, as the hub works with them. Changed only by `take`, after the book took the same rows."""

    seal: Seal = field(default_factory=lambda: Seal(schema=1))
    environments: dict[names.Environment, EnvironmentState] = field(default_factory=dict)
    releases: dict[tuple[names.Environment, int], Release] = field(default_factory=dict)
    clusters: dict[names.Cluster, ClusterState] = field(default_factory=dict)
    violations: dict[names.Digest, Violation] = field(default_factory=dict)
    approvals: dict[names.Digest, Approval] = field(default_factory=dict)
    soaks: dict[Place, observed.Soak] = field(default_factory=dict)
    statuses: dict[names.ContentId, dict[tuple[str, str], observed.Status]] = field(
        default_factory=dict
    )
    quarantines: dict[Place, observed.Quarantine] = field(default_factory=dict)
    halts: dict[str, pacing.Halt] = field(default_factory=dict)
    broken_glass: dict[tuple[names.Environment, str], observed.BreakGlass] = field(
        default_factory=dict
    )  # by person
    cosigned: dict[names.Cluster, observed.Cosigned] = field(default_factory=dict)
    rebaselines: dict[names.Environment, observed.Rebaseline] = field(default_factory=dict)

    def take(self, row: Row) -> None:
        match row:
            case Seal():
                self.seal = row
            case EnvironmentState():
                self.environments[row.environment] = row
            case Release():
                self.releases[row.environment, row.number] = row
            case ClusterState():
                self.clusters[row.cluster] = row
            case Violation():
                self.violations[row.id] = row
            case Approval():
                self.approvals[row.id] = row
            case pacing.Halt():
                self.halts[row.key] = row
            case _:
                self._observed(row)

    def _observed(self, row: observed.Row) -> None:
        match row:
            case observed.Soak():
                self.soaks[row.environment, row.content] = row
            case observed.Status():
                self.statuses.setdefault(row.content, {})[row.issuer, row.context] = row
            case observed.Quarantine():
                self.quarantines[row.environment, row.content] = row
            case observed.BreakGlass():
                self.broken_glass[row.environment, row.by] = row
            case observed.Cosigned():
                self.cosigned[row.cluster] = row
            case observed.Rebaseline():
                self.rebaselines[row.environment] = row

    def in_force(self, environment: names.Environment) -> Release | None:
        state = self.environments.get(environment)
        return self.releases.get((environment, state.release)) if state else None


def key(row: Row) -> str:
    """The row's primary key within its kind."""
    match row:
        case Seal():
            return ""
        case EnvironmentState():
            return row.environment
        case Release():
            return f"{row.environment}/{row.number}"
        case ClusterState():
            return row.cluster
        case Violation() | Approval():
            return row.id
        case pacing.Halt():
            return row.key
        case _:
            return observed.key(row)
