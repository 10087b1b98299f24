"""What may be deleted without a word, and what needs a Permit."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

import builders
from fleet.gate import guard
from fleet.model import names, objects
from fleet.model import permits as allowed

HERE = names.Cluster("prod-1")
NAMESPACE = builders.key("shop", "Namespace", "")
CLAIM = builders.key("data", "PersistentVolumeClaim", "shop")
CRD = builders.key("shops.example.org", "CustomResourceDefinition", "", "apiextensions.k8s.io")


def plain(count: int) -> list[objects.Key]:
    return [builders.key(f"web-{number}") for number in range(count)]


def named(key: objects.Key, cluster: str = "*") -> dict[str, Any]:
    return {
        "cluster": cluster,
        "group": key.group,
        "kind": key.kind,
        "namespace": key.namespace,
        "name": key.name,
    }


def refusals(
    going: list[objects.Key], *permits: allowed.Permit, before: int = 100, share: float = 0.5
) -> tuple[str, ...]:
    return guard.refusals(
        cluster=HERE,
        going=going,
        before=before,
        max_deleted_share=share,
        permits=permits,
        now=builders.NOW,
    )


@pytest.mark.threat(92)
@pytest.mark.parametrize("key", [NAMESPACE, CLAIM, CRD], ids=lambda key: key.kind)
def test_guarded_kinds_need_a_permit_that_names_them(key: objects.Key):
    assert refusals([key]) == (f"deleting {key} needs a Permit",)
    assert refusals([key], builders.permit(delete=[named(key)])) == ()
    assert refusals([key], builders.permit(delete=[named(key, "prod-1")])) == ()


@pytest.mark.threat(92)
@pytest.mark.parametrize(
    "permit",
    [
        builders.permit(),
        builders.permit(delete=[named(CLAIM, "prod-2")]),
        builders.permit(delete=[{**named(CLAIM), "name": "other"}]),
        builders.permit(delete=[{**named(CLAIM), "namespace": "other"}]),
        builders.permit(delete=[{**named(CLAIM), "group": "apps"}]),
        builders.permit(delete=[{**named(CLAIM), "kind": "ConfigMap"}]),
        builders.permit(delete=[{**named(CLAIM), "name": "*"}]),
        builders.permit(takeover=[named(CLAIM)]),
        builders.permit(maxDeletedShare=1),
        builders.permit(delete=[named(CLAIM)], expires=builders.NOW),
        builders.permit(delete=[named(CLAIM)], expires=builders.later(-1)),
    ],
    ids=[
        "of nothing",
        "other cluster",
        "other name",
        "other namespace",
        "other group",
        "other kind",
        "a star is no name",
        "takeover only",
        "share only",
        "ends now",
        "ended",
    ],
)
def test_a_permit_permits_what_it_names_until_it_ends_and_nothing_else(permit: allowed.Permit):
    assert refusals([CLAIM], permit) == (f"deleting {CLAIM} needs a Permit",)


@pytest.mark.parametrize(
    ("going", "before", "share", "is_refused"),
    [
        (50, 100, 0.5, False),
        (51, 100, 0.5, True),
        (1, 1, 0.5, True),
        (1, 1, 1.0, False),
        (1, 100, 0.0, True),
        (0, 100, 0.0, False),
        (100, 100, 1.0, False),
    ],
)
@pytest.mark.threat(92)
def test_no_more_than_a_share_goes_unasked(
    going: int, before: int, share: float, is_refused: bool
):
    assert bool(refusals(plain(going), before=before, share=share)) is is_refused


def test_the_share_is_told_in_numbers():
    assert refusals(plain(51)) == ("51 of 100 objects would go; more than 50% need a Permit",)


@pytest.mark.threat(92)
def test_an_empty_slice_is_refused():
    everything = [*plain(4), NAMESPACE]
    found = refusals(everything, before=5)
    assert f"deleting {NAMESPACE} needs a Permit" in found
    assert "5 of 5 objects would go; more than 50% need a Permit" in found


def test_named_objects_do_not_count_towards_the_share():
    permit = builders.permit(delete=[named(key) for key in plain(60)[:10]])
    assert refusals(plain(60), permit) == ()
    assert refusals(plain(61), permit) != ()


def test_a_permit_may_lift_the_share_but_never_lowers_it():
    assert refusals(plain(80), builders.permit(maxDeletedShare=0.8)) == ()
    assert refusals(plain(81), builders.permit(maxDeletedShare=0.8)) != ()
    assert refusals(plain(50), builders.permit(maxDeletedShare=0.1)) == ()
    assert refusals(plain(80), builders.permit(maxDeletedShare=0.8, expires=builders.NOW)) != ()


def test_two_permits_do_not_add_up():
    half = builders.permit(maxDeletedShare=0.6)
    assert refusals(plain(61), half, half) != ()


def test_guarded_objects_are_told_in_order():
    assert refusals([CLAIM, NAMESPACE, CRD]) == refusals([CRD, CLAIM, NAMESPACE])


@given(some.integers(0, 30), some.integers(1, 30), some.floats(0, 1))
def test_nothing_that_goes_is_nothing_to_refuse(going: int, before: int, share: float):
    found = refusals(plain(min(going, before)), before=before, share=share)
    assert bool(found) is (min(going, before) > share * before)


@pytest.mark.parametrize(
    ("permit", "is_permitted"),
    [
        (builders.permit(takeover=[named(CLAIM)]), True),
        (builders.permit(takeover=[named(CLAIM, "prod-1")]), True),
        (builders.permit(takeover=[named(CLAIM, "prod-2")]), False),
        (builders.permit(takeover=[named(NAMESPACE)]), False),
        (builders.permit(delete=[named(CLAIM)]), False),
        (builders.permit(takeover=[named(CLAIM)], expires=builders.NOW), False),
        (builders.permit(), False),
    ],
)
def test_a_takeover_is_permitted_by_name_until_its_end(permit: allowed.Permit, is_permitted: bool):
    assert guard.permits_takeover(CLAIM, HERE, [permit], builders.NOW) is is_permitted


def test_without_permits_nothing_is_taken_over():
    assert not guard.permits_takeover(CLAIM, HERE, [], builders.NOW)
