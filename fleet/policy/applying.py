"""Which bindings may speak of a kind of object: worked out once for each kind, not for each object.

What only the object can tell (labels, its name, its namespace's labels) is left to `matching`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from fleet.policy import documents, forms, matching
from fleet.policy.criteria import ALWAYS

_Kind: TypeAlias = tuple[str, str, str, str, str, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`is_certain`: it speaks of every object of the kind."""

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

    __slots__ = ("_bindings", "_known", "_policies")

    def __init__(
        self, policies: Mapping[str, documents.Policy], bindings: Iterable[documents.Binding]
    ) -> None:
        self._policies = policies
        self._bindings = tuple(bindings)
        self._known: dict[_Kind, tuple[Rule, ...]] = {}

    def rules(self, asked: matching.Request) -> tuple[Rule, ...]:
        """In the order of their bindings."""
        kind = _kind(asked)
        found = self._known.get(kind)
        if found is None:
            found = self._known[kind] = tuple(self._rules(asked))
        return found

    def _rules(self, asked: matching.Request) -> Iterator[Rule]:
        for binding in self._bindings:
            policy = self._policies.get(binding.policy)
            if policy is None:
                continue
            criteria = _criteria(policy, binding)
            if all(matching.may_match(each, asked) for each in criteria):
                is_certain = not any(map(matching.depends_on_object, criteria)) and (
                    policy.criterion is binding.criterion is ALWAYS
                )
                yield Rule(binding=binding, policy=policy, is_certain=is_certain)


def _criteria(
    policy: documents.Policy, binding: documents.Binding
) -> tuple[forms.MatchResources, forms.MatchResources]:
    return policy.form.spec.match_constraints, binding.form.spec.match_resources


def _kind(asked: matching.Request) -> _Kind:
    key = asked.key
    is_inside = asked.namespace_labels is not None
    return key.group, key.kind, asked.version, asked.resource, asked.operation, is_inside
