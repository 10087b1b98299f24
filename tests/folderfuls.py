"""Folders of such documents, by path: a fleet repository, kustomizations, the tests of policies."""

from typing import Any

import foreign
import rulebooks
from specimens import (
    CRD,
    EVERY,
    GADGET,
    LABELS,
    OTHERS,
    OURS,
    RULES,
    SELECTOR,
    WORKLOADS,
    Many,
    of_kind,
)  # fmt: skip

KUSTOMIZATION = {
    "apiVersion": "kustomize.config.k8s.io/v1beta1",
    "kind": "Kustomization",
    "namespace": "shop",
    "namePrefix": "a-",
    "resources": ["pod.yaml"],
    "images": [{"name": "web", "newTag": "2"}],
    "labels": [{"pairs": {"a": "b"}, "includeSelectors": True}],
    "commonAnnotations": {"a": "b"},
    "replicas": [{"name": "web", "count": 2}],
    "configMapGenerator": [{"name": "words", "literals": ["a=b"], "files": ["x=a.txt"]}],
    "patches": [{"target": {"kind": "Pod", "name": "web"}, "patch": "- op: remove\n  path: /a"}],
    "replacements": [
        {"source": {"kind": "Pod", "fieldPath": "a"}, "targets": [{"select": {"kind": "Pod"}, "fieldPaths": ["a"]}]}
    ],
    "generatorOptions": {"disableNameSuffixHash": True},
    "components": ["../more"],
    "transformers": ["t.yaml"],
    "crds": ["c.json"],
}  # fmt: skip
FLEET: dict[str, Any] = {
    "fleet.yaml": {
        "apiVersion": OURS,
        "kind": "Fleet",
        "metadata": {"name": "example"},
        "spec": {
            "environments": [
                {
                    "name": "dev",
                    "waves": [{"name": "first", "selector": SELECTOR}],
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
        "metadata": {"name": "dev-1", "labels": LABELS},
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
            "objects": [{"kind": "ConfigMap", "namespace": "shop", "labels": {"matchLabels": LABELS}}],
            "owner": "team-shop",
            "reason": "moves out",
            "ticket": "OPS-1",
            "expires": "2036-02-01",
        },
    },
    "environments/dev/permit.yaml": {
        "apiVersion": OURS,
        "kind": "Permit",
        "metadata": {"name": "cleanup"},
        "spec": {
            "delete": [{"kind": "ConfigMap", "namespace": "shop", "name": "old"}],
            "expires": "2036-02-01T00:00:00Z",
            "reason": "gone",
        },
    },
    "apps/web/bundle.yaml": {
        "apiVersion": OURS,
        "kind": "Bundle",
        "metadata": {"name": "web"},
        "spec": {"targets": {"matchLabels": LABELS}, "namespace": "shop", "substitute": True, "dependsOn": []},
    },
    "apps/web/a.yaml": OTHERS[9],
    "apps/web/deployment.yaml": WORKLOADS[1],
    "apps/web/g.yaml": GADGET,
    "apps/plain/bundle.yaml": {
        "apiVersion": OURS,
        "kind": "Bundle",
        "metadata": {"name": "plain"},
        "spec": {"targets": {"clusters": ["dev-1"]}, "namespace": "shop"},
    },
    "apps/plain/service.yaml": OTHERS[0],
    "apps/plain/space.yaml": OTHERS[11],
    "apps/printed/bundle.yaml": {
        "apiVersion": OURS,
        "kind": "Bundle",
        "metadata": {"name": "printed"},
        "spec": {"targets": {"clusters": ["dev-1"]}, "namespace": "shop", "dependsOn": ["plain"]},
    },
    "apps/printed/kustomization.yaml": {"resources": ["budget.yaml"], "namespace": "shop"},
    "apps/printed/budget.yaml": OTHERS[3],
    "schemas/gadgets.yaml": CRD,
    "policies/rules.yaml": Many(RULES["own"]),
    "policies/kyverno.yaml": Many(RULES["kyverno"]),
    "policies/gatekeeper.yaml": Many(RULES["gatekeeper"]),
}  # fmt: skip
TRIALS: dict[str, Any] = {
    "own/policy.yaml": Many([rulebooks.policy(EVERY, name="own"), rulebooks.binding("own")]),
    "own/tests/good/a.yaml": foreign.pod("good"),
    "own/tests/bad/b.yaml": foreign.pod("bad"),
    "own/tests/space.yaml": of_kind("v1", "Namespace", "shop"),
    "kyverno/kyverno-test.yaml": {
        "apiVersion": "cli.kyverno.io/v1alpha1",
        "kind": "Test",
        "metadata": {"name": "named"},
        "policies": ["policy.yaml"],
        "resources": ["pods.yaml"],
        "variables": "values.yaml",
        "userinfo": "user.yaml",
        "results": [
            {"policy": "named", "kind": "Pod", "resources": ["web"], "result": "pass"},
            {"policy": "named", "kind": "Pod", "result": "pass"},
            {"policy": "named", "result": "fail", "resourceSpecs": [
                {"kind": "Pod", "name": "web", "namespace": "shop"}]},
        ],
        "checks": [{"match": {"resource": {"kind": "Pod"}}, "assert": {"status": "pass"}}],
    },
    "kyverno/values.yaml": {
        "apiVersion": "cli.kyverno.io/v1alpha1",
        "kind": "Values",
        "globalValues": {"request.operation": "CREATE"},
        "namespaceSelector": [{"name": "shop", "labels": LABELS}],
        "namespaces": [of_kind("v1", "Namespace", "shop")],
        "policies": [{"name": "named", "resources": [{"name": "web", "values": {"request.operation": "UPDATE"}}]}],
    },
    "kyverno/user.yaml": {"kind": "UserInfo", "userInfo": {"username": "a", "groups": ["b"]}, "roles": ["c"]},
    "kyverno/policy.yaml": Many(RULES["kyverno"]),
    "kyverno/pods.yaml": Many([
        foreign.pod(labels=LABELS), WORKLOADS[1], OTHERS[14],
        {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
            "operation": "UPDATE", "object": foreign.pod("asked"), "oldObject": foreign.pod("asked"),
            "userInfo": {"username": "a"}}},
    ]),
    "gatekeeper/suite.yaml": {
        "apiVersion": "test.gatekeeper.sh/v1alpha1",
        "kind": "Suite",
        "metadata": {"name": "named"},
        "tests": [
            {"name": "a", "template": "t.yaml", "constraint": "c.yaml", "cases": [
                {"name": "b", "object": "pod.yaml", "inventory": ["pod.yaml"], "assertions": [
                    {"violations": 1, "message": "a"}]}]}
        ],
    },
    "gatekeeper/t.yaml": RULES["gatekeeper"][0],
    "gatekeeper/c.yaml": RULES["gatekeeper"][1],
    "gatekeeper/pod.yaml": foreign.pod(labels=LABELS),
}  # fmt: skip
KUSTOMIZATIONS: dict[str, Any] = {
    "base/kustomization.yaml": KUSTOMIZATION,
    "base/pod.yaml": WORKLOADS[0],
    "base/a.txt": "x",
    "base/c.json": {},
    "base/t.yaml": {"apiVersion": "builtin", "kind": "LabelTransformer", "metadata": {"name": "x"}},
    "more/kustomization.yaml": {"kind": "Component", "resources": ["a.yaml"]},
    "more/a.yaml": OTHERS[9],
    "over/kustomization.yaml": {"resources": ["../base"], "nameSuffix": "-b"},
    "rules/rules.yaml": Many(RULES["own"]),
}  # fmt: skip
