"""What a rollback left is known again by its paths, here and farther down the road, and by nothing less."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

import builders
from fleet.hub import comebacks
from fleet.manifests import layout
from fleet.model import ledger, names, observed, snapshots

DEV, STAGING = names.Environment("dev"), names.Environment("staging")
WHERE = layout.Layout(environment=DEV, owned=layout.OWNED)
Files = dict[str, str]


def tree(files: Files, mode: int = snapshots.FILE) -> snapshots.Snapshot:
    entries = {
        path: snapshots.Entry(path=path, mode=mode, blob=names.BlobId(word), size=1)
        for path, word in files.items()
    }
    return snapshots.Snapshot(commit=builders.commit("a tree"), entries=entries)


def hub(runs: Files, *rows: ledger.Row, environment: str = "dev", wave: int = 2) -> Any:
    """Whose release in force there has these files."""
    book = ledger.Ledger()
    book.take(ledger.Seal(schema=1, road=builders.road("dev", "staging", "prod")))
    release = builders.release(1, environment=environment)
    state = builders.environment_state(environment, release=1, wave=wave)
    for row in (release, state, *rows):
        book.take(row)

    async def snapshot(_: names.CommitId) -> snapshots.Snapshot:
        return tree(runs)

    return SimpleNamespace(ledger=book, repository=SimpleNamespace(snapshot=snapshot))


def left(runs: Files, goes_to: Files, **changed: Any) -> tuple[observed.Quarantine, ...]:
    decision = builders.decision(
        **{"content": "c1", "lineage": ledger.Lineage.ROLLBACK, **changed}
    )
    judged: Any = SimpleNamespace(snapshot=tree(goes_to), layout=WHERE)
    return asyncio.run(comebacks.left_behind(decision, judged, hub(runs)))


def test_what_is_left_is_told_by_the_shared_paths_that_differ_as_they_were():
    bad = {"a": "1", "b": "2", "new": "3", "clusters/dev/c.yaml": "4"}
    (row,) = left(bad, {"a": "1", "b": "9", "gone": "5", "clusters/dev/c.yaml": "6"})
    assert row.forms == {"b": "100644 2", "new": "100644 3", "gone": ""}
    assert row.content == builders.release(1).content


def test_of_too_many_paths_it_is_the_whole_content_alone():
    many = {f"apps/{n}": "1" for n in range(comebacks.MOST + 1)}
    (row,) = left(many, {})
    assert row.forms == {}
    (row,) = left(dict(list(many.items())[1:]), {})
    assert len(row.forms) == comebacks.MOST


def test_nothing_is_left_by_what_is_no_rollback():
    assert left({"a": "1"}, {}, lineage=ledger.Lineage.ENTRY) == ()


ROW = builders.quarantine(environment="dev", forms={"b": "100644 2", "gone": ""})
BAD = {"a": "1", "b": "2"}
COMING: dict[str, tuple[Files, int, bool]] = {
    "just so": (BAD, snapshots.FILE, True),
    "with more beside": ({**BAD, "c": "3"}, snapshots.FILE, True),
    "one is another": ({**BAD, "b": "3"}, snapshots.FILE, False),
    "one of another mode": (BAD, snapshots.EXECUTABLE, False),
    "one is there again": ({**BAD, "gone": "1"}, snapshots.FILE, False),
    "one is not there": ({"a": "1"}, snapshots.FILE, False),
}


def coming(files: Files, where: Any, environment: names.Environment, mode: int) -> list[str]:
    found = asyncio.run(comebacks.coming(environment, tree(files, mode), where))
    assert all(each.quarantine.forms == {} for each in found)
    return [each.quarantine.environment for each in found]


@pytest.mark.parametrize(("files", "mode", "comes"), COMING.values(), ids=COMING.keys())
def test_it_comes_back_when_every_path_of_it_does(files: Files, mode: int, comes: bool):
    for environment in ("dev", "staging", "prod"):
        here = hub({}, ROW, environment=environment)
        found = coming(files, here, names.Environment(environment), mode)
        assert found == (["dev"] if comes else [])


def test_what_lies_farther_down_the_road_or_is_lifted_says_nothing():
    below = builders.quarantine(environment="staging", forms=ROW.forms)
    assert coming(BAD, hub({}, below), DEV, snapshots.FILE) == []
    lifted = builders.quarantine(environment="dev", forms=ROW.forms, lifted=builders.NOW)
    assert coming(BAD, hub({}, lifted), DEV, snapshots.FILE) == []
    by_hand = builders.quarantine(environment="dev")
    assert coming(BAD, hub({}, by_hand), DEV, snapshots.FILE) == []


def test_what_is_out_everywhere_does_not_come_and_what_is_still_going_out_does():
    running = hub(BAD, ROW, environment="staging")
    assert coming({**BAD, "c": "3"}, running, STAGING, snapshots.FILE) == []
    going_out = hub(BAD, ROW, environment="staging", wave=1)
    assert coming({**BAD, "c": "3"}, going_out, STAGING, snapshots.FILE) == ["dev"]


def test_it_is_told_by_a_few_paths_and_their_number():
    row = builders.quarantine(environment="dev", forms=dict.fromkeys("abcdefgh", ""))
    (found,) = asyncio.run(comebacks.coming(DEV, tree({}), hub({"a": "1"}, row)))
    assert (found.paths, found.count) == (("a", "b", "c", "d", "e"), 8)


def test_a_way_back_to_the_same_content_leaves_nothing():
    assert left({"a": "1"}, {"a": "1"}, content="c2") == ()
