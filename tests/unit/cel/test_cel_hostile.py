"""Hostile expressions and hostile data: everything ends soon, and nothing but a value or a fault comes out."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet import cel
from fleet.cel import admission, lexer

_TEN = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]"
_LIMIT = 2.0  # seconds of processor time: bounded, also on a machine that is busy; alone it takes a few hundredths
_DATA: dict[str, Any] = {
    "text": "a" * 1_500_000,
    "numbers": list(range(3000)),
    "texts": ["a" * 100] * 5000,
    "map": {str(n): n for n in range(5000)},
}
ENVIRONMENT = cel.Environment(admission.ENVIRONMENT.variables, has_bind=True)


def _loops(depth: int, body: str) -> str:
    for n in range(depth):
        body = f"{_TEN}.all(x{n}, {body})"
    return body


def _growing(step: str, first: str, last: str) -> str:
    """Twelve names, each ten times as large as the one before."""
    binds = "".join(
        f"cel.bind(a{n + 1}, " + step.format(*[f"a{n}"] * 10) + ", " for n in range(12)
    )
    return f"cel.bind(a0, {first}, {binds}{last}" + ")" * 13


_SUM = " + ".join(["{}"] * 10)
_LIST = "[" + ", ".join(["{}"] * 10) + "]"
_THOUSANDS = "lists.range(10000)"

_BOMBS = {
    "nested all": _loops(10, "x0 > 0"),
    "nested map": "lists.range(1000).map(x, lists.range(1000).map(y, x * y))",
    "huge range": "lists.range(9000000000)",
    "growing string": _growing(_SUM, "'aaaaaaaaaa'", "a12"),
    "growing list": _growing(_LIST, "[1, 2, 3]", "a12 == a12"),
    "growing list, flattened": _growing(f"dyn({_LIST})", "[1]", "a12.flatten(20).size()"),
    "growing list, formatted": _growing(_LIST, "[1]", "'%s'.format([a12])"),
    "joined": "lists.range(1000).map(x, object.text).join(object.text)",
    "replaced": "object.text.replace('', object.text)",
    "searched": f"{_THOUSANDS}.all(x, !object.text.contains('zz'))",
    "matched": f"{_THOUSANDS}.all(x, !object.text.matches('b+c'))",
    "many patterns": f"{_THOUSANDS}.all(x, 'a'.matches('.{{0,' + string(900 + x % 90) + '}}'))",
    "found": f"{_THOUSANDS}.all(x, object.text.findAll('a').size() > 0)",
    "split": f"{_THOUSANDS}.all(x, object.text.split('').size() > 0)",
    "compared texts": f"{_THOUSANDS}.all(x, object.text + 'a' == object.text + 'a')",
    "compared maps": f"{_THOUSANDS}.all(x, object.map == object.map)",
    "list in list": "object.numbers.all(x, !(-1 in object.numbers))",
    "text in list": "object.texts.all(x, !('b' in object.texts))",
    "sets": "sets.contains(object.numbers, object.numbers)",
    "distinct": "object.numbers.distinct().size() > 0",
    "sorted": "lists.range(100000).map(x, -x).sort().size() > 0",
    "copied maps": f"{_THOUSANDS}.all(x, object.map.exists(k, true))",
    "made maps": f"{_THOUSANDS}.all(x, object.map.transformMap(k, v, v).size() > 0)",
    "formatted maps": f"{_THOUSANDS}.all(x, '%s'.format([object.map]) != '')",
    "wide bodies": f"{_THOUSANDS}.all(x, {' + '.join(['x'] * 300)} >= 0)",
    "absorbed errors": f"{_THOUSANDS}.all(x, {_THOUSANDS}.all(y, object.nope) || x >= 0)",
    "quantities": f"{_THOUSANDS}.all(x, quantity('1e99').isGreaterThan(quantity('1.5Gi')))",
}


@pytest.mark.threat(44)
@pytest.mark.parametrize("name", _BOMBS)
def test_a_bomb_ends_soon(name: str) -> None:
    program = cel.compile(_BOMBS[name], ENVIRONMENT)
    start = time.process_time()
    with pytest.raises(cel.ExhaustedError):
        program.evaluate({"object": _DATA})
    assert time.process_time() - start < _LIMIT


@pytest.mark.threat(44)
def test_a_spent_budget_is_absorbed_by_nothing() -> None:
    bomb = _BOMBS["nested all"]
    for text in (f"{bomb} || true", f"!({bomb} && false)", f"[1].exists(x, {bomb} || true)"):
        with pytest.raises(cel.ExhaustedError):
            cel.compile(text, ENVIRONMENT).evaluate({"object": _DATA})


@pytest.mark.threat(44)
def test_the_same_run_costs_the_same() -> None:
    program = cel.compile("'a'.matches('^[a-z]+$') && [1, 2, 3].all(x, x > 0)", ENVIRONMENT)
    needed = next(n for n in range(1000) if _is_enough(program, n))
    assert needed > 3
    assert [_is_enough(program, n) for n in (needed - 1, needed, needed - 1)] == [
        False,
        True,
        False,
    ]


def _is_enough(program: cel.Program, budget: int) -> bool:
    try:
        return program.evaluate({}, budget=budget) is True
    except cel.ExhaustedError:
        return False


def test_a_large_object_is_well_within_the_budget() -> None:
    containers = [{"name": f"c{n}", "image": f"registry/{n}:v1"} for n in range(500)]
    allowed = [f"registry-{n}/" for n in range(10)] + ["registry/"]
    program = cel.compile(
        "object.containers.all(c, params.exists(p, c.image.startsWith(p)))", ENVIRONMENT
    )
    assert program.evaluate({"object": {"containers": containers}, "params": allowed}) is True


@pytest.mark.parametrize(
    "text",
    [
        "(" * 9000 + "1" + ")" * 9000,
        "[" * 9000 + "]" * 9000,
        "!(" * 9000 + "true" + ")" * 9000,
        "!-" * 9000 + "1",
        "object" + ".a" * 9000,
        " + ".join(["1"] * 8000),
        "true ? 1 : " * 2900 + "1",
        "f(" * 9000,
        "{'a':" * 5000,
        "a" * (lexer.MAX_LENGTH + 1),
        " || ".join(f"'a'.matches('.{{1,{900 - n}}}x{n}')" for n in range(800)),
    ],
    ids=lambda text: text[:12],
)
def test_texts_that_are_too_much_are_refused_soon(text: str) -> None:
    start = time.process_time()
    with pytest.raises(cel.CompileError):
        cel.compile(text, ENVIRONMENT)
    assert time.process_time() - start < 5 * _LIMIT


def test_long_chains_of_conditions_are_fine() -> None:
    text = " || ".join(f"object.a == {n}" for n in range(1500))
    program = cel.compile(text, ENVIRONMENT)
    assert program.evaluate({"object": {"a": 1499}}) is True
    assert program.evaluate({"object": {"a": -1}}) is False


def test_patterns_are_of_the_kind_that_always_ends() -> None:
    program = cel.compile("object.matches('(a*)*b')", ENVIRONMENT)
    assert program.evaluate({"object": "a" * 50_000}) is False
    with pytest.raises(cel.CompileError, match="invalid matches argument"):
        cel.compile(r"'a'.matches('(a)\\1')", ENVIRONMENT)  # nothing looks back
    with pytest.raises(cel.EvaluationError, match="error parsing regexp"):
        cel.compile("'a'.matches(object)", ENVIRONMENT).evaluate({"object": "("})


def test_data_nested_too_deeply_is_an_error_and_no_answer() -> None:
    deep: Any = []
    for _ in range(5000):
        deep = [deep]
    program = cel.compile("object.a == object.b || true", ENVIRONMENT)
    twin: Any = []
    for _ in range(5000):
        twin = [twin]
    with pytest.raises(cel.EvaluationError, match="nested too deeply"):
        program.evaluate({"object": {"a": deep, "b": twin}})


class Broken(dict[str, Any]):
    def get(self, *_: Any) -> Any:
        raise RuntimeError("a fault of ours")


def test_a_fault_of_ours_is_an_error_and_no_answer() -> None:
    program = cel.compile("object.a == 1 || true", ENVIRONMENT)
    with pytest.raises(cel.EvaluationError, match="a fault of ours"):
        program.evaluate({"object": Broken()})


def test_values_that_lie_about_their_type_are_an_error() -> None:
    program = cel.compile("request.name.startsWith('a')", ENVIRONMENT)
    with pytest.raises(cel.EvaluationError, match="no such overload"):
        program.evaluate({"request": {"name": None}})


_PIECES = st.sampled_from(
    ["object", ".", "a", "(", ")", "[", "]", "{", "}", "?", ":", ",", "'x'", "1", "1u", "2.5", "+",
     "-", "*", "/", "%", "!", "&&", "||", "==", "<", "in", "true", "null", "has", "all", "map", "x",
     "size", "matches", "format", "'%s'", "optional", "of", "dyn", "type", "string", "\\", "r'", "`"]
)  # fmt: skip


@given(st.lists(_PIECES, max_size=14).map(" ".join) | st.text(max_size=40))
def test_any_text_is_a_program_or_refused(text: str) -> None:
    said, offset = _said_of(text)
    assert "cannot be" not in said  # the words for a fault of ours
    assert 0 <= offset <= len(text)


def _said_of(text: str) -> tuple[str, int]:
    try:
        cel.compile(text, ENVIRONMENT).evaluate({"object": {"a": [1]}})
    except cel.CompileError as error:
        return str(error), error.offset
    except cel.EvaluationError as error:
        return str(error), 0
    return "", 0
