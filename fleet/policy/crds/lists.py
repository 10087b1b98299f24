"""Lists that a schema calls sets, or maps by some keys: equal in any order, joined without doubles.

Source: unstructuredSetList and unstructuredMapList in k8s.io/apiserver/pkg/cel/common/valuesunstructured.go.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any

Key = Callable[[Any], str]


class Unordered(list[Any]):
    """Whose elements are told apart by a key. Two with the same keys are equal if the elements are."""

    __slots__ = ("_key",)

    def __init__(self, elements: Iterable[Any], key: Key) -> None:
        super().__init__(elements)
        self._key = key

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, list) or len(self) != len(other):
            return False
        held = {self._key(each): each for each in self}
        return all((key := self._key(each)) in held and held[key] == each for each in other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None

    def __add__(self, other: list[Any]) -> "Unordered":
        """What is there already is taken from the other, in its old place."""
        joined = {self._key(each): each for each in self}
        joined.update((self._key(each), each) for each in other)
        return Unordered(joined.values(), self._key)


def set_of(elements: Iterable[Any]) -> Unordered:
    return Unordered(elements, _text)


def map_of(elements: Iterable[Any], keys: Iterable[str]) -> Unordered:
    named = tuple(keys)

    def key(element: Any) -> str:
        if not isinstance(element, dict):
            return _text(element)
        return _text([element.get(each) for each in named])

    return Unordered(elements, key)


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=repr)
