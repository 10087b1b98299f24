"""All objects of one cluster, found by what others ask for: name, labels of Pods, what an operator would make."""

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from fleet.manifests import scopes
from fleet.manifests.admission import labels
from fleet.model import objects
from fleet.policy.relations import reading, references

# In all, so that no revision can make the search cost more than its reading.
_COMPARISONS = 500_000
Labels = Mapping[str, str]


class ExhaustedError(Exception):
    """There were more comparisons than are worth their time."""


@dataclass(slots=True)
class _Space:
    """One namespace's Pods by label, each different set of labels once."""

    pods: dict[tuple[tuple[str, str], ...], Labels] = field(default_factory=dict)
    by_label: dict[tuple[str, str], list[Labels]] = field(default_factory=dict)
    has_custom: bool = False

    def add(self, carried: Labels) -> None:
        key = tuple(sorted(carried.items()))
        if key not in self.pods:
            self.pods[key] = carried
            for each in key:
                self.by_label.setdefault(each, []).append(carried)

    def candidates(self, wanted: Labels) -> Iterable[Labels]:
        """Those with the rarest of the labels."""
        if not wanted:
            return self.pods.values()
        return min((self.by_label.get(each, []) for each in wanted.items()), key=len)


References: TypeAlias = dict[int, tuple[objects.Reference, ...]]
Kind: TypeAlias = tuple[str, str]  # group and kind


class Index:
    """Names and kinds in one pass over the objects, all else when somebody asks for it.

    `known` are the references of objects that other clusters have too, by the identity of the manifest.
    """

    def __init__(
        self, manifests: Iterable[objects.Manifest], known: References | None = None
    ) -> None:
        self._known: References = {} if known is None else known
        self.manifests = tuple(manifests)
        self.objects: dict[objects.Key, objects.Manifest] = {}
        self.kinds: dict[Kind, list[objects.Manifest]] = {}
        self._sound: dict[int, bool] = {}
        self._spaces: dict[str, _Space] = {}
        self._names: dict[tuple[str, str, str], list[str]] = {}
        self._left = _COMPARISONS
        for each in self.manifests:
            key = each.key
            self.objects.setdefault(key, each)
            self.kinds.setdefault((key.group, key.kind), []).append(each)

    @functools.cached_property
    def _made(self) -> set[objects.Key]:
        """What is there once others have been applied."""
        found: set[objects.Key] = set()
        for (group, kind), listed in self.kinds.items():
            for each in listed if kind == "StatefulSet" else ():
                found.update(_claims(each))
            for each in () if _is_own((group, kind)) else listed:
                found.update(_makes(each))
        return found

    @functools.cached_property
    def _by_namespace(self) -> dict[str, list[objects.Manifest]]:
        found: dict[str, list[objects.Manifest]] = {}
        for each in self.manifests:
            found.setdefault(each.key.namespace, []).append(each)
        return found

    def _space(self, namespace: str) -> _Space:
        if namespace not in self._spaces:
            self._spaces[namespace] = _space_of(self._by_namespace.get(namespace, ()))
        return self._spaces[namespace]

    def references(self, manifest: objects.Manifest) -> tuple[objects.Reference, ...]:
        if manifest.refers is not None:
            return manifest.refers
        found = self._known.get(id(manifest))
        if found is None:
            found = self._known[id(manifest)] = tuple(references.of(manifest))
        return found

    def is_sound(
        self, reference: objects.Reference, ask: Callable[[objects.Reference, "Index"], bool]
    ) -> bool:
        """Asked once of a reference that many objects share."""
        known = self._sound.get(id(reference))
        if known is None:
            known = self._sound[id(reference)] = ask(reference, self)
        return known

    def has(self, key: objects.Key) -> bool:
        return key in self.objects or key in self._made

    def names(self, like: objects.Key) -> list[str]:
        """Of objects of the same kind in the same namespace."""
        if not self._names:
            for key in self.objects:
                self._names.setdefault((key.group, key.kind, key.namespace), []).append(key.name)
        return self._names.get((like.group, like.kind, like.namespace), [])

    def may_be_operated(self, namespace: str) -> bool:
        """Custom resources live there: an operator may make Pods of them."""
        return self._space(namespace).has_custom

    def selects_something(self, namespace: str, selector: Mapping[str, Any]) -> bool:
        """Raises ExhaustedError."""
        space = self._space(namespace)
        wanted = reading.part(selector, "matchLabels")
        for carried in space.candidates({k: v for k, v in wanted.items() if isinstance(v, str)}):
            self._left -= 1
            if self._left < 0:
                raise ExhaustedError
            if labels.matches(selector, carried):
                return True
        return False


def _space_of(manifests: Iterable[objects.Manifest]) -> _Space:
    found = _Space()
    for each in manifests:
        pod = reading.pod(each)
        if pod is not None:
            found.add(reading.labels(pod[1]))
        elif not scopes.is_built_in(each.key.group):
            found.has_custom = True
            for carried in filter(None, _operated(each)):
                found.add(carried)
    return found


def _is_own(kind: Kind) -> bool:
    """Of Kubernetes itself: nobody makes others of it."""
    return reading.is_pod(kind) or scopes.is_built_in(kind[0])


def _claims(manifest: objects.Manifest) -> Iterable[objects.Key]:
    """A StatefulSet's claims are named by its Pods' numbers; the first few are enough to be told from a slip."""
    for _, template in reading.each(reading.body(manifest), "spec", "volumeClaimTemplates"):
        name = reading.text(template, "metadata", "name")
        for number in range(16):
            yield objects.Key(
                group="",
                kind="PersistentVolumeClaim",
                namespace=manifest.key.namespace,
                name=f"{name}-{manifest.key.name}-{number}",
            )


# Where custom resources most often say what the Pods of their operator are labelled with.
_PODS_OF_OPERATORS = (
    ("spec", "template"),
    ("spec", "podTemplate"),
    ("spec", "jobTemplate", "spec", "template"),
)


def _operated(manifest: objects.Manifest) -> Iterable[Labels]:
    body = reading.body(manifest)
    yield from (reading.labels(reading.part(body, *where)) for where in _PODS_OF_OPERATORS)
    yield reading.labels({"metadata": reading.part(body, "spec", "podMetadata")})


# Custom resources of which it is known that a Secret is made, and where its name is; "" = the resource's own.
_SECRETS: Mapping[tuple[str, str], reading.Path] = {
    ("cert-manager.io", "Certificate"): ("spec", "secretName"),
    ("external-secrets.io", "ExternalSecret"): ("spec", "target", "name"),
    ("bitnami.com", "SealedSecret"): ("spec", "template", "metadata", "name"),
}


def _makes(manifest: objects.Manifest) -> Iterable[objects.Key]:
    where = _SECRETS.get(reading.kind_of(manifest))
    if where:
        name = reading.text(reading.body(manifest), *where) or manifest.key.name
        yield objects.Key(group="", kind="Secret", namespace=manifest.key.namespace, name=name)
