"""What is laid out for the gates of one candidate."""

from datetime import timedelta
from types import SimpleNamespace

import builders
from fleet.hub import evidence
from fleet.judge import settings
from fleet.model import ledger, names


def hotfix(path: str, word: str, age: float) -> ledger.Hotfix:
    return ledger.Hotfix(
        path=path,
        based_on="",
        fixed="100644 1",
        commit=builders.commit(word),
        reason="outage",
        since=builders.NOW - timedelta(seconds=age),
    )


def test_hotfixes_are_those_of_the_release_in_force_by_commit():
    book = ledger.Ledger()
    fixes = (hotfix("b", "one", 60), hotfix("a", "one", 60), hotfix("c", "two", 90))
    book.take(builders.release(1, environment="prod", hotfixes=fixes[:1]))
    book.take(builders.release(2, environment="prod", hotfixes=fixes))
    book.take(builders.environment_state("prod", release=2))
    clock = SimpleNamespace(now=lambda: builders.NOW)
    hub = SimpleNamespace(ledger=book, measured={}, soaks={}, clock=clock)
    facts = evidence.beside(
        builders.facts(),
        builders.candidate(environment="prod"),
        hub,  # type: ignore[arg-type]  # as much of a hub as is asked for
    )
    assert [(each.commit, each.paths) for each in facts.open_hotfixes] == [
        (builders.commit("one"), ("a", "b")),
        (builders.commit("two"), ("c",)),
    ]
    assert {each.environment for each in facts.open_hotfixes} == {names.Environment("prod")}


def test_one_side_where_the_settings_are_the_same_and_two_where_not():
    one, other = builders.gates(soak="1h"), builders.gates(soak="2h")
    assert [each.word for each in settings.both(one, one)] == [""]
    assert [each.word for each in settings.both(None, one)] == [""]
    assert [each.spec for each in settings.both(one, other)] == [one, other]
    assert settings.both(None, None) == ()
