"""Expressions that people wrote, some letters wrong: a program or a refusal, a value or an error, in the budget."""

from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import foreign
import spoiling
from fleet import cel
from fleet.cel import admission, budgets
from fleet.manifests import parse
from fleet.model import names

LIBRARY = Path(__file__).resolve().parents[2] / "policies"
ENVIRONMENT = cel.Environment(admission.ENVIRONMENT.variables)


def expressions(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [
            each for key, each in value.items() if key == "expression" and isinstance(each, str)
        ]
        return own + [text for each in value.values() for text in expressions(each)]
    return (
        [text for each in value for text in expressions(each)] if isinstance(value, list) else []
    )


def written() -> list[str]:
    return sorted(
        {
            text
            for path in LIBRARY.glob("*/policy.yaml")
            for each in parse.documents(path.read_bytes(), path.name, names.BlobId("")).documents
            for text in expressions(each.value)
        }
    )


TEXTS = written()
SCENE = {
    "object": foreign.pod(container="x"),
    "oldObject": None,
    "params": None,
    "request": {"operation": "CREATE", "name": "web", "namespace": "shop"},
    "namespaceObject": None,
    "variables": {},
    "authorizer": admission.NOBODY,
}


@settings(max_examples=200)
@given(data=st.data())
def test_a_garbled_expression_is_refused_or_ends(data: st.DataObject):
    text = data.draw(st.sampled_from(TEXTS))
    garbled = spoiling.garbled(text.encode(), data).decode(errors="replace")
    program, refusal = compiled(garbled)
    if program is None:
        assert "cannot be compiled" not in refusal
        return
    said = [outcome(program, quickly=quickly) for quickly in (True, True, True, False)]
    assert said[0] == said[-1]
    assert "cannot be evaluated" not in str(said)


def compiled(text: str) -> tuple[cel.Program | None, str]:
    try:
        return cel.compile(text, ENVIRONMENT), ""
    except cel.CompileError as error:
        return None, str(error)


def outcome(program: cel.Program, *, quickly: bool) -> tuple[str, Any]:
    purse = budgets.Budget(budgets.DEFAULT_BUDGET)
    scene = {**SCENE, budgets.PURSE: purse}
    try:
        found = program.evaluate(scene) if quickly else program.exactly(scene)
    except cel.ExhaustedError as error:
        return "spent", str(error)
    except cel.EvaluationError as error:
        return "fault", str(error)
    assert purse.left >= 0
    return "value", repr(found)


def test_there_is_much_to_garble():
    assert len(TEXTS) > 60
