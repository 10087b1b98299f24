"""How many objects each rule looked at: counted by kinds of objects, so that it costs next to nothing beside judging.

A policy has looked at what its match rules and those of a binding select; its match conditions may still have let an
object go.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from fleet.manifests import scopes
from fleet.model import findings, names, objects
from fleet.policy import applying, criteria, forms, matching, policies

ON_EVERY_OBJECT = ("schema",)

Judged = Counter[tuple[str, str]]  # objects by rule and namespace


def judged(
    manifests: Mapping[names.Cluster, tuple[objects.Manifest, ...]],
    book: policies.PolicySet,
    environment: names.Environment,
    known: scopes.Scopes,
) -> Judged:
    """Each object once, on however many clusters it is."""
    bound = policies.for_environment(book, environment)
    alike = _distinguishing(bound)
    found: Judged = Counter()
    seen: set[objects.Key] = set()
    for share in {tuple(map(id, each)): each for each in manifests.values()}.values():
        grouped: dict[object, list[objects.Manifest]] = {}
        for each in share:
            if each.key not in seen:
                seen.add(each.key)
                grouped.setdefault(alike(each), []).append(each)
        labels = _namespaces(share)
        for group in grouped.values():
            asked = matching.request(group[0], labels, known, group[0].body)
            for rule in (*ON_EVERY_OBJECT, *_rules(bound, asked)):
                found[rule, group[0].key.namespace] += len(group)
    return found


def _rules(bound: policies.PolicySet, asked: matching.Request) -> set[str]:
    found = set()
    for binding in bound.bindings:
        policy = bound.policies.get(binding.policy)
        if policy is None or policy.title in found:
            continue
        if applying.matches(policy, binding, asked):
            found.add(policy.title)
    return found


def _distinguishing(bound: policies.PolicySet) -> Callable[[objects.Manifest], object]:
    """What match rules can tell objects apart by: names and labels only where some rule asks for them."""
    matched = list(_criteria(bound))
    by_labels = any(_selects(each) for each in matched)
    by_name = any(rule.resource_names for each in matched for rule in _resource_rules(each))
    others = [each.criterion for each in bound.policies.values()]
    others += [each.criterion for each in bound.bindings]
    # Whatever another dialect looks at: then each object is one of its kind.
    by_name = by_name or any(each is not criteria.ALWAYS for each in others)

    def alike(manifest: objects.Manifest) -> object:
        key = manifest.key
        is_own = by_name or key.kind == "Namespace"  # each has labels of its own
        labels = str(_labels(manifest)) if by_labels else ""
        return key.group, key.kind, key.namespace, manifest.version, is_own and key.name, labels

    return alike


def _criteria(bound: policies.PolicySet) -> Iterator[forms.MatchResources]:
    for policy in bound.policies.values():
        yield policy.form.spec.match_constraints
    for binding in bound.bindings:
        yield binding.form.spec.match_resources


def _resource_rules(matched: forms.MatchResources) -> list[forms.ResourceRule]:
    return [*matched.resource_rules, *matched.exclude_resource_rules]


def _selects(matched: forms.MatchResources) -> bool:
    selector = matched.object_selector
    return bool(selector.match_labels or selector.match_expressions)


def _namespaces(share: Iterable[objects.Manifest]) -> dict[str, Mapping[str, str]]:
    return {
        each.key.name: _labels(each)
        for each in share
        if (each.key.group, each.key.kind) == ("", "Namespace")
    }


def _labels(manifest: objects.Manifest) -> Mapping[str, str]:
    labels = manifest.body["metadata"].get("labels")
    return labels if isinstance(labels, Mapping) else {}


def passed(counted: Judged, found: Iterable[findings.Finding]) -> dict[tuple[str, str], int]:
    """What is left of the objects that a rule looked at, less those in which it found something."""
    wrong: dict[tuple[str, str], set[str]] = {}
    for each in found:
        namespace = each.subject.rpartition("/")[0].rpartition(" ")[2]
        wrong.setdefault((each.rule, namespace), set()).add(each.subject)
    left = {key: count - len(wrong.get(key, ())) for key, count in counted.items()}
    return {key: count for key, count in left.items() if count > 0}
