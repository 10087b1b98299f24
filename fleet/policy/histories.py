"""Which rules look at more than what comes: what an object was before, or that it goes. For these alone anyone asks."""

import re
from collections.abc import Iterator

from fleet.policy import criteria, documents, expressions, forms, matching

# Of `request` all but its operation and options is the same; what is written otherwise might be anything.
_OLD = re.compile(
    r"\boldObject\b|\brequest\b(?!\s*\.\s*(?:\?\s*)?(?!operation\b|options\b)[a-zA-Z])"
)


def matter(policy: documents.Policy, binding: documents.Binding) -> bool:
    """Taken for yes where it cannot be told. A selector of objects asks for the old labels too."""
    matched = (policy.form.spec.match_constraints, binding.form.spec.match_resources)
    return (
        any(_tells_operations(each) or matching.selects_objects(each) for each in matched)
        or any(each.names_operations for each in _criteria(policy, binding))
        or any(_OLD.search(each.text) for each in _expressions(policy))
    )


def judge_deletions(policy: documents.Policy) -> bool:
    """Rules of dialects that name no operations are not meant for them."""
    names_operations = policy.dialect is documents.KUBERNETES or policy.dialect.is_kyverno
    rules = policy.form.spec.match_constraints.resource_rules
    return names_operations and any(matching.speaks_of(e, matching.DELETE) for e in rules)


def _criteria(
    policy: documents.Policy, binding: documents.Binding
) -> tuple[criteria.Criterion, ...]:
    exempt = (each.criterion for each in policy.exemptions)
    return (policy.criterion, binding.criterion, *exempt)


def _tells_operations(written: forms.MatchResources) -> bool:
    rules = (*written.resource_rules, *written.exclude_resource_rules)
    return any(
        matching.speaks_of(each, matching.CREATE) != matching.speaks_of(each, matching.UPDATE)
        for each in rules
    )


def _expressions(policy: documents.Policy) -> Iterator[expressions.Expression]:
    """Those that a dialect provides are the same for both."""
    provided = {id(e) for e in list(policy.variables.values())[: policy.dialect.provided]}
    yield from (each for each in policy.all_expressions() if id(each) not in provided)
    for each in policy.exemptions:
        yield from each.conditions
