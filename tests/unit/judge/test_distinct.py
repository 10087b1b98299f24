"""Each manifest with what it replaces is looked at once; where it is, is what looking one by one would say."""

from hypothesis import given
from hypothesis import strategies as some

import builders
from fleet.judge import distinct
from fleet.model import names, objects, sharing

WORDS = ("a", "b")


def made(name: str, word: str) -> objects.Manifest:
    return builders.manifest(document=builders.body(name, data={"w": word}))


POOL = [made(name, word) for name in ("x", "y", "z") for word in WORDS]
TWINS = [made("x", "a"), *POOL]  # equal, and not the same in memory
SHARES = some.lists(some.sampled_from(TWINS), unique_by=lambda each: each.key, max_size=3)
FLEETS = some.dictionaries(some.sampled_from("cde"), SHARES.map(tuple), max_size=3)


def by_hand(
    share: distinct.Share, runs: distinct.Share, heeded: str
) -> dict[distinct.Identity, list[str]]:
    found: dict[distinct.Identity, list[str]] = {}
    for cluster, manifests in share.items():
        before = {each.key: each for each in runs.get(cluster, ())}
        for each in manifests:
            old = before.get(each.key) if each.key.name == heeded else None
            identity = (each.digest, each.source, distinct.was(old))
            found.setdefault(identity, []).append(cluster)
    return found


@given(FLEETS, FLEETS, some.sampled_from("xyz"))
def test_every_pair_is_looked_at_where_it_is(
    share: dict[str, tuple[objects.Manifest, ...]],
    runs: dict[str, tuple[objects.Manifest, ...]],
    heeded: str,
):
    here = {names.Cluster(c): each for c, each in share.items()}
    before = {names.Cluster(c): each for c, each in runs.items()}
    numbering = distinct.Numbering()
    for _ in range(2):  # another court goes on with the same numbers
        found = distinct.Distinct(here, before, lambda e: e.key.name == heeded, (), numbering)
        told = {identity: found.where(identity) for identity in found.each}
        assert told == by_hand(here, before, heeded)
        for (digest, source, was), (manifest, old) in found.each.items():
            assert (manifest.digest, manifest.source, distinct.was(old)) == (digest, source, was)


def test_pieces_that_are_whole_are_left_out():
    share = {names.Cluster("c"): (builders.manifest("x"), builders.manifest("y"))}
    found = distinct.Distinct(share, {}, lambda _: True, {""}, distinct.Numbering())
    assert found.each == {}


@given(some.lists(SHARES.map(tuple), max_size=4))
def test_equal_keys_have_equal_numbers(shares: list[tuple[objects.Manifest, ...]]):
    numbers = sharing.Numbers(lambda each: each.key)
    found = [numbers.of(each) for each in shares]
    assert found == [numbers.of((*each,)) for each in shares]
    for share, told in zip(shares, found, strict=True):
        assert [numbers.first[number].key for number in told] == [each.key for each in share]
    assert len({each.key for each in numbers.first}) == len(numbers.first)
