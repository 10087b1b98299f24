"""Whatever stands in the files of a repository: the judge comes to findings, of bounded number and length, and soon."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rulebooks
import spoiling
from fleet.adapters import clock as clocks
from fleet.adapters import schemas
from fleet.judge import judging
from fleet.local import offline
from fleet.model import errors, findings, names
from fleet.simulation import faults, memo, repository

SOURCE = schemas.Packaged()
OURS = "fleetgate.dev/v1alpha1"
CONFIG_MAP = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "web", "namespace": "shop"},
    "data": {"word": "x"},
}
RULES = [
    {
        "rule": "self.size <= self.most",
        "messageExpression": "'at most ' + (self.most > 9 ? 'ten' : 'nine')",
    },
    {"rule": "oldSelf == self", "reason": "FieldValueInvalid", "fieldPath": ".size"},
]
SPEC_OF_GADGETS = {
    "type": "object",
    "properties": {
        "size": {"type": "integer", "default": 1},
        "most": {"type": "integer"},
        "parts": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string", "pattern": "^[a-z]+$"}},
            },
        },
        "any": {"x-kubernetes-int-or-string": True},
        "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    },
    "x-kubernetes-validations": RULES,
}
CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "gadgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"kind": "Gadget", "plural": "gadgets", "singular": "gadget", "listKind": "GadgetList"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": SPEC_OF_GADGETS}}},
            }
        ],
    },
}  # fmt: skip
GADGET = {
    "apiVersion": "example.com/v1",
    "kind": "Gadget",
    "metadata": {"name": "g", "namespace": "shop"},
    "spec": {"size": 1, "most": 2, "parts": [{"name": "a"}], "any": "5%", "open": {"x": 1}},
}
FILES: dict[str, Any] = {
    "fleet.yaml": {
        "apiVersion": OURS,
        "kind": "Fleet",
        "metadata": {"name": "example"},
        "spec": {
            "environments": [
                {
                    "name": "dev",
                    "waves": [{"name": "first", "selector": {"matchLabels": {"a": "b"}}}],
                    "policies": [{"rule": "rule", "enforcement": "warn"}],
                    "waivers": {"maxDays": 90},
                    "baseline": True,
                },
                {"name": "prod"},
            ]
        },
    },
    "clusters/dev/1.yaml": {
        "apiVersion": OURS,
        "kind": "Cluster",
        "metadata": {"name": "dev-1", "labels": {"a": "b"}},
        "spec": {
            "uid": "uid-1",
            "publicKey": "A" * 43 + "=",
            "proof": "A" * 86 + "==",
            "kubernetesVersion": "1.36",
            "variables": {"region": "eu"},
        },
    },
    "environments/dev/waiver.yaml": {
        "apiVersion": OURS,
        "kind": "Waiver",
        "metadata": {"name": "legacy"},
        "spec": {
            "rules": ["rule"],
            "objects": [
                {"kind": "ConfigMap", "namespace": "shop", "labels": {"matchLabels": {"a": "b"}}}
            ],
            "owner": "team-shop",
            "reason": "moves out",
            "ticket": "OPS-1",
            "expires": "2026-02-01",
        },
    },
    "environments/dev/permit.yaml": {
        "apiVersion": OURS,
        "kind": "Permit",
        "metadata": {"name": "cleanup"},
        "spec": {
            "delete": [{"kind": "ConfigMap", "namespace": "shop", "name": "old"}],
            "expires": "2026-02-01T00:00:00Z",
            "reason": "gone",
        },
    },
    "apps/web/bundle.yaml": {
        "apiVersion": OURS,
        "kind": "Bundle",
        "metadata": {"name": "web"},
        "spec": {"targets": {"matchLabels": {"a": "b"}}, "substitute": True, "dependsOn": []},
    },
    "apps/web/a.yaml": CONFIG_MAP,
    "apps/web/g.yaml": GADGET,
    "schemas/gadgets.yaml": CRD,
    "policies/policy.yaml": rulebooks.policy(
        {
            "expression": "variables.word in params.data.words.split(',')",
            "messageExpression": "'not ' + variables.word",
        },
        matchConstraints={**rulebooks.matching(), "namespaceSelector": {"matchExpressions": [
            {"key": "a", "operator": "NotIn", "values": ["b"]}]}},
        paramKind={"apiVersion": "v1", "kind": "ConfigMap"},
        matchConditions=[{"name": "maps", "expression": "object.kind == 'ConfigMap'"}],
        variables=[{"name": "word", "expression": "object.data.word"}],
        auditAnnotations=[{"key": "word", "valueExpression": "string(variables.word)"}],
    ),
    "policies/binding.yaml": rulebooks.binding(
        paramRef={"name": "words", "namespace": "rules", "parameterNotFoundAction": "Deny"},
        matchResources={"objectSelector": {"matchLabels": {}}},
        environments="dev, prod",
    ),
    "policies/words.yaml": {
        **CONFIG_MAP,
        "metadata": {"name": "words", "namespace": "rules"},
        "data": {"words": "x,y"},
    },
}  # fmt: skip
DEV = names.Environment("dev")


def judged(
    files: Mapping[str, bytes], runs: Mapping[str, bytes] | None = None
) -> tuple[findings.Finding, ...]:
    """With what runs, or as the first commit."""
    return asyncio.run(_judged(files, runs))


async def _judged(
    files: Mapping[str, bytes], runs: Mapping[str, bytes] | None
) -> tuple[findings.Finding, ...]:
    remote = repository.Remote(now=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    process = faults.Process(name="judge")
    base = remote.start("dev", runs) if runs is not None else None
    tip = remote.start("dev", files)
    tools = judging.Tools(
        repository=repository.Repository(remote, {}, process),
        schemas=SOURCE,
        memo=memo.Memo({}, process),
        kustomize=None,
        clock=clocks.SystemClock(),
    )
    try:
        verdict = await offline.check_commit(DEV, tip, base, tools)
    except errors.InputError as error:
        return (findings.deny("fleet", findings.Place(path="fleet.yaml"), str(error)),)
    return verdict.findings


def is_sound(found: tuple[findings.Finding, ...]) -> bool:
    """Every finding can be shown, stored and found again."""
    assert len(found) < 200
    for each in found:
        assert each.rule
        assert each.message == findings.escaped(each.message)
        assert len(each.message) < 3000
        assert each.place.path
        assert not each.field
    return True


WRITTEN = spoiling.written(FILES)
_SLOW = settings(suppress_health_check=[HealthCheck.too_slow], max_examples=40)


def test_what_is_not_spoiled_is_fine():
    found = judged(WRITTEN, WRITTEN)
    assert {each.rule for each in found if findings.refuses([each])} == {"registration"}


@pytest.mark.parametrize("path", FILES)
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=12)
@given(data=st.data())
def test_a_spoiled_document_comes_to_findings(path: str, data: st.DataObject):
    spoiled = spoiling.written({path: spoiling.spoiled(FILES[path], data)})
    assert is_sound(judged({**WRITTEN, **spoiled}, WRITTEN))


@_SLOW
@given(data=st.data())
def test_a_garbled_file_comes_to_findings(data: st.DataObject):
    path = data.draw(st.sampled_from(sorted(WRITTEN)))
    files = {**WRITTEN, path: spoiling.garbled(WRITTEN[path], data)}
    assert is_sound(judged(files))


@_SLOW
@given(data=st.data())
def test_what_ran_may_be_spoiled_too(data: st.DataObject):
    """A base that an older release took, or a decree."""
    path = data.draw(st.sampled_from(sorted(set(WRITTEN) - {"fleet.yaml"})))
    runs = {**WRITTEN, **spoiling.written({path: spoiling.spoiled(FILES[path], data)})}
    assert is_sound(judged(WRITTEN, runs))
