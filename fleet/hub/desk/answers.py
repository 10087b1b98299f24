"""What the hub answers to agents. Everything that leaves is an accepted release, recorded before (rule 1).

A dispatch is signed only in answer to a poll that echoes the last one (rule 9): an echo that is newer than the book
means that the book is old, and then everything holds until someone recovers it.
"""

import asyncio
import math
from dataclasses import replace
from datetime import timedelta

from fleet.audit import drafts, records
from fleet.hub import consents, holding, rollouts, soaks, state, witnesses
from fleet.hub.desk import handed, hearing
from fleet.model import approving, errors, json_values, ledger, messages, names, slices
from fleet.plan import rollout
from fleet.ports import answers, store
from fleet.protocol import dsse, encoding, merkle, requests, statements, webhooks

_UNKNOWN = answers.Reply(status=401, body=b'{"error":"unknown agent, or a replayed request"}')
_ABSENT = answers.Reply(status=404, body=b'{"error":"no such slice"}')
_STATUSES = {errors.InputError: 400, errors.RefusedError: 409, errors.BrokenError: 500}
_INSTANT = 0.001  # seconds; no timer is asked for less
_NOTHING_NEW = answers.Reply(status=304)


class Desk:
    """Implements ports.answers.Answers over one hub."""

    def __init__(self, hub: state.Hub) -> None:
        self._hub = hub

    async def session(self) -> answers.Reply:
        return _json({"session": self._hub.session})

    async def poll(self, body: bytes) -> answers.Reply:
        hub = self._hub
        poll = self._open(body, messages.Poll)
        if not isinstance(poll, messages.Poll):
            await _doubt(body, hub)
            return _UNKNOWN
        echo = _echo(poll, hub)
        if echo is not None and _is_newer(echo, hub):
            await hold(poll.cluster, echo, hub)
        return await _standing(poll, hub)

    async def fetch(self, body: bytes) -> answers.Reply:
        hub = self._hub
        fetch = self._open(body, messages.Fetch)
        if not isinstance(fetch, messages.Fetch):
            return _UNKNOWN
        dispatch = hub.ledger.clusters[fetch.cluster].dispatch
        if dispatch is None or fetch.slice != dispatch.slice:
            return _ABSENT
        leaves = dispatch.retire
        data = slices.farewell(leaves) if leaves else await hub.book.slice(fetch.slice)
        return _ABSENT if data is None else answers.Reply(status=200, body=data)

    async def report(self, body: bytes) -> answers.Reply:
        hub = self._hub
        report = self._open(body, messages.Report)
        if not isinstance(report, messages.Report):
            return _UNKNOWN
        async with state.writing(hub):
            known = hub.ledger.clusters[report.cluster]
            last = known.report.number if known.report else 0
            if report.number > last:
                labels = {"cluster": report.cluster, "health": report.health.value}
                with hub.telemetry.span("report", labels, report.trace):
                    await state.write(hub, _reported(known, report, hub))
                hub.telemetry.count("fleet_reports", {"environment": known.environment})
                hub.wake.set()
        return _json({"reported": max(report.number, last)})

    async def witness(self, body: bytes) -> answers.Reply:
        hub = self._hub
        asked = self._open(body, messages.Witness)
        if not isinstance(asked, messages.Witness):
            await witnesses.doubt(body, hub)
            return _UNKNOWN
        shown = await witnesses.show(asked, hub)
        return _NOTHING_NEW if shown is None else _json(shown)

    async def approve(self, body: bytes) -> answers.Reply:
        """What is not signed by somebody whom a trust file names is not kept, and learns no more than that."""
        try:
            row = await handed.take(encoding.decode(approving.Signed, body), self._hub)
        except (errors.InputError, errors.RefusedError) as error:
            reply = _json({"error": str(error), "hint": error.hint})
            return replace(reply, status=400 if isinstance(error, errors.InputError) else 403)
        return _json({"approval": row.id} if isinstance(row, ledger.Approval) else {})

    async def hook(self, body: bytes, signature: str) -> answers.Reply:
        secret = self._hub.settings.webhook_secret
        if not secret or not webhooks.is_genuine(body, signature, secret.encode()):
            return answers.Reply(status=401, body=b'{"error":"signature"}')
        self._hub.fetch_now = True
        self._hub.wake.set()
        return answers.Reply(status=202)

    async def status(self, body: bytes, signature: str) -> answers.Reply:
        hub = self._hub
        try:
            said = statements.verified(body, signature, hub.settings.status_secrets)
            if said is None:
                return answers.Reply(status=401, body=b'{"error":"signature"}')
            row = await hearing.hear(said, hub)
        except errors.UnreachableError:
            raise
        except errors.FleetError as error:
            return replace(_json({"error": str(error)}), status=_STATUSES[type(error)])
        return _json({"content": row.content, "state": row.outcome.value})

    async def live(self) -> answers.Reply:
        return _json({"alive": True})

    async def ready(self) -> answers.Reply:
        hub = self._hub
        words = {"ready": hub.ready, "held": hub.ledger.seal.held, "fetch": hub.trouble}
        return replace(_json(words), status=200 if hub.ready else 503)

    async def metrics(self) -> answers.Reply:
        return answers.Reply(status=200, body=self._hub.telemetry.exposition(), type="text/plain")

    def _open(self, body: bytes, kind: type[requests.Message]) -> requests.Message | None:
        """The request, if it is from a registered agent and new; the counter moves with it."""
        hub = self._hub
        opened = requests.unseal(
            body,
            kind,
            key_of=lambda cluster: _key(hub, cluster),
            session=hub.session,
            counters=hub.counters,
        )
        if opened is None:
            return None
        known = hub.ledger.clusters[opened.cluster]
        if (known.environment, known.uid) != (opened.environment, opened.uid):
            return None
        hub.seen[opened.cluster] = hub.clock.now()
        return opened


async def hold(cluster: names.Cluster, echo: messages.Dispatch, hub: state.Hub) -> None:
    """The book is older than what this cluster was sent: decide and send nothing until it is recovered."""
    hub.echoes[cluster] = echo
    reason = (
        f"{cluster} holds dispatch {echo.era}.{echo.sequence}, newer than the book: "
        "the book is an old copy, or lost"
    )
    await holding.hold(cluster, reason, hub)


async def _standing(poll: messages.Poll, hub: state.Hub) -> answers.Reply:
    """Answer as soon as there is something new, else when the wait is over or the agent has asked again.

    A key that is removed meanwhile is answered no more, however long before that it asked.
    """
    asked_by = hub.ledger.clusters[poll.cluster].public_key
    passes = asyncio.get_running_loop().time  # a clock that is set holds nobody longer
    deadline = passes() + _patience(poll, hub)
    turn = hub.polls[poll.cluster] = hub.polls.get(poll.cluster, 0) + 1
    while turn == hub.polls[poll.cluster]:
        envelope = await _current(poll.cluster, hub)
        if hub.ledger.clusters[poll.cluster].public_key != asked_by:
            return _UNKNOWN
        if envelope is not None and envelope != poll.echo:
            return answers.Reply(status=200, body=json_values.encode(envelope))
        left = min(deadline - passes(), _until_edge(poll, hub))
        if left < _INSTANT or not await _has_changed(hub, left):
            break
    return _NOTHING_NEW


def _patience(poll: messages.Poll, hub: state.Hub) -> float:
    """Seconds that a poll is held: a poll is a sign of life, so there must be some before the last one is stale."""
    release = hub.ledger.in_force(poll.environment)
    longest = hub.settings.longest_wait
    return min(poll.wait, longest, release.stale_after / 3 if release else longest)


def _until_edge(poll: messages.Poll, hub: state.Hub) -> float:
    """Seconds until a sign of life ends a soak on time."""
    edge = soaks.edge(poll.environment, hub)
    left = (edge - hub.clock.now()).total_seconds() if edge else 0.0
    return left if left > 0 else math.inf


async def _has_changed(hub: state.Hub, seconds: float) -> bool:
    """Within that time."""
    async with hub.changed:
        # Not wait_for: cancelled while it ends, it leaves a task behind that keeps the lock for good.
        try:
            async with asyncio.timeout(seconds):
                await hub.changed.wait()
        except TimeoutError:
            return False
    return True


async def _current(cluster: names.Cluster, hub: state.Hub) -> json_values.JsonObject | None:
    """The dispatch that is due, signed now if it must be; none while the book holds, whose last may be an old one."""
    async with state.writing(hub):
        known = hub.ledger.clusters[cluster]
        if hub.ledger.seal.held:
            return None
        errand = None if known.retired else rollouts.errand(known, hub)
        if errand is not None and _is_due(known, errand, hub):
            known, draft = _signed(known, errand, hub)
            await state.write(hub, store.Write(records=(draft,), rows=(known,)))
        return known.envelope


def _is_due(known: ledger.ClusterState, errand: rollouts.Errand, hub: state.Hub) -> bool:
    last = known.dispatch
    if last is None or last.era != known.era:
        return True
    if (last.release, last.retire) != (errand.release.number, errand.retire):
        return True
    release = errand.release
    is_there = known.report is not None and known.report.release == release.number
    if not is_there and set(consents.carried(release, hub)) - set(last.approvals):
        return True  # what was said before may not have been enough
    return hub.clock.now() - last.issued > (last.expires - last.issued) / 2


def _signed(
    known: ledger.ClusterState, errand: rollouts.Errand, hub: state.Hub
) -> tuple[ledger.ClusterState, records.Draft]:
    """The next dispatch of a cluster, as the row and the record that must be durable before it leaves."""
    release = errand.release
    leaves = rollout.leaves(release.slices, release.retired)
    index, proof = merkle.slice_proof(leaves, known.cluster)
    now = hub.clock.now()
    dispatch = messages.Dispatch(
        cluster=known.cluster,
        environment=known.environment,
        uid=known.uid,
        slice=leaves[known.cluster],
        release=release.number,
        era=known.era,
        sequence=known.sequence + 1,
        issued=now,
        expires=now + timedelta(seconds=hub.settings.dispatch_lifetime),
        statement=release.statement,
        proof=proof,
        index=index,
        leaves=len(leaves),
        max_deleted_share=release.max_deleted_share,
        permits=release.permits,
        retire=errand.retire,
        trace=release.trace,
        trust=release.trust,
        approvals=consents.carried(release, hub),
    )
    labels = {"cluster": known.cluster, "release": str(release.number)}
    with hub.telemetry.span("dispatch", labels, release.trace):
        envelope = dsse.sign(dsse.DISPATCH, encoding.encode(dispatch), hub.key)
    hub.telemetry.count("fleet_dispatches", {"environment": known.environment})
    row = replace(known, dispatch=dispatch, envelope=envelope, sequence=dispatch.sequence)
    return row, drafts.dispatch(dispatch, at=now)


def _reported(known: ledger.ClusterState, report: messages.Report, hub: state.Hub) -> store.Write:
    now = hub.clock.now()
    retired = known.retire is not None and report.retired
    row = replace(known, report=report, reported=now, retired=retired)
    left = (drafts.retirement(known, at=now),) if retired and not known.retired else ()
    ended = soaks.broken(report, hub)
    return store.Write(records=(drafts.report(report, at=now), *left), rows=(row, *ended))


async def _doubt(body: bytes, hub: state.Hub) -> None:
    """An unknown agent that holds a dispatch of ours shows that the book has lost it."""
    echo = requests.echo_unproved(body)
    dispatch = None if echo is None else _own(echo, hub)
    if dispatch is not None and dispatch.cluster not in hub.ledger.clusters:
        await hold(dispatch.cluster, dispatch, hub)


def _echo(poll: messages.Poll, hub: state.Hub) -> messages.Dispatch | None:
    dispatch = None if poll.echo is None else _own(poll.echo, hub)
    return dispatch if dispatch and dispatch.cluster == poll.cluster else None


def _own(envelope: json_values.JsonObject, hub: state.Hub) -> messages.Dispatch | None:
    """The dispatch in an envelope that this hub signed; None for anything else."""
    try:
        payload = dsse.verify(dsse.DISPATCH, envelope, hub.key.public)
        return encoding.decode(messages.Dispatch, payload)
    except (errors.InputError, errors.RefusedError):
        return None


def _is_newer(echo: messages.Dispatch, hub: state.Hub) -> bool:
    """By its number, or by a release that the book has not and was not told of (an agent takes no older one)."""
    known = hub.ledger.clusters[echo.cluster]
    here = hub.ledger.environments.get(echo.environment)
    latest = max(here.release, here.floor) if here else 0
    return (echo.era, echo.sequence) > (known.era, known.sequence) or echo.release > latest


def _key(hub: state.Hub, cluster: names.Cluster) -> str | None:
    """Of a cluster that has left and said so, no longer (rule 10)."""
    known = hub.ledger.clusters.get(cluster)
    return known.public_key if known and not known.retired else None


def _json(value: json_values.JsonObject) -> answers.Reply:
    return answers.Reply(status=200, body=json_values.encode(value))
