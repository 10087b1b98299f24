"""What must hold in every simulated world at every instant: the invariants of the threat list, by their numbers.

They are found from what happened (changes in clusters, answers on the wire, the hub's disk), never from what the shells
believe.
"""

import base64
import itertools
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import waverules
import worlds
from fleet.audit import chain as chains
from fleet.audit import records
from fleet.converge import inventory
from fleet.gate import guard
from fleet.model import json_values, messages, names, objects, slices
from fleet.protocol import dsse, encoding
from fleet.simulation import link, ownership, server, world

AGENT = "fleetgate"
_GUARDED = guard.GUARDED


class Watch:
    """Watches a world from its making; `broken` says what did not hold, each line beginning with its number."""

    def __init__(self, here: world.World) -> None:
        self.here = here
        self.broken: list[str] = []
        self.deleted = 0  # objects, by agents
        self.waves = waverules.Rules(say=lambda what: self._say(13, what))
        self._seen = 0  # records that were looked at
        self._head = chains.START
        self._sent: dict[tuple[str, int, int], str] = {}
        self._numbers: dict[str, tuple[int, int]] = {}
        self._allowed: dict[str, tuple[int, frozenset[str]]] = {}
        here.on_change = self._changed
        here.on_exchange = self._exchanged

    def _say(self, number: int, what: str) -> None:
        line = f"{number}: {what}"
        if line not in self.broken:
            self.broken.append(line)

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
            self._say(5, f"{change.cluster} keeps a dispatch for {dispatch.cluster}")
        number, last = (dispatch.era, dispatch.sequence), self._numbers.get(change.cluster, (0, 0))
        if number < last:
            self._say(3, f"{change.cluster} went back from {last} to {number}")
        self._numbers[change.cluster] = number

    def _came(self, change: server.Change) -> None:
        members = members_of(self.here.members[change.cluster].server)
        if change.key not in members:
            self._say(8, f"{change.cluster}: {change.key} was written before it was a member")
        sent = json_values.digest(change.sent)
        if sent not in self._permitted(change.cluster):
            self._say(
                1, f"{change.cluster}: {change.key} is in no slice that was dispatched to it"
            )

    def _went(self, change: server.Change) -> None:
        self.deleted += 1
        target = self.here.members[change.cluster].server
        member = members_of(target).get(change.key)
        live = change.before or {}
        if member is None or member.uid not in ("", live["metadata"]["uid"]):
            self._say(9, f"{change.cluster}: {change.key} was deleted and is no member")
        pointer = target.held.get(_own("pointer"))
        if pointer is None:
            self._say(6, f"{change.cluster}: {change.key} was deleted and nothing is held")
            return
        dispatch = held(pointer)
        wanted = slices.decode(self._slice(dispatch.slice)) if dispatch.retire is None else ()
        if change.key in {item.key for item in wanted}:
            self._say(6, f"{change.cluster}: {change.key} was deleted and is wanted")
        if (change.key.group, change.key.kind) in _GUARDED and not _permits(
            dispatch, change.key, self.here.clock.now()
        ):
            self._say(7, f"{change.cluster}: {change.key} was deleted without a Permit")

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
        for record in self.chain():
            if record.kind is records.Kind.DECISION and record.body["verdict"] == "accepted":
                accepted.add((record.body["environment"], record.body["release"]))
            release = record.body.get("environment"), record.body.get("release")
            is_its = record.kind is records.Kind.DISPATCH and record.body["cluster"] == cluster
            if is_its and release in accepted:
                found.append(record)
        return found

    # At the instant of an answer.

    def _exchanged(self, cluster: str, exchange: link.Exchange) -> None:
        self.waves.heard.setdefault(cluster, []).append(self.here.clock.now())
        if exchange.what != "poll" or exchange.reply.status != 200:
            return
        envelope = json_values.decode(exchange.reply.body)
        dispatch = encoding.decode(messages.Dispatch, dsse.unproved(dsse.DISPATCH, envelope))
        number = dispatch.cluster, dispatch.era, dispatch.sequence
        digest = json_values.digest(envelope["payload"])
        if self._sent.setdefault(number, digest) != digest:
            self._say(4, f"two dispatches are number {number}")
        bodies = [r.body for r in self._dispatched(cluster)]
        shown = (dispatch.era, dispatch.sequence, dispatch.slice, dispatch.release)
        if shown not in {(b["era"], b["sequence"], b["slice"], b["release"]) for b in bodies}:
            self._say(1, f"dispatch {number} left before its record was durable")

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
            self._say(14, fault)
        self._head = chains.head_of(found[-1]) if found else chains.START
        for record in found:
            if record.kind is records.Kind.DECISION and record.body["verdict"] == "accepted":
                self._passed(record, found)
            if record.index < self._seen:
                continue
            self.waves.check(record, found)
        self._seen = len(found)
        self._soaked(found)
        unexpected = [why for each in self.posts() for why in each.ended if "Error" in why]
        assert self.here.faults + unexpected == []
        assert self.broken == [], self.broken

    def _soaked(self, found: list[records.Record]) -> None:
        """A soak begins with a report, holds none that is not healthy, and does not end in days to come."""
        if any(later.at < r.at for r, later in itertools.pairwise(found)):
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
                    self._say(11, f"{row.environment}: a soak holds a sick moment")
                if not any(r.at <= each.began for r in told):
                    self._say(11, f"{row.environment}: a soak began before anybody reported")

    def posts(self) -> list[world.Post]:
        return [self.here.hub, *(each.agent for each in self.here.members.values())]

    def _passed(self, record: records.Record, found: list[records.Record]) -> None:
        body = record.body
        is_decreed = body["lineage"] == "baseline"
        if any(gate["state"] != "open" for gate in body["gates"]) or (
            not is_decreed
            and any(f["severity"] in ("deny", "not evaluated") for f in body["findings"])
        ):
            self._say(2, f"record {record.index} accepts what did not pass")
        made = self.here.remote.made(body["commit"])
        text = self.here.remote.bytes_of(made.files[worlds.WEB])
        if b":latest" in text and not self._may_stay(record, found):
            self._say(2, f"record {record.index} accepts what the policies forbid")
        upstream = dict(zip(worlds.ENVIRONMENTS[1:], worlds.ENVIRONMENTS, strict=False))
        above = upstream.get(body["environment"])
        if above and not is_decreed and not self._is_explained(record, above, found):
            self._say(10, f"record {record.index} accepts what {above} did not accept before")

    def _is_explained(
        self, record: records.Record, above: str, found: list[records.Record]
    ) -> bool:
        """Upstream accepted it; or it stays as it is here; or file by file it is one of the releases that it names."""
        body = record.body
        accepted = [
            r.body
            for r in found[: record.index]
            if r.kind is records.Kind.DECISION and r.body["verdict"] == "accepted"
        ]
        own = [b for b in accepted if b["environment"] == body["environment"]]
        upstream = [b for b in accepted if b["environment"] == above]
        known = {(b["content"], b["rules"]) for b in upstream}
        if body["lineage"] in ("no change", "owned-path change"):
            known |= {(b["content"], b["rules"]) for b in own}
        if (body["content"], body["rules"]) in known:
            return True
        source = [b for b in upstream if b["release"] == body["source"]][:1]
        back = [b for b in own if b["release"] == body["backTo"]][:1]
        made_of = {
            "promotion": source,
            "partial promotion": [*own[-1:], *source],
            "hotfix": own[-1:],
            "rollback": [*own[-1:], *back],
        }
        return self._is_made_of(body, made_of.get(body["lineage"], []))

    def _is_made_of(self, body: dict[str, Any], releases: list[dict[str, Any]]) -> bool:
        """Every shared file but those of open hotfixes is as one of these has it; rules are those of the first."""
        here, *others = (self.here.remote.made(b["commit"]).files for b in (body, *releases))
        paths = {path for files in (here, *others) for path in files if worlds.is_shared(path)}
        paths -= {each["path"] for each in body["hotfixes"]}
        are_theirs = all(here.get(p) in [each.get(p) for each in others] for p in paths)
        return bool(releases) and are_theirs and body["rules"] == releases[0]["rules"]

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
        for known in book.clusters.values():
            target = self.here.members[known.cluster].server
            release = book.in_force(known.environment)
            digest = release.slices.get(known.cluster) if release and not known.retired else None
            items = slices.decode(self._slice(digest)) if digest else ()
            for item in items:
                if not _holds(target.held.get(item.key), inventory.marked(item.body)):
                    self._say(15, f"{known.cluster}: {item.key} is not as its slice says")
            ours = {key for key, body in target.held.items() if _is_marked(body)}
            for key in ours - {item.key for item in items}:
                self._say(15, f"{known.cluster}: {key} is marked as ours and in no slice")
        self.check()


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
