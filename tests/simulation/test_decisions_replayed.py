"""Decisions made again from their records: byte for byte, in worlds where much has happened."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

import builders
import invariants
import replaying
import storyline
import worlds
from fleet.audit import chain, records
from fleet.local import replaying as replays
from fleet.model import errors, json_values, names
from fleet.ports import store
from fleet.simulation import book, clock, faults, world


def test_every_decision_of_the_story_is_made_again_byte_for_byte():
    async def main() -> None:
        here = worlds.small()
        try:
            await storyline.tell(here)
            assert await replaying.check(here) > 8
        finally:
            await here.close()

    clock.run(main())


class OtherShape(worlds.AnyShape):
    identity = "another shape"


def spoiled(
    here: world.World, index: int, change: Callable[[dict[str, Any]], None]
) -> dict[names.Digest, bytes]:
    """The log rewritten: one record says something else, and all that follow are linked to it anew."""
    old, new = here.shelf.synced, book.Pages(rows=dict(here.shelf.synced.rows))
    for number in range(len(old.records)):
        record = old.read(number)
        body = json_values.decode(json_values.encode(record.body))
        if number == index:
            change(body)
        draft = records.Draft(kind=record.kind, subject=record.subject, at=record.at, body=body)
        new.take(store.Write(records=(draft,)))
    new.slices, new.facts = dict(old.slices), dict(old.facts)
    here.shelf.synced = new
    return new.facts


def in_world(tell: Callable[[world.World, int], Awaitable[None]]) -> None:
    """With the index of the decision that refused a tip of dev."""

    async def main() -> None:
        here = worlds.small()
        try:
            story = storyline.Story(here=here, watch=invariants.Watch(here))
            await storyline.start(story)
            commit = worlds.with_image(here, "dev", "latest")
            await story.until("refused", lambda: storyline._is_refused(here, commit))
            found = [e.index for e in story.watch.chain() if e.body.get("commit") == commit]
            await here.hub.stop()
            await tell(here, found[0])
        finally:
            await here.close()

    clock.run(main())


def told(found: replays.Replayed) -> dict[str, str]:
    return {e.what: "input" if e.is_input else "output" for e in found.differences}


def test_a_verdict_that_its_inputs_do_not_bear_is_found():
    def lie(body: dict[str, Any]) -> None:
        body["verdict"] = "accepted"
        body["findings"] = []

    async def tell(here: world.World, index: int) -> None:
        spoiled(here, index, lie)
        assert told(await replaying.replayed(here, index)) == {
            "verdict": "output",
            "findings": "output",
        }

    in_world(tell)


def test_facts_that_were_exchanged_bear_another_decision():
    """Whoever can write the whole book may well exchange both facts and digest: the gates then say something else."""

    async def tell(here: world.World, index: int) -> None:
        facts = here.shelf.synced.facts
        digest = here.shelf.synced.read(index).body["inputs"]["facts"]
        document = json_values.decode(facts[digest])
        document["facts"]["held"] = "the book is an old copy"
        data = json_values.encode(document)
        other = json_values.digest_of_bytes(data)

        def exchange(body: dict[str, Any]) -> None:
            body["inputs"]["facts"] = other

        spoiled(here, index, exchange)[other] = data
        found = told(await replaying.replayed(here, index))
        assert set(found.values()) == {"output"}
        assert any(name.startswith("gates[") for name in found)

    in_world(tell)


def test_what_git_says_otherwise_is_an_input_that_differs():
    """The facts tell of another way from what ran to the tip than git does."""

    async def tell(here: world.World, index: int) -> None:
        digest = here.shelf.synced.read(index).body["inputs"]["facts"]
        document = json_values.decode(here.shelf.synced.facts[digest])
        document["facts"]["way"]["steps"][0]["paths"] = ["somewhere/else.yaml"]
        data = json_values.encode(document)
        other = json_values.digest_of_bytes(data)
        spoiled(here, index, lambda body: body["inputs"].update(facts=other))[other] = data
        found = told(await replaying.replayed(here, index))
        assert found == {"facts.facts.way.steps[0].paths[0]": "input"}

    in_world(tell)


def test_another_evaluator_is_an_input_that_differs():
    async def tell(here: world.World, index: int) -> None:
        source = book.Book(here.shelf, faults.Process(name="auditor"))
        tools = replaying.tools(here, OtherShape())
        tools.versions = {"fleet": "0.2.0"}
        found = await replays.replay(str(index), source, tools)
        assert told(found) == {
            "inputs.versions.fleet": "input",
            "inputs.versions.schemas": "input",
        }

    in_world(tell)


@pytest.mark.parametrize("gone", ["inputs", "facts", "another version", "earlier records"])
def test_what_cannot_be_made_again_says_why(gone: str):
    async def tell(here: world.World, index: int) -> None:
        pages = here.shelf.synced
        digest = pages.read(index).body["inputs"]["facts"]
        if gone == "inputs":
            spoiled(here, index, lambda body: body.update(inputs=None))
        elif gone == "facts":
            del pages.facts[digest]
        elif gone == "another version":
            data = json_values.encode({**json_values.decode(pages.facts[digest]), "more": 1})
            other = json_values.digest_of_bytes(data)
            spoiled(here, index, lambda body: body["inputs"].update(facts=other))[other] = data
        else:
            first = next(n for n in range(index) if pages.read(n).body.get("release") == 1)
            spoiled(here, first, lambda body: body.update(verdict="waiting"))
        with pytest.raises(replays.Unreplayable, match=_WHY[gone]):
            await replaying.replayed(here, index)

    in_world(tell)


_WHY = {
    "inputs": "written before facts were kept",
    "facts": "no longer kept",
    "another version": "another version of fleet kept these facts",
    "earlier records": "no earlier record tells of release",
}


def test_a_log_that_does_not_hold_is_not_replayed():
    async def tell(here: world.World, index: int) -> None:
        pages = here.shelf.synced
        pages.records[1] = pages.records[1].replace(b'"subject":"', b'"subject":"x')
        with pytest.raises(errors.BrokenError, match="record 1 is not what its hash says"):
            await replaying.replayed(here, index)

    in_world(tell)


class Log:
    """Of decisions that let nothing in, and nothing else."""

    def __init__(self, length: int) -> None:
        self.kept: list[records.Record] = []
        head = chain.START
        for _ in range(length):
            draft = records.Draft(
                kind=records.Kind.DECISION,
                subject="dev",
                at=builders.NOW,
                body={"verdict": "waiting"},
            )
            self.kept.append(chain.link(draft, head))
            head = chain.head_of(self.kept[-1])

    async def records(self, since: int = 0) -> AsyncIterator[records.Record]:
        for each in self.kept[since:]:
            yield each

    async def facts(self, _: names.Digest) -> bytes | None:
        return None

    async def slice(self, _: names.SliceDigest) -> bytes | None:
        return None


def test_a_number_is_an_index_first_and_the_beginning_of_a_hash_only_where_there_is_none():
    async def main() -> None:
        log, found = Log(500), replays._found
        begun = {each.hash[:3]: each.index for each in reversed(log.kept)}
        both = [n for n in range(100, 500) if begun.get(str(n), n) < n]
        alone = {word: n for word, n in begun.items() if word.isdecimal() and int(word) >= 500}
        assert both
        assert alone
        for number in both:
            wanted = chain.Wanted(word=str(number), shortest=3)
            assert (await found(wanted, log))[0].index == number
        for word, index in alone.items():
            assert (await found(chain.Wanted(word=word, shortest=3), log))[0].index == index
        for nothing in ("500", "007", "9" * 5000, "\u0663", ""):
            with pytest.raises(errors.InputError, match="there is no record"):
                await found(chain.Wanted(word=nothing), log)

    clock.run(main())
