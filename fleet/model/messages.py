"""What hub and agent tell each other, as values; fleet.protocol writes them down and signs them."""

from dataclasses import dataclass, field
from datetime import datetime

from fleet.model import approving, changes, findings, health, json_values, leaving, names
from fleet.model import permits as allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What was accepted: the part of a release that approvers sign too. Digests are "sha256:..."."""

    environment: names.Environment
    release: int
    commit: names.CommitId
    content: names.ContentId
    rules: names.RulesId
    owned: names.OwnedId
    slices_root: names.Root
    policies: names.Digest  # of the policy set that judged
    gates: names.Digest  # of the gate settings that were in force
    renderers: tuple[str, ...]  # "kustomize v5.7.1 sha256:..."
    decision: names.Digest  # of the decision's record
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """What one cluster shall run. `retire` set means: run nothing further of ours, and how to leave."""

    cluster: names.Cluster
    environment: names.Environment
    uid: str
    slice: names.SliceDigest
    release: int
    era: int  # grows only by recovery
    sequence: int  # grows by each new dispatch of this cluster
    issued: datetime
    expires: datetime
    statement: json_values.JsonObject = field(repr=False)  # DSSE envelope of a Statement
    proof: tuple[str, ...]  # RFC 6962 audit path of (cluster, slice) under slices_root
    index: int  # of that leaf
    leaves: int  # how many there are
    max_deleted_share: float
    permits: tuple[allowed.Permit, ...] = ()
    retire: leaving.OnRemoval | None = None
    trace: str = ""  # W3C traceparent
    trust: tuple[approving.TrustFile, ...] = field(
        default=(), metadata=findings.LATER
    )  # from version 1 on
    approvals: tuple[approving.Signed, ...] = field(default=(), metadata=findings.LATER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """The agent's standing question. `echo` is the last dispatch envelope that it holds, None before the first."""

    cluster: names.Cluster
    environment: names.Environment
    uid: str
    echo: json_values.JsonObject | None = field(repr=False)
    wait: int  # seconds that the hub may hold the answer
    reported: int  # number of its last report that the hub confirmed


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    cluster: names.Cluster
    environment: names.Environment
    uid: str
    slice: names.SliceDigest


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How a cluster stands towards one dispatch."""

    cluster: names.Cluster
    environment: names.Environment
    uid: str
    number: int  # grows by each report of this cluster
    era: int
    sequence: int
    slice: names.SliceDigest
    release: int
    at: datetime  # the agent's clock
    health: health.Health
    applied: bool  # everything of the slice is applied and everything superfluous gone
    outcomes: tuple[changes.Outcome, ...]  # those that are not simply unchanged and Current
    objects: int  # how many the slice has
    kubernetes: str  # real version, as "v1.36.3"
    retired: bool = False
    stale: bool = False  # the dispatch has expired
    repairs: tuple[changes.Outcome, ...] = ()  # drift put back since the last report
    trace: str = ""
