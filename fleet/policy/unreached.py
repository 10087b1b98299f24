"""Policies that speak of kinds that are here and of no object: by labels that no Namespace here has.

Whoever checks a Pod by itself hears nothing of them, and would take silence for consent.
"""

from collections.abc import Collection, Iterable, Iterator

from fleet.manifests import scopes
from fleet.model import findings, kinds, objects
from fleet.policy import documents, forms, matching, policies

_HINT = "check the Namespace with them, labelled as it is in the cluster"
_MOST = 4  # selectors that are repeated


def check(
    manifests: Iterable[objects.Manifest],
    bound: policies.PolicySet,
    known: scopes.Scopes,
    reached: Collection[str],
) -> Iterator[findings.Finding]:
    """`reached` are the titles of policies that have looked at some object."""
    asked = _kinds(manifests, known)
    for policy in bound.policies.values():
        if policy.title not in reached and not policy.is_generated:
            selecting = list(_selectors(policy, bound.bindings, asked))
            if selecting:
                yield _finding(policy, selecting)


def _kinds(
    manifests: Iterable[objects.Manifest], known: scopes.Scopes
) -> Collection[matching.Request]:
    """One of each kind that lives in namespaces: no other is passed over for the labels of one."""
    found = {(e.key.group, e.key.kind, e.version): e for e in manifests if e.key.namespace}
    return [matching.request(each, {}, known, {}) for each in found.values()]


def _selectors(
    policy: documents.Policy,
    bindings: Iterable[documents.Binding],
    asked: Collection[matching.Request],
) -> Iterator[kinds.Selector]:
    """By which Namespaces are selected, where such an object could be meant."""
    for binding in bindings:
        both = (policy.form.spec.match_constraints, binding.form.spec.match_resources)
        if binding.policy == policy.name and any(_may_match(both, each) for each in asked):
            yield from (e.namespace_selector for e in both if matching.selects_namespaces(e))


def _may_match(both: Iterable[forms.MatchResources], asked: matching.Request) -> bool:
    return all(matching.may_match(each, asked) for each in both)


def _finding(policy: documents.Policy, selecting: list[kinds.Selector]) -> findings.Finding:
    named = list(dict.fromkeys(map(_shown, selecting)))
    more = f" and {len(named) - _MOST} more" if len(named) > _MOST else ""
    wanted = ", ".join(named[:_MOST])
    return findings.Finding(
        rule=policy.title,
        severity=findings.Severity.AUDIT,
        message=findings.escaped(
            f"it judges none of these objects: its namespaceSelector ({wanted}{more}) selects no Namespace of theirs"
        ),
        place=policy.source.place,
        hint=_HINT,
    )


def _shown(selector: kinds.Selector) -> str:
    labels = (f"{key}={value}" for key, value in selector.match_labels.items())
    others = (
        f"{each.key} {each.operator.value}{f' {each.values}' if each.values else ''}"
        for each in selector.match_expressions
    )
    return " and ".join((*labels, *others))[:200]
