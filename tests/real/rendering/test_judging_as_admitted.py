"""The judge on what admission would see: defaults of Kubernetes and of CRDs, rules inside CRDs, each at its line."""

import textwrap
from typing import Any

import pytest

import repositories
from fleet.adapters import schemas
from fleet.judge import judging

SOURCE = schemas.Packaged()
CRD = textwrap.dedent("""\
    apiVersion: apiextensions.k8s.io/v1
    kind: CustomResourceDefinition
    metadata: {name: gadgets.example.com}
    spec:
      group: example.com
      scope: Namespaced
      names: {kind: Gadget, plural: gadgets}
      versions:
      - name: v1
        served: true
        storage: true
        schema:
          openAPIV3Schema:
            type: object
            properties:
              spec:
                type: object
                required: [size]
                properties:
                  size: {type: integer, default: 3}
                  parts:
                    type: array
                    maxItems: 9
                    x-kubernetes-list-type: set
                    items: {type: string, maxLength: 9}
                x-kubernetes-validations:
                - rule: size(self.parts) <= self.size
                  message: too many parts
                  fieldPath: .parts
    """)
GADGET = textwrap.dedent("""\
    apiVersion: example.com/v1
    kind: Gadget
    metadata: {name: g, namespace: shop}
    spec:
      parts:
      - a
      - b
    """)
PULLED = textwrap.dedent("""\
    apiVersion: admissionregistration.k8s.io/v1
    kind: ValidatingAdmissionPolicy
    metadata: {name: pulled}
    spec:
      matchConstraints:
        resourceRules:
        - {apiGroups: [apps], apiVersions: [v1], resources: [deployments], operations: [CREATE]}
      validations:
      - expression: object.spec.template.spec.containers.all(c, c.imagePullPolicy != 'Always')
        message: name a version
    ---
    apiVersion: admissionregistration.k8s.io/v1
    kind: ValidatingAdmissionPolicyBinding
    metadata: {name: pulled}
    spec: {policyName: pulled, validationActions: [Deny]}
    """)
SIZED = PULLED.replace("apiGroups: [apps]", "apiGroups: [example.com]").replace(
    "deployments", "gadgets"
).replace(
    "object.spec.template.spec.containers.all(c, c.imagePullPolicy != 'Always')",
    "object.spec.size < 3",
)  # fmt: skip
DEPLOYMENT = textwrap.dedent("""\
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web, namespace: shop}
    spec:
      selector: {matchLabels: {a: b}}
      template:
        metadata: {labels: {a: b}}
        spec:
          containers:
          - name: c
            image: nginx
    """)


async def told(reader: Any) -> list[str]:
    tools = judging.Tools(
        repository=reader.local, schemas=SOURCE, memo=reader.memo, kustomize=None
    )
    question = reader.question()
    judged = await judging.judge(question, tools)
    return [f"{each.place}: {each.rule}: {each.message}" for each in judged.findings]


def files(manifest: str, **more: str) -> dict[str, str]:
    return {
        "apps/web/bundle.yaml": repositories.bundle_text(),
        "apps/web/a.yaml": manifest,
        **{path.replace("__", "/") + ".yaml": text for path, text in more.items()},
    }


async def test_a_policy_refuses_what_is_only_a_default(repository_of: Any):
    reader = repository_of(files(DEPLOYMENT, policies__pulled=PULLED))
    assert await told(reader) == ["apps/web/a.yaml:10:9: pulled: name a version"]


async def test_a_resource_is_completed_by_its_crd_before_anyone_judges_it(repository_of: Any):
    reader = repository_of(files(GADGET, schemas__gadget=CRD, policies__sized=SIZED))
    assert await told(reader) == ["apps/web/a.yaml:5:3: pulled: name a version"]


@pytest.mark.parametrize("path", ["schemas__gadget", "apps__web__crd"])
async def test_the_rules_of_a_crd_are_held_wherever_it_lies(repository_of: Any, path: str):
    reader = repository_of(files(GADGET + "  - a\n  - c\n", **{path: CRD}))
    assert await told(reader) == [
        "apps/web/a.yaml:6:3: schema: spec.parts: Invalid value: too many parts",
        'apps/web/a.yaml:8:5: schema: spec.parts[2]: Duplicate value: "a"',
    ]


async def test_another_default_is_another_verdict(repository_of: Any):
    """What was clean with one CRD is not taken for clean with the next."""
    reader = repository_of(files(GADGET, schemas__gadget=CRD))
    assert await told(reader) == []
    reader.git.commit({"schemas/gadget.yaml": CRD.replace("default: 3", "default: 1")})
    assert await told(reader) == [
        "apps/web/a.yaml:6:3: schema: spec.parts: Invalid value: too many parts"
    ]


@pytest.mark.parametrize("path", ["schemas__gadget", "apps__web__crd"])
async def test_a_rule_that_does_not_compile_is_found_in_its_crd(repository_of: Any, path: str):
    broken = CRD.replace("self.size\n", "self.sise\n")
    reader = repository_of(files(DEPLOYMENT, **{path: broken}))
    (found,) = await told(reader)
    assert found.startswith(f"{path.replace('__', '/')}.yaml:27:21: schema: ")
    assert "undefined field 'sise'" in found
