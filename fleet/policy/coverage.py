"""How many objects each rule looked at: counted by kinds of objects, so that it costs next to nothing beside judging.

A policy has looked at what its match rules and those of a binding select; its match conditions may still have let an
object go.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from fleet.manifests import scopes
from fleet.model import findings, json_values, names, objects
from fleet.policy import applying, criteria, forms, matching, policies

ON_EVERY_OBJECT = ("schema",)

Judged = Counter[tuple[str, str]]  # objects by rule and namespace
_Kind = tuple[bool, str, str, str, str]

_NOTHING: Mapping[str, Any] = {}


def judged(
    manifests: Mapping[names.Cluster, tuple[objects.Manifest, ...]],
    book: policies.PolicySet,
    environment: names.Environment,
    known: scopes.Scopes,
    runs: Mapping[names.Cluster, tuple[objects.Manifest, ...]],
) -> Judged:
    """Each object once, on however many clusters it is; as an update where it runs already."""
    bound = policies.for_environment(book, environment)
    found: Judged = Counter()
    seen: set[objects.Key] = set()
    different = {tuple(map(id, each)): cluster for cluster, each in manifests.items()}
    for cluster in different.values():
        share, held = manifests[cluster], {each.key for each in runs.get(cluster, ())}
        kinds: dict[_Kind, list[objects.Manifest]] = {}
        for each in share:
            if each.key not in seen:
                seen.add(each.key)
                kinds.setdefault((each.key in held, *_kind(each)), []).append(each)
        labels = _namespaces(share)
        for kind, group in kinds.items():
            scene = _Scene(labels, known, _NOTHING if kind[0] else None)
            for rule, count in _counted(group, bound, scene).items():
                found[rule, kind[-1]] += count
    return found


class _Scene(NamedTuple):
    labels: Mapping[str, Mapping[str, str]]  # of Namespaces
    known: scopes.Scopes
    old: Mapping[str, Any] | None  # whatever it is; None = they are new

    def asked(self, manifest: objects.Manifest) -> matching.Request:
        return matching.request(manifest, self.labels, self.known, _head(manifest), self.old)


def _kind(manifest: objects.Manifest) -> tuple[str, str, str, str]:
    key = manifest.key
    return key.group, key.kind, manifest.version, key.namespace


def _counted(
    group: list[objects.Manifest], bound: policies.PolicySet, scene: _Scene
) -> Counter[str]:
    """Of one kind in one namespace; only where a rule may speak of some of them alone, they are looked at."""
    rules = bound.index.rules(scene.asked(group[0]))
    certain = {each.policy.title for each in rules if each.is_certain}
    found = Counter(dict.fromkeys((*ON_EVERY_OBJECT, *certain), len(group)))
    others = [each for each in rules if each.policy.title not in certain]
    alike = _distinguishing(others)
    parts: dict[object, list[objects.Manifest]] = {}
    for each in group if others else ():
        parts.setdefault(alike(each), []).append(each)
    for part in parts.values():
        asked = scene.asked(part[0])
        for title in {each.policy.title for each in others if each.speaks_of(asked)}:
            found[title] += len(part)
    return found


def _distinguishing(rules: Collection[applying.Rule]) -> Callable[[objects.Manifest], object]:
    """What they can tell objects of a kind apart by: names and labels only where one of them asks for them."""
    matched = list(_criteria(rules))
    by_labels = any(_selects(each) for each in matched)
    by_name = any(rule.resource_names for each in matched for rule in _resource_rules(each))
    # Whatever another dialect looks at: then each object is one of its kind.
    by_name = by_name or not all(
        each.policy.criterion is each.binding.criterion is criteria.ALWAYS for each in rules
    )

    def alike(manifest: objects.Manifest) -> object:
        is_own = by_name or manifest.key.kind == "Namespace"  # each has labels of its own
        return is_own and manifest.key.name, str(_labels(manifest)) if by_labels else ""

    return alike


def _criteria(rules: Iterable[applying.Rule]) -> Iterator[forms.MatchResources]:
    for each in rules:
        yield each.policy.form.spec.match_constraints
        yield each.binding.form.spec.match_resources


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
    return matching.texts(_head(manifest), "labels")


def passed(counted: Judged, found: Iterable[findings.Finding]) -> dict[tuple[str, str], int]:
    """What is left of the objects that a rule looked at, less those in which it found something."""
    wrong: dict[tuple[str, str], set[str]] = {}
    for each in found:
        namespace = each.subject.rpartition("/")[0].rpartition(" ")[2]
        wrong.setdefault((each.rule, namespace), set()).add(each.subject)
    left = {key: count - len(wrong.get(key, ())) for key, count in counted.items()}
    return {key: count for key, count in left.items() if count > 0}


def _head(manifest: objects.Manifest) -> json_values.JsonObject:
    """Match rules ask for no more than metadata."""
    return manifest.body if manifest.sketch is None else manifest.sketch
