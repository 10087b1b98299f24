"""Rules that the clusters enforce themselves: marked policies become objects of every slice, as they are written.

A policy is marked by its annotation; its bindings that count in the environment and its parameters go with it. What a
cluster enforces knows no waiver, no softer setting and no baseline, so for these rules the gate knows none either.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fleet.judge import readings
from fleet.manifests import declared, objects, scopes
from fleet.model import findings, json_values, names
from fleet.model import objects as words
from fleet.policy import applying, documents, forms, matching, policies

MARK = f"{documents.ENVIRONMENTS.partition('/')[0]}/install"
ORIGIN = names.Bundle("policies")
_OPERATIONS = ("CREATE", "UPDATE", "DELETE")
# What an agent writes for itself: an admission that refused it would keep it from ever taking that admission away.
_OF_AGENTS = (("v1", "Secret"), ("coordination.k8s.io/v1", "Lease"))

Document = Mapping[str, Any]
Written = tuple[Document, words.Source]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Marked:
    policies: frozenset[str]
    parameters: frozenset[tuple[str, str]]  # apiVersion and kind


def read(reading: readings.Reading, known: scopes.Scopes) -> objects.Read:
    """The objects that every cluster of the environment gets beside its bundles."""
    origin = objects.Origin(
        bundle=ORIGIN, namespace="default", takeover=False, scopes=known, speaks_for_fleet=True
    )
    return objects.read(_documents(reading), origin)


def installed(reading: readings.Reading) -> frozenset[str]:
    """The names of policies that are installed: marked, with a binding that counts here."""
    bound = {_text(each, "spec", "policyName") for each, _ in _bindings(reading)}
    return frozenset(_marked(reading).policies & bound)


def faults(
    own: policies.PolicySet, reading: readings.Reading, known: scopes.Scopes
) -> Iterator[findings.Finding]:
    """Installed policies that would judge what agents write for themselves."""
    names_ = installed(reading)
    for binding in policies.for_environment(own, reading.layout.environment).bindings:
        policy = own.policies.get(binding.policy)
        if policy is None or policy.name not in names_:
            continue
        if binding.severity is findings.Severity.DENY and _meets_agents(policy, binding, known):
            yield _fault(binding)


def _meets_agents(
    policy: documents.Policy, binding: documents.Binding, known: scopes.Scopes
) -> bool:
    return any(applying.matches(policy, binding, asked) for asked in _of_agents(known))


def _of_agents(known: scopes.Scopes) -> Iterator[matching.Request]:
    for version, kind in _OF_AGENTS:
        metadata = {"name": "agent", "namespace": objects.RESERVED_NAMESPACE}
        body = {"apiVersion": version, "kind": kind, "metadata": metadata}
        manifest = words.Manifest(
            key=words.key_of(body),
            version=version.rpartition("/")[2],
            body=body,
            digest=json_values.digest(body),
            bundle=ORIGIN,
            source=words.Source(path="", line=0, blob=names.BlobId("")),
        )
        asked = matching.request(manifest, {}, known, body)
        yield from (replace(asked, operation=each) for each in _OPERATIONS)


def _fault(binding: documents.Binding) -> findings.Finding:
    return findings.Finding(
        rule="install",
        severity=findings.Severity.DENY,
        message=f"installed, {binding.name} would refuse what the agent keeps in {objects.RESERVED_NAMESPACE}",
        place=binding.source.place,
        hint=f"bind it with a namespaceSelector: {matching.NAME_LABEL} NotIn [{objects.RESERVED_NAMESPACE}]",
    )


def _documents(reading: readings.Reading) -> Iterator[Written]:
    marked = _marked(reading)
    bindings = [each for each in _bindings(reading) if _names_one_of(each[0], marked.policies)]
    bound = {_text(each, "spec", "policyName") for each, _ in bindings}
    for value, source in _rules(reading.declared.rules):
        kind = _text(value, "kind")
        is_policy = kind == forms.POLICY and _text(value, "metadata", "name") in bound
        is_other = kind not in (forms.POLICY, forms.BINDING) and _is_marked(value)
        is_parameter = (_text(value, "apiVersion"), kind) in marked.parameters
        if (is_policy and _is_marked(value)) or is_other or is_parameter:
            yield value, source
    yield from bindings


def _marked(reading: readings.Reading) -> _Marked:
    found = [v for v, _ in _rules(reading.declared.rules) if _text(v, "kind") == forms.POLICY]
    marked = [each for each in found if _is_marked(each)]
    kinds = {
        (_text(each, "spec", "paramKind", "apiVersion"), _text(each, "spec", "paramKind", "kind"))
        for each in marked
    }
    return _Marked(
        policies=frozenset(_text(each, "metadata", "name") for each in marked),
        parameters=frozenset(kinds - {("", "")}),
    )


def _bindings(reading: readings.Reading) -> Iterator[Written]:
    """Those that count in this environment."""
    here = reading.layout.environment
    for value, source in _rules(reading.declared.rules):
        if _text(value, "kind") == forms.BINDING:
            written = _text(value, "metadata", "annotations", documents.ENVIRONMENTS)
            if not written or here in {each.strip() for each in written.split(",")}:
                yield value, source


def _names_one_of(binding: Document, wanted: frozenset[str]) -> bool:
    return _text(binding, "spec", "policyName") in wanted


def _rules(rules: Iterable[declared.Rule]) -> Iterator[Written]:
    for rule in rules:
        for value, _ in objects.unwrapped(rule.value, ()):
            if isinstance(value, Mapping):
                yield value, rule.source


def _is_marked(value: Document) -> bool:
    return _text(value, "metadata", "annotations", MARK) == "true"


def _text(value: Any, *path: str) -> str:
    """What is malformed on the way is a finding of whoever reads policies."""
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else ""
