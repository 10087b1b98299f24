"""The kinds of `fleetgate.dev/v1alpha1`: what a fleet repository says about itself.

Strict by pydantic: no coercion, no unknown field. Every field has its sentence; the JSON Schemas for editors and
docs/repository.md are drawn from here.
"""

from enum import Enum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from fleet.model import gating, leaving, names, permits, strict, trusting

API_VERSION = names.API_VERSION
GROUP = "fleetgate.dev"
OnRemoval = leaving.OnRemoval


class Metadata(strict.Strict):
    name: strict.Label = Field(description="Unique among the kind; a DNS-1123 label.")
    labels: dict[str, str] = Field(default={}, description="For selectors.")
    annotations: dict[str, str] = Field(default={}, description="For people and other programs.")


class Operator(Enum):
    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


class Requirement(strict.Strict):
    key: str = Field(description="The label's key.")
    operator: Operator = Field(strict=False, description="As in Kubernetes label selectors.")
    values: list[str] = Field(default=[], description="For In and NotIn.")


class Selector(strict.Strict):
    match_labels: dict[str, str] = Field(default={}, description="All of these labels.")
    match_expressions: list[Requirement] = Field(default=[], description="All of these hold.")


class Targets(Selector):
    clusters: list[strict.Label] | None = Field(
        default=None, description="By name; none = any name."
    )


class Wave(strict.Strict):
    name: strict.Label = Field(description="Shown in status and records.")
    selector: Selector = Field(
        default=Selector.model_construct(),
        description="Which clusters. Each fits exactly one wave; in the last, absent = all others.",
    )
    size: gating.Size | None = Field(
        default=None,
        description="At most so many clusters at once, as 2 or 25%: a larger wave goes in parts.",
    )
    max_unavailable: gating.Share = Field(
        default="0%",
        description="So many of its clusters may be unhealthy and the next wave still opens.",
    )
    soak: strict.Span = Field(
        default=gating.NO_TIME, description="How long it must be healthy before the next opens."
    )
    approvals: list[gating.Approvals] = Field(
        default=[], max_length=10, description="Who must agree before it opens."
    )


class Guard(strict.Strict):
    max_deleted_share: float = Field(
        default=0.5, ge=0, le=1, description="More of a cluster's objects than this need a Permit."
    )


class HealthGate(strict.Strict):
    stale_after: int = Field(
        default=300,
        ge=1,
        description="Seconds without a sign of life after which health is unknown.",
    )
    quorum: gating.Share = Field(
        default="1", description="So many upstream clusters must report, as 3 or 80%."
    )


class Enforcement(Enum):
    DENY = "deny"
    WARN = "warn"
    AUDIT = "audit"


class PolicySetting(strict.Strict):
    rule: strict.Word = Field(description="A policy's name.")
    enforcement: Enforcement = Field(
        strict=False, description="What its findings do here, whatever its bindings say."
    )


class WaiverTerms(strict.Strict):
    wildcards: bool = Field(
        default=False, description="Waivers may name every rule, or rules for every object."
    )
    max_days: int = Field(default=366, ge=1, le=3660, description="The farthest end, from today.")
    owners: list[strict.Owner] = Field(
        default=[], description="Who may own a waiver; absent = whoever it names."
    )


class EnvironmentSpec(strict.Strict):
    name: strict.Label = Field(description="The environment's name.")
    branch: str | None = Field(default=None, description="Its branch; its name if absent.")
    waves: list[Wave] = Field(
        default=[],
        description="In order; each cluster in exactly one of them. Absent: canaries first.",
    )
    guard: Guard = Field(
        default=Guard.model_construct(), description="What may be deleted without a Permit."
    )
    health: HealthGate = Field(
        default=HealthGate.model_construct(), description="When health counts."
    )
    policies: list[PolicySetting] = Field(
        default=[], max_length=1000, description="Rules that are enforced differently here."
    )
    baseline: bool = Field(
        default=False,
        description="Violations that the release in force has too only warn: new ones block.",
    )
    waivers: WaiverTerms = Field(
        default=WaiverTerms.model_construct(), description="What waivers may say."
    )
    gates: gating.Gates = Field(
        default=gating.Gates.model_construct(),
        description="What a commit must pass besides lineage and policies.",
    )
    rollout: gating.Rollout = Field(
        default=gating.Rollout.model_construct(), description="What happens when a wave fails."
    )
    hotfix: gating.Hotfix | None = Field(
        default=None, description="Paths that may be changed right here; absent: none may."
    )


class FleetSpec(strict.Strict):
    environments: list[EnvironmentSpec] = Field(
        min_length=1,
        max_length=32,
        description="In order of promotion: commits enter at the first.",
    )
    owned_paths: list[str] = Field(
        default=[],
        description="More paths of one environment each, as config/{environment}.",
    )


class Fleet(strict.Strict):
    """fleet.yaml: the environments in order, and what each asks of a commit."""

    api_version: Literal["fleetgate.dev/v1alpha1"]
    kind: Literal["Fleet"]
    metadata: Metadata
    spec: FleetSpec


class ClusterSpec(strict.Strict):
    uid: str = Field(
        min_length=1, max_length=64, description="UID of the cluster's kube-system namespace."
    )
    public_key: str = Field(description="The agent's Ed25519 key: 32 bytes, base64.")
    proof: str = Field(
        description="Its signature over cluster, environment, uid and key: 64 bytes, base64."
    )
    kubernetes_version: str = Field(
        pattern=r"^1\.[0-9]{1,3}$", description="Minor version that manifests are checked against."
    )
    variables: dict[str, str] = Field(default={}, description="For bundles that substitute.")
    on_removal: OnRemoval = Field(
        default=OnRemoval.ORPHAN,
        strict=False,
        description="What happens to its objects when this document goes.",
    )


class Cluster(strict.Strict):
    """clusters/ENVIRONMENT/NAME.yaml: registers one Kubernetes API server by its agent's key."""

    api_version: Literal["fleetgate.dev/v1alpha1"]
    kind: Literal["Cluster"]
    metadata: Metadata
    spec: ClusterSpec


class BundleSpec(strict.Strict):
    path: str = Field(default=".", description="Folder of the manifests, relative to this file's.")
    targets: Targets = Field(
        default=Targets.model_construct(), description="Which clusters; absent = every cluster."
    )
    namespace: strict.Label | None = Field(
        default=None, description="For namespaced objects that name none."
    )
    substitute: bool = Field(default=False, description="Replace ${...} in plain YAML.")
    variables: dict[str, str] = Field(default={}, description="Defaults for substitution.")
    values: list[str] = Field(
        default=[],
        description="Files of variables, later ones win; {environment} is replaced; may lie in owned paths.",
    )
    depends_on: list[strict.Label] = Field(
        default=[], description="Bundles that must be there first."
    )
    takeover: bool = Field(
        default=False, description="Take over live objects that fleet did not create."
    )


class Bundle(strict.Strict):
    """bundle.yaml: one unit of delivery, how it is rendered and where it goes."""

    api_version: Literal["fleetgate.dev/v1alpha1"]
    kind: Literal["Bundle"]
    metadata: Metadata
    spec: BundleSpec = BundleSpec.model_construct()


class ObjectReference(strict.Strict):
    cluster: str = Field(default="*", description="A cluster's name, or * for each.")
    group: str = Field(default="", description='API group, "" for core.')
    kind: str = Field(description="As Deployment.")
    namespace: str = Field(default="", description='"" for cluster-scoped objects.')
    name: str = Field(description="The object's name.")


class PermitSpec(strict.Strict):
    reason: str = Field(min_length=1, description="Why; kept in the audit log.")
    expires: AwareDatetime = Field(
        strict=False, description="RFC 3339 with a zone; it permits nothing after."
    )
    delete: list[ObjectReference] = Field(default=[], description="Guarded objects that may go.")
    takeover: list[ObjectReference] = Field(
        default=[], description="Live objects that may be taken over."
    )
    max_deleted_share: float | None = Field(
        default=None, ge=0, le=1, description="Lifts the guard's share to this."
    )


class Permit(strict.Strict):
    """In environments/ENVIRONMENT/**: allows named deletions or takeovers until it ends."""

    api_version: Literal["fleetgate.dev/v1alpha1"]
    kind: Literal["Permit"]
    metadata: Metadata
    spec: PermitSpec

    def carried(self) -> permits.Permit:
        """As a dispatch carries it."""
        spec = self.spec
        return permits.Permit(
            api_version=self.api_version,
            kind=self.kind,
            metadata=permits.Metadata(**dict(self.metadata)),
            spec=permits.Terms(
                reason=spec.reason,
                expires=spec.expires,
                delete=tuple(permits.Reference(**dict(each)) for each in spec.delete),
                takeover=tuple(permits.Reference(**dict(each)) for each in spec.takeover),
                max_deleted_share=spec.max_deleted_share,
            ),
        )


class WaivedObjects(strict.Strict):
    """Objects that fit all that is said here; `*` in a name, a namespace or a path stands for any letters."""

    group: str | None = Field(default=None, max_length=253, description='API group, "" for core.')
    kind: strict.Word | None = Field(default=None, description="As Deployment.")
    namespace: str | None = Field(
        default=None, max_length=253, description='"" for cluster-scoped objects.'
    )
    name: strict.Word | None = Field(default=None, description="The object's name.")
    labels: Selector | None = Field(default=None, description="By the object's own labels.")
    path: Annotated[str, StringConstraints(min_length=1, max_length=1024)] | None = Field(
        default=None, description="The file, as apps/web/*.yaml or apps/web/**."
    )
    clusters: list[strict.Label] | None = Field(
        default=None, min_length=1, description="Only there; absent = in every cluster."
    )


class WaiverSpec(strict.Strict):
    rules: list[strict.Word] = Field(
        min_length=1, max_length=100, description="Names of policies."
    )
    objects: list[WaivedObjects] = Field(
        min_length=1, max_length=1000, description="What is waived: whatever fits one of these."
    )
    owner: strict.Owner = Field(description="Who answers for it.")
    reason: strict.Sentence = Field(description="Why; kept in the audit log.")
    ticket: strict.Sentence = Field(description="Where it is followed up.")
    expires: strict.Moment = Field(
        description="A day (its beginning, UTC) or RFC 3339 with a zone; it waives nothing after."
    )


class Waiver(strict.Strict):
    """In environments/ENVIRONMENT/**: named objects may break named rules until it ends."""

    api_version: Literal["fleetgate.dev/v1alpha1"]
    kind: Literal["Waiver"]
    metadata: Metadata
    spec: WaiverSpec


class Trust(strict.Strict):
    """trust/ENVIRONMENT/N.yaml, signed in N.sig: whose approvals the environment's agents believe."""

    api_version: Literal["fleetgate.dev/v1alpha1"]
    kind: Literal["Trust"]
    metadata: Metadata
    spec: trusting.TrustSpec


KINDS: dict[str, type[Fleet | Cluster | Bundle | Permit | Waiver | Trust]] = {
    "Fleet": Fleet,
    "Cluster": Cluster,
    "Bundle": Bundle,
    "Permit": Permit,
    "Waiver": Waiver,
    "Trust": Trust,
}


def selects(selector: Selector, labels: dict[str, str]) -> bool:
    """As Kubernetes label selectors: an empty selector selects everything."""
    return all(labels.get(key) == value for key, value in selector.match_labels.items()) and all(
        _holds(requirement, labels) for requirement in selector.match_expressions
    )


def _holds(requirement: Requirement, labels: dict[str, str]) -> bool:
    value = labels.get(requirement.key)
    match requirement.operator:
        case Operator.IN:
            return value is not None and value in requirement.values
        case Operator.NOT_IN:
            return value is None or value not in requirement.values
        case Operator.EXISTS:
            return value is not None
        case Operator.DOES_NOT_EXIST:
            return value is None
