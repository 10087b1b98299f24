"""What is laid out for the gates of one candidate."""

from dataclasses import replace
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


def test_quarantines_above_are_those_of_this_content_in_every_environment_before():
    book = ledger.Ledger()
    book.take(ledger.Seal(schema=1, road=builders.road("dev", "staging", "prod")))
    rows = [builders.quarantine(environment=each) for each in ("dev", "staging", "prod")]
    for each in rows:
        book.take(each)
    hub = SimpleNamespace(ledger=book)

    def above(environment: str, word: str = "c2") -> list[str]:
        content = names.ContentId(builders.digest(word))
        found = evidence.above(names.Environment(environment), content, hub)  # type: ignore[arg-type]  # see above
        return [each.environment for each in found]

    assert above("prod") == ["staging", "dev"]
    assert (above("staging"), above("dev"), above("moon")) == (["dev"], [], [])
    assert above("prod", "c3") == []
    book.take(replace(rows[1], lifted=builders.NOW))
    assert above("prod") == ["dev"]
