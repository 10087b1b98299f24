"""Every policy that counts on one manifest: what Kubernetes would say to it, before any cluster is asked."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fleet.manifests import scopes
from fleet.model import findings, json_values, objects
from fleet.policy import (
    annotations,
    applying,
    decisions,
    documents,
    equivalents,
    masking,
    matching,
    parameters,
    policies,
)

_LONGEST = 1000  # characters of a message


Judged = Callable[[objects.Manifest], json_values.JsonObject]


def as_written(manifest: objects.Manifest) -> json_values.JsonObject:
    return manifest.body


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What an object stands among: the Namespaces of its repository by name, with their labels, and all kinds.

    `judged` says what policies see of it: what is written, or what an API server would make of that. `previous` are the
    objects that run, where they are known: to them a manifest is an update. `kinds` knows the versions of each.
    """

    namespaces: Mapping[str, matching.Labels]
    scopes: scopes.Scopes
    judged: Judged = as_written
    previous: Mapping[objects.Key, objects.Manifest] = field(default_factory=dict)
    annotations: Mapping[str, matching.Labels] = field(default_factory=dict)  # of Namespaces
    kinds: equivalents.Kinds = equivalents.BUILT_IN


def looks_at_namespaces(bound: policies.PolicySet) -> bool:
    """Whether any expression may see more of a Namespace than its labels, which selectors see as well."""
    return any(
        "namespaceObject" in each.text
        for policy in bound.policies.values()
        for each in policy.all_expressions()
    )


def heeds_update(bound: policies.PolicySet, manifest: objects.Manifest, scene: Scene) -> bool:
    """Whether what is said of it may depend on what runs."""
    asked = matching.request(manifest, scene.namespaces, scene.scopes, _NO_BODY)
    return bound.index.heeds_update(asked)


_NO_BODY: json_values.JsonObject = {}


def evaluate(
    bound: policies.PolicySet, manifest: objects.Manifest, scene: Scene
) -> tuple[findings.Finding, ...]:
    """Each thing once, however many bindings say it; the hardest of them counts."""
    asked = request(manifest, scene)
    return _evaluated(bound.index.rules(asked), bound, _judged(manifest, asked, scene), scene)


def deleted(
    bound: policies.PolicySet, manifest: objects.Manifest, scene: Scene
) -> tuple[findings.Finding, ...]:
    """What is said to the deletion of what runs. The file that it was in is known, but no line of it any more."""
    body = scene.judged(manifest)
    asked = matching.request(manifest, scene.namespaces, scene.scopes, body, body)
    asked = replace(asked, operation=matching.DELETE)
    rules = [each for each in bound.index.rules(asked) if bound.index.is_about_deletions(each)]
    return tuple(
        replace(
            each,
            message=f"its deletion: {each.message}",
            place=findings.Place(path=each.place.path),
            field=(),
        )
        for each in _evaluated(rules, bound, _judged(manifest, asked, scene), scene)
    )


def _evaluated(
    rules: Iterable[applying.Rule], bound: policies.PolicySet, judged: "_Judged", scene: Scene
) -> tuple[findings.Finding, ...]:
    found: dict[findings.Finding, findings.Severity] = {}
    for rule in rules:
        if not rule.speaks_of(judged.asked):
            continue
        for each in _found(rule, bound, judged, scene):
            key = replace(each, severity=findings.Severity.AUDIT)
            found[key] = min(each.severity, found.get(key, each.severity), key=_HARDEST.index)
    return tuple(replace(each, severity=severity) for each, severity in found.items())


_HARDEST = list(findings.Severity)


def request(manifest: objects.Manifest, scene: Scene) -> matching.Request:
    """What an API server would ask policies about it."""
    old = scene.previous.get(manifest.key)
    asked = matching.request(
        manifest,
        scene.namespaces,
        scene.scopes,
        scene.judged(manifest),
        _before(old, manifest, scene) if old else None,
    )
    if old is not None:
        asked = replace(asked, operation=matching.UPDATE)
    notes = scene.annotations.get(manifest.key.namespace)
    return replace(asked, namespace_annotations=notes) if notes else asked


def _before(
    old: objects.Manifest, manifest: objects.Manifest, scene: Scene
) -> json_values.JsonObject | None:
    """In the version in which it comes; None where nobody here knows how."""
    body = scene.judged(old)
    if old.version == manifest.version:
        return body
    found: json_values.JsonObject | None = scene.kinds.converted(
        body, (manifest.key.group, manifest.version)
    )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """One object, for all policies; `known` is what each of them sees of it, the same for all where it `is_plain`."""

    manifest: objects.Manifest
    old: objects.Manifest | None
    asked: matching.Request
    known: Mapping[str, Any]
    is_plain: bool

    def masked(self, text: str) -> str:
        """What ran may have kept other secrets."""
        safe = masking.masked(text, self.manifest)
        return safe if self.old is None else masking.masked(safe, self.old)


def _judged(manifest: objects.Manifest, asked: matching.Request, scene: Scene) -> _Judged:
    return _Judged(
        manifest=manifest,
        old=scene.previous.get(manifest.key),
        asked=asked,
        known=decisions.scene(asked),
        is_plain=len(scene.kinds.versions(manifest.key)) < 2 and not asked.lacks_old,
    )


def _found(
    rule: applying.Rule, bound: policies.PolicySet, judged: _Judged, scene: Scene
) -> Iterator[findings.Finding]:
    policy, binding, manifest = rule.policy, rule.binding, judged.manifest
    if not judged.is_plain:
        shown = _shown(rule, bound, judged, scene)
        if isinstance(shown, str):
            yield _finding(policy, manifest, _of_error(policy, binding.severity), shown)
            return
        judged = shown
    params = parameters.find(binding, judged.asked, bound, scene.scopes)
    if params.fault:
        severity = _of_error(policy, findings.Severity.DENY)
        yield _finding(policy, manifest, severity, params.fault)
    for value in params.values:
        seen = decisions.seen(policy, judged.known, value)
        if not policy.exemptions or not decisions.is_exempt(policy, judged.asked, seen):
            yield from _said(policy, binding, judged, seen)


def _shown(
    rule: applying.Rule, bound: policies.PolicySet, judged: _Judged, scene: Scene
) -> _Judged | str:
    """As an API server would show it to that policy, or why nobody can tell."""
    asked = judged.asked
    if asked.lacks_old and bound.index.is_about_updates(rule):
        return equivalents.unseen(asked)
    found = equivalents.request(rule.policy, asked, scene.kinds)
    if isinstance(found, str) or found is asked:
        return found if isinstance(found, str) else judged
    return replace(judged, asked=found, known=decisions.scene(found))


def _said(
    policy: documents.Policy,
    binding: documents.Binding,
    judged: _Judged,
    seen: Mapping[str, Any],
) -> Iterator[findings.Finding]:
    decided = decisions.decide(policy, seen)
    for decision in decided:
        if decision.evaluation is not decisions.Evaluation.ADMIT:
            yield _of_decision(decision, policy, binding, judged, seen)
    if policy.annotations:
        for note in annotations.noted(policy, decided, seen):
            yield _of_note(note, policy, binding, judged)


def _of_decision(
    decision: decisions.Decision,
    policy: documents.Policy,
    binding: documents.Binding,
    judged: _Judged,
    seen: Mapping[str, Any],
) -> findings.Finding:
    message = decision.message
    if decision.is_quoting:
        message = judged.masked(message)
    from fleet.policy import blame  # most objects are blamed for nothing

    path = blame.path(decision.expression, policy, seen)
    path = tuple(map(judged.masked, path))
    if decision.evaluation is decisions.Evaluation.ERROR:
        severity = _of_error(policy, binding.severity)
    else:
        severity = binding.severity
    return _finding(policy, judged.manifest, severity, message, path)


def _of_note(
    note: annotations.Note,
    policy: documents.Policy,
    binding: documents.Binding,
    judged: _Judged,
) -> findings.Finding:
    manifest, message = judged.manifest, judged.masked(note.message)
    if note.is_fault:
        return _finding(policy, manifest, _of_error(policy, binding.severity), message)
    return _finding(policy, manifest, findings.Severity.AUDIT, message)


def _of_error(policy: documents.Policy, otherwise: findings.Severity) -> findings.Severity:
    """Unknown is never a pass, but never worse than what the policy could have found either."""
    if otherwise is not findings.Severity.DENY:
        return otherwise
    return findings.Severity.WARN if policy.fails_open else findings.Severity.UNKNOWN


def _finding(
    policy: documents.Policy,
    manifest: objects.Manifest,
    severity: findings.Severity,
    message: str,
    path: documents.Path = (),
) -> findings.Finding:
    text = findings.escaped(message)
    return findings.Finding(
        rule=policy.title,
        severity=severity,
        message=text if len(text) <= _LONGEST else f"{text[:_LONGEST]}...",
        place=manifest.source.place,
        hint=policy.hint,
        subject=str(manifest.key),
        field=path,
        level=policy.level,
    )
