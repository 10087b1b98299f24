"""Which bindings may speak of a kind of object: worked out once for each kind, not for each object.

What only the object can tell (its labels and name) is left to `matching`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from fleet.policy import documents, forms, histories, matching
from fleet.policy.criteria import ALWAYS

_Kind: TypeAlias = tuple[str, str, str, str, str, tuple[tuple[str, str], ...] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`is_certain`: it speaks of every object of the kind in that namespace."""

    binding: documents.Binding
    policy: documents.Policy
    is_certain: bool

    def speaks_of(self, asked: matching.Request) -> bool:
        return self.is_certain or matches(self.policy, self.binding, asked)


def matches(policy: documents.Policy, binding: documents.Binding, asked: matching.Request) -> bool:
    """By Kubernetes' own rules, and by those of another dialect where it is from one."""
    return (
        all(matching.matches(each, asked) for each in _criteria(policy, binding))
        and policy.criterion.holds(asked)
        and binding.criterion.holds(asked)
    )


class Index:
    """It keeps what it was asked for, and says the same each time."""

    __slots__ = ("_bindings", "_deleting", "_known", "_policies", "_selects", "_telling")

    def __init__(
        self, policies: Mapping[str, documents.Policy], bindings: Iterable[documents.Binding]
    ) -> None:
        self._policies = policies
        self._bindings = tuple(bindings)
        self._selects = any(
            matching.selects_namespaces(each)
            for binding in self._bindings
            if binding.policy in policies
            for each in _criteria(policies[binding.policy], binding)
        )
        self._known: dict[_Kind, tuple[Rule, ...]] = {}
        self._deleting = frozenset(
            each.policy
            for each in self._bindings
            if each.policy in policies and histories.judge_deletions(policies[each.policy])
        )
        self._telling = frozenset(
            (each.name, each.policy)
            for each in self._bindings
            if each.policy in policies and histories.matter(policies[each.policy], each)
        )

    def rules(self, asked: matching.Request) -> tuple[Rule, ...]:
        """In the order of their bindings."""
        kind = _kind(asked, by_namespace=self._selects)
        found = self._known.get(kind)
        if found is None:
            found = self._known[kind] = tuple(self._rules(asked))
        return found

    @property
    def heeds_deletions(self) -> bool:
        return bool(self._deleting)

    def is_about_deletions(self, rule: Rule) -> bool:
        return rule.policy.name in self._deleting

    @property
    def heeds_updates(self) -> bool:
        return bool(self._telling)

    def is_about_updates(self, rule: Rule) -> bool:
        """Whether it may judge one otherwise than a creation."""
        return (rule.binding.name, rule.policy.name) in self._telling

    def heeds_update(self, asked: matching.Request) -> bool:
        """Whether of that kind, in that namespace, an update may be judged otherwise than a creation."""
        both = (replace(asked, operation=each) for each in (matching.CREATE, matching.UPDATE))
        return self.heeds_updates and any(
            self.is_about_updates(rule) for each in both for rule in self.rules(each)
        )

    def _rules(self, asked: matching.Request) -> Iterator[Rule]:
        for binding in self._bindings:
            policy = self._policies.get(binding.policy)
            if policy is None:
                continue
            criteria = _criteria(policy, binding)
            is_plain = policy.criterion is binding.criterion is ALWAYS
            is_certain = is_plain and not any(
                matching.depends_on_object(each, asked) for each in criteria
            )
            speaks = matching.matches if is_certain else matching.may_match
            if all(speaks(each, asked) for each in criteria):
                yield Rule(binding=binding, policy=policy, is_certain=is_certain)


def _criteria(
    policy: documents.Policy, binding: documents.Binding
) -> tuple[forms.MatchResources, forms.MatchResources]:
    return policy.form.spec.match_constraints, binding.form.spec.match_resources


def _kind(asked: matching.Request, *, by_namespace: bool) -> _Kind:
    """With the labels of the namespace, where some rule selects by them."""
    key, labels = asked.key, asked.namespace_labels
    told = labels.items() if labels and by_namespace else ()
    inside = None if labels is None else tuple(sorted((k, repr(v)) for k, v in told))
    return key.group, key.kind, asked.version, asked.resource, asked.operation, inside
