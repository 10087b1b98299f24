"""What a ValidatingAdmissionPolicy and its binding may say: the fields of Kubernetes 1.36, strictly read.

A field that Kubernetes does not know is refused as it would refuse it, and null is as good as absent. What its API
server demands of a field's content (at least one rule, no Deny beside Warn) is demanded here.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

from fleet.model import kinds

API_GROUP = "admissionregistration.k8s.io"
API_VERSION = f"{API_GROUP}/v1"
POLICY, BINDING = "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"

Written = Annotated[str, StringConstraints(min_length=1)]
Text = Annotated[str, StringConstraints(pattern=r"\S")]
Name = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)
]
Qualified = Annotated[
    str, StringConstraints(pattern=r"^([-a-z0-9.]+/)?[A-Za-z0-9]([-\w.]*[A-Za-z0-9])?$")
]
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Strings = Annotated[list[str], Field(min_length=1)]

_WITH_VALUES = frozenset({kinds.Operator.IN, kinds.Operator.NOT_IN})
_RESERVED = frozenset({"in", "true", "false", "null"})


class Form(BaseModel):
    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, alias_generator=to_camel, defer_build=True
    )

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {key: inner for key, inner in value.items() if inner is not None}


class Metadata(Form):
    model_config = ConfigDict(extra="ignore")

    name: Name
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class ResourceRule(Form):
    api_groups: Strings
    api_versions: Strings
    resources: Strings
    operations: Annotated[
        list[Literal["*", "CREATE", "UPDATE", "DELETE", "CONNECT"]], Field(min_length=1)
    ]
    resource_names: list[str] = []
    scope: Literal["*", "Namespaced", "Cluster"] = "*"

    @model_validator(mode="after")
    def _has_stars_alone(self) -> Self:
        plain = [each for each in self.resources if "/" not in each]
        for words in (self.api_groups, self.api_versions, self.operations, plain):
            if "*" in words and len(words) > 1:
                raise ValueError(f"where * is, nothing else may be, as in {words}")
        return self


class MatchResources(Form):
    resource_rules: list[ResourceRule] = []
    exclude_resource_rules: list[ResourceRule] = []
    namespace_selector: kinds.Selector = kinds.Selector()
    object_selector: kinds.Selector = kinds.Selector()
    match_policy: Literal["Exact", "Equivalent"] = "Equivalent"

    @model_validator(mode="after")
    def _selects_soundly(self) -> Self:
        for selector in (self.namespace_selector, self.object_selector):
            for each in selector.match_expressions:
                if (each.operator in _WITH_VALUES) is not bool(each.values):
                    raise ValueError(f"selector {each.key}: In and NotIn have values, others none")
        return self


class MatchConstraints(MatchResources):
    resource_rules: list[ResourceRule] = Field(min_length=1)


class Named(Form):
    """A variable."""

    name: Identifier
    expression: Text


class MatchCondition(Form):
    name: Qualified
    expression: Text


class Validation(Form):
    expression: Text
    message: Text | None = None  # several lines, which an API server refuses, do no harm here
    message_expression: Text | None = None
    reason: Literal["Unauthorized", "Forbidden", "Invalid", "RequestEntityTooLarge"] = "Invalid"


class AuditAnnotation(Form):
    key: Written
    value_expression: Text


class ParamKind(Form):
    api_version: Written
    kind: Written


class PolicySpec(Form):
    failure_policy: Literal["Fail", "Ignore"] = "Fail"
    param_kind: ParamKind | None = None
    match_constraints: MatchConstraints
    match_conditions: list[MatchCondition] = Field(default=[], max_length=64)
    variables: list[Named] = []
    validations: list[Validation] = []
    audit_annotations: list[AuditAnnotation] = Field(default=[], max_length=20)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if any(each.name in _RESERVED for each in self.variables):
            raise ValueError("a variable has a name that is a word of the language")
        if not self.validations and not self.audit_annotations:
            raise ValueError("it has neither validations nor auditAnnotations")
        for names in (self.variables, self.match_conditions):
            if len({each.name for each in names}) < len(names):
                raise ValueError("two of its variables or matchConditions have one name")
        return self


class Policy(Form):
    api_version: Literal["admissionregistration.k8s.io/v1"]
    kind: Literal["ValidatingAdmissionPolicy"]
    metadata: Metadata
    spec: PolicySpec
    status: Any = None


class ParamRef(Form):
    name: str = ""
    namespace: str = ""
    selector: kinds.Selector | None = None
    parameter_not_found_action: Literal["Allow", "Deny"]

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if bool(self.name) == (self.selector is not None):
            raise ValueError("it needs one of name and selector")
        return self


class BindingSpec(Form):
    policy_name: Written
    param_ref: ParamRef | None = None
    match_resources: MatchResources = MatchResources()
    validation_actions: Annotated[
        list[Literal["Deny", "Warn", "Audit"]], Field(min_length=1, max_length=3)
    ]

    @model_validator(mode="after")
    def _says_how(self) -> Self:
        actions = self.validation_actions
        if len(set(actions)) < len(actions) or {"Deny", "Warn"} <= set(actions):
            raise ValueError("validationActions has a word twice, or both Deny and Warn")
        return self


class Binding(Form):
    api_version: Literal["admissionregistration.k8s.io/v1"]
    kind: Literal["ValidatingAdmissionPolicyBinding"]
    metadata: Metadata
    spec: BindingSpec
