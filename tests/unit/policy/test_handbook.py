"""The page about the policies: drawn from them, whatever they say of themselves."""

from pathlib import Path

import pytest

import libraries
import rulebooks
from fleet.cli import handbook as pages
from fleet.model import errors
from fleet.policy import handbook

DOCS = libraries.ROOT.parent / "docs" / "policies.md"


def page(*documents: dict[str, object], **examples: handbook.Examples) -> str:
    return handbook.page(rulebooks.parsed(*documents), examples, "Ours", "Words.")


def told(**annotations: str) -> dict[str, object]:
    said = {f"fleetgate.dev/{key}": value for key, value in annotations.items()}
    return rulebooks.policy("true", annotations=said)


def test_the_page_in_docs_is_the_one_that_is_drawn() -> None:
    assert DOCS.read_text() == pages.text(libraries.ROOT), "policies/ has changed: run `make docs`"


def test_each_policy_has_a_row_and_a_section_with_both_examples() -> None:
    text = DOCS.read_text()
    for name in libraries.FOLDERS:
        assert text.count(f"| [{name}](#{name}) |") == 1
        (section,) = (each for each in text.split("\n### ") if each.startswith(f"{name}\n"))
        for part in ("What it finds", "What passes", "- to mend it: ", "- see <https://"):
            assert part in section, f"{part} of {name}"


def test_what_a_policy_says_is_said() -> None:
    text = page(
        told(title="Ask", category="Manners", severity="low", why="Because.", hint="do it",
             links="https://example.com/a\nhttps://example.com/b"),
        rulebooks.binding(),
    )  # fmt: skip
    assert text.startswith("# Ours\n\nWords.\n\n## Manners\n")
    assert "**Ask.** Because." in text
    assert "- to mend it: do it\n" in text
    assert "- see <https://example.com/a>\n- see <https://example.com/b>" in text


def test_what_it_does_not_say_is_left_out() -> None:
    text = page(told(), rulebooks.binding())
    assert "## Others\n" in text
    assert "severity: not said; denies" in text
    assert "to mend it" not in text
    assert "<details>" not in text


def test_what_nothing_binds_does_nothing() -> None:
    assert "it does nothing" in page(told())


def test_an_empty_set_is_an_empty_page() -> None:
    assert page() == "# Ours\n\nWords.\n"


def test_bindings_are_told_apart_by_where_they_count() -> None:
    selector = {
        "matchLabels": {"a": "b"},
        "matchExpressions": [{"key": "c", "operator": "Exists"},
                             {"key": "d", "operator": "NotIn", "values": ["e", "f"]}],
    }  # fmt: skip
    match = {"namespaceSelector": selector}
    labelled = rulebooks.binding("labelled", "Warn", policyName="rule", matchResources=match)
    prod = rulebooks.binding("prod", policyName="rule", environments="prod")
    text = page(told(), prod, labelled)
    assert "denies in prod, warns where a is b and c is set and d is none of e, f" in text


def test_words_break_neither_table_nor_page() -> None:
    hostile = "a | b </details> `x` [y](z) *w*\n# Head\u202e"
    text = page(told(title=hostile, category="c|d\n# e", why=hostile, hint=hostile))
    assert "</details>" not in text.replace("\\<", "")
    assert "\u202e" not in text
    assert "\n# Head" not in text
    assert [line.count(" | ") for line in text.splitlines() if line.startswith("| [")] == [3]


def test_an_example_cannot_end_its_own_fence() -> None:
    shown = handbook.Examples(bad="a: |\n  ```\n  ````\n")
    text = page(told(), rulebooks.binding(), rule=shown)
    assert "`````yaml\na: |" in text


@pytest.mark.parametrize(
    ("texts", "wanted"),
    [
        ({}, ""), ({"a": ""}, ""), ({"a": "---\n"}, ""), ({"a": "---\nx: 1\n"}, "x: 1"),
        ({"b": "b: 1\n", "a": "a: 1\n---\na: 2\n"}, "a: 1"),
    ],
)  # fmt: skip
def test_the_first_document(texts: dict[str, str], wanted: str) -> None:
    assert handbook.first(texts) == wanted


@pytest.mark.parametrize("text", ["a: [", "a: 1\na: 2\n", "kind: ValidatingAdmissionPolicy\n"])
def test_unsound_policies_have_no_page(tmp_path: Path, text: str) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "policy.yaml").write_text(text)
    with pytest.raises(errors.InputError, match=r"policy\.yaml"):
        pages.text(tmp_path)


def test_the_classes_of_lineage_are_told_as_they_are():
    page = (pages._ROOT / "docs" / "promotion.md").read_text("utf-8")
    assert pages.with_classes(page) == page
    assert "| incomplete | refused |" in page
