"""A commit that nobody made answers as the one that git makes of the same parents, tree and message."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

import histories
from fleet.local import overlays
from fleet.model import ledger, names

MESSAGE = "Promote\n\nFleet-Hotfix: why\n"


class Twins:
    """An accepted merge of a request into dev, its promotion to staging, each real and imagined."""

    def __init__(self, here: histories.History) -> None:
        self.here, self.overlaid = here, overlays.Overlaid(here.reader)
        here.commit("dev", {histories.WEB: "web 2\n"})
        here.merge("dev", "staging")
        here.commit("dev", {histories.DB: "db 2\n"})
        here.git("switch", "-q", "-c", "request", "dev~1")
        here.commit("request", {"apps/web/more.yaml": "more 2\n"})
        request = here.tip("request")
        self.coming = self.twins(here.tip("dev"), request, request)
        self.promoted = self.twins(here.tip("staging"), *self.coming)

    def twins(
        self, first: names.CommitId, real: names.CommitId, imagined: names.CommitId
    ) -> tuple[names.CommitId, names.CommitId]:
        """The same commit made and imagined, each with its own second parent, whose tree both have."""
        words = ("-p", first, "-p", real, "-m", MESSAGE.strip())
        made = self.here.git("commit-tree", *words, f"{real}^{{tree}}")
        entries = asyncio.run(self.here.reader.snapshot(real)).entries
        return names.CommitId(made), self.overlaid.put(entries, (first, imagined), MESSAGE)


@pytest.fixture
def both(tmp_path: Path) -> Twins:
    return Twins(histories.History(folder=tmp_path))


Ask = Callable[[Any, names.CommitId, names.CommitId, Twins], Coroutine[Any, Any, Any]]


async def steps(git: Any, tip: names.CommitId, _: names.CommitId, both: Twins) -> Any:
    found = await git.steps(both.here.tip("staging"), tip)
    return [(len(each.parents), each.paths, each.message) for each in found]


async def new(git: Any, tip: names.CommitId, _: names.CommitId, both: Twins) -> Any:
    made = {one: "made" for twins in (both.coming, both.promoted) for one in twins}
    found = await git.between(tip, [both.here.tip("staging")], 100)
    return {made.get(each, each) for each in found}, len(found)


async def own(git: Any, tip: names.CommitId, coming: names.CommitId, both: Twins) -> Any:
    return len(await git.between(tip, [both.here.tip("staging"), coming], 100))


async def forks(git: Any, tip: names.CommitId, coming: names.CommitId, both: Twins) -> Any:
    here = both.here
    pairs = [(tip, here.tip(each)) for each in ("dev", "staging", "prod", "request")]
    pairs += [(here.tip("staging"), coming)]
    return [await git.fork(*each) for each in pairs]


async def ancestors(git: Any, tip: names.CommitId, coming: names.CommitId, both: Twins) -> Any:
    here = both.here
    real = [here.tip(each) for each in ("dev", "staging", "prod", "request")]
    asked = [(each, tip) for each in (*real, coming, tip)] + [
        (tip, each) for each in (*real, coming)
    ]
    return [await git.is_ancestor(*each) for each in asked]


async def listing(git: Any, tip: names.CommitId, _: names.CommitId, __: Twins) -> Any:
    told = await git.commit(tip)
    return (await git.snapshot(tip)).entries, told.subject, len(told.parents)


async def unsigned(git: Any, tip: names.CommitId, _: names.CommitId, both: Twins) -> Any:
    found = await git.signatures(both.here.tip("staging"), tip)
    return len(found), [each.armor for each in found], len(await git.signatures(None, tip))


@pytest.mark.parametrize("ask", [steps, new, own, forks, ancestors, listing, unsigned])
def test_it_answers_as_git_would(both: Twins, ask: Ask):
    (real_coming, coming), (real, mine) = both.coming, both.promoted
    expected = asyncio.run(ask(both.here.reader, real, real_coming, both))
    assert asyncio.run(ask(both.overlaid, mine, coming, both)) == expected


def test_it_is_named_by_all_that_is_in_it(both: Twins):
    entries = asyncio.run(both.here.reader.snapshot(both.here.tip("dev"))).entries
    tip = both.here.tip("dev")
    every = [
        (entries, (tip,), ""),
        (entries, (tip,), "x"),
        (entries, (both.here.tip("prod"),), ""),
        ({}, (tip,), ""),
    ]
    assert len({both.overlaid.put(*each) for each in [*every, *every]}) == len(every)


async def test_content_by_the_rules_of_another_has_that_content_behind_it(both: Twins):
    here = both.here
    rules = here.commit("dev", {histories.POLICY: "policy 2\n"})
    content = here.tip("staging")
    made = await both.overlaid.make(content, rules, ledger.Road(steps=(), owned=()))
    entries = (await both.overlaid.snapshot(made)).entries
    assert (
        entries[histories.POLICY] == (await here.reader.snapshot(rules)).entries[histories.POLICY]
    )
    assert entries[histories.WEB] == (await here.reader.snapshot(content)).entries[histories.WEB]
    assert await both.overlaid.is_ancestor(content, made)
