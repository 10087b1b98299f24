"""The specification's own conformance tests, where no protobuf messages are needed, in the specification's dialect."""

from pathlib import Path
from typing import Any

import pytest

import specification
import twins
from fleet import cel

FILES = {
    "basic": 43, "bindings_ext": 5, "comparisons": 334, "conversions": 109, "fields": 60, "fp_math": 30,
    "integer_math": 64, "lists": 39, "logic": 30, "macros": 44, "macros2": 46, "namespace": 3, "optionals": 59,
    "parse": 193, "plumbing": 5, "string": 51, "string_ext": 206, "timestamps": 75, "type_deduction": 21,
}  # fmt: skip


@pytest.fixture(scope="module")
def folder() -> Path:
    found = specification.folder()
    if found is None:
        pytest.skip("the conformance tests come with the lab's Go modules (cel.dev/expr)")
    return found


@pytest.mark.parametrize("name", FILES)
def test_it_passes(folder: Path, name: str) -> None:
    cases = list(specification.cases(folder / f"{name}.textproto"))
    assert len(cases) >= FILES[name]
    failed = {case.name: said for case in cases if (said := _difference(case))}
    assert not failed


def _difference(case: specification.Case) -> str:
    """Empty where it is as it should be, the quick way too."""
    environment = cel.Environment(
        case.variables,
        has_bind=True,
        container=case.container,
        dialect=cel.Dialect.SPECIFICATION,
        is_checked=case.is_checked,
    )
    try:
        program = cel.compile(case.text, environment)
        if case.kind is not None and str(program.type) != str(case.kind):
            return f"{case.text} is {program.type}, not {case.kind}"
        found = program.exactly(case.bindings) if case.is_evaluated else case.wanted
    except (cel.CompileError, cel.EvaluationError) as error:
        return "" if case.is_error else f"{case.text}: {error}"
    if case.is_error or not _same(found, case.wanted):
        return f"{case.text} is {found!r}, not {case.wanted!r}"
    quick = twins.quickly(program.quick.write(), case.bindings)
    return twins.difference(program, quick, case.bindings) if case.is_evaluated else ""


def _same(one: Any, other: Any) -> bool:
    """Maps have no order."""
    if isinstance(one, dict) and isinstance(other, dict):
        pairs = [(twins.shape(key), value) for key, value in one.items()]
        others = [(twins.shape(key), value) for key, value in other.items()]
        return len(pairs) == len(others) and all(
            any(key == k and _same(value, v) for k, v in others) for key, value in pairs
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(twins.shape(one) == twins.shape(other))
