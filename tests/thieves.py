"""Whoever has stolen a key, and says with it whatever helps them."""

import asyncio
import random
from dataclasses import dataclass, field, replace
from typing import Any

import storyline
import worlds
from fleet.model import approving, json_values, leaving, messages, names, slices
from fleet.ports import answers
from fleet.protocol import dsse, encoding, merkle
from fleet.simulation import link, world

EVIL = slices.encode(
    (slices.Item(key=storyline.EXTRA_KEY, bundle="hello", takeover=False, body={
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "extra", "namespace": "hello"}, "data": {"word": "evil"}}),)
)  # fmt: skip


def at(here: world.World, environment: names.Environment, chance: random.Random) -> "Thief":
    """One of the ways of a thief where people must approve."""
    running = worlds.book(here).in_force(environment)
    trust = running.trust if running else ()
    farewell = slices.farewell(leaving.OnRemoval.PRUNE)
    ways: tuple[dict[str, Any], ...] = (
        {"data": EVIL, "trust": trust},
        {"data": EVIL, "trust": ()},
        {"data": farewell, "trust": trust, "retire": leaving.OnRemoval.PRUNE},
    )
    return Thief(here=here, environment=environment, **chance.choice(ways))


@dataclass(kw_only=True)
class Thief:
    """In the hub's place, with its key: says whatever it wants to whoever polls."""

    here: world.World
    environment: names.Environment
    data: bytes
    retire: leaving.OnRemoval | None = None
    approvals: tuple[approving.Signed, ...] = ()
    trust: tuple[approving.TrustFile, ...] = ()
    stated: dict[str, Any] = field(default_factory=dict)  # what else its statement claims
    given: int = 0

    async def serve(self, question: link.Question) -> answers.Reply:
        return await question(self)

    async def session(self) -> answers.Reply:
        return answers.Reply(status=200, body=b'{"session":"stolen"}')

    async def poll(self, body: bytes) -> answers.Reply:
        poll = encoding.from_json(messages.Poll, _read(body, dsse.POLL))
        self.given += 1
        await asyncio.sleep(1.0)  # whoever obeys asks again at once
        return answers.Reply(status=200, body=json_values.encode(self._dispatch(poll)))

    async def fetch(self, _: bytes) -> answers.Reply:
        return answers.Reply(status=200, body=self.data)

    async def witness(self, _: bytes) -> answers.Reply:
        return answers.Reply(status=304)

    async def report(self, _: bytes) -> answers.Reply:
        return answers.Reply(status=200, body=b'{"reported":1}')

    def _dispatch(self, poll: messages.Poll) -> json_values.JsonObject:
        book = worlds.book(self.here)
        known, running = book.clusters[poll.cluster], book.in_force(self.environment)
        assert known.dispatch is not None
        assert running is not None
        digest = slices.digest(self.data)
        leaves = {poll.cluster: digest}
        statement = replace(
            encoding.decode(messages.Statement, dsse.unproved(dsse.STATEMENT, running.statement)),
            slices_root=merkle.slices_root(leaves),
            release=running.number + 1,
            **self.stated,
        )
        index, proof = merkle.slice_proof(leaves, poll.cluster)
        sent = replace(
            known.dispatch,
            slice=digest, release=statement.release, sequence=known.dispatch.sequence + 1,
            statement=dsse.sign(dsse.STATEMENT, encoding.encode(statement), worlds.HUB_KEY),
            index=index, proof=proof, leaves=1, retire=self.retire,
            approvals=self.approvals or known.dispatch.approvals, trust=self.trust,
        )  # fmt: skip
        return dsse.sign(dsse.DISPATCH, encoding.encode(sent), worlds.HUB_KEY)


def _read(body: bytes, kind: str) -> dict[str, Any]:
    payload = json_values.decode(dsse.unproved(kind, dsse.read(body)))
    return {k: v for k, v in payload.items() if k not in ("session", "counter")}
