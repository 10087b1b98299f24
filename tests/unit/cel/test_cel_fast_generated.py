"""Any expression on any document: the quick way is right or silent, and what it is silent about is rarely the usual."""

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import twins
from fleet import cel
from fleet.cel import admission, types

ENVIRONMENT = cel.Environment(
    {**admission.ENVIRONMENT.variables, "p": types.DYN, "q": types.DYN}, has_bind=True
)
_FIELDS = ("a", "b", "c", "list", "name")
_LEAVES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 3),
    st.sampled_from([2**63 - 1, -(2**63), 0.0, 1.0, 1.5]),
    st.sampled_from(["", "a", "ab", "name", "x:latest", "é\U0001f600", "1", "a" * 257]),
)
_DOCUMENTS = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(_FIELDS), inner, max_size=4),
        st.dictionaries(st.sampled_from(_FIELDS), inner, min_size=3, max_size=5),
    ),
    max_leaves=16,
)


class _Writer:
    """Writes expressions of a wished type; names that macros bind are in scope where they are bound."""

    def __init__(self, draw: Any) -> None:
        self._draw = draw
        self._names = ["object", "p", "q"]
        self._made = 0

    def expression(self, kind: str, depth: int) -> str:
        rows = _LEAF_ROWS[kind] if depth <= 0 else (*_LEAF_ROWS[kind], *_ROWS[kind], *_ANY)
        row = self._draw(st.sampled_from(rows))
        return self._filled(row, kind, depth - 1)

    def _filled(self, row: str, kind: str, depth: int) -> str:
        """`<bool>` is another expression; what stands behind `~` sees a new name, which `$` is."""
        outer, (head, _, tail) = list(self._names), row.partition("~")
        text = self._parts(head, kind, depth)
        if tail:
            self._made += 1
            name = f"v{self._made}"
            self._names.append(name)
            text = (text + self._parts(tail, kind, depth)).replace("$", name)
        self._names = outer
        return text

    def _parts(self, row: str, kind: str, depth: int) -> str:
        pieces = []
        for piece in row.replace("<same>", f"<{kind}>").split("<"):
            word, closed, rest = piece.partition(">")
            is_hole = bool(closed) and word in (*_ROWS, "name", "field", "fields")
            pieces.append(self._hole(word, depth) + rest if is_hole else f"<{piece}")
        return "".join(pieces).removeprefix("<")

    def _hole(self, word: str, depth: int) -> str:
        if word == "name":
            return str(self._draw(st.sampled_from(self._names)))
        if word in ("field", "fields"):
            return str(self._draw(st.sampled_from(_FIELDS)))
        return self.expression(word, depth)


_ANY = (
    "(<bool> ? <same> : <same>)",
    "cel.bind($, <dyn>, ~<same>)",
    "<optional>.orValue(<same>)",
)
_LEAF_ROWS: dict[str, tuple[str, ...]] = {
    "bool": ("true", "false", "has(<name>.<field>)", "<name> == null"),
    "int": ("0", "1", "2", "-1", "9223372036854775807", "size(<name>)"),
    "string": ("''", "'a'", "'name'", "'x:latest'", "string(<name>)"),
    "list": ("[]", "[1, 2]", "['a', 'b']", "<name>.list", "<name>"),
    "dyn": ("<name>", "<name>.<field>", "<name>[0]", "<name>['a']", "dyn(1)", "dyn(true)"),
    "optional": ("<name>.?<field>", "optional.none()", "<name>[?0]", "<name>.?a.?b"),
}
_ROWS: dict[str, tuple[str, ...]] = {
    "bool": (
        "(<bool> && <bool>)", "(<bool> || <bool> || <bool>)", "!<bool>", "(<dyn> == <dyn>)",
        "(<dyn> != <dyn>)", "(<int> < <int>)", "(<dyn> == <int>)", "(<dyn> != <string>)",
        "(<dyn> == true)", "(<dyn> >= 1)", "(<string> <= <string>)", "(<dyn> in <list>)",
        "(<dyn> in ['a', 'name'])", "(<dyn> in [0, 1, 2])", "(<string> in <dyn>)",
        "<dyn>.startsWith(<string>)", "<string>.endsWith('a')", "<dyn>.contains(<string>)",
        "<dyn>.matches('^a+')", "<list>.all($, ~<bool>)", "<list>.exists($, ~<bool>)",
        "<dyn>.exists_one($, ~<bool>)", "<dyn>.all($, i, ~<bool>)", "<optional>.hasValue()",
        "<list>.isSorted()", "has(<dyn>.<field>)",
    ),
    "int": (
        "(<int> + <int>)", "(<int> - <dyn>)", "(<int> * <int>)", "(<int> / <int>)", "<dyn>.size()",
        "size(<list>)", "int(<dyn>)", "<list>.indexOf(<dyn>)", "<list>.map($, ~<int>).sum()",
    ),
    "string": (
        "(<string> + <dyn>)", "(<string> + <string>)", "string(<dyn>)", "<dyn>.trim()",
        "<dyn>.lowerAscii()", "<string>.replace('a', <string>)", "<list>.map($, ~<string>).join('-')",
    ),
    "list": (
        "<list>.map($, ~<dyn>)", "<dyn>.filter($, ~<bool>)", "(<list> + <dyn>)", "[<dyn>]",
        "<list>.map($, ~<bool>, <dyn>)", "<string>.split('a')", "[?<optional>]", "<list>.sort()",
        "<dyn>.transformList(i, $, ~<dyn>)", "<list>.sortBy($, ~<dyn>)", "<list>.distinct()",
    ),
    "dyn": (
        "<dyn>.<field>", "<dyn>[<int>]", "<dyn>[<string>]", "<list>[0]", "dyn(<int>)",
        "dyn(<bool>)", "(<dyn> + <dyn>)", "dyn({'a': <dyn>, 'b': <dyn>})", "<optional>.value()",
        "dyn({<string>: <dyn>})", "dyn(<list>)", "<dyn>.transformMap(i, $, ~<dyn>)", "dyn(<optional>)",
    ),
    "optional": (
        "<dyn>.?<field>", "<optional>.?<field>", "<dyn>[?<int>]", "<optional>[?<string>]",
        "optional.of(<dyn>)", "<optional>.or(<optional>)", "<optional>.optMap($, ~<dyn>)",
        "<optional>.optFlatMap($, ~<optional>)", "optional.ofNonZeroValue(<dyn>)",
    ),
}  # fmt: skip


@st.composite
def expressions(draw: Any) -> str:
    kind = draw(st.sampled_from(sorted(_ROWS)))
    return _Writer(draw).expression(kind, draw(st.integers(1, 5)))


def _program(text: str) -> cel.Program | None:
    try:
        return cel.compile(text, ENVIRONMENT)
    except cel.CompileError:
        return None


@settings(max_examples=100)
@given(expressions(), st.lists(st.tuples(_DOCUMENTS, _DOCUMENTS, _DOCUMENTS), max_size=3))
def test_it_is_right_or_silent(text: str, documents: list[tuple[Any, Any, Any]]) -> None:
    program = _program(text)
    assume(program is not None)
    assert program is not None
    function = twins.written(text, ENVIRONMENT)
    for values in documents:
        bindings = dict(zip(("object", "p", "q"), values, strict=True))
        quick = twins.quickly(function, bindings)
        assert not twins.difference(program, quick, bindings)


def test_most_of_what_is_generated_is_compiled_and_answered() -> None:
    """Else the law above would say little."""
    counts = {"compiled": 0, "answered": 0, "right": 0}

    @settings(max_examples=120, database=None)
    @given(expressions(), _DOCUMENTS)
    def count(text: str, document: Any) -> None:
        program = _program(text)
        if program is None:
            return
        bindings = dict.fromkeys(("object", "p", "q"), document)
        counts["compiled"] += 1
        quick = twins.quickly(twins.written(text, ENVIRONMENT), bindings)
        counts["answered"] += quick is not twins.LEFT_OPEN
        try:
            program.exactly(bindings)
        except cel.EvaluationError:
            return
        counts["right"] += 1

    count()
    assert counts["compiled"] > 40
    assert counts["right"] > 15
    assert counts["answered"] > counts["right"] * 0.6, counts


@pytest.mark.parametrize("size", [0, 1, 300, 5000])
def test_size_of_the_document_changes_no_answer(size: int) -> None:
    document = {"list": [{"name": f"n{n}", "a": n} for n in range(size)], "name": "n" * size}
    for text in (
        "object.list.all(e, e.name.startsWith('n') && e.a >= 0)",
        "object.list.exists(e, e.name == object.name)",
        "object.list.map(e, e.a).sum() >= 0",
        "object.name.contains('m') || size(object.name) < 10000",
    ):
        program = cel.compile(text, ENVIRONMENT)
        bindings = {"object": document}
        quick = twins.quickly(twins.written(text, ENVIRONMENT), bindings)
        assert not twins.difference(program, quick, bindings)
