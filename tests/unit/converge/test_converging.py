"""From slice, inventory and what was seen to what must be done; whose fields are whose; the order of kinds."""

from typing import Any

import pytest

import builders
from fleet.converge import differences, fields, inventory, stages
from fleet.model import errors, json_values, objects, slices


def live(
    body: dict[str, Any], *, uid: str = "u1", owned: Any = None, **metadata: Any
) -> dict[str, Any]:
    entry = {"manager": "fleetgate", "operation": "Apply", "fieldsV1": owned or {"f:data": {}}}
    return {
        **body,
        "metadata": {
            **body["metadata"],
            "uid": uid,
            "resourceVersion": "7",
            "managedFields": [entry],
            **metadata,
        },
    }


def item(name: str = "web", **data: str) -> slices.Item:
    body = builders.body(name, data=data or {"a": "1"})
    return slices.Item(key=objects.key_of(body), body=body, bundle=builders.names.Bundle("shop"))


def world(*items: slices.Item) -> tuple[Any, Any, Any, Any]:
    """Everything applied and seen just so."""
    wanted = {each.key: each for each in items}
    digests = {each.key: json_values.digest(each.body) for each in items}
    seen = {each.key: fields.seen(live(dict(each.body))) for each in items}
    members = {
        key: inventory.Member(
            key=key, uid=seen[key].uid, digest=digests[key], fields=seen[key].fields
        )
        for key in wanted
    }
    return wanted, digests, members, seen


def test_nothing_is_done_where_everything_is_as_it_was_applied() -> None:
    assert differences.between(*world(item("a"), item("b"))).is_none


def test_what_is_new_changed_gone_drifted_or_another_object_is_applied() -> None:
    one = item("web")
    wanted, digests, members, seen = world(one)
    drifted = {one.key: fields.seen(live(dict(one.body), owned={"f:data": {"f:b": {}}}))}
    replaced = {one.key: fields.seen(live(dict(one.body), uid="u2"))}
    changed = {one.key: json_values.digest("another body")}
    for case in (
        (wanted, digests, {}, {}),
        (wanted, digests, members, {}),
        (wanted, digests, members, drifted),
        (wanted, digests, members, replaced),
        (wanted, changed, members, seen),
    ):
        assert [each.key for each in differences.between(*case).apply] == [one.key]


def test_only_members_that_the_slice_no_longer_has_go() -> None:
    wanted, digests, members, seen = world(item("kept"), item("gone"))
    del wanted[item("gone").key], digests[item("gone").key]
    difference = differences.between(wanted, digests, members, seen)
    assert [each.key.name for each in difference.going] == ["gone"]
    assert not difference.apply


def test_the_inventory_is_read_back_as_it_was_written() -> None:
    _, _, members, _ = world(item("a"), item("b"))
    assert inventory.decode(inventory.encode(members)) == members


@pytest.mark.parametrize("data", [b"", b"no gzip", inventory.gzip.compress(b'{"version":1}')])
def test_a_damaged_inventory_is_no_empty_one(data: bytes) -> None:
    with pytest.raises(errors.BrokenError):
        inventory.decode(data)


def test_new_members_are_listed_before_they_have_a_uid_and_known_ones_keep_theirs() -> None:
    _, _, members, _ = world(item("known"))
    found = inventory.with_new(members, [item("known").key, item("new").key])
    assert found[item("known").key].uid == "u1"
    assert found[item("new").key].uid == ""


def test_too_many_members_for_one_secret_are_refused_in_words() -> None:
    many = {
        key: inventory.Member(
            key=key, uid=builders.digest(key.name), digest=builders.digest("d" + key.name)
        )
        for key in (builders.key(f"object-{n}") for n in range(30_000))
    }
    with pytest.raises(errors.RefusedError, match="30000 objects"):
        inventory.encode(many)


APPLIED = {
    "spec": {
        "replicas": 2,
        "ports": [{"containerPort": 80, "name": "http"}],
        "containers": [{"name": "web", "image": "web:1", "args": ["a", "b"]}],
        "finalizers": ["x/y"],
    }
}


@pytest.mark.parametrize(
    "field",
    [
        ".spec.replicas",
        '.spec.containers[name="web"].image',
        '.spec.ports[containerPort=80,protocol="TCP"].name',  # the protocol was defaulted
        '.spec.finalizers[="x/y"]',
        ".spec.containers",
    ],
)
def test_a_conflict_over_what_we_applied_is_ours(field: str) -> None:
    assert fields.were_ours([field], APPLIED)


@pytest.mark.parametrize(
    "field",
    [
        ".spec.paused",
        '.spec.containers[name="sidecar"].image',
        '.spec.containers[name="web"].command',
        '.spec.finalizers[="other"]',
        "replicas",
        "",
        ".spec[",
    ],
)
def test_a_conflict_over_anything_else_is_not(field: str) -> None:
    assert not fields.were_ours([".spec.replicas", field], APPLIED)


@pytest.mark.parametrize(
    "field",
    [
        ".data.app.properties",
        ".metadata.annotations.example.com/owner.name",
        ".metadata.labels.app.kubernetes.io/name",
    ],
)
def test_names_may_hold_dots(field: str) -> None:
    applied = {
        "metadata": {
            "annotations": {"example.com/owner.name": "x", "example": "y"},
            "labels": {"app.kubernetes.io/name": "web"},
        },
        "data": {"app": "1", "app.properties": "a=b"},
    }
    assert fields.were_ours([field], applied)
    assert not fields.were_ours([field + ".more"], applied)
    assert not fields.were_ours([field[:-1]], applied)


def test_a_hostile_field_takes_no_time() -> None:
    assert not fields.were_ours([".spec.containers[" + "a=" * 5000], APPLIED)


def test_a_version_that_is_no_number_is_no_trouble() -> None:
    body = live(builders.body(), resourceVersion="etag-x")
    assert fields.seen(body).version == 0


def test_without_a_last_body_nothing_was_ours() -> None:
    assert not fields.were_ours([".spec.replicas"], None)


def test_our_fields_are_known_by_manager_and_operation_alone() -> None:
    body = builders.body()
    ours = fields.owned(live(body))
    others = [
        {"manager": "fleetgate", "operation": "Update", "fieldsV1": {"f:x": {}}},
        {"manager": "kubectl", "operation": "Apply", "fieldsV1": {"f:x": {}}},
        {"manager": "fleetgate", "operation": "Apply", "subresource": "status", "fieldsV1": {}},
    ]
    for other in others:
        with_other = live(body)
        with_other["metadata"]["managedFields"].insert(0, other)
        assert fields.owned(with_other) == ours
    assert fields.owned(live(body, managedFields=others)) == ""


def test_marks_are_taken_off_and_nothing_else() -> None:
    body = live(builders.body(data={"a": "1"}), labels={inventory.PART_OF: inventory.ID, "x": "y"})
    freed = fields.without_ours(body)
    assert freed["metadata"]["labels"] == {"x": "y"}
    assert freed["metadata"]["managedFields"] == [{}]
    assert freed["data"] == body["data"]


def test_what_others_need_comes_first_and_goes_last() -> None:
    keys = [
        builders.key("d", "Deployment", group="apps"),
        builders.key("n", "Namespace", namespace=""),
        builders.key("v", "ValidatingWebhookConfiguration", "", "admissionregistration.k8s.io"),
        builders.key("c", "ConfigMap"),
        builders.key("r", "CustomResourceDefinition", "", "apiextensions.k8s.io"),
        builders.key("x", "Widget", group="example.com"),
        builders.key("b", "RoleBinding", group="rbac.authorization.k8s.io"),
        builders.key("b", "Role", group="rbac.authorization.k8s.io"),
    ]
    order = [[key.kind for key in stage] for stage in stages.ordered(keys)]
    assert order == [
        ["Namespace", "CustomResourceDefinition"],
        ["ConfigMap", "Role"],
        ["RoleBinding"],
        ["Deployment", "Widget"],
        ["ValidatingWebhookConfiguration"],
    ]
    flat = [key for stage in stages.ordered(keys) for key in stage]
    assert [key for stage in stages.reverse(keys) for key in stage] == flat[::-1]
