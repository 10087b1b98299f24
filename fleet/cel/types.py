"""Static types, with which an expression is checked before it runs and its overloads are chosen.

`dyn` fits everything; A and B are the parameters of a signature, `_var0`... are types that nothing has settled yet.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fleet.cel import values


@dataclass(frozen=True, slots=True)
class Type:
    name: str
    of: "tuple[Type, ...]" = ()
    fields: "Mapping[str, Type] | None" = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.of))})" if self.of else self.name

    @property
    def is_variable(self) -> bool:
        return self.name.startswith("_var")


DYN = Type("dyn")
BOOL, INT, UINT, DOUBLE = Type("bool"), Type("int"), Type("uint"), Type("double")
STRING, BYTES, NULL = Type("string"), Type("bytes"), Type("null_type")
DURATION, TIMESTAMP = Type("google.protobuf.Duration"), Type("google.protobuf.Timestamp")
A, B = Type("A"), Type("B")
PARAMETERS = frozenset({"A", "B"})

NAMES: Mapping[type, str] = {
    bool: "bool",
    int: "int",
    values.UInt: "uint",
    float: "double",
    str: "string",
    bytes: "bytes",
    type(None): "null_type",
    list: "list",
    dict: "map",
    values.Duration: "google.protobuf.Duration",
    values.Timestamp: "google.protobuf.Timestamp",
    values.TypeName: "type",
    values.Optional: "optional_type",
}
# Names that stand for a type where an expression is read; `type(x) == net.IP`.
IDENTIFIERS = frozenset(NAMES.values()) | {"net.IP", "net.CIDR"}

_IN_MESSAGES = {
    "google.protobuf.Duration": "duration",
    "google.protobuf.Timestamp": "timestamp",
    "null_type": "null",
}


_OPEN = "object "


def list_of(element: Type) -> Type:
    return Type("list", (element,))


def map_of(key: Type, value: Type) -> Type:
    return Type("map", (key, value))


def optional_of(inner: Type) -> Type:
    return Type("optional_type", (inner,))


def type_of(inner: Type) -> Type:
    return Type("type", (inner,))


# What these names stand for where they stand alone.
NAMED: Mapping[str, Type] = {"list": list_of(DYN), "map": map_of(DYN, DYN)}


def object_of(name: str, fields: Mapping[str, Type]) -> Type:
    """A type whose fields are known: selecting any other is an error before anything runs."""
    return Type(name, (), fields)


def open_object_of(name: str, fields: Mapping[str, Type]) -> Type:
    """A type whose fields are known, and that may stand beside any other such type: what both are is dyn."""
    return Type(f"{_OPEN}{name}", (), fields)


def is_open(kind: Type) -> bool:
    """Whether it is such a type, or made of one."""
    return kind.name.startswith(_OPEN) or any(map(is_open, kind.of))


def replaced(where: Type, replace: Callable[[Type], Type | None]) -> Type:
    """The type with every part exchanged for which `replace` has something."""
    found = replace(where)
    if found is not None:
        return found
    if not where.of:
        return where
    return Type(where.name, tuple(replaced(each, replace) for each in where.of), where.fields)


def is_parametric(signature: Type) -> bool:
    return signature.name in PARAMETERS or any(map(is_parametric, signature.of))


def spelled(shown: Type) -> str:
    """As messages of the checker write it."""
    name = _IN_MESSAGES.get(shown.name, shown.name)
    return f"{name}({', '.join(map(spelled, shown.of))})" if shown.of else name


def name_of(value: Any) -> str:
    """The runtime type of a value."""
    name = NAMES.get(type(value))
    if name is not None:
        return name
    if isinstance(value, values.Opaque):
        return value.type_name
    if isinstance(value, list):
        return "list"
    return "map" if isinstance(value, Mapping) else type(value).__name__


def holds(wanted: Type, value: Any) -> bool:
    """Whether a value may be an argument of that type: of lists and maps the first element speaks for all."""
    if wanted == DYN or wanted.name in PARAMETERS:
        return True
    if wanted.name != name_of(value):
        return False
    if isinstance(value, list):
        return not value or holds(wanted.of[0], value[0])
    if isinstance(value, Mapping):
        return not value or all(map(holds, wanted.of, next(iter(value.items()))))
    return (
        not isinstance(value, values.Optional)
        or not value.present
        or holds(wanted.of[0], value.value)
    )
