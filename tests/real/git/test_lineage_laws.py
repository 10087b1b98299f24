"""Laws of lineage over random histories in real git: what counts is what a tip has, whatever way it came."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import growing
import histories
import treerules
import worlds
from fleet.gate import classes, trailers
from fleet.local import grafting
from fleet.manifests import layout
from fleet.model import names
from fleet.model.ledger import GateState, Lineage

STAGING = layout.Layout(environment=names.Environment("staging"), owned=layout.OWNED)
SCOPE = ("apps/web/**",)
PATHS = ("apps/web/web.yaml", "apps/web/more.yaml", "apps/db/db.yaml", "policies/p.yaml")
Tree = Mapping[str, str]
Edit = tuple[str, int]

EDITS = st.lists(
    st.tuples(st.sampled_from(PATHS), st.integers(0, 3)), min_size=1, max_size=4
)  # a path with the value that it gets; 0 = it goes
LAWS = settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def edited(files: Tree, edit: Edit) -> Tree:
    path, value = edit
    others = {each: text for each, text in files.items() if each != path}
    return {**others, path: f"value {value}\n"} if value else others


def shared(files: Tree) -> Tree:
    return {path: text for path, text in files.items() if worlds.is_shared(path)}


def in_staging(files: Tree) -> Tree:
    """These shared files on staging's branch."""
    return {**shared(files), **growing.OWN["staging"]}


@dataclass(kw_only=True)
class Begun:
    """dev with one accepted commit after another, and a staging that runs the first of them."""

    here: growing.Grown
    dev: list[int]
    staging: int

    def tree(self, mark: int) -> Tree:
        return self.here.planned[mark - 1].files


def begun(folder: Path, edits: Sequence[Edit], **more: object) -> Begun:
    here = growing.Grown(folder=folder / "repository", scope=SCOPE)
    files: Tree = {**histories.START, **growing.OWN["dev"]}
    dev = [here.plan(files, **more)]
    staging = here.plan(in_staging(files), dev[0], **more)
    for edit in edits:
        files = edited(files, edit)
        dev.append(here.plan(files, dev[-1], **more))
    return Begun(here=here, dev=dev, staging=staging)


def judge(here: growing.Grown, dev: Sequence[int], staging: Sequence[int]) -> None:
    """Written, and these accepted, in their order."""
    here.write()
    for environment, marks in (("dev", dev), ("staging", staging)):
        here.accepted[environment] = []
        for mark in marks:
            here.heads[environment] = here.id_of(mark)
            here.accept(environment, here.id_of(mark))


def ways(begun: Begun, onto: int, source: int, **more: object) -> dict[str, int]:
    """Each way of having the files of that commit of dev's."""
    here, dev = begun.here, begun.dev
    tree = in_staging(begun.tree(source))
    rebased = onto
    for mark in dev[1 : dev.index(source) + 1]:
        rebased = here.plan(in_staging(begun.tree(mark)), rebased, **more)
    before = dev[max(0, dev.index(source) - 1)]
    return {
        "merge": here.plan(tree, onto, source, **more),
        "squash": here.plan(tree, onto, **more),
        "foxtrot": here.plan(tree, source, onto, **more),
        "octopus": here.plan(tree, onto, before, source, **more),
        "rebase": rebased,
    }


def verdict(here: growing.Grown, mark: int) -> tuple[Lineage, int]:
    found = here.tell("staging", here.id_of(mark))
    return found.kind, found.source


@pytest.mark.threat(29)
@LAWS
@given(edits=EDITS)
def test_whichever_way_the_same_files_come_the_verdict_is_the_same(
    tmp_path: Path, edits: Sequence[Edit]
):
    here = begun(tmp_path, edits)
    made = ways(here, here.staging, here.dev[-1])
    judge(here.here, here.dev, [here.staging])
    found = {way: verdict(here.here, mark) for way, mark in made.items()}
    assert len(set(found.values())) == 1, found
    assert {kind for kind, _ in found.values()} <= {Lineage.PROMOTION, Lineage.NOTHING}


@pytest.mark.threat(30)
@LAWS
@given(edits=EDITS, stray=st.tuples(st.sampled_from(PATHS), st.integers(0, 5)))
def test_a_stray_commit_that_was_reverted_leaves_no_trace(
    tmp_path: Path, edits: Sequence[Edit], stray: Edit
):
    here = begun(tmp_path, edits)
    plain = ways(here, here.staging, here.dev[-1])
    tree = here.tree(here.staging)
    strayed = here.here.plan(edited(tree, stray), here.staging)
    back = here.here.plan(tree, strayed)
    after = ways(here, back, here.dev[-1])
    judge(here.here, here.dev, [here.staging])
    assert {w: verdict(here.here, m) for w, m in after.items()} == {
        w: verdict(here.here, m) for w, m in plain.items()
    }
    assert here.here.tell("staging", here.here.id_of(back)).kind is Lineage.NOTHING


PEOPLE = st.sampled_from(("Eve <eve@example.com>", "bot[bot] <b@c>", "Ada <ada@example.com>"))


@pytest.mark.threat(28)
@pytest.mark.threat(33)
@LAWS
@given(
    edits=EDITS,
    tip=EDITS,
    author=PEOPLE,
    when=st.integers(0, 4_000_000_000),
    message=st.sampled_from(("", "Merge dev", "Revert x", "Promote dev to staging: all of it")),
    merges=st.booleans(),
)
def test_authors_dates_words_notes_and_replacements_change_no_verdict(
    tmp_path: Path,
    edits: Sequence[Edit],
    tip: Sequence[Edit],
    author: str,
    when: int,
    message: str,
    merges: bool,
):
    found = []
    for how in ({}, {"author": author, "when": when, "message": message}):
        here = begun(tmp_path, edits, **how)
        tree = here.tree(here.staging)
        for each in tip:
            tree = edited(tree, each)
        parents = (here.staging, here.dev[-1]) if merges else (here.staging,)
        mark = here.here.plan(tree, *parents, **how)
        judge(here.here, here.dev, [here.staging])
        if how:
            _disturb(here.here, mark, here.dev[-1])
        told_ = here.here.tell("staging", here.here.id_of(mark))
        found.append((told_.kind, told_.source, told_.paths))
    assert found[0] == found[1]


def _disturb(here: growing.Grown, mark: int, other: int) -> None:
    """A replacement, a graft, a note, a tag of a branch's name: nothing of it is content."""
    tip, upstream = here.id_of(mark), here.id_of(other)
    for words in (
        ["replace", "-f", tip, upstream],
        ["notes", "add", "-f", "-m", "Fleet-Hotfix: it is fine", tip],
        ["tag", "-f", "staging", upstream],
        ["branch", "-f", "promote/staging", tip],
    ):
        here.git(*words)
    (here.folder / ".git" / "info").mkdir(exist_ok=True)
    (here.folder / ".git" / "info" / "grafts").write_text(f"{tip} {upstream}\n")
    here.reader = histories.Read(here.reader._git)


@pytest.mark.threat(29)
@LAWS
@given(
    edits=EDITS,
    fix=st.none() | st.tuples(st.sampled_from(PATHS[:2]), st.integers(1, 6)),
    source=st.integers(0, 4),
    bundles=st.sampled_from(((), (), ("apps/web",), ("apps/db",))),
    older=st.sampled_from(("", "because")),
    taken=st.integers(0, 4),
)
def test_what_fleet_promote_builds_is_let_through_or_it_is_said_why_not(
    tmp_path: Path,
    edits: Sequence[Edit],
    fix: Edit | None,
    source: int,
    bundles: tuple[str, ...],
    older: str,
    taken: int,
):
    here = begun(tmp_path, edits)
    ran = [here.staging]
    first = here.dev[min(taken, len(here.dev) - 1)]
    if first != here.dev[0]:
        ran.append(here.here.plan(in_staging(here.tree(first)), ran[-1], first))
    if fix is not None:
        message = f"fix\n\n{trailers.HOTFIX}: it burns\n"
        ran.append(here.here.plan(edited(here.tree(ran[-1]), fix), ran[-1], message=message))
    judge(here.here, here.dev, ran)
    commit = here.here.id_of(here.dev[min(source, len(here.dev) - 1)])
    wanted = grafting.Wanted(subject="Promote", bundles=bundles, older=older)
    made = asyncio.run(
        grafting.graft(wanted, commit, here.here.id_of(ran[-1]), STAGING, here.here.reader)
    )
    if made is None:
        return
    found = here.here.tell("staging", _written(here.here, made))
    row = classes.CLASSES[found.kind]
    allowed = {Lineage.INCOMPLETE} if fix is not None else set()
    allowed |= set() if older else {Lineage.OLDER}
    assert row.state is GateState.OPEN or found.kind in allowed, found
    assert row.state is GateState.OPEN or row.mend


def _written(here: growing.Grown, made: grafting.Graft) -> names.CommitId:
    lines = "".join(f"{e.mode:o} {e.blob} 0\t{e.path}\n" for e in made.entries)
    here.git("read-tree", "--empty")
    here.git("update-index", "--index-info", given=lines)
    words = [word for parent in made.parents for word in ("-p", parent)]
    tree = here.git("write-tree")
    return names.CommitId(here.git("commit-tree", *words, "-m", made.message, tree))


@pytest.mark.threat(29)
@pytest.mark.timeout(120)
@settings(LAWS, max_examples=120)
@given(data=st.data(), edits=EDITS, tip=EDITS)
def test_whatever_goes_on_is_what_upstream_accepted_or_a_record_says_why(
    tmp_path: Path, data: st.DataObject, edits: Sequence[Edit], tip: Sequence[Edit]
):
    """Any tree on any parents with any words: the oracle reads files alone."""
    here = begun(tmp_path, edits)
    start = data.draw(st.sampled_from([here.staging, here.staging, *here.dev]), label="files of")
    tree: Tree = in_staging(here.tree(start))
    for each in tip[: data.draw(st.integers(0, 3), label="edits")]:
        tree = edited(tree, each)
    others = data.draw(st.lists(st.sampled_from(here.dev), max_size=2, unique=True))
    key = data.draw(st.sampled_from(("", trailers.HOTFIX, trailers.HOTFIX, trailers.SOURCE, trailers.PORTED,
                                     trailers.OLDER, trailers.ROLLBACK, trailers.BUNDLE)))  # fmt: skip
    message = f"change\n\n{key}: apps/web/web.yaml\n" if key else "change"
    mark = here.here.plan(tree, here.staging, *others, message=message)
    judge(here.here, here.dev, [here.staging])
    found = here.here.tell("staging", here.here.id_of(mark))
    if classes.CLASSES[found.kind].state is GateState.OPEN:
        assert _is_explained(here, mark), found


def _is_explained(here: Begun, mark: int) -> bool:
    marks = {here.here.id_of(n): n for n in range(1, len(here.here.planned) + 1)}
    rules = treerules.Rules(
        say=lambda _: None,
        files_of=lambda commit: here.tree(marks[commit]),
        steps=lambda base, tip: asyncio.run(here.here.reader.steps(base, tip)),
        scope=SCOPE,
    )
    rules.stood = {
        "dev": [_stand(here, each, n) for n, each in enumerate(here.dev, 1)],
        "staging": [_stand(here, here.staging, 1)],
    }
    tip = _stand(here, mark, 2)
    return rules.explained(tip, {"environment": "staging", "lineage": ""}) is not None


def _stand(here: Begun, mark: int, release: int) -> treerules.Stand:
    files = shared(here.tree(mark))
    return treerules.Stand(commit=here.here.id_of(mark), release=release, files=files, source=1)
