"""The kinds that a repository's CRDs bring: what policies see of them, and the rest of the API server's verdict."""

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from fleet.manifests import conversions, declared, defaults
from fleet.manifests.schemas import completion, structural, validate
from fleet.model import findings, json_values, names, objects
from fleet.policy import matching
from fleet.policy.crds import expenses, invariants, judging, rules, spots

CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")
_OLD = "oldSelf"
_SEMANTICS = 2  # in each identity: no verdict is taken over that another judge remembered


class Customs:
    """By group, version and kind; Kubernetes' own kinds come first, as no CRD may say otherwise of them."""

    def __init__(self, crds: Iterable[Mapping[str, Any]]) -> None:
        self.crds = tuple(crds)
        self._schemas = {
            kind: schema for crd in self.crds for kind, schema in structural.versions(crd)
        }
        self._with_status = {kind for crd in self.crds for kind in _with_status(crd)}
        self._trees: dict[validate.Kind, rules.Node | None] = {}
        self._digests: dict[validate.Kind, names.Digest] = {}
        self._versions: dict[tuple[str, str], tuple[matching.Version, ...]] = {}
        for group, version, kind in self._schemas:
            before = self._versions.get((group, kind), ())
            self._versions[group, kind] = (*before, (group, version))
        self._converted_outside = {named for crd in self.crds if (named := _by_webhook(crd))}

    @cached_property
    def digest(self) -> names.Digest:
        """Of all that the CRDs say."""
        return json_values.digest(sorted(map(json_values.digest, self.crds)))

    def judged(self, manifest: objects.Manifest) -> json_values.JsonObject:
        """As admission sees it: completed, and without what is not stored."""
        schema = self._schemas.get(kind_of(manifest))
        if schema is None or defaults.is_known(manifest.body):
            found: json_values.JsonObject = defaults.completed(manifest.body)
            return found
        return self._created(manifest, schema)

    def identity(self, manifest: objects.Manifest) -> str:
        """All that `judged` depends on besides the manifest: "" for a kind that no CRD brings."""
        kind = kind_of(manifest)
        if kind not in self._schemas:
            return ""
        if kind not in self._digests:
            about = [self._schemas[kind], self.versions(manifest.key), self._is_plain(kind)]
            self._digests[kind] = json_values.digest(about)
        return self._digests[kind]

    def versions(self, key: objects.Key) -> tuple[matching.Version, ...]:
        """All that the kind is served in."""
        known = conversions.versions(key.group, key.kind)
        return known or self._versions.get((key.group, key.kind), ())

    def converted(self, body: Any, to: matching.Version) -> Any:
        """None where only the API server and a webhook know how."""
        group, _, version = str(body.get("apiVersion")).rpartition("/")
        kind = str(body.get("kind"))
        if (group, version, kind) not in self._schemas or defaults.is_known(body):
            return conversions.converted(body, to)
        is_known = (*to, kind) in self._schemas and self._is_plain((group, version, kind))
        return {**body, "apiVersion": "/".join(to)} if is_known else None

    def _is_plain(self, kind: validate.Kind) -> bool:
        """Whether all versions are the same but for their name."""
        return (kind[0], kind[2]) not in self._converted_outside

    @cached_property
    def transitional(self) -> frozenset[validate.Kind]:
        """Kinds with rules about what changes, or with words that look like one."""
        return frozenset(
            kind for kind, schema in self._schemas.items() if _OLD in json.dumps(schema)
        )

    def faults(
        self, manifest: objects.Manifest, old: objects.Manifest | None = None
    ) -> Iterator[spots.Fault]:
        """Of a resource that fits its JSON Schema, and what it replaces."""
        kind = kind_of(manifest)
        schema = self._schemas.get(kind)
        if schema is None:
            return
        body = self._created(manifest, schema)
        yield from invariants.faults(body, schema)
        unformed = list(invariants.unformed(body, schema))
        if unformed:
            yield from unformed
            return
        if kind not in self._trees:
            self._trees[kind] = rules.tree_of(schema)
        node = self._trees[kind]
        if node is not None:
            yield from self._changes(node, body, old)

    def _changes(
        self, node: rules.Node, body: json_values.JsonObject, old: objects.Manifest | None
    ) -> Iterator[spots.Fault]:
        group, _, version = str(body["apiVersion"]).rpartition("/")
        before = None if old is None else self.judged(old)
        if old is not None and old.version != version:
            before = self.converted(before, (group, version))
            if before is None:
                said = f"not evaluated: what runs is in {old.version}, and only an API server can convert it"
                yield spots.Fault(spots.Spot(), said, is_verdict=False)
        yield from judging.faults(node, body, before)

    def _created(
        self, manifest: objects.Manifest, schema: Mapping[str, Any]
    ) -> json_values.JsonObject:
        """A status is for its own subresource to write, where there is one."""
        made: dict[str, Any] = completion.completed(manifest.body, schema)
        if kind_of(manifest) in self._with_status:
            made.pop("status", None)
        return made


class Schemas(validate.Schemas):
    """Schemas with all else that the API server holds custom resources and their definitions to."""

    def __init__(
        self,
        *,
        version: str,
        source: str,
        definitions: Mapping[str, Any],
        brought: Customs,
    ) -> None:
        super().__init__(
            version=version, source=source, definitions=definitions, crds=brought.crds
        )
        self._customs = brought
        self.identity = json_values.digest([_SEMANTICS, self.identity])

    @property
    def has_transitions(self) -> bool:
        return bool(self._customs.transitional)

    def heeds_update(self, manifest: objects.Manifest) -> bool:
        """Whether what is said of it may depend on what runs."""
        return kind_of(manifest) in self._customs.transitional

    def validate(
        self, manifest: objects.Manifest, old: objects.Manifest | None = None
    ) -> tuple[findings.Finding, ...]:
        found = super().validate(manifest)
        if (manifest.key.group, manifest.key.kind) == CRD:
            return (*found, *of_definition(manifest.body, manifest.source, str(manifest.key)))
        if found or defaults.is_known(manifest.body):
            return found
        faults = self._customs.faults(manifest, old)
        return tuple(_finding(each, manifest.source, str(manifest.key)) for each in faults)


def key(rule: declared.Rule) -> str:
    """All that the verdict on a CRD among the rules depends on."""
    return f"crd/{_SEMANTICS}/{json_values.digest(rule.value)}"


def of_rule(rule: declared.Rule) -> Iterator[findings.Finding]:
    """Of a CRD that lies among the rules of a repository."""
    metadata = rule.value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else ""
    subject = findings.escaped(f"{CRD[1]}.{CRD[0]} {name}")
    return of_definition(rule.value, rule.source, subject)


def of_definition(
    crd: Mapping[str, Any], source: objects.Source, subject: str
) -> Iterator[findings.Finding]:
    """What is wrong with the rules that stand in a CRD, each at its line."""
    spec = crd.get("spec")
    listed = spec.get("versions") if isinstance(spec, Mapping) else None
    for place, version in enumerate(listed if isinstance(listed, list) else ()):
        written = version.get("schema") if isinstance(version, Mapping) else None
        schema = written.get("openAPIV3Schema") if isinstance(written, Mapping) else None
        node = rules.tree_of(schema)
        root = ("spec", "versions", str(place), "schema", "openAPIV3Schema")
        for path, text in expenses.faults(node) if node is not None else ():
            spot = spots.Spot(".".join((*root, *path)), (*root, *path))
            yield _finding(spots.Fault(spot, text), source, subject)
        for rule in node.everywhere() if node is not None else ():
            for path, text in _unsound(rule):
                spot = spots.Spot(".".join((*root, *path)), (*root, *path))
                yield _finding(spots.Fault(spot, text), source, subject)


def _unsound(rule: rules.Rule) -> Iterator[tuple[rules.Path, str]]:
    yield from rule.faults
    for each in (rule.expression, rule.message_expression):
        if each is not None and each.fault and each.text.strip():
            yield each.path, f"compilation failed: {each.fault}"


def kind_of(manifest: objects.Manifest) -> validate.Kind:
    return (manifest.key.group, manifest.version, manifest.key.kind)


def _with_status(crd: Mapping[str, Any]) -> Iterator[validate.Kind]:
    served = {kind[1]: kind for kind, _ in structural.versions(crd)}
    spec = crd.get("spec")
    listed = spec.get("versions") if isinstance(spec, Mapping) else None
    for version in listed if isinstance(listed, list) else ():
        inner = version.get("subresources") if isinstance(version, Mapping) else None
        if isinstance(inner, Mapping) and inner.get("status") is not None:
            kind = served.get(str(version.get("name")))
            if kind is not None:
                yield kind


def _by_webhook(crd: Mapping[str, Any]) -> tuple[str, str] | None:
    """Group and kind of a CRD whose versions differ in more than their name."""
    spec = crd.get("spec")
    conversion = spec.get("conversion") if isinstance(spec, Mapping) else None
    if not isinstance(spec, Mapping) or not isinstance(conversion, Mapping):
        return None
    named = spec.get("names")
    kind = named.get("kind") if isinstance(named, Mapping) else None
    is_plain = conversion.get("strategy") in (None, "None")
    return None if is_plain else (str(spec.get("group")), str(kind))


def _finding(fault: spots.Fault, source: objects.Source, subject: str) -> findings.Finding:
    return findings.Finding(
        rule="schema",
        severity=findings.Severity.DENY if fault.is_verdict else findings.Severity.UNKNOWN,
        message=findings.escaped(str(fault)),
        place=source.place,
        subject=subject,
        field=() if source.rendered else fault.spot.steps,
    )
