"""From documents to manifests: everything that is there is counted, named and placed."""

import pytest

import builders
import repositories
from fleet.manifests import objects as reading
from fleet.manifests import scopes
from fleet.model import findings, names, objects

CRD = {
    "kind": "CustomResourceDefinition",
    "spec": {
        "group": "example.com",
        "scope": "Cluster",
        "names": {"kind": "Gadget", "plural": "gadgets"},
    },
}


def read(written: str, namespace: str = "", bundle: str = "web", path: str = "apps/web/a.yaml"):
    origin = reading.Origin(
        bundle=names.Bundle(bundle),
        namespace=namespace,
        takeover=False,
        scopes=scopes.scopes([CRD]),
    )
    parsed = repositories.parsed(written, path)
    documents = [
        (e.value, objects.Source(path=path, line=e.line, blob=parsed.blob, index=e.index))
        for e in parsed.documents
    ]
    return reading.read(documents, origin)


def keys(written: str, namespace: str = "") -> list[str]:
    found = read(written, namespace)
    assert found.findings == ()
    return [str(each.key) for each in found.manifests]


def refusals(written: str, namespace: str = "") -> list[str]:
    found = read(written, namespace)
    assert found.manifests == ()
    assert all(
        each.severity is findings.Severity.DENY and each.rule == "manifest"
        for each in found.findings
    )
    return [each.message for each in found.findings]


def config(metadata: str = "{name: a, namespace: shop}", kind: str = "ConfigMap") -> str:
    return f"apiVersion: v1\nkind: {kind}\nmetadata: {metadata}\n"


def test_an_object_knows_who_it_is_and_where_it_was_written():
    (found,) = read("---\n---\n" + config()).manifests
    assert found.key == builders.key("a")
    assert (found.version, found.bundle, found.source.line, found.source.index) == (
        "v1",
        "web",
        3,
        1,
    )


def test_the_digest_is_of_what_is_said_not_of_how():
    one = read(config()).manifests[0]
    other = read(
        '{"metadata": {"namespace": "shop", "name": "a"}, "kind": "ConfigMap", "apiVersion": "v1"}'
    )
    assert one.digest == other.manifests[0].digest
    assert one.digest != read(config("{name: b, namespace: shop}")).manifests[0].digest


def test_the_bundle_s_namespace_is_for_objects_that_name_none():
    assert keys(config("{name: a}"), "shop") == ["ConfigMap shop/a"]
    assert keys(config("{name: a, namespace: other}"), "shop") == ["ConfigMap other/a"]
    assert keys(config("{name: shop}", "Namespace"), "shop") == ["Namespace shop"]
    assert keys("apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: g}", "shop") == [
        "Gadget.example.com g"
    ]
    assert read(config("{name: a}"), "shop").manifests[0].body["metadata"]["namespace"] == "shop"
    assert refusals(config("{name: a}")) == ["metadata.namespace is missing"]
    assert refusals(config("{name: a, namespace: ''}")) == ["metadata.namespace is missing"]


LIST = """
    apiVersion: v1
    kind: List
    items:
    - {apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: shop}}
    - apiVersion: v1
      kind: ConfigMapList
      items:
      - {apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: shop}}
      - apiVersion: v1
        kind: List
        items: [{apiVersion: v1, kind: Secret, metadata: {name: c, namespace: shop}}]
"""


@pytest.mark.threat(49)
def test_lists_are_unwrapped_however_deep():
    assert keys(LIST) == ["ConfigMap shop/a", "ConfigMap shop/b", "Secret shop/c"]


@pytest.mark.threat(49)
def test_a_fault_inside_a_list_leads_to_its_item():
    written = LIST.replace("name: b, ", "")
    (found,) = read(written).findings
    assert (found.message, found.field) == (
        "metadata.name is missing or no name",
        ("items", "1", "items", "0", "metadata", "name"),
    )


@pytest.mark.threat(49)
@pytest.mark.parametrize("items", ["", "items: 5", "items: {a: 1}", "items: null"])
def test_a_list_that_is_none_is_an_object_that_must_have_a_name(items: str):
    assert refusals(f"apiVersion: v1\nkind: List\n{items}") == ["metadata is missing"]


@pytest.mark.threat(49)
@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ("{generateName: a-}", "generateName makes another object each time"),
        ("{name: a, generateName: a-}", "generateName makes another object each time"),
        ("{}", "metadata.name is missing or no name"),
        ("{name: ''}", "metadata.name is missing or no name"),
        ("{name: 5}", "metadata.name is missing or no name"),
        ("{name: a/b}", "metadata.name is missing or no name"),
        ("{name: ..}", "metadata.name is missing or no name"),
        ("{name: a%2fb}", "metadata.name is missing or no name"),
        ('{name: "a\\nb"}', "metadata.name is missing or no name"),
        ("null", "metadata is missing"),
        ("[a]", "metadata is missing"),
    ],
)
def test_what_has_no_fixed_name_is_refused(metadata: str, message: str):
    assert refusals(config(metadata), "shop") == [message]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("just text", "a manifest is a mapping, this is str"),
        ("[a]", "a manifest is a mapping, this is list"),
        ("kind: A\nmetadata: {name: a}", "apiVersion is missing or not like apps/v1"),
        (
            "apiVersion: 1\nkind: A\nmetadata: {name: a}",
            "apiVersion is missing or not like apps/v1",
        ),
        (
            "apiVersion: v1/..\nkind: A\nmetadata: {name: a}",
            "apiVersion is missing or not like apps/v1",
        ),
        ("apiVersion: v1\nmetadata: {name: a}", "kind is missing or not a kind's name"),
        ("apiVersion: v1\nkind: a/b\nmetadata: {name: a}", "kind is missing or not a kind's name"),
        (
            "apiVersion: v1\nkind: Config\u041cap\nmetadata: {name: a}",
            "kind is missing or not a kind's name",
        ),
    ],
)
def test_what_is_no_object_is_refused(written: str, message: str):
    assert message in refusals(written, "shop")


@pytest.mark.threat(19)
@pytest.mark.parametrize(
    "field",
    [
        "ownerReferences: [{kind: Pod, name: x, uid: y, apiVersion: v1}]", "finalizers: [a/b]",
        "managedFields: [{}]", "uid: x", "resourceVersion: '1'", "deletionTimestamp: x",
        "creationTimestamp: x", "generation: 1", "selfLink: x", "deletionGracePeriodSeconds: 0",
    ],
)  # fmt: skip
def test_what_a_cluster_says_is_not_for_a_file_to_say(field: str):
    name = field.partition(":")[0]
    assert refusals(config(f"{{name: a, namespace: shop, {field}}}")) == [
        f"metadata.{name} is for the cluster to say"
    ]


@pytest.mark.threat(19)
def test_a_namespace_is_not_held_back_by_finalizers_of_its_own():
    written = config("{name: shop}", "Namespace") + "spec: {finalizers: [a/b]}\n"
    assert refusals(written) == ["spec.finalizers is for the cluster to say"]


@pytest.mark.threat(17)
@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("policy/v1", "Eviction"),
        ("autoscaling/v1", "Scale"),
        ("authentication.k8s.io/v1", "TokenReview"),
        ("authorization.k8s.io/v1", "SelfSubjectAccessReview"),
        ("v1", "Binding"),
        ("v1", "Status"),
    ],
)
@pytest.mark.parametrize("metadata", ["{name: a, namespace: shop}", "{}"])
def test_what_no_cluster_keeps_is_no_object(version: str, kind: str, metadata: str):
    written = f"apiVersion: {version}\nkind: {kind}\nmetadata: {metadata}\n"
    assert f"{kind} is no object that a cluster keeps" in refusals(written)


@pytest.mark.threat(14)
@pytest.mark.parametrize("version", ["v1", "events.k8s.io/v1"])
def test_an_event_has_two_groups_and_is_taken_in_none(version: str):
    written = f"apiVersion: {version}\nkind: Event\nmetadata: {{name: a, namespace: shop}}\n"
    assert refusals(written) == ["Event is no object that a cluster keeps"]


def test_a_kind_of_that_name_in_another_group_is_another_kind():
    crd = "apiVersion: scaling.example.com/v1\nkind: Scale\nmetadata: {name: a, namespace: shop}\n"
    assert keys(crd) == ["Scale.scaling.example.com shop/a"]


def test_an_empty_time_of_creation_is_what_generators_write():
    assert keys(config("{name: a, namespace: shop, creationTimestamp: null}")) == [
        "ConfigMap shop/a"
    ]


@pytest.mark.threat(19)
@pytest.mark.parametrize("field", ["labels", "annotations"])
@pytest.mark.parametrize("label", ["applyset.kubernetes.io/part-of", "fleetgate.dev/cluster"])
def test_the_agent_s_own_marks_are_reserved(field: str, label: str):
    found = read(
        config(f"{{name: a, namespace: shop, {field}: {{{label}: x, mine: y}}}}")
    ).findings
    assert [(e.message, e.field) for e in found] == [
        (f"{field} {label} is reserved", ("metadata", field, label))
    ]


@pytest.mark.threat(15)
@pytest.mark.parametrize(
    ("written", "namespace"),
    [
        (config("{name: a, namespace: fleetgate-system}"), ""),
        (config("{name: a}"), "fleetgate-system"),
        (config("{name: fleetgate-system}", "Namespace"), ""),
        (
            "apiVersion: unknown.io/v1\nkind: X\nmetadata: {name: a, namespace: fleetgate-system}",
            "",
        ),
    ],
)
def test_the_agent_s_namespace_is_its_own(written: str, namespace: str):
    assert refusals(written, namespace) == ["namespace fleetgate-system is the agent's own"]


@pytest.mark.parametrize(
    "namespace", ["../kube-system", "a/b", "A", "5", "0", "false", "[a]", "a.b", "''' '"]
)
def test_a_namespace_is_a_label(namespace: str):
    assert refusals(config(f"{{name: a, namespace: {namespace}}}")) == [
        "metadata.namespace is no name"
    ]


def test_what_lives_outside_namespaces_names_none():
    assert refusals(config("{name: a, namespace: shop}", "Namespace")) == [
        "Namespace lives outside namespaces"
    ]
    assert refusals(
        "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: g, namespace: shop}"
    ) == ["Gadget lives outside namespaces"]
    assert keys(config("{name: a, namespace: null}", "Namespace")) == ["Namespace a"]


@pytest.mark.threat(14)
@pytest.mark.parametrize(
    ("one", "other", "namespace"),
    [
        (config(), config("{name: a, namespace: shop, labels: {x: y}}"), ""),
        (config(), config("{name: a}"), "shop"),
        (
            "apiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nmetadata: {name: a, namespace: b}\n",
            "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: a, namespace: b}\n",
            "",
        ),
    ],
)
def test_one_object_twice_is_refused_with_both_places(one: str, other: str, namespace: str):
    found = read(one + "---\n" + other, namespace).findings
    assert [(e.rule, e.place.line) for e in found] == [("ownership", one.count("\n") + 2)]
    assert "is also in apps/web/a.yaml:1 (bundle web)" in found[0].message


@pytest.mark.threat(14)
def test_only_equal_namespaces_may_be_claimed_twice():
    one = read(config("{name: shop}", "Namespace"), bundle="one", path="one.yaml").manifests
    same = read(config("{name: shop}", "Namespace"), bundle="two", path="two.yaml").manifests
    other = read(config("{name: shop, labels: {a: b}}", "Namespace"), path="three.yaml").manifests
    assert list(reading.duplicates([*one, *same])) == []
    (found,) = reading.duplicates([*one, *same, *other])
    assert (str(found.place), found.message) == (
        "three.yaml:1",
        "Namespace shop is also in one.yaml:1 (bundle one)",
    )


def test_a_sound_object_beside_an_unsound_one_is_read():
    found = read(config() + "---\n" + config("{}"), "shop")
    assert (len(found.manifests), len(found.findings)) == (1, 1)


@pytest.mark.threat(20)
def test_what_is_said_of_a_secret_has_none_of_its_values():
    written = "apiVersion: v1\nkind: Secret\nmetadata: {uid: x}\nstringData: {password: CANARY}\n"
    assert "CANARY" not in repr(read(written).findings)
    assert "CANARY" not in repr(read(written.replace("uid: x", "name: a, namespace: b")).manifests)


def test_a_finding_in_what_was_rendered_names_its_field_too():
    origin = reading.Origin(
        bundle=names.Bundle("web"), namespace="", takeover=False, scopes=scopes.scopes([])
    )
    source = objects.Source(path="a.yaml", line=1, blob=names.BlobId(""), rendered=True)
    found = reading.read([({}, source)], origin).findings
    assert [each.field for each in found] == [("apiVersion",), ("kind",), ("metadata",)]
