"""Static types, with which an expression is checked before it runs and its overloads are chosen.

`dyn` fits everything; `?` is a type that nothing has settled yet, as of the elements of []; A, B, ... are parameters.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fleet.cel import values


@dataclass(frozen=True, slots=True)
class Type:
    name: str
    of: "tuple[Type, ...]" = ()
    fields: "Mapping[str, Type] | None" = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.of))})" if self.of else self.name


DYN, OPEN = Type("dyn"), Type("?")
BOOL, INT, UINT, DOUBLE = Type("bool"), Type("int"), Type("uint"), Type("double")
STRING, BYTES, NULL, TYPE = Type("string"), Type("bytes"), Type("null_type"), Type("type")
DURATION, TIMESTAMP = Type("google.protobuf.Duration"), Type("google.protobuf.Timestamp")
A, B = Type("A"), Type("B")
_PARAMETERS = frozenset({"A", "B"})

# Runtime types of the values that have one Python type each; libraries add theirs.
NAMES: dict[type, str] = {
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


def list_of(element: Type) -> Type:
    return Type("list", (element,))


def map_of(key: Type, value: Type) -> Type:
    return Type("map", (key, value))


def optional_of(inner: Type) -> Type:
    return Type("optional_type", (inner,))


def object_of(name: str, fields: Mapping[str, Type]) -> Type:
    """A type whose fields are known: selecting any other is an error before anything runs."""
    return Type(name, (), fields)


def fits(wanted: Type, given: Type, bound: dict[str, Type]) -> bool:
    """Whether a value of type `given` may stand where `wanted` is asked for; parameters are bound on the way."""
    if wanted.name in _PARAMETERS:
        return _bind(wanted.name, given, bound)
    if DYN in (wanted, given) or OPEN in (wanted, given):
        return True
    if wanted.name != given.name:
        return False
    return len(wanted.of) == len(given.of) and all(
        fits(one, other, bound) for one, other in zip(wanted.of, given.of, strict=True)
    )


def bound_in(wanted: Type, bound: Mapping[str, Type]) -> Type:
    """The type with its parameters replaced by what they were bound to."""
    if wanted.name in _PARAMETERS:
        return bound.get(wanted.name, OPEN)
    return Type(wanted.name, tuple(bound_in(each, bound) for each in wanted.of), wanted.fields)


def join(one: Type, other: Type) -> Type | None:
    """The type of what may be either; None where they have nothing in common."""
    if OPEN in (one, other):
        return other if one == OPEN else one
    if DYN in (one, other):
        return DYN
    if one.name != other.name or len(one.of) != len(other.of):
        return None
    inner = [join(*pair) for pair in zip(one.of, other.of, strict=True)]
    if any(each is None for each in inner):
        return None
    return Type(one.name, tuple(each for each in inner if each is not None), one.fields)


def _bind(name: str, given: Type, bound: dict[str, Type]) -> bool:
    if name not in bound:
        bound[name] = given
        return True
    joined = join(bound[name], given)
    if joined is None:
        return False
    bound[name] = joined
    return True
