"""The tree over the slices of a release."""

import hashlib
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

import builders
from fleet.model import names
from fleet.protocol import merkle

# The test vectors of RFC 6962's reference log: leaf data, and the root of the first n of them.
LEAVES = [
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def slices(count: int) -> dict[names.Cluster, names.SliceDigest]:
    found = (f"cluster-{number:03}" for number in range(count))
    return {names.Cluster(each): names.SliceDigest(builders.digest(each)) for each in found}


@dataclass(frozen=True, kw_only=True)
class Claim:
    cluster: names.Cluster
    slice_digest: names.SliceDigest
    index: int
    leaves: int
    proof: tuple[str, ...]
    root: names.Root

    def holds(self) -> bool:
        return merkle.holds(
            cluster=self.cluster,
            slice_digest=self.slice_digest,
            index=self.index,
            leaves=self.leaves,
            proof=self.proof,
            root=self.root,
        )


def claim(count: int, number: int) -> Claim:
    found = slices(count)
    cluster = sorted(found)[number]
    index, proof = merkle.slice_proof(found, cluster)
    return Claim(
        cluster=cluster,
        slice_digest=found[cluster],
        index=index,
        leaves=count,
        proof=proof,
        root=merkle.slices_root(found),
    )


@pytest.mark.parametrize("count", range(9))
def test_known_roots(count: int):
    hashes = [hashlib.sha256(b"\x00" + bytes.fromhex(each)).digest() for each in LEAVES[:count]]
    assert merkle._root(hashes).hex() == ROOTS[count]


def test_a_leaf_is_cluster_and_slice_as_canonical_json():
    leaf = hashlib.sha256(b'\x00["a","sha256:b"]').hexdigest()
    assert merkle.slices_root({names.Cluster("a"): names.SliceDigest("sha256:b")}) == (
        f"sha256:{leaf}"
    )


@pytest.mark.parametrize("count", [*range(1, 18), 31, 32, 33, 100])
def test_every_proof_holds(count: int):
    assert all(claim(count, number).holds() for number in range(count))


def test_a_proof_is_as_long_as_the_tree_is_deep():
    assert len(claim(1, 0).proof) == 0
    assert len(claim(64, 63).proof) == 6
    assert len(claim(65, 64).proof) == 1


COUNTS = some.integers(1, 40)


@pytest.mark.threat(63)
@given(some.data(), COUNTS)
def test_no_altered_proof_holds(data: some.DataObject, count: int):
    good = claim(count, data.draw(some.integers(0, count - 1)))
    other = builders.digest("other")
    proof = list(good.proof)
    altered = [
        replace(good, cluster=names.Cluster("another")),
        replace(good, slice_digest=names.SliceDigest(other)),
        replace(good, root=names.Root(other)),
        replace(good, proof=(*proof, other)),
        replace(good, proof=(other, *proof)),
        replace(good, index=-1),
        replace(good, index=good.leaves),
        replace(good, leaves=0),
        replace(good, leaves=-good.leaves),
    ]
    if proof:
        at = data.draw(some.integers(0, len(proof) - 1))
        altered += [
            replace(good, proof=(*proof[:at], other, *proof[at + 1 :])),
            replace(good, proof=(*proof[:at], *proof[at + 1 :])),
            replace(good, proof=()),
            replace(good, index=good.index ^ 1),
        ]
    assert not any(each.holds() for each in altered)


@pytest.mark.threat(63)
@given(some.data(), some.integers(2, 40))
def test_no_proof_holds_for_a_cluster_at_another_place(data: some.DataObject, count: int):
    one = data.draw(some.integers(0, count - 1))
    other = data.draw(some.integers(0, count - 1).filter(lambda number: number != one))
    good, foreign = claim(count, one), claim(count, other)
    assert not replace(good, index=foreign.index).holds()
    assert not replace(good, proof=foreign.proof, index=foreign.index).holds()
    assert not replace(good, slice_digest=foreign.slice_digest).holds()


FIRST, *REST = claim(5, 2).proof
SPELLINGS = {
    "without algorithm": FIRST.removeprefix("sha256:"),
    "another algorithm": FIRST.replace("sha256:", "sha512:"),
    "capitals": "sha256:" + FIRST.removeprefix("sha256:").upper(),
    "too short": FIRST[:-1],
    "too long": FIRST + "00",
    "line end": FIRST + "\n",
    "spaces": FIRST.replace("sha256:", "sha256: "),
    "no digits": "sha256:" + "zz" * 32,
    "nothing": "",
}


@pytest.mark.threat(63)
@pytest.mark.parametrize("step", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_a_proof_has_one_spelling(step: str):
    assert replace(claim(5, 2), proof=(FIRST, *REST)).holds()
    assert not replace(claim(5, 2), proof=(step, *REST)).holds()


def test_an_inner_node_is_no_leaf():
    found = slices(2)
    both = b"".join(merkle._leaves(found))
    assert hashlib.sha256(b"\x00" + both).hexdigest() not in merkle.slices_root(found)


@given(some.permutations(sorted(slices(9).items())))
def test_the_order_of_clusters_changes_nothing(
    order: list[tuple[names.Cluster, names.SliceDigest]],
):
    assert merkle.slices_root(dict(order)) == merkle.slices_root(slices(9))


@given(COUNTS, COUNTS)
def test_different_fleets_have_different_roots(one: int, other: int):
    same = merkle.slices_root(slices(one)) == merkle.slices_root(slices(other))
    assert same is (one == other)


def test_who_is_not_in_the_tree_has_no_proof():
    with pytest.raises(ValueError, match="stranger"):
        merkle.slice_proof(slices(3), names.Cluster("stranger"))
