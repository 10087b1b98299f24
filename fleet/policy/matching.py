"""Which objects a policy speaks of: Kubernetes' match rules and selectors, on manifests as if they were created."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fleet.manifests import scopes
from fleet.model import kinds, objects
from fleet.policy import forms

CREATE, UPDATE, DELETE = "CREATE", "UPDATE", "DELETE"
NAME_LABEL = "kubernetes.io/metadata.name"  # the API server gives it to each Namespace
_NAMESPACE = ("", "Namespace")
_EXEMPT = frozenset(  # no API server asks a policy about these
    {
        (forms.API_GROUP, kind)
        for kind in (
            forms.POLICY,
            forms.BINDING,
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
        )
    }
)

_ANY = kinds.Selector()
_EVENT = "Event"
_SERVED_TWICE = dict.fromkeys(("", "events.k8s.io"), ("", "events.k8s.io"))

Labels = Mapping[str, str]
Version = tuple[str, str]  # group and version


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the API server would be asked. `namespace_labels` are None outside namespaces; of what is deleted `body` is
    the old object, which expressions see as `oldObject` alone.
    """

    key: objects.Key
    version: str
    resource: str
    body: Mapping[str, Any] = field(repr=False)
    namespace_labels: Labels | None
    operation: str = CREATE
    old: Mapping[str, Any] | None = field(default=None, repr=False)  # what an update replaces
    user: Mapping[str, Any] | None = field(
        default=None, repr=False
    )  # who asks, where that is known
    namespace_annotations: Labels | None = None
    meant: Version | None = None  # as what policies see it, where that is not as it was written

    @property
    def written(self) -> Version:
        return self.key.group, self.version

    @property
    def lacks_old(self) -> bool:
        """It replaces something that nobody here can show."""
        return self.operation == UPDATE and self.old is None

    @property
    def is_namespace(self) -> bool:
        return (self.key.group, self.key.kind) == _NAMESPACE

    @property
    def labels(self) -> dict[str, str]:
        return self._written("labels")

    @property
    def annotations(self) -> dict[str, str]:
        return self._written("annotations")

    def _written(self, field: str) -> dict[str, str]:
        return dict(texts(self.body, field))


def request(
    manifest: objects.Manifest,
    namespaces: Mapping[str, Labels],
    known: scopes.Scopes,
    body: Mapping[str, Any],
    old: Mapping[str, Any] | None = None,
) -> Request:
    """`body` is what is judged: the manifest's own, or as the API server would complete it. It is created, or where an
    older one is known updated.
    """
    key = manifest.key
    labels = labels_of(key.namespace, namespaces) if key.namespace else None
    return Request(
        key=key,
        version=manifest.version,
        resource=known.plural(key),
        body=body,
        namespace_labels=labels,
        operation=CREATE if old is None else UPDATE,
        old=old,
    )


def texts(body: Mapping[str, Any], field: str) -> Labels:
    """An object's labels or annotations. Malformed ones are the schema's finding; no selector selects by them."""
    metadata = body.get("metadata")
    found = metadata.get(field) if isinstance(metadata, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def labels_of(namespace: str, namespaces: Mapping[str, Labels]) -> Labels:
    """Of a Namespace that the repository holds, or the one label that any Namespace has."""
    return {**namespaces.get(namespace, {}), NAME_LABEL: namespace}


def matches(criteria: forms.MatchResources, asked: Request) -> bool:
    """No resource rules match everything, as a binding without any does."""
    return (
        (asked.key.group, asked.key.kind) not in _EXEMPT
        and _selects_namespace(criteria.namespace_selector, asked)
        and _selects_object(criteria.object_selector, asked)
        and not _any(criteria.exclude_resource_rules, criteria, asked)
        and (not criteria.resource_rules or _any(criteria.resource_rules, criteria, asked))
    )


def meant(criteria: forms.MatchResources, asked: Request, served: Iterable[Version]) -> Version:
    """The version of its kind that rules which match an object speak of: as it was written, if they name that.

    A version that nobody serves is no other form of it.
    """
    rules = criteria.resource_rules
    if not rules or _any_exactly(rules, asked, asked.written):
        return asked.written
    others = [
        each
        for rule in rules
        for each in served
        if each != asked.written and _any_exactly([rule], asked, each)
    ]
    return others[0] if others else asked.written


def _any_exactly(rules: Iterable[forms.ResourceRule], asked: Request, version: Version) -> bool:
    return any(_fits_exactly(rule, asked, version) and _is_named(rule, asked) for rule in rules)


def may_match(criteria: forms.MatchResources, asked: Request) -> bool:
    """Whether some object of that kind and scope is matched, by the operation, group, version and resource alone."""
    return (asked.key.group, asked.key.kind) not in _EXEMPT and (
        not criteria.resource_rules
        or _any(criteria.resource_rules, criteria, asked, by_name=False)
    )


def depends_on_object(criteria: forms.MatchResources, asked: Request) -> bool:
    """Whether of that kind, in one namespace or outside of any, some objects may be matched and others not."""
    listed = (*criteria.resource_rules, *criteria.exclude_resource_rules)
    named = [each for each in listed if each.resource_names]
    return (
        _any(named, criteria, asked, by_name=False)
        or selects_objects(criteria)
        or (asked.is_namespace and selects_namespaces(criteria))
    )


def selects_objects(criteria: forms.MatchResources) -> bool:
    return criteria.object_selector != _ANY


def selects_namespaces(criteria: forms.MatchResources) -> bool:
    return criteria.namespace_selector != _ANY


def _selects_namespace(selector: kinds.Selector, asked: Request) -> bool:
    """A Namespace counts by its own labels; whatever else lives outside namespaces is always selected."""
    if asked.is_namespace:
        return kinds.selects(selector, {**asked.labels, NAME_LABEL: asked.key.name})
    return asked.namespace_labels is None or kinds.selects(selector, dict(asked.namespace_labels))


def _selects_object(selector: kinds.Selector, asked: Request) -> bool:
    """As it comes or as it was: no label that goes takes an object out of a policy's sight."""
    old = {} if asked.old is None else texts(asked.old, "labels")
    return kinds.selects(selector, asked.labels) or (
        asked.old is not None and kinds.selects(selector, dict(old))
    )


def _any(
    rules: Iterable[forms.ResourceRule],
    criteria: forms.MatchResources,
    asked: Request,
    *,
    by_name: bool = True,
) -> bool:
    is_exact = criteria.match_policy == "Exact"
    return any(
        _fits(rule, asked, is_exact=is_exact) and (not by_name or _is_named(rule, asked))
        for rule in rules
    )


def speaks_of(rule: forms.ResourceRule, operation: str) -> bool:
    return _has(rule.operations, operation)


def _is_named(rule: forms.ResourceRule, asked: Request) -> bool:
    return not rule.resource_names or asked.key.name in rule.resource_names


def _fits(rule: forms.ResourceRule, asked: Request, *, is_exact: bool) -> bool:
    """Equivalent takes an object for what it is in every version of its kind (threat 53)."""
    if is_exact:
        return _fits_exactly(rule, asked, asked.written)
    return any(_has(rule.api_groups, each) for each in _groups(asked)) and _is_about(rule, asked)


def _fits_exactly(rule: forms.ResourceRule, asked: Request, version: Version) -> bool:
    return (
        _has(rule.api_groups, version[0])
        and _has(rule.api_versions, version[1])
        and _is_about(rule, asked)
    )


def _is_about(rule: forms.ResourceRule, asked: Request) -> bool:
    return (
        speaks_of(rule, asked.operation)
        and any(_is_resource(each, asked.resource) for each in rule.resources)
        and _is_in_scope(rule.scope, asked)
    )


def _groups(asked: Request) -> tuple[str, ...]:
    """Where an object is served: one kind of Kubernetes is in two groups."""
    group, kind = asked.key.group, asked.key.kind
    return _SERVED_TWICE.get(group, (group,)) if kind == _EVENT else (group,)


def _has(words: Iterable[str], word: str) -> bool:
    return any(each in ("*", word) for each in words)


def _is_resource(pattern: str, resource: str) -> bool:
    """`pods/*` is pods and all their subresources, `pods/status` only that, which no manifest is."""
    name, slash, inner = pattern.partition("/")
    return name in ("*", resource) and (not slash or inner == "*")


def _is_in_scope(scope: str, asked: Request) -> bool:
    if scope == "*":
        return True
    return (scope == "Namespaced") == (asked.namespace_labels is not None)
