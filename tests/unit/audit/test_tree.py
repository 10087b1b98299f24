"""The tree over the audit log, held against RFC 6962's vectors and against the definition itself."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fleet.audit import tree
from fleet.protocol import merkle

# RFC 6962's reference log: leaf data, roots by size, and proofs that its implementation gives.
LEAVES = [
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]  # fmt: skip
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
INCLUSION = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): INCLUSION[0, 8],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}


def nodes(leaves: list[bytes]) -> dict[tree.Place, bytes]:
    found: dict[tree.Place, bytes] = {}
    for size, each in enumerate(leaves):
        found |= dict(tree.grown(size, each, found.__getitem__))
    return found


VECTORS = nodes([merkle.leaf(bytes.fromhex(each)) for each in LEAVES])


@pytest.mark.parametrize("size", ROOTS)
def test_roots_as_rfc_6962(size: int):
    assert tree.root(size, VECTORS.__getitem__).hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_inclusion_as_rfc_6962(index: int, size: int):
    found = tree.inclusion(index, size, VECTORS.__getitem__)
    assert [each.hex() for each in found] == INCLUSION[index, size]


@pytest.mark.parametrize(("old", "size"), CONSISTENCY)
def test_consistency_as_rfc_6962(old: int, size: int):
    found = tree.consistency(old, size, VECTORS.__getitem__)
    assert [each.hex() for each in found] == CONSISTENCY[old, size]


def leaves(count: int, salt: str = "") -> list[bytes]:
    return [merkle.leaf(f"{salt}{each}".encode()) for each in range(count)]


SIZES = some.integers(1, 70)


@given(size=SIZES, data=some.data())
def test_every_leaf_is_included_and_no_other(size: int, data: some.DataObject):
    made, every = nodes(leaves(size)), leaves(size)
    index = data.draw(some.integers(0, size - 1))
    claimed = data.draw(some.integers(0, size - 1))
    root = tree.root(size, made.__getitem__)
    proof = tree.inclusion(index, size, made.__getitem__)
    holds = merkle.includes(every[claimed], index=index, leaves=size, proof=proof, root=root)
    assert holds == (claimed == index)
    assert not merkle.includes(
        every[index], index=index, leaves=size, proof=(*proof, root), root=root
    )


@given(old=some.integers(0, 70), more=some.integers(0, 70))
def test_what_grew_extends_what_it_was(old: int, more: int):
    made = nodes(leaves(old + more))
    proof = tree.consistency(old, old + more, made.__getitem__)
    before, after = (tree.root(n, made.__getitem__) for n in (old, old + more))
    assert merkle.extends(old=old, old_root=before, new=old + more, new_root=after, proof=proof)


@pytest.mark.threat(66)
@given(fork=some.integers(0, 30), old=some.integers(1, 31), new=some.integers(1, 31))
def test_no_proof_of_one_history_fits_another(fork: int, old: int, new: int):
    """Two logs that part after `fork` records: a proof made in the second never carries the first's root."""
    old, new = sorted((old + fork, new + fork))
    one = nodes(leaves(new))
    other = nodes([*leaves(fork), *leaves(new - fork, "another ")])
    proof = tree.consistency(old, new, other.__getitem__)
    shown = tree.root(new, other.__getitem__)
    seen = tree.root(old, one.__getitem__)
    assert not merkle.extends(old=old, old_root=seen, new=new, new_root=shown, proof=proof)


@given(old=SIZES, more=some.integers(1, 40), data=some.data())
def test_a_spoiled_proof_proves_nothing(old: int, more: int, data: some.DataObject):
    made, new = nodes(leaves(old + more)), old + more
    before, after = (tree.root(n, made.__getitem__) for n in (old, new))
    proof = list(tree.consistency(old, new, made.__getitem__))
    place = data.draw(some.integers(0, len(proof) - 1))
    spoiled = [*proof[:place], merkle.EMPTY, *proof[place + 1 :]]
    for each in (spoiled, proof[:-1], [*proof, merkle.EMPTY]):
        assert not merkle.extends(old=old, old_root=before, new=new, new_root=after, proof=each)


@pytest.mark.threat(112)
def test_of_ten_million_records_a_proof_asks_for_few_nodes():
    size = 10_000_000
    most = 2 * math.ceil(math.log2(size))
    for asked in (
        tree.wanted(lambda node: tree.root(size, node)),
        tree.wanted(lambda node: tree.inclusion(1_234_567, size, node)),
        tree.wanted(lambda node: tree.consistency(7_654_321, size, node)),
    ):
        assert 0 < len(asked) <= most


def test_sizes_that_cannot_be_prove_nothing():
    root = merkle.EMPTY
    assert not merkle.extends(old=3, old_root=root, new=2, new_root=root, proof=())
    assert not merkle.extends(old=-1, old_root=root, new=2, new_root=root, proof=())
    assert not merkle.extends(old=1, old_root=root, new=2, new_root=root, proof=())
    assert merkle.extends(old=0, old_root=root, new=2, new_root=b"any", proof=())
    assert not merkle.includes(root, index=-1, leaves=1, proof=(), root=root)


@given(size=some.integers(0, 70))
def test_a_tree_whose_leaves_pass_by_has_the_same_root_and_keeps_little(size: int):
    passing = tree.Growing()
    for each in leaves(size):
        passing.add(each)
    assert passing.root() == tree.root(size, nodes(leaves(size)).__getitem__)
    assert len(passing._nodes) <= max(size.bit_length(), 1)
