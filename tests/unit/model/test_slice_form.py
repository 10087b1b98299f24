"""The bytes of a slice."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

import builders
from fleet.model import json_values, names, objects, slices

NAMES = some.lists(some.from_regex(r"[a-z]{1,8}\Z"), unique=True, max_size=8)


def item(name: str, *, takeover: bool = False) -> slices.Item:
    document = builders.body(name, data={"word": name})
    return slices.Item(
        key=objects.key_of(document), body=document, bundle=names.Bundle("shop"), takeover=takeover
    )


@given(NAMES, some.randoms(use_true_random=False))
def test_the_order_of_objects_changes_no_byte(found: list[str], chance: object):
    items = [item(each) for each in found]
    turned = list(items)
    chance.shuffle(turned)  # type: ignore[attr-defined]
    assert slices.encode(turned) == slices.encode(items)


@given(NAMES)
def test_what_was_cut_is_read(found: list[str]):
    items = tuple(item(each, takeover=len(each) > 3) for each in sorted(found))
    assert slices.decode(slices.encode(items)) == items


def test_known_bytes():
    assert (
        slices.encode([]) == b'{"apiVersion":"fleetgate.dev/v1alpha1","kind":"Slice","objects":[]}'
    )
    assert json.loads(slices.encode([item("web", takeover=True)]))["objects"] == [
        {
            "body": {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "web", "namespace": "shop"},
                "data": {"word": "web"},
            },
            "bundle": "shop",
            "takeover": True,
        }
    ]


def test_a_slice_says_nothing_of_its_cluster():
    assert slices.digest(slices.encode([item("web")])) == slices.digest(
        slices.encode([item("web")])
    )


NO_SLICES = {
    "other kind": {"kind": "List", "objects": []},
    "list": [],
    "no objects": {"kind": "Slice"},
    "object without body": {"kind": "Slice", "objects": [{"bundle": "a", "takeover": False}]},
    "object without name": {
        "kind": "Slice",
        "objects": [{"body": {"apiVersion": "v1", "kind": "A"}, "bundle": "a", "takeover": False}],
    },
    "objects in a string": {"kind": "Slice", "objects": "web"},
    "takeover in words": {
        "kind": "Slice",
        "objects": [{"body": builders.body(), "bundle": "a", "takeover": "false"}],
    },
}


@pytest.mark.parametrize("document", NO_SLICES.values(), ids=NO_SLICES.keys())
def test_other_documents_are_no_slices(document: object):
    with pytest.raises(ValueError):
        slices.decode(json_values.encode(document))


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        (builders.key("web", "Deployment", "shop", "apps"), "Deployment.apps shop/web"),
        (builders.key("web", "ConfigMap", "shop"), "ConfigMap shop/web"),
        (builders.key("shop", "Namespace", ""), "Namespace shop"),
    ],
)
def test_a_key_in_words(key: objects.Key, shown: str):
    assert str(key) == shown


def test_two_versions_of_a_kind_are_one_object():
    old = {**builders.body("web"), "apiVersion": "autoscaling/v1"}
    new = {**builders.body("web"), "apiVersion": "autoscaling/v2"}
    assert objects.key_of(old) == objects.key_of(new)
