"""A policy as programs read it, and what came of it for an object: the JSON of `fleet policy explain`."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from fleet.manifests import declared
from fleet.model import findings, kinds, names, objects
from fleet.policy import (
    blame,
    documents,
    explaining,
    expressions,
    forms,
    policies,
    waivers,
    wordings,
)

# The first annotation that is there counts; each engine has its own word.
_ABOUT = {
    "title": ("fleetgate.dev/title", "policies.kyverno.io/title", "metadata.gatekeeper.sh/title"),
    "category": ("fleetgate.dev/category", "policies.kyverno.io/category"),
    "why": ("fleetgate.dev/why", "policies.kyverno.io/description", "description"),
    "hint": (documents.HINT,),
    "links": ("fleetgate.dev/links",),
    "severity": documents.LEVELS,
}

Json = dict[str, Any]


def of_policy(
    policy: documents.Policy, rulebook: policies.PolicySet, said: declared.Declared
) -> Json:
    spec = policy.form.spec
    return {
        "name": policy.title,
        **_about(policy),
        **_origin(policy, said),
        "generated": policy.is_generated,
        "failurePolicy": spec.failure_policy,
        "paramKind": " ".join(policy.param_kind) if policy.param_kind else None,
        "match": [e.words for e in wordings.parts(spec.match_constraints, policy.criterion)],
        "conditions": _expressions((e.name for e in spec.match_conditions), policy.conditions),
        "variables": _expressions(policy.variables, policy.variables.values()),
        "validations": [_validation(each) for each in policy.validations],
        "bindings": [
            of_binding(each, said.spec.name)
            for each in rulebook.bindings
            if each.policy == policy.name
        ],
    }


def _about(policy: documents.Policy) -> Json:
    notes = policy.form.metadata.annotations
    return {
        word: findings.escaped(next((str(notes[key]).strip() for key in keys if key in notes), ""))
        for word, keys in _ABOUT.items()
    }


def _origin(policy: documents.Policy, said: declared.Declared) -> Json:
    """Where it is written, and in whose dialect."""
    place = policy.source.place
    whole = (e.value for e in said.rules if e.source == policy.source)
    inner = [each for value in whole for each in _inside(value)]
    name = policy.title.partition("/")[0]
    mine = [each for each in inner if _name(each) == name] or inner[:1]
    version, kind = (
        (str(mine[0].get(key, "")) for key in ("apiVersion", "kind"))
        if mine
        else (forms.API_VERSION, forms.POLICY)
    )
    return {"apiVersion": version, "kind": kind, "path": place.path, "line": place.line}


def _inside(value: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    items = value.get("items")
    if isinstance(items, list) and str(value.get("kind", "")).endswith("List"):
        yield from (each for each in items if isinstance(each, Mapping))
    else:
        yield value


def _name(value: Mapping[str, Any]) -> object:
    metadata = value.get("metadata")
    return metadata.get("name") if isinstance(metadata, Mapping) else None


def _expressions(named: Iterable[str], written: Iterable[expressions.Expression]) -> list[Json]:
    return [
        {"name": name, "expression": each.text.strip(), "fault": each.fault}
        for name, each in zip(named, written, strict=True)
    ]


def _validation(each: documents.Validation) -> Json:
    expressed = each.message_expression
    return {
        "expression": each.expression.text.strip(),
        "fault": each.expression.fault,
        "message": each.message,
        "messageExpression": expressed.text.strip() if expressed else "",
    }


def of_binding(binding: documents.Binding, environment: str) -> Json:
    spec, place = binding.form.spec, binding.source.place
    reference = spec.param_ref
    counts = binding.environments is None or environment in binding.environments
    return {
        "name": binding.name,
        "path": place.path,
        "line": place.line,
        "actions": list(spec.validation_actions),
        "environments": None if binding.environments is None else list(binding.environments),
        "countsHere": counts,
        "match": [e.words for e in wordings.parts(spec.match_resources, binding.criterion)],
        "params": _reference(reference) if reference else "",
    }


def _reference(reference: forms.ParamRef) -> str:
    chosen = reference.name or (
        f"those with {wordings.selector(reference.selector)}" if reference.selector else ""
    )
    where = f" in {reference.namespace}" if reference.namespace else ""
    return f"{chosen}{where}, if missing: {reference.parameter_not_found_action}"


def enforcement(rule: str, said: declared.Declared) -> dict[str, str]:
    """By environment, where fleet.yaml sets another than the bindings say."""
    every = said.fleet.spec.environments if said.fleet else [said.spec]
    return {
        each.name: setting.enforcement.value
        for each in every
        for setting in each.policies
        if setting.rule == rule
    }


def of_waivers(rule: str, said: declared.Declared, now: datetime) -> list[Json]:
    """Those of this environment that name the rule."""
    return [
        _waiver(each, now)
        for each in said.waivers
        if any(waivers.fits(pattern, rule) for pattern in each.document.spec.rules)
    ]


def _waiver(written: waivers.Declared, now: datetime) -> Json:
    spec = written.document.spec
    return {
        "waiver": written.document.metadata.name,
        "owner": spec.owner,
        "reason": findings.escaped(spec.reason),
        "ticket": findings.escaped(spec.ticket),
        "until": spec.expires.isoformat(),
        "ended": waivers.is_ended(written.document, now),
        "path": written.place.path,
        "line": written.place.line,
    }


def covering(
    rule: str,
    manifest: objects.Manifest,
    clusters: Iterable[names.Cluster],
    said: declared.Declared,
    now: datetime,
) -> list[str]:
    """The waivers by which what is found in the object passes, in any of the clusters."""
    labels = manifest.body["metadata"].get("labels")
    terms = [said.spec.waivers]
    sound = [e for e in said.waivers if not any(waivers.faults(e, terms))]
    cases = [
        waivers.Case(
            rule=rule,
            key=manifest.key,
            path=manifest.source.path,
            cluster=cluster,
            labels=labels if isinstance(labels, Mapping) else {},
        )
        for cluster in (*clusters,) or (None,)
    ]
    return sorted(
        each.document.metadata.name
        for each in sound
        if not waivers.is_ended(each.document, now)
        and waivers.is_too_far(each.document, terms, now) is None
        and any(waivers.covers(each.document, case) for case in cases)
    )


def of_explained(found: explaining.Explained) -> Json:
    return {
        "outcome": found.outcome.value,
        "match": [_criterion(each) for each in found.criteria],
        "bindings": [_hearing(each) for each in found.hearings],
    }


def _criterion(each: explaining.Criterion) -> Json:
    return {"words": each.words, "holds": each.holds}


def _hearing(each: explaining.Hearing) -> Json:
    return {
        "name": each.binding.name,
        "outcome": each.outcome.value,
        "severity": each.severity.value if each.severity else None,
        "match": [_criterion(one) for one in each.criteria],
        "params": each.params,
        "fault": each.fault,
        "conditions": [_step(one) for one in each.conditions],
        "variables": [_step(one) for one in each.variables],
        "validations": [_step(one) for one in each.validations],
    }


def _step(each: explaining.Step) -> Json:
    return {
        "name": each.name,
        "expression": each.expression.text.strip(),
        "result": each.result,
        "value": each.value,
        "message": each.message,
        "decided": _guilt(each.guilt) if each.result == "false" and each.guilt.path else None,
    }


def _guilt(guilt: blame.Guilt) -> Json:
    return {
        "expression": guilt.text,
        "character": guilt.at,
        "variable": guilt.variable,
        "field": list(guilt.path),
    }


def effective(severity: findings.Severity | None, rule: str, spec: kinds.EnvironmentSpec) -> str:
    """What the environment makes of a binding's severity."""
    if severity is None:
        return ""
    wanted = {each.rule: each.enforcement.value for each in spec.policies}
    return wanted.get(rule, severity.value)
