"""Cutting: equal manifests give equal bytes, whatever their order and whoever gets them."""

import random

from hypothesis import given
from hypothesis import strategies as some

import builders
from fleet.model import names
from fleet.model import slices as form
from fleet.plan import slices

NAMES = some.lists(some.from_regex(r"[a-z]{1,6}\Z"), unique=True, max_size=10)


@given(NAMES, some.randoms(use_true_random=False))
def test_order_changes_no_byte(found: list[str], chance: random.Random):
    manifests = [builders.manifest(each) for each in found]
    turned = list(manifests)
    chance.shuffle(turned)
    assert slices.cut(turned) == slices.cut(manifests)


@given(NAMES)
def test_what_was_cut_is_what_was_judged(found: list[str]):
    manifests = {each.key: each for each in map(builders.manifest, found)}
    cut = slices.cut(manifests.values())
    items = form.decode(cut.data)
    assert cut.objects == len(items) == len(found)
    assert cut.digest == form.digest(cut.data)
    assert {item.key: item.body for item in items} == {k: m.body for k, m in manifests.items()}


def test_each_change_changes_the_digest():
    variants = [
        (),
        (builders.manifest("web"),),
        (builders.manifest("api"),),
        (builders.manifest("web"), builders.manifest("api")),
        (builders.manifest("web", document=builders.body("web", data={"word": "other"})),),
        (builders.manifest("web", bundle="other"),),
        (builders.manifest("web", takeover=True),),
    ]
    assert len({slices.cut(each).digest for each in variants}) == len(variants)


def test_where_it_was_written_changes_nothing():
    moved = builders.manifest("web", path="apps/elsewhere.yaml")
    assert slices.cut([moved]) == slices.cut([builders.manifest("web")])


def test_clusters_that_get_the_same_share_the_bytes():
    web, api = builders.manifest("web"), builders.manifest("api")
    cut = slices.cut_each(
        {
            names.Cluster("a"): (web, api),
            names.Cluster("b"): (api, web),
            names.Cluster("c"): (web,),
            names.Cluster("d"): (builders.manifest("web", takeover=True),),
        }
    )
    a, b, c, d = (cut[names.Cluster(name)] for name in "abcd")
    assert a.data is b.data
    assert len({a.digest, c.digest, d.digest}) == 3


def test_a_cluster_without_manifests_gets_the_empty_slice():
    cut = slices.cut_each({names.Cluster("a"): ()})
    assert cut == {names.Cluster("a"): slices.cut(())}
    assert cut[names.Cluster("a")].objects == 0
