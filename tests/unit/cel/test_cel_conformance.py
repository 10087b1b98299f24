"""Every case of the table: what the API server's own CEL said of it, ours says too."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from fleet import cel
from fleet.cel import admission, types, values
from fleet.cel.library import networks, times

_TABLE = json.loads(Path(__file__).with_name("cel-kubernetes-1.36.json").read_text())
_HEADER = re.compile(r"ERROR: <input>:1:([0-9]+): (.*)")
_UNUSUAL = {"+Inf": float("inf"), "-Inf": float("-inf"), "NaN": float("nan")}
ENVIRONMENT = admission.ENVIRONMENT.extended(
    "variables", types.object_of("kubernetes.variables", {"n": types.DYN})
)


def _cases() -> list[Any]:
    return [pytest.param(case, id=case["expr"]) for case in _TABLE["cases"]]


def _read(marked: Any) -> Any:
    """A value as the table marks it, as ours."""
    if isinstance(marked, list):
        return [_read(each) for each in marked]
    if not isinstance(marked, dict):
        return marked
    if "type" in marked:
        assert marked["type"] == "net.IP"
        return networks.ip(marked["value"])
    ((mark, value),) = marked.items()
    return _READERS[mark](value)


_READERS: dict[str, Any] = {
    "int": int,
    "uint": values.UInt,
    "double": lambda text: _UNUSUAL[text] if text in _UNUSUAL else float(text),
    "bytes": lambda text: text.encode(),
    "optional": lambda inner: values.NONE if inner == "none" else values.optional(_read(inner)),
    "duration": times.duration,
    "map": lambda entries: {json.loads(key): _read(value) for key, value in entries.items()},
}


def _kinds(value: Any) -> Any:
    """The value's shape in CEL types, so that 1, 1.0 and true are not taken for each other."""
    if isinstance(value, list):
        return [_kinds(each) for each in value]
    if isinstance(value, dict):
        return {key: _kinds(each) for key, each in value.items()}
    return types.name_of(value)


@pytest.mark.parametrize("case", _cases())
def test_it_says_what_kubernetes_says(case: dict[str, Any]) -> None:
    wanted = case["kubernetes"]
    if "compile" in wanted:
        _refused(case["expr"], wanted["compile"])
        return
    program = cel.compile(case["expr"], ENVIRONMENT)
    assert str(program.type) == wanted["otype"]
    if "error" in wanted:
        with pytest.raises(cel.EvaluationError) as caught:
            program.evaluate(_TABLE["variables"])
        assert str(caught.value) == wanted["error"]
        return
    value, expected = program.evaluate(_TABLE["variables"]), _read(wanted["value"])
    assert value == expected
    assert _kinds(value) == _kinds(expected)


def _refused(text: str, message: str) -> None:
    header = _HEADER.match(message)
    assert header is not None
    with pytest.raises(cel.CompileError) as caught:
        cel.compile(text, ENVIRONMENT)
    assert caught.value.offset == int(header[1]) - 1
    # Which tokens could have come next is the grammar's own; all else is said in the same words.
    assert str(caught.value) == header[2].partition(" expecting {")[0]
