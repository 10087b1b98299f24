"""Policies, bindings and parameters as values: what a document says, its expressions ready to run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fleet import cel
from fleet.cel import types
from fleet.model import findings, json_values, names, objects
from fleet.policy import criteria, expressions, forms, verdicts

HINT = "fleetgate.dev/hint"
ENVIRONMENTS = "fleetgate.dev/environments"
LEVELS = ("fleetgate.dev/severity", "policies.kyverno.io/severity")  # the first that is there
_BOOL, _STRING, _STRING_OR_NULL = (types.BOOL,), (types.STRING,), (types.STRING, types.NULL)

Document = Mapping[str, Any]
Path = expressions.Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    expression: expressions.Expression
    message: str
    message_expression: expressions.Expression | None
    reason: str
    denial: verdicts.Decision = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """A denial is the same each time, unless the message is an expression."""
        plain = self.message.strip() or f"failed expression: {self.expression.text.strip()}"
        denial = verdicts.Decision(
            evaluation=verdicts.Evaluation.DENY,
            message=plain,
            reason=self.reason,
            expression=self.expression,
        )
        object.__setattr__(self, "denial", denial)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """Objects that a policy does not speak of although it matches them; or what it lets pass of them, where that is
    said.
    """

    name: str
    criterion: criteria.Criterion
    conditions: tuple[expressions.Expression, ...] = field(default=(), repr=False)
    images: tuple[str, ...] = ()
    values: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        return not self.images and not self.values


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a document of another engine differs from Kubernetes' own once it has become a policy."""

    paths: Mapping[str, Path] = field(
        default_factory=dict
    )  # where the parts of the spec were written
    is_kyverno: bool = False  # its expressions are compiled as Kyverno's own engine does
    sees_namespace: bool = False  # match conditions are told the namespace
    annotates_denials: bool = (
        False  # audit annotations are made where it denies, not wherever it speaks
    )

    provided: int = 0  # variables that stand before those that are written

    def path(self, part: str) -> Path:
        return self.paths.get(part, ("spec", part))


KUBERNETES = Dialect()


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """What a policy adds to the audit log."""

    key: str
    expression: expressions.Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    form: forms.Policy = field(repr=False)
    source: objects.Source
    digest: names.Digest
    conditions: tuple[expressions.Expression, ...] = field(repr=False)
    variables: Mapping[str, expressions.Expression] = field(repr=False)
    validations: tuple[Validation, ...] = field(repr=False)
    annotations: tuple[Annotation, ...] = field(repr=False)
    dialect: Dialect = field(default=KUBERNETES, repr=False)
    title: str = ""  # the rule's name in findings
    criterion: criteria.Criterion = criteria.ALWAYS
    exemptions: tuple[Exemption, ...] = field(default=(), repr=False)
    is_generated: bool = False  # from another one, for other kinds

    @property
    def name(self) -> str:
        return self.form.metadata.name

    @property
    def param_kind(self) -> tuple[str, str] | None:
        kind = self.form.spec.param_kind
        return (kind.api_version, kind.kind) if kind else None

    @property
    def fails_open(self) -> bool:
        return self.form.spec.failure_policy == "Ignore"

    @property
    def hint(self) -> str:
        return self.form.metadata.annotations.get(HINT, "")

    @property
    def level(self) -> str:
        """How bad it is to break it; "" = nobody says."""
        annotations = self.form.metadata.annotations
        return next((annotations[key] for key in LEVELS if key in annotations), "")

    def all_expressions(self) -> Iterator[expressions.Expression]:
        yield from self.conditions
        yield from self.variables.values()
        for each in self.validations:
            yield each.expression
            if each.message_expression is not None:
                yield each.message_expression
        yield from (each.expression for each in self.annotations)


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    form: forms.Binding = field(repr=False)
    source: objects.Source
    digest: names.Digest
    criterion: criteria.Criterion = criteria.ALWAYS
    given: Document | None = field(
        default=None, repr=False
    )  # its parameters, where it brings them along

    @property
    def name(self) -> str:
        return self.form.metadata.name

    @property
    def policy(self) -> str:
        return self.form.spec.policy_name

    @property
    def severity(self) -> findings.Severity:
        """Of what the policy finds."""
        actions = self.form.spec.validation_actions
        if "Deny" in actions:
            return findings.Severity.DENY
        return findings.Severity.WARN if "Warn" in actions else findings.Severity.AUDIT

    @property
    def environments(self) -> tuple[str, ...] | None:
        """Where it counts; None = everywhere."""
        written = self.form.metadata.annotations.get(ENVIRONMENTS)
        if written is None:
            return None
        return tuple(each.strip() for each in written.split(",") if each.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A document that a policy may take as `params`."""

    value: Document = field(repr=False)
    digest: names.Digest
    source: objects.Source
    kind: tuple[str, str]  # apiVersion and kind
    name: str
    namespace: str  # where kubectl would put it if the document does not say
    labels: Mapping[str, str]


def policy(
    form: forms.Policy,
    value: Document,
    source: objects.Source,
    dialect: Dialect = KUBERNETES,
) -> Policy:
    spec = form.spec
    plain = expressions.environment(
        has_params=spec.param_kind is not None, is_kyverno=dialect.is_kyverno
    )
    variables = _variables(spec, plain, dialect)
    whole = expressions.with_variables(plain, variables)
    return Policy(
        form=form,
        source=source,
        digest=json_values.digest({**value, "status": None}),
        conditions=conditions(spec.match_conditions, dialect.path("matchConditions"), plain),
        variables=variables,
        validations=tuple(
            _validation(each, (*dialect.path("validations"), str(n)), whole)
            for n, each in enumerate(spec.validations)
        ),
        annotations=_annotations(spec, whole, dialect),
        dialect=dialect,
        title=form.metadata.name,
    )


def conditions(
    written: list[forms.MatchCondition], path: Path, where: cel.Environment
) -> tuple[expressions.Expression, ...]:
    return tuple(
        expressions.compiled(each.expression, (*path, str(n), "expression"), where, _BOOL)
        for n, each in enumerate(written)
    )


def _variables(
    spec: forms.PolicySpec, plain: cel.Environment, dialect: Dialect
) -> dict[str, expressions.Expression]:
    """Each sees those before it."""
    found: dict[str, expressions.Expression] = {}
    for n, each in enumerate(spec.variables):
        where = expressions.with_variables(plain, found)
        path = (*dialect.path("variables"), str(n - dialect.provided), "expression")
        found[each.name] = expressions.compiled(each.expression, path, where)
    return found


def _validation(form: forms.Validation, path: Path, where: cel.Environment) -> Validation:
    message = form.message_expression
    return Validation(
        expression=expressions.compiled(form.expression, (*path, "expression"), where, _BOOL),
        message=form.message or "",
        message_expression=expressions.compiled(
            message, (*path, "messageExpression"), expressions.of_messages(where), _STRING
        )
        if message
        else None,
        reason=form.reason,
    )


def _annotations(
    spec: forms.PolicySpec, where: cel.Environment, dialect: Dialect
) -> tuple[Annotation, ...]:
    path = dialect.path("auditAnnotations")
    return tuple(
        Annotation(
            key=each.key,
            expression=expressions.compiled(
                each.value_expression, (*path, str(n), "valueExpression"), where, _STRING_OR_NULL
            ),
        )
        for n, each in enumerate(spec.audit_annotations)
    )


def binding(form: forms.Binding, value: Document, source: objects.Source) -> Binding:
    return Binding(form=form, source=source, digest=json_values.digest(value))


def parameter(value: Document, source: objects.Source) -> Parameter:
    """Of whatever document: what is malformed in it makes it one that no policy finds."""
    metadata = value.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    labels = metadata.get("labels")
    return Parameter(
        value=value,
        digest=json_values.digest(value),
        source=source,
        kind=(str(value.get("apiVersion", "")), str(value.get("kind", ""))),
        name=str(metadata.get("name", "")),
        namespace=str(metadata.get("namespace") or "default"),
        labels=labels if isinstance(labels, Mapping) else {},
    )
