"""Both ways of evaluating, side by side: what the quick one says, the exact one must say as well."""

from collections.abc import Mapping
from typing import Any

from fleet import cel
from fleet.cel import checker, fast, parser, types, values
from fleet.cel.fast import programs

LEFT_OPEN = object()  # the quick way did not decide


def written(text: str, environment: cel.Environment) -> fast.Function | None:
    return programs.build(definition(text, environment))


def definition(text: str, environment: cel.Environment) -> fast.Definition:
    root = parser.parse(text)
    return fast.Definition(root=root, checked=checker.check(root, environment), inner={})


def quickly(function: fast.Function | None, bindings: Mapping[str, Any]) -> Any:
    if function is None:
        return LEFT_OPEN
    try:
        found = function(bindings)
    except Exception:  # noqa: BLE001  as the program does
        return LEFT_OPEN
    return LEFT_OPEN if found is fast.BAIL else found


def shape(value: Any) -> Any:
    """The value with its types, so that 1, 1.0 and true are not taken for each other, and NaN is NaN."""
    if isinstance(value, list):
        return [shape(each) for each in value]
    if isinstance(value, Mapping):
        return [(shape(key), shape(each)) for key, each in value.items()]
    if isinstance(value, values.Optional):
        return ("optional", value.present, shape(value.value) if value.present else None)
    return (types.name_of(value), repr(value))


def difference(program: cel.Program, quick: Any, bindings: Mapping[str, Any]) -> str:
    """Empty where the quick way was right or said nothing."""
    if quick is LEFT_OPEN:
        return ""
    try:
        exact = program.exactly(bindings)
    except (cel.EvaluationError, cel.ExhaustedError) as error:
        return f"{program.text}: {quick!r} where the exact way raises {error!r}"
    if shape(quick) != shape(exact):
        return f"{program.text}: {quick!r} where the exact way says {exact!r}"
    return ""
