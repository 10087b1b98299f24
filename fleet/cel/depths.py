"""How deep an expression may be nested, and the room that the interpreter needs to follow it there.

cel-go takes 250 levels; Python's own limit ends sooner. It is raised for one expression that needs it, and only then,
so that nothing else depends on what was evaluated before.
"""

import sys
from collections.abc import Callable
from typing import TypeVar

MAX_DEPTH = 250  # of nesting, in the parser
_FRAMES = 6_000  # some ten for each level and as many again, which a stack of one MiB holds

_T = TypeVar("_T")
_inside: list[int] = []  # the limits to go back to


def followed(work: Callable[[], _T]) -> _T:
    """The work, once more and with more room where it ran out of it; still raises RecursionError."""
    try:
        return work()
    except RecursionError:
        pass
    _inside.append(sys.getrecursionlimit())
    sys.setrecursionlimit(max(_FRAMES, _inside[-1]))
    try:
        return work()
    finally:
        sys.setrecursionlimit(_inside.pop())
