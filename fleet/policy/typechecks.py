"""Expressions held against the schemas of what they judge: a field that no object can have is found before any object.

As the API server's own type checking of a policy (kube-controller-manager, `status.typeChecking`) these are warnings.
Where a policy speaks of several kinds, its expressions may ask which one they have: only what none of them has is said,
where Kubernetes warns of each.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from fleet import cel
from fleet.cel import types
from fleet.manifests import scopes
from fleet.model import findings, json_values, names
from fleet.policy import documents, expressions, forms, schematypes

Kind: TypeAlias = tuple[str, str, str]  # group, version, kind

_MOST = 10  # kinds of one rule, as in Kubernetes


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The kinds of one Kubernetes version and of the repository's CRDs. `identity` names all that they say."""

    identity: names.Digest
    kinds: Iterable[Kind]
    schema: Callable[[Kind], Mapping[str, Any] | None]
    scopes: scopes.Scopes


def key(policy: documents.Policy, known: Known) -> str:
    """All that the verdict on a policy depends on."""
    return f"types/{json_values.digest([policy.digest, known.identity])}"


def check(policy: documents.Policy, known: Known) -> Iterator[findings.Finding]:
    kinds = () if policy.is_generated else _kinds(policy, known)
    if not kinds:
        return
    named = ", ".join(f"{kind[2]}.{kind[0]}" if kind[0] else kind[2] for kind in kinds)
    subject = schematypes.union([_typed(kind, known) for kind in kinds], kinds[0][2])
    for expression, error in _faults(policy, subject, _params(policy, known)):
        yield _finding(policy, expression, error, named)


_Fault: TypeAlias = tuple[expressions.Expression, cel.CompileError]


def _faults(policy: documents.Policy, subject: types.Type, params: types.Type) -> Iterator[_Fault]:
    """Each variable sees those before it; one that is wrong is dyn to what comes after."""
    plain = expressions.environment(
        has_params=policy.param_kind is not None, is_kyverno=policy.dialect.is_kyverno
    )
    for name in ("object", "oldObject"):
        plain = plain.extended(name, subject)
    if policy.param_kind is not None:
        plain = plain.extended("params", params)
    variables: dict[str, expressions.Expression] = {}
    for name, each in policy.variables.items():
        where = expressions.with_variables(plain, variables)
        variables[name] = expressions.compiled(each.text, each.path, where)
        if variables[name].program is None:
            yield from _of(each, where)
    whole = expressions.with_variables(plain, variables)
    for validation in policy.validations:
        yield from _of(validation.expression, whole)
        if validation.message_expression is not None:
            yield from _of(validation.message_expression, expressions.of_messages(whole))


def _of(each: expressions.Expression, where: cel.Environment) -> Iterator[_Fault]:
    if each.program is None:
        return  # found already
    try:
        cel.compile(each.text, where)
    except cel.CompileError as error:
        yield each, error


def _kinds(policy: documents.Policy, known: Known) -> list[Kind]:
    """Those that its rules name in full; a rule with a star names none."""
    found: dict[Kind, None] = {}
    for rule in policy.form.spec.match_constraints.resource_rules:
        named = _named(rule, known)
        found |= dict.fromkeys(named[:_MOST])
    return sorted(found)


def _named(rule: forms.ResourceRule, known: Known) -> list[Kind]:
    resources = {each for each in rule.resources if not set(each) & {"*", "/"}}
    return [
        kind
        for kind in sorted(known.kinds)
        if kind[0] in rule.api_groups
        and kind[1] in rule.api_versions
        and _plural(kind, known) in resources
    ]


def _plural(kind: Kind, known: Known) -> str:
    custom = known.scopes.custom.get((kind[0], kind[2]))
    return custom.plural if custom else scopes.plural(kind[2])


def _typed(kind: Kind, known: Known) -> types.Type:
    schema = known.schema(kind)
    return types.DYN if schema is None else schematypes.of(schema, kind[2])


def _params(policy: documents.Policy, known: Known) -> types.Type:
    if policy.param_kind is None:
        return types.DYN
    group, _, version = policy.param_kind[0].rpartition("/")
    return _typed((group, version, policy.param_kind[1]), known)


def _finding(
    policy: documents.Policy,
    expression: expressions.Expression,
    error: cel.CompileError,
    kinds: str,
) -> findings.Finding:
    close = difflib.get_close_matches(error.word, error.known, n=1)
    return findings.Finding(
        rule=policy.title,
        severity=findings.Severity.WARN,
        message=findings.escaped(f"of {kinds}: {error} (at character {error.offset + 1})"),
        place=policy.source.place,
        hint=f"did you mean {close[0]}?" if close else "",
        field=expression.path,
    )
