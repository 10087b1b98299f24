"""The expressions of a policy, compiled as the API server compiles them: each with its type, each seeing what it may.

One that does not compile is kept with the reason, so that whatever asks for it gets an error and never a pass.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fleet import cel
from fleet.cel import admission, types

Path = tuple[str, ...]

_EXCEPTIONS = types.object_of(
    "kyverno.exceptions",
    dict.fromkeys(("allowedImages", "allowedValues"), types.list_of(types.STRING)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    text: str
    path: Path  # inside the policy's document
    program: cel.Program | None = field(repr=False)
    fault: str = ""  # why there is no program

    def evaluate(self, bindings: Mapping[str, Any], *, budget: int = cel.DEFAULT_BUDGET) -> Any:
        """Raises cel.EvaluationError and cel.ExhaustedError."""
        if self.program is None:
            raise cel.EvaluationError(f"compilation failed: {self.fault}")
        return self.program.evaluate(bindings, budget=budget)


def environment(*, has_params: bool, is_kyverno: bool = False) -> cel.Environment:
    """What conditions and variables see; `params` exists only where the policy names a kind of them."""
    hidden = {"variables"} if has_params else {"variables", "params"}
    whole = admission.ENVIRONMENT
    if is_kyverno:
        whole = replace(whole, has_bind=True, dialect=cel.Dialect.KYVERNO)
        whole = whole.extended("exceptions", _EXCEPTIONS)
    return _without(whole, hidden)


def of_messages(whole: cel.Environment) -> cel.Environment:
    """A message expression may name everything but the authorizer, as in Kubernetes."""
    return _without(whole, {"authorizer"})


def _without(whole: cel.Environment, hidden: Container[str]) -> cel.Environment:
    known = {n: kind for n, kind in whole.variables.items() if n not in hidden}
    return replace(whole, variables=known)


def with_variables(plain: cel.Environment, variables: Mapping[str, Expression]) -> cel.Environment:
    """The environment with `variables`, each of the type that its expression has."""
    known = {
        name: each.program.type if each.program else types.DYN for name, each in variables.items()
    }
    defined = {
        f"variables.{name}": each.program.definition
        for name, each in variables.items()
        if each.program
    }
    whole = plain.extended("variables", types.object_of("variables", known))
    return replace(whole, definitions=defined)


def compiled(
    text: str, path: Path, where: cel.Environment, wanted: Iterable[types.Type] = ()
) -> Expression:
    """`wanted` are the types that it may have; none = any. As in Kubernetes, dyn is not good enough for bool."""
    try:
        program = cel.compile(text, where)
    except cel.CompileError as error:
        fault = f"{error} (at character {error.offset + 1})"
        return Expression(text=text, path=path, program=None, fault=fault)
    allowed = tuple(wanted)
    if allowed and program.type not in allowed:
        fault = f"must evaluate to {' or '.join(map(str, allowed))}, this is {program.type}"
        return Expression(text=text, path=path, program=None, fault=fault)
    return Expression(text=text, path=path, program=program)
