"""What must hold in every simulated world at every instant: the invariants of the threat list, by their numbers.

They are found from what happened (changes in clusters, answers on the wire, the hub's disk), never from what the shells
believe.
"""

import base64
import itertools
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import keyrules
import treerules
import waverules
import worlds
from fleet.audit import chain as chains
from fleet.audit import records
from fleet.converge import inventory
from fleet.gate import guard
from fleet.model import json_values, messages, names, objects, pacing, slices
from fleet.protocol import dsse, encoding
from fleet.simulation import link, ownership, server, world

AGENT = "fleetgate"
_GUARDED = guard.GUARDED

# By the numbers of the threat list: what must hold, in few words, and where it is looked for.
INVARIANTS: Mapping[int, tuple[str, str]] = {
    1: ("what is applied was accepted and recorded first", "Watch: each write, each answer"),
    2: ("what is accepted passed base's and own rules and gates", "Watch: each decision"),
    3: ("numbers of dispatches never fall in an agent", "Watch: each write of a pointer"),
    4: ("one number, one dispatch", "Watch: each answer"),
    5: ("no agent applies what was cut for another", "Watch: each write of a pointer"),
    6: ("nothing is deleted by an error, an empty answer, a missing ref", "Watch: each deletion"),
    7: ("guarded kinds go with a permit only", "Watch: each deletion"),
    8: ("what carries our manager was a member before", "Watch: each write"),
    9: ("only members are deleted", "Watch: each deletion"),
    10: ("what runs is what upstream accepted, but for open records", "treerules: each decision"),
    11: ("a soak holds no moment that was not healthy", "Watch: each step"),
    12: ("equal inputs give byte-equal decisions", "replayed: whenever it is asked"),
    13: ("waves in turn, in their sizes, each after a good one", "waverules: each wave, dispatch"),
    14: ("the chain verifies and only grows", "Watch: each step"),
    15: ("without faults every cluster comes to equal its slice", "Watch: at rest"),
    16: ("a thief of the hub's key applies nothing new", "Watch: each write while it is stolen"),
    17: ("no secret in any output", "Watch: each record, row, line of a log, answer"),
    18: ("a removed key opens nothing", "keyrules: each decision, each answer"),
}


class Watch:
    """Watches a world from its making; `broken` says what did not hold, each line beginning with its number."""

    def __init__(self, here: world.World) -> None:
        self.here = here
        self.broken: list[str] = []
        self.deleted = 0  # objects, by agents
        self.waves = waverules.Rules(say=lambda what: self.say(13, what))
        self.trees = self._trees()
        self.keys = self._keys()
        self.robbed: set[str] = set()  # clusters that somebody with the hub's key talks to
        self.canaries: tuple[bytes, ...] = ()  # secrets, as they are and as they are encoded
        self.may_end: tuple[str, ...] = ()  # errors that end a process, which is started again
        self.told: list[str] = []  # whatever was printed, logged, answered
        self._seen = 0  # records that were looked at
        self._head = chains.START
        self._sent: dict[tuple[str, int, int], str] = {}
        self._numbers: dict[str, tuple[int, int]] = {}
        self._allowed: dict[str, tuple[int, frozenset[str]]] = {}
        self._lost: list[records.Record] = []  # of books that were exchanged
        here.on_change = self._changed
        here.on_exchange = self._exchanged

    def say(self, number: int, what: str) -> None:
        line = f"{number}: {what}"
        if line not in self.broken:
            self.broken.append(line)

    def _trees(self) -> treerules.Rules:
        return treerules.Rules(
            say=lambda what: self.say(10, what),
            files_of=lambda commit: self.here.remote.made(commit).files,
            steps=self.here.remote.steps,
            scope=self.trees.scope if hasattr(self, "trees") else (),
        )

    def _keys(self) -> keyrules.Rules:
        return keyrules.Rules(say=lambda what: self.say(18, what), text_of=self._text)

    def rewound(self) -> None:
        """The hub's disk has been exchanged for an older copy: what it says begins anew, what agents hold does not."""
        self._lost = [*self._lost, *self.chain()]
        self._seen, self._head = 0, chains.START
        self._allowed.clear()
        self.trees, self.keys = self._trees(), self._keys()

    # At the instant of a change.

    def _changed(self, change: server.Change) -> None:
        if change.manager != AGENT:
            return
        if change.key.namespace == inventory.NAMESPACE:
            if change.key.name == "pointer" and change.after is not None:
                self._moved(change)
        elif change.verb == "delete":
            self._went(change)
        elif change.verb == "apply":
            self._came(change)

    def _moved(self, change: server.Change) -> None:
        dispatch = held(change.after)
        uid = self.here.members[change.cluster].server.uid
        if (dispatch.cluster, dispatch.uid) != (change.cluster, uid):
            self.say(5, f"{change.cluster} keeps a dispatch for {dispatch.cluster}")
        number, last = (dispatch.era, dispatch.sequence), self._numbers.get(change.cluster, (0, 0))
        if number < last:
            self.say(3, f"{change.cluster} went back from {last} to {number}")
        self._numbers[change.cluster] = number

    def _came(self, change: server.Change) -> None:
        members = members_of(self.here.members[change.cluster].server)
        if change.key not in members:
            self.say(8, f"{change.cluster}: {change.key} was written before it was a member")
        sent = json_values.digest(change.sent)
        if sent not in self._permitted(change.cluster):
            if change.cluster in self.robbed:
                self.say(16, f"{change.cluster}: {change.key} is applied for a thief")
            self.say(1, f"{change.cluster}: {change.key} is in no slice that was dispatched to it")

    def _went(self, change: server.Change) -> None:
        self.deleted += 1
        target = self.here.members[change.cluster].server
        member = members_of(target).get(change.key)
        live = change.before or {}
        if member is None or member.uid not in ("", live["metadata"]["uid"]):
            self.say(9, f"{change.cluster}: {change.key} was deleted and is no member")
        pointer = target.held.get(_own("pointer"))
        if pointer is None:
            self.say(6, f"{change.cluster}: {change.key} was deleted and nothing is held")
            return
        dispatch = held(pointer)
        wanted = slices.decode(self._slice(dispatch.slice)) if dispatch.retire is None else ()
        if change.key in {item.key for item in wanted}:
            self.say(6, f"{change.cluster}: {change.key} was deleted and is wanted")
        if (change.key.group, change.key.kind) in _GUARDED and not _permits(
            dispatch, change.key, self.here.clock.now()
        ):
            self.say(7, f"{change.cluster}: {change.key} was deleted without a Permit")

    def _slice(self, digest: names.SliceDigest) -> bytes:
        return self.here.shelf.synced.slices.get(digest, slices.encode(()))

    def _permitted(self, cluster: str) -> frozenset[str]:
        """Digests of all bodies of slices that durable records let out to this cluster, decisions first."""
        pages = self.here.shelf.synced
        known = self._allowed.get(cluster)
        if known is None or known[0] != len(pages.records):
            digests = {
                json_values.digest(inventory.marked(item.body))
                for record in self._dispatched(cluster)
                for item in slices.decode(self._slice(record.body["slice"]))
            }
            known = self._allowed[cluster] = len(pages.records), frozenset(digests)
        return known[1]

    def _dispatched(self, cluster: str) -> list[records.Record]:
        """Dispatch records of a cluster whose release was accepted by an earlier record."""
        accepted: set[tuple[str, int]] = set()
        found = []
        for record in [*self._lost, *self.chain()]:
            if record.kind is records.Kind.DECISION and record.body["verdict"] == "accepted":
                accepted.add((record.body["environment"], record.body["release"]))
            release = record.body.get("environment"), record.body.get("release")
            is_its = record.kind is records.Kind.DISPATCH and record.body["cluster"] == cluster
            if is_its and release in accepted:
                found.append(record)
        return found

    # At the instant of an answer.

    def _exchanged(self, cluster: str, exchange: link.Exchange) -> None:
        if cluster in self.robbed:
            return
        self.waves.heard.setdefault(cluster, []).append(self.here.clock.now())
        self.keys.answered(cluster, exchange, self._registered(cluster))
        if exchange.what != "poll" or exchange.reply.status != 200:
            return
        envelope = json_values.decode(exchange.reply.body)
        dispatch = encoding.decode(messages.Dispatch, dsse.unproved(dsse.DISPATCH, envelope))
        number = dispatch.cluster, dispatch.era, dispatch.sequence
        digest = json_values.digest(envelope["payload"])
        if self._sent.setdefault(number, digest) != digest:
            self.say(4, f"two dispatches are number {number}")
        bodies = [r.body for r in self._dispatched(cluster)]
        shown = (dispatch.era, dispatch.sequence, dispatch.slice, dispatch.release)
        if shown not in {(b["era"], b["sequence"], b["slice"], b["release"]) for b in bodies}:
            self.say(1, f"dispatch {number} left before its record was durable")

    def _registered(self, cluster: str) -> str:
        """The key of its newest accepted document."""
        enrolled = (r for r in reversed(self.chain()) if r.kind is records.Kind.ENROLMENT)
        return next((r.body["publicKey"] for r in enrolled if r.body["cluster"] == cluster), "")

    # Between two steps.

    def chain(self) -> list[records.Record]:
        pages = self.here.shelf.synced
        while len(_READ) > 20_000:
            _READ.clear()
        return [_read(data) for data in pages.records]

    def check(self) -> None:
        """Raises AssertionError for whatever did not hold up to this instant."""
        found = self.chain()
        fault = chains.verify(found, self._head)
        if fault:
            self.say(14, fault)
        self._head = chains.head_of(found[-1]) if found else chains.START
        for record in found[self._seen :]:
            if record.kind is records.Kind.DECISION and record.body["verdict"] == "accepted":
                self._passed(record, found)
            self.waves.check(record, found)
            self.trees.check(record)
            self.keys.check(record, found)
        self._seen = len(found)
        self._soaked(found)
        self._kept_secret()
        ended = [why for each in self.posts() for why in each.ended if "Error" in why]
        unexpected = [why for why in ended if not (self.may_end and why.startswith(self.may_end))]
        assert self.here.faults == []
        assert unexpected == []
        assert self.broken == [], self.broken

    def _soaked(self, found: list[records.Record]) -> None:
        """A soak begins with a report, holds none that is not healthy, and does not end in days to come."""
        times = [*(r.at for r in found), self.here.clock.now()]
        if any(later < at for at, later in itertools.pairwise(times)):
            return  # a clock that went back tells no order
        content = {
            (r.body["environment"], r.body["release"]): r.body["content"]
            for r in found
            if r.kind is records.Kind.DECISION and r.body["verdict"] == "accepted"
        }
        for row in worlds.book(self.here).soaks.values():
            told = [
                r
                for r in found
                if r.kind is records.Kind.REPORT
                and content.get((row.environment, r.body["release"])) == row.content
                and r.body["environment"] == row.environment
            ]
            for each in filter(None, (row.running, row.longest)):
                inside = [r for r in told if each.began < r.at < each.confirmed]
                if any(not r.body["applied"] or r.body["health"] != "Current" for r in inside):
                    self.say(11, f"{row.environment}: a soak holds a sick moment")
                if not any(r.at <= each.began for r in told):
                    self.say(11, f"{row.environment}: a soak began before anybody reported")

    def _kept_secret(self) -> None:
        pages = self.here.shelf.synced
        said = [*pages.records, *pages.rows.values(), *(each.encode() for each in self.told)]
        for canary in self.canaries:
            for each in said:
                if canary in each:
                    self.say(17, f"a secret is in {each[:80]!r}...")

    def posts(self) -> list[world.Post]:
        return [self.here.hub, *(each.agent for each in self.here.members.values())]

    def _passed(self, record: records.Record, found: list[records.Record]) -> None:
        body = record.body
        is_decreed = body["lineage"] == "baseline"
        if any(gate["state"] != "open" for gate in body["gates"]) or (
            not is_decreed
            and any(f["severity"] in ("deny", "not evaluated") for f in body["findings"])
        ):
            self.say(2, f"record {record.index} accepts what did not pass")
        text = self._text(body["commit"], worlds.WEB) or ""
        is_run = ":latest" in text and bool(body["clusters"])
        if is_run and self._forbids(record, found) and not self._may_stay(record, found):
            self.say(2, f"record {record.index} accepts what the policies forbid")

    def _forbids(self, record: records.Record, found: list[records.Record]) -> bool:
        """Whether the commit's own policies deny, or those of what ran there before it."""
        body = record.body
        ran = [
            r.body["commit"]
            for r in found[: record.index]
            if r.kind is records.Kind.DECISION
            and (r.body["environment"], r.body["verdict"]) == (body["environment"], "accepted")
        ]
        texts = [
            self._text(commit, worlds.BINDING) or "" for commit in (*ran[-1:], body["commit"])
        ]
        return any("[Deny]" in text for text in texts)

    def _text(self, commit: names.CommitId, path: str) -> str | None:
        remote = self.here.remote
        blob = remote.made(commit).files.get(path)
        return None if blob is None else remote.bytes_of(blob).decode()

    def _may_stay(self, record: records.Record, found: list[records.Record]) -> bool:
        """It ran here before, or a waiver of this commit that has not ended lets it pass, and the record says so."""
        body = record.body
        ran = any(
            (r.body["environment"], r.body["content"]) == (body["environment"], body["content"])
            for r in found[: record.index]
            if r.kind is records.Kind.DECISION and r.body["verdict"] == "accepted"
        )
        files = self.here.remote.made(body["commit"]).files
        waived = [f["waived"] for f in body["findings"] if f["severity"] == "waived"]
        return ran or any(
            each["path"] in files and datetime.fromisoformat(each["until"]) > record.at
            for each in waived
        )

    # At rest.

    def check_converged(self) -> None:
        """Every cluster of the book holds its slice and nothing else of ours; those that left hold nothing of ours."""
        book = worlds.book(self.here)
        left = {r.body["cluster"] for r in self.chain() if r.kind is records.Kind.RETIREMENT}
        for known in book.clusters.values():
            if known.cluster in left and not known.retired:
                continue  # what it left behind when it went is nobody's, and not taken over by itself
            if self._is_aborted(known.environment):
                continue
            target = self.here.members[known.cluster].server
            release = book.in_force(known.environment)
            digest = release.slices.get(known.cluster) if release and not known.retired else None
            items = slices.decode(self._slice(digest)) if digest else ()
            for item in items:
                if not _holds(target.held.get(item.key), inventory.marked(item.body)):
                    self.say(15, f"{known.cluster}: {item.key} is not as its slice says")
            ours = {key for key, body in target.held.items() if _is_marked(body)}
            for key in ours - {item.key for item in items}:
                self.say(15, f"{known.cluster}: {key} is marked as ours and in no slice")
        self.check()

    def _is_aborted(self, environment: names.Environment) -> bool:
        book = worlds.book(self.here)
        release = book.in_force(environment)
        aborted = {each.release for each in book.halts.values() if each.environment in ("", environment)
                   and each.act is pacing.Act.ABORT}  # fmt: skip
        return release is not None and release.number in aborted


def held(pointer: Mapping[str, Any] | None) -> messages.Dispatch:
    """The dispatch that an agent's pointer names."""
    document = json_values.decode(base64.b64decode((pointer or {})["data"]["pointer"]))
    payload = dsse.unproved(dsse.DISPATCH, document["envelope"])
    return encoding.decode(messages.Dispatch, payload)


def members_of(target: server.Server) -> dict[objects.Key, inventory.Member]:
    """The inventory as the cluster has it at this instant."""
    found = target.held.get(_own(inventory.PARENT))
    return inventory.decode(base64.b64decode(found["data"]["members"])) if found else {}


def _own(name: str) -> objects.Key:
    return objects.Key(group="", kind="Secret", namespace=inventory.NAMESPACE, name=name)


def _permits(dispatch: messages.Dispatch, key: objects.Key, now: datetime) -> bool:
    return not guard.refusals(
        cluster=dispatch.cluster,
        going=[key],
        before=0,
        max_deleted_share=1.0,
        permits=dispatch.permits,
        now=now,
    )


def _holds(live: Mapping[str, Any] | None, body: Mapping[str, Any]) -> bool:
    if live is None:
        return False
    paths = ownership.of(body)
    return all(ownership.value_at(live, p) == ownership.value_at(body, p) for p in paths)


def _is_marked(body: Mapping[str, Any]) -> bool:
    labels = body["metadata"].get("labels") or {}
    return labels.get(inventory.PART_OF) == inventory.ID


_READ: dict[bytes, records.Record] = {}


def _read(data: bytes) -> records.Record:
    if data not in _READ:
        _READ[data] = encoding.decode(records.Record, data)
    return _READ[data]
