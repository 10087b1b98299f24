"""A comment is bounded, and what was cut is said; one fence is never closed by what stands in it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

import builders
import previewed
from fleet.cli import previewforms, previewing
from fleet.gate import demands
from fleet.local import previews as judged
from fleet.model import findings, leaving, ledger, names
from fleet.plan import previews, unseen
from fleet.policy import impacts
from fleet.protocol import encoding


def told(subject: str = "s", words: int = 0, size: int = 10) -> previewing.Told:
    before = {names.Cluster("a"): ()}
    made = tuple(builders.manifest(f"m-{number}-{'x' * size}") for number in range(words))
    cluster = names.Cluster("a")
    difference = previews.between(before, {cluster: made}, previewed.plan((cluster,)))
    asked = judged.Asked(target=names.Environment("prod"), commit=builders.commit())
    found = judged.Preview(
        asked=asked, running=builders.commit(), subject=subject, difference=difference
    )
    return previewing.Told(preview=found, demands=(), assumed=())


@pytest.mark.parametrize("words", [0, 1, 2_000, 20_000])
def test_a_comment_is_bounded_and_the_cut_is_said(words: int):
    comment = previewforms.markdown(told(words=words))
    assert len(comment) <= previewforms.MOST
    assert ("Cut: " in comment) == (words >= 2_000)


def test_one_endless_line_hides_nothing_else():
    comment = previewforms.markdown(told(subject="x" * 100_000, words=1))
    assert len(comment) < 3_000
    assert "x...\n" in comment
    assert "+ ConfigMap shop/m-0" in comment


@pytest.mark.threat(73)
@given(some.text(alphabet="`~<>a@\n\r#[]()!\\\u202e\x1b", max_size=40))
def test_no_subject_ends_the_block_that_it_stands_in(subject: str):
    lines = previewforms.markdown(told(subject=subject)).split("\n")
    assert lines[0] == "### fleet preview: nothing refuses it: no object changes"
    fence = lines[2].removesuffix("text")
    assert set(fence) == {"`"}
    assert lines.index(fence) == 5
    assert fence not in "".join(lines[3:5])
    assert all(each.isprintable() for each in lines)


def test_what_would_be_refused_is_said_first():
    gate = ledger.GateResult(gate="lineage", state=ledger.GateState.REFUSED, reason="r", hint="h")
    denied = findings.deny("rule", findings.Place(path="a.yaml", line=3), "bad", hint="mend it")
    found = told().preview
    both = replace(found, lineage=gate, refusing=(gate,), findings=(denied,))
    sections = previewing.sections(previewing.Told(preview=both, demands=(), assumed=()))
    assert sections[0].title == "would be refused"
    assert sections[1].lines == (
        "lineage, refused: r", "  h", "a.yaml:3: deny rule: bad", "  mend it",
    )  # fmt: skip


def test_a_preview_is_the_same_after_it_was_kept():
    gate = ledger.GateResult(gate="lineage", state=ledger.GateState.WAITING, reason="r", hint="")
    denied = findings.deny("rule", findings.Place(path="a.yaml", line=3), "bad", subject="x")
    new = {"data": {"a": None, "b": [1, 2.5, {"c": True}], "c": "x\ny"}}
    old, comes = (builders.manifest(document=builders.body(**each)) for each in ({}, new))
    a, b = names.Cluster("a"), names.Cluster("b")
    difference = previews.between(
        {a: (old,), b: (old,)},
        {a: (comes,)},
        previewed.plan((a,), (b,), retired={b: leaving.OnRemoval.PRUNE}),
    )
    found = replace(
        told(words=3).preview,
        difference=difference,
        impacts=impacts.between((), (denied,)),
        findings=(denied,),
        lineage=gate,
        unseen=unseen.Unseen(hidden=("a",)),
        refusing=(gate,),
        demands=(demands.Demand(gate="soak", words="24h", answer=gate),),
        conflicts=("x",),
    )
    assert encoding.decode(judged.Preview, encoding.encode(found)) == found


def test_of_long_values_the_part_is_shown_in_which_they_differ():
    old, comes = (
        builders.manifest(document=builders.body(data={"a": "x" * 500 + word + "x" * 500}))
        for word in ("before", "after")
    )
    a = names.Cluster("a")
    difference = previews.between({a: (old,)}, {a: (comes,)}, previewed.plan((a,)))
    found = replace(told().preview, difference=difference)
    (line,) = [
        x
        for x in previewing.sections(previewing.Told(preview=found, demands=(), assumed=()))[
            -1
        ].lines
        if "->" in x
    ]
    before, after = line.split(" -> ")
    assert "before" in before
    assert "after" in after
    assert len(line) < 400
