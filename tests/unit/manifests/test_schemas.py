"""Kubernetes' own kinds against the version that a cluster serves, and the words for what is wrong."""

import asyncio
from collections.abc import Mapping

import pytest

import builders
import repositories
from fleet.adapters import schemas
from fleet.manifests.schemas import validate
from fleet.model import findings, objects

OLD, NEW = "1.31", "1.36"


@pytest.fixture(scope="module")
def packaged() -> Mapping[str, validate.Schemas]:
    source = schemas.Packaged()
    return {
        version: validate.Schemas(
            version=version,
            source=source.identity,
            definitions=asyncio.run(source.definitions(version)) or {},
            crds=[],
        )
        for version in (OLD, NEW)
    }


@pytest.fixture(scope="module")
def new(packaged: Mapping[str, validate.Schemas]) -> validate.Schemas:
    return packaged[NEW]


def manifest(written: str) -> objects.Manifest:
    return builders.manifest(document=repositories.parsed(written).documents[0].value)


def messages(judge: validate.Schemas, written: str) -> list[str]:
    found = judge.validate(manifest(written))
    assert all(e.severity is findings.Severity.DENY and e.rule == "schema" for e in found)
    return [each.message for each in found]


def deployment(
    container: str = "image: web:1", spec: str = "", metadata: str = "name: web"
) -> str:
    return f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{{metadata}}}
spec:
  selector: {{matchLabels: {{a: b}}}}
  {spec}
  template:
    metadata: {{labels: {{a: b}}}}
    spec:
      containers:
      - name: web
        {container}
"""


CRD = """
    apiVersion: apiextensions.k8s.io/v1
    kind: CustomResourceDefinition
    metadata: {name: as.b.c}
    spec:
      group: b.c
      scope: Namespaced
      names: {kind: A, plural: as}
      versions:
      - name: v1
        served: true
        storage: true
        schema:
          openAPIV3Schema:
            type: object
            default: {a: 1}
            enum: [1, x, {y: z}]
            properties: {a: {additionalProperties: true, items: {type: string}}}
            x-kubernetes-preserve-unknown-fields: true
"""


@pytest.mark.parametrize(
    "written",
    [
        deployment(),
        deployment(
            "image: a\n        resources: {limits: {cpu: 1, memory: 64Mi}, requests: {cpu: 100m, memory: 1.5}}"
        ),
        deployment(
            "image: a\n        ports: [{containerPort: 80}]",
            "strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 25%}}",
        ),
        deployment(
            "image: a\n        readinessProbe: {httpGet: {port: http, path: /}}\n        args: []"
        ),
        deployment(metadata="name: web, creationTimestamp: null"),
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {a: eA==}\nstringData: {b: c}",
        "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80, targetPort: http}]}",
        """
apiVersion: batch/v1
kind: Job
metadata: {name: a}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}}
""",
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}",
        CRD,
    ],
)
def test_sound_manifests(packaged: Mapping[str, validate.Schemas], written: str):
    assert [messages(each, written) for each in packaged.values()] == [[], []]


@pytest.mark.parametrize(
    ("written", "message", "hint", "field"),
    [
        (
            deployment("imagePullPolcy: Always"),
            "spec.template.spec.containers.0: unknown field imagePullPolcy",
            "did you mean imagePullPolicy?",
            ("spec", "template", "spec", "containers", "0", "imagePullPolcy"),
        ),
        (
            deployment(spec="replica: 2"),
            "spec: unknown field replica",
            "did you mean replicas?",
            ("spec", "replica"),
        ),
        (
            deployment(metadata="name: web, lables: {a: b}"),
            "metadata: unknown field lables",
            "did you mean labels?",
            ("metadata", "lables"),
        ),
        (
            deployment().replace("\nspec:", "\nspecs: {}\nspec:", 1),
            "unknown field specs",
            "did you mean spec?",
            ("specs",),
        ),
    ],
)
def test_an_unknown_field_is_refused_with_what_was_meant(
    new: validate.Schemas, written: str, message: str, hint: str, field: tuple[str, ...]
):
    (found,) = new.validate(manifest(written))
    assert (found.message, found.hint, found.field) == (message, hint, field)
    assert found.subject == "Deployment.apps web"


def test_what_is_missing_is_named(new: validate.Schemas):
    written = deployment().replace("selector: {matchLabels: {a: b}}", "replicas: 1")
    (found,) = new.validate(manifest(written))
    assert (found.message, found.field) == ("spec: selector is missing", ("spec",))


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (deployment(spec="replicas: '2'"), "spec.replicas: "),
        (deployment(spec="replicas: 2.5"), "spec.replicas: "),
        (deployment("command: sh"), "spec.template.spec.containers.0.command: "),
        (
            deployment("env: [{name: A, value: 1}]"),
            "spec.template.spec.containers.0.env.0.value: 1 is not of type",
        ),
        (
            deployment(metadata="name: web, labels: {a: yes}"),
            "metadata.labels.a: true is not of type",
        ),
    ],
)
def test_a_wrong_type_is_refused_with_its_field(new: validate.Schemas, written: str, message: str):
    (found,) = messages(new, written)
    assert found.startswith(message)


@pytest.mark.parametrize(
    ("inner", "message", "hint"),
    [
        ("items: {type: 7}", "items.type: 7 is not of type", ""),
        ("items: [{type: 7}]", "items.0.type: 7 is not of type", ""),
        (
            "additionalProperties: {tpye: string}",
            "additionalProperties: unknown field tpye",
            "did you mean type?",
        ),
        ("items: {items: {description: {}}}", "items.items.description: ", ""),
        ("dependencies: {b: [7]}", "dependencies.b.0: 7 is not of type", ""),
        ("dependencies: {b: {type: 7}}", "dependencies.b.type: 7 is not of type", ""),
    ],
)
def test_the_schema_inside_a_crd_is_judged_to_its_depth(
    new: validate.Schemas, inner: str, message: str, hint: str
):
    sound = "{additionalProperties: true, items: {type: string}}"
    (found,) = new.validate(manifest(CRD.replace(sound, f"{{{inner}}}")))
    place = "spec.versions.0.schema.openAPIV3Schema.properties.a."
    assert found.message.startswith(place + message)
    assert found.hint == hint


def test_all_faults_of_a_manifest_are_said_at_once(new: validate.Schemas):
    written = deployment("imag: x\n        stdin: 5", "replicas: x", "name: web, label: {}")
    assert len(messages(new, written)) == 4


def test_a_kind_is_judged_by_the_version_that_its_cluster_serves(
    packaged: Mapping[str, validate.Schemas],
):
    written = "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingAdmissionPolicy\nmetadata: {name: a}"
    assert (
        "does not serve" in messages(packaged[OLD], written)[0]
        or "no schema" in messages(packaged[OLD], written)[0]
    )
    assert messages(packaged[NEW], written) == []


@pytest.mark.threat(17)
@pytest.mark.threat(53)
def test_a_version_that_is_gone_is_refused_with_the_one_that_is_served(new: validate.Schemas):
    written = "apiVersion: autoscaling/v2beta2\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}"
    (found,) = new.validate(manifest(written))
    assert (
        found.message
        == f"Kubernetes {NEW} does not serve HorizontalPodAutoscaler as autoscaling/v2beta2"
    )
    assert found.hint == "it serves HorizontalPodAutoscaler as v1, v2"


@pytest.mark.threat(17)
@pytest.mark.parametrize(
    ("version", "kind", "message", "hint"),
    [
        (
            "apps/v1",
            "Deploiment",
            "no schema for kind Deploiment in apps",
            "did you mean Deployment?",
        ),
        (
            "v1",
            "ConfigMaps",
            "no schema for kind ConfigMaps in the core group",
            "did you mean ConfigMap?",
        ),
        (
            "example.com/v1",
            "Gadget",
            "no schema for kind Gadget in example.com",
            "commit its CRD under schemas/",
        ),
        ("v1", "List", "no schema for kind List in the core group", ""),
        ("apps/v1", "DeleteOptions", "no schema for kind DeleteOptions in apps", ""),
    ],
)
def test_a_kind_without_schema_is_never_valid(
    new: validate.Schemas, version: str, kind: str, message: str, hint: str
):
    (found,) = new.validate(
        manifest(f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a}}")
    )
    assert found.message == message
    assert not hint or found.hint == hint


SECRETS = [
    "stringData: {a: [CANARY]}",
    "stringData: {a: 5, b: {CANARY: CANARY}}",
    "stringData: CANARY",
    "data: [CANARY]",
    "data: {a: {b: CANARY}}",
    "type: [CANARY]",
    "immutable: CANARY",
    "metadata: {name: a, labels: {a: [CANARY]}}",
    "unknown: CANARY",
    "data: {a: CANARY, b: 1}",
]


@pytest.mark.threat(20)
@pytest.mark.parametrize("more", SECRETS)
def test_nothing_that_is_said_of_a_secret_repeats_a_value(new: validate.Schemas, more: str):
    metadata = "" if more.startswith("metadata") else "metadata: {name: a}\n"
    found = new.validate(manifest(f"apiVersion: v1\nkind: Secret\n{metadata}{more}"))
    assert found
    assert "CANARY" not in repr(found)


def test_what_was_rendered_names_its_field_too(new: validate.Schemas):
    sound = manifest(deployment(spec="replica: 1"))
    source = objects.Source(path="a.yaml", line=3, blob=sound.source.blob, rendered=True)
    rendered = objects.Manifest(
        key=sound.key, version=sound.version, body=sound.body, digest=sound.digest,
        bundle=sound.bundle, source=source,
    )  # fmt: skip
    assert [each.field for each in new.validate(rendered)] == [("spec", "replica")]


def test_versions_and_crds_make_the_identity(packaged: Mapping[str, validate.Schemas]):
    assert packaged[OLD].identity != packaged[NEW].identity


async def test_versions_are_in_order_and_another_one_is_not_there():
    source = schemas.Packaged()
    versions = source.versions()
    assert versions == tuple(sorted(versions, key=lambda each: int(each.partition(".")[2])))
    assert {OLD, NEW} <= set(versions)
    assert await source.definitions("1.3") is None
    assert source.identity.startswith("kubernetes 1.")
