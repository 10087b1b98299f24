"""Which element of an older list one of the list is to be compared with: lists that are maps know, others don't.

Source: pkg/cel/common/maplist.go of k8s.io/apiserver.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any


def of(old: Any, schema: Mapping[str, Any]) -> Callable[[Any], Any]:
    """From an element to the older one with the same keys; None where there is none."""
    keys = schema.get("x-kubernetes-list-map-keys")
    is_map = schema.get("x-kubernetes-list-type") == "map"
    if not is_map or not isinstance(keys, list) or not isinstance(old, list):
        return lambda _: None
    known: dict[str, Any] = {}
    for each in old:
        key = _key(each, keys)
        if key is not None:
            known.setdefault(key, each)

    def earlier(element: Any) -> Any:
        key = _key(element, keys)
        return None if key is None else known.get(key)

    return earlier


def _key(element: Any, keys: Iterable[Any]) -> str | None:
    """All keys must be there, and plain."""
    if not isinstance(element, dict):
        return None
    held = [element.get(each) if isinstance(each, str) else None for each in keys]
    if any(each is None or isinstance(each, dict | list) for each in held):
        return None
    return json.dumps(held)
