"""What a policy or a binding matches, in words, each part with the question that it asks of an object."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from fleet.model import findings, kinds
from fleet.policy import criteria, forms, matching

_BLANK = forms.MatchResources()
_SHOWN = 600  # characters of a criterion of another dialect


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    words: str
    holds: Callable[[matching.Request], bool] = field(repr=False, compare=False)


def parts(written: forms.MatchResources, criterion: criteria.Criterion) -> Iterator[Part]:
    """All of them must hold; none = it matches everything."""
    for name, words in _said(written):
        only = {name: getattr(written, name), "match_policy": written.match_policy}
        alone = _BLANK.model_copy(update=only)
        yield Part(words=words, holds=lambda asked, alone=alone: matching.matches(alone, asked))  # type: ignore[misc]  # bound here
    if criterion is not criteria.ALWAYS:
        yield Part(words=_of_criterion(criterion), holds=criterion.holds)


def _said(written: forms.MatchResources) -> Iterator[tuple[str, str]]:
    if written.resource_rules:
        yield "resource_rules", _rules(written.resource_rules, written.match_policy)
    if written.exclude_resource_rules:
        words = _rules(written.exclude_resource_rules, written.match_policy)
        yield "exclude_resource_rules", f"not {words}"
    if written.namespace_selector != kinds.Selector():
        yield "namespace_selector", f"namespaces with {selector(written.namespace_selector)}"
    if written.object_selector != kinds.Selector():
        yield "object_selector", f"objects with {selector(written.object_selector)}"


def _rules(rules: Iterable[forms.ResourceRule], policy: str) -> str:
    words = "; or ".join(map(_rule, rules))
    return f"{words} (exactly these versions)" if policy == "Exact" else words


def _rule(rule: forms.ResourceRule) -> str:
    groups = _any(["core" if each == "" else each for each in rule.api_groups], "any group")
    resources = _any(rule.resources, "anything")
    operations = _any(rule.operations, "any operation")
    named = f" named {', '.join(rule.resource_names)}" if rule.resource_names else ""
    scope = {"Namespaced": " inside namespaces", "Cluster": " outside namespaces"}
    return f"{operations} of {resources} in {groups}{named}{scope.get(rule.scope, '')}"


def _any(words: Iterable[str], otherwise: str) -> str:
    listed = list(words)
    return otherwise if "*" in listed else ", ".join(listed)


def selector(written: kinds.Selector) -> str:
    """As kubectl writes selectors."""
    equal = (f"{key}={value}" for key, value in written.match_labels.items())
    others = map(_requirement, written.match_expressions)
    return findings.escaped(", ".join((*equal, *others)))


def _requirement(each: kinds.Requirement) -> str:
    match each.operator:
        case kinds.Operator.IN:
            return f"{each.key} in ({', '.join(each.values)})"
        case kinds.Operator.NOT_IN:
            return f"{each.key} notin ({', '.join(each.values)})"
        case kinds.Operator.EXISTS:
            return each.key
        case _:
            return f"!{each.key}"


def _of_criterion(criterion: criteria.Criterion) -> str:
    text = findings.escaped(_words(criterion))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _words(criterion: criteria.Criterion) -> str:
    match criterion:
        case criteria.Inside(namespace=namespace):
            return f"namespace {namespace}"
        case criteria.Every(of=of):
            return " and ".join(map(_words, of)) or "everything"
        case criteria.Some(of=of):
            return f"({' or '.join(map(_words, of)) or 'nothing'})"
        case criteria.Opposite(of=inner):
            return f"not {_words(inner)}"
        case _:
            return str(getattr(criterion, "said", criterion))
