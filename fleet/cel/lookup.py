"""Fields, keys and indices at run time, each asked for in three ways: the value, whether it is there, an optional."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fleet.cel import types, values
from fleet.cel.faults import EvaluationError


def value(container: Any, key: Any) -> Any:
    """What lies there; of an optional, an optional."""
    if isinstance(container, values.Optional):
        return optional(container, key)
    found = _find(container, key)
    if found is values.MISSING:
        raise _absent(container, key)
    return found


def holds(container: Any, key: Any) -> bool:
    """What `has()` asks."""
    if isinstance(container, values.Optional):
        return container.present and holds(container.value, key)
    return _find(container, key) is not values.MISSING


def optional(container: Any, key: Any) -> values.Optional:
    """What `.?` and `[?]` ask."""
    if isinstance(container, values.Optional):
        return optional(container.value, key) if container.present else values.NONE
    found = _find(container, key)
    return values.NONE if found is values.MISSING else values.optional(found)


@dataclass(frozen=True, slots=True)
class Ways:
    """The three questions; strictly, nothing but a map or a list may be asked any of them."""

    value: Callable[[Any, Any], Any]
    holds: Callable[[Any, Any], bool]
    optional: Callable[[Any, Any], values.Optional]


def _strict(ask: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def asked(container: Any, key: Any) -> Any:
        inside = container
        while isinstance(inside, values.Optional) and inside.present:
            inside = inside.value
        if not isinstance(inside, (Mapping, list, values.Optional)):
            raise _absent(inside, key)
        return ask(container, key)

    return asked


LENIENT = Ways(value, holds, optional)
STRICT = Ways(_strict(value), _strict(holds), _strict(optional))


def _find(container: Any, key: Any) -> Any:
    if isinstance(container, Mapping):
        return values.find(container, key)
    if isinstance(container, list):
        at = _index(key)
        return container[at] if 0 <= at < len(container) else values.MISSING
    if isinstance(container, values.Unknown):
        raise EvaluationError(container.reason)
    return values.MISSING


def _index(key: Any) -> int:
    kind = types.name_of(key)
    if kind in ("int", "uint"):
        return int(key)
    if kind == "double" and key.is_integer():
        return int(key)
    raise EvaluationError(f"unsupported index type '{kind}' in list")


def _absent(container: Any, key: Any) -> EvaluationError:
    if isinstance(container, list):
        return EvaluationError(f"index out of bounds: {int(key)}")
    shown = str(key)[:200] if types.name_of(key) != "bool" else str(key).lower()
    return EvaluationError(f"no such key: {shown}")
