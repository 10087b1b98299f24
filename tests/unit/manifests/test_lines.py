"""The reader of plain lines says what the exact reader says, or nothing at all."""

import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fleet.manifests import lines, parse
from fleet.model import names

BLOB = names.BlobId("0" * 40)
CASES = json.loads((Path(__file__).parent / "yaml-scalars.json").read_text())

WORDS = st.sampled_from(
    [
        "a", "b", "name", "x: y", "1", "0777", "1_000", "12:30", "1e3", ".5", "-1", "+1", "--flag", "-", "- a", "?",
        "yes", "no", "on", "null", "~", "true", ".inf", "0x1F", "9223372036854775808", "a:", "a: b", "a #b", "a#b",
        "'q'", "'it''s'", '"d"', '"\\n"', '"a" # c', "'a'#c", '"a" b', "{}", "[]", '[a, 1, "b"]', "[a,b]", "[ a ]",
        "{a: b}", "[[]]", "|", "|-", "|+", ">", ">-", "|2", "| # c", "&x a", "*x", "!!str 1", "!!binary YQ==", "%a",
        "@a", "`a", "a  ", "http://a:80/b", "a:b", ":a", "---", "...", "<<", "# c", "2001-01-01", "a, b", "]", "}",
        "[yes, no]", "[a b]", "[-1]", "[0777, /x.y-z]", "a\tb", "\u00e9", "{} # c", "[] x",
    ]
)  # fmt: skip
KEYS = st.sampled_from(
    ["a", "b", "c", "name", "1", "0x1", "y", "no", "null", "<<", '"a"', '"a b"', "'a'", "a.b/c-d", "_a", "-a", "? a",
     "1.5", "a b", "3.0", "~"]
)  # fmt: skip
ENDS = st.sampled_from(["", " ", "  # c", " #", "\r"])


@st.composite
def line(draw: st.DrawFn) -> str:
    pad = " " * draw(st.integers(0, 7))
    dashes = draw(st.sampled_from(["", "", "", "- ", "-   ", "- - ", "-"]))
    form = draw(st.integers(0, 9))
    if form == 0:
        return draw(
            st.sampled_from(
                ["---", "...", "", "   ", "--- a", "--- ", "%YAML 1.1", "---a", "  ---", "\t", "#"]
            )
        )
    if form == 1:
        return pad + dashes + draw(WORDS) + draw(ENDS)
    if form <= 4:
        return (
            pad
            + dashes
            + draw(KEYS)
            + draw(st.sampled_from([":", ":", ": ", ":  # c", " :"]))
            + draw(ENDS)
        )
    return pad + dashes + draw(KEYS) + ": " + draw(WORDS) + draw(ENDS)


def like_people_write() -> st.SearchStrategy[str]:
    """Blocks in blocks, well indented: the reader of lines understands most of these."""
    leaf = st.sampled_from(
        [
            "1",
            "a",
            '"b c"',
            "'d'",
            "{}",
            "[]",
            "|\n{pad}  x\n{pad}  # y",
            "|-\n\n{pad}   z\n\n{pad}    w",
            "",
        ]
    )
    keys = st.sampled_from(["a", "b", "c", "kind", "x.y/z", '"q"'])
    tree = st.recursive(
        leaf,
        lambda inner: st.dictionaries(keys, inner, min_size=1) | st.lists(inner, min_size=1),
        max_leaves=12,
    )
    roots = st.lists(st.dictionaries(keys, tree, min_size=1), min_size=1, max_size=3)
    return st.builds(_written, roots, st.booleans(), st.sampled_from(["", "\n", "# c\n", "---\n"]))


def _written(documents: list[object], tight: bool, head: str) -> str:
    return head + "---\n".join("".join(_block(each, 0, tight)) for each in documents)


def _block(value: object, depth: int, tight: bool) -> list[str]:
    pad = " " * depth
    if isinstance(value, str):
        return [pad + value.replace("{pad}", pad) + "\n"]
    found = []
    rows = value.items() if isinstance(value, dict) else (("-", each) for each in value)
    for key, inner in rows:
        word = key if key == "-" else f"{key}:"
        if isinstance(inner, str):
            found.append(f"{pad}{word} {inner.replace('{pad}', pad)}".rstrip(" ") + "\n")
        elif key == "-":
            first, *rest = _block(inner, depth + 2, tight)
            found += [f"{pad}- {first.lstrip(' ')}", *rest]
        else:
            below = depth if tight and isinstance(inner, list) else depth + 2
            found += [f"{pad}{word}\n", *_block(inner, below, tight)]
    return found


def read(written: bytes) -> bool:
    """Whether the lines were plain enough; in any case nothing differs."""
    plain = lines.documents(written)
    if plain is None:
        return False
    exact = parse.exact(written, "a.yaml", BLOB)
    assert exact.findings == ()
    assert [(each.value, each.line, each.index) for each in exact.documents] == plain
    spelled = [json.dumps(each.value) for each in exact.documents]
    # 1 is neither 1.0 nor True, and keys keep their order.
    assert [json.dumps(value) for value, _, _ in plain] == spelled
    return True


@settings(max_examples=500, deadline=None)
@example("a: |\n  x", "\n")
@example("a: |\n\n  x\n   \n\n\nb: 1\n", "\n")
@example("a:\n- b: 1\n  c:\n  - d\n-   e: 2\n    f: 3\n", "\n")
@example("- a\n- b\n", "\n")
@example("a:\n  b: 1\n c: 2\n", "\n")
@example("a: b\n  c\n", "\n")
@example("a:\n---\nb:\n", "\n")
@given(st.lists(line(), max_size=8).map("\n".join), st.sampled_from(["", "\n", "\n\n"]))
def test_never_says_anything_else_than_the_exact_reader(written: str, end: str):
    read((written + end).encode())


@settings(max_examples=100, deadline=None)
@given(like_people_write())
def test_reads_what_people_write(written: str):
    read(written.encode())


@pytest.mark.threat(51)
@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_agrees_on_every_scalar(case: dict):
    read(case["yaml"].encode())
    read(b"a:\n- " + case["yaml"].encode() + b"\n")


def test_agrees_on_manifests_that_people_published(shared: Path):
    folders = [shared / "corpus", shared / "conformance" / "originals"]
    files = [f for folder in folders for f in folder.rglob("*.y*ml") if f.stat().st_size < 1 << 18]
    if not files:
        pytest.skip(f"no YAML below {shared}")
    plain = [read(each.read_bytes()) for each in files]
    assert sum(plain) > len(plain) / 2


@pytest.mark.parametrize(
    "written",
    [
        b"a: 1\na: 2\n",  # threat 52
        b"a: &x 1\nb: *x\n",
        b"a: \xff\n",
        b"a: \x00\n",
        b"\xef\xbb\xbfa: 1\n",
        b"a: 1\r\n",
        b"a:\t1\n",
        b"a: 1\n" * 60_000,
        b"---\na: 1\n" * 9_100,
        b"".join(b" " * depth + b"a:\n" for depth in range(95)),
    ],
)
def test_leaves_what_is_not_plain_to_the_exact_reader(written: bytes):
    assert lines.documents(written) is None


def test_values_that_can_change_are_never_shared():
    (first, _, _), (second, _, _) = lines.documents(b"a: {}\nb: [x]\n---\na: {}\nb: [x]\n") or ()
    assert first == second
    assert first["a"] is not second["a"]
    assert first["b"] is not second["b"]


def test_what_is_kept_of_lines_stays_bounded():
    for number in range(6):
        text = "".join(f"k{number}-{each}: a\n" for each in range(10_000))
        assert lines.documents(text.encode()) is not None or len(text) > lines.MAX_BYTES
    assert len(lines._known) <= 50_001
