"""Which rules judge an update otherwise than a creation: for these alone anyone asks what an object was before."""

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
