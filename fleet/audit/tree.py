"""The tree over the audit log (RFC 6962): leaf n is the hash of record n, so append costs O(1), every proof O(log n).

Only subtrees that are full are kept, each once and for good, under (level, index): they never change. What a proof
needs is asked for as data first (`wanted`), so that whoever keeps the nodes reads them in one go.
"""

from collections.abc import Callable, Iterator
from typing import TypeAlias, TypeVar

from fleet.protocol import merkle

Place: TypeAlias = tuple[int, int]  # level, 0 = leaves; index within it
Node: TypeAlias = Callable[[Place], bytes]
Result = TypeVar("Result")


def leaf(record_hash: str) -> bytes:
    """Of a record, by its hash in hexadecimal."""
    return merkle.leaf(bytes.fromhex(record_hash))


def grown(size: int, hashed: bytes, node: Node) -> Iterator[tuple[Place, bytes]]:
    """The nodes that become whole when a leaf is put after the first `size`."""
    level, index, found = 0, size, hashed
    yield (level, index), found
    while index & 1:
        found = merkle.node(node((level, index - 1)), found)
        level, index = level + 1, index >> 1
        yield (level, index), found


def root(size: int, node: Node) -> bytes:
    return _range(0, size, node) if size else merkle.EMPTY


def inclusion(index: int, size: int, node: Node) -> tuple[bytes, ...]:
    """The audit path of a leaf, nearest sibling first."""
    start, end = 0, size
    path: list[bytes] = []
    while end - start > 1:
        middle = start + merkle.split(end - start)
        if index < middle:
            path.append(_range(middle, end, node))
            end = middle
        else:
            path.append(_range(start, middle, node))
            start = middle
    return tuple(reversed(path))


def consistency(old: int, size: int, node: Node) -> tuple[bytes, ...]:
    """That the first `old` leaves are the beginning of all: RFC 6962, 2.1.2."""
    if old in (0, size):
        return ()
    start, end = 0, size
    path: list[bytes] = []
    while end != old:
        middle = start + merkle.split(end - start)
        if old <= middle:
            path.append(_range(middle, end, node))
            end = middle
        else:
            path.append(_range(start, middle, node))
            start = middle
    if start:
        path.append(_range(start, end, node))
    return tuple(reversed(path))


class Growing:
    """The tree while its leaves pass by: only what later ones need of it is kept."""

    def __init__(self) -> None:
        self.size = 0
        self._nodes: dict[Place, bytes] = {}

    def add(self, hashed: bytes) -> None:
        for place, found in grown(self.size, hashed, self._nodes.__getitem__):
            level, index = place
            for left in (2 * index, 2 * index + 1):
                self._nodes.pop((level - 1, left), None)
            self._nodes[place] = found
        self.size += 1

    def root(self) -> bytes:
        return root(self.size, self._nodes.__getitem__)


def wanted(ask: Callable[[Node], Result]) -> tuple[Place, ...]:
    """The nodes that an answer is made of. Which they are depends on sizes alone, never on what they hold."""
    places: dict[Place, None] = {}

    def note(place: Place) -> bytes:
        places[place] = None
        return merkle.EMPTY

    ask(note)
    return tuple(places)


def _range(start: int, end: int, node: Node) -> bytes:
    """The root of a part of the leaves that begins where a subtree does."""
    count = end - start
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return node((level, start >> level))
    middle = start + merkle.split(count)
    return merkle.node(_range(start, middle, node), _range(middle, end, node))
