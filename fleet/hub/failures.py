"""When a rollout has failed, and for how long its waves have been good: soak and deadline.

Both are counted by the hub's clock over moments that it looked at. Where it did not look for longer than a report
counts (it was down, or its clock jumped), counting begins anew: a gap never fills a soak.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from fleet.audit import drafts
from fleet.hub import members, state
from fleet.model import ledger, pacing
from fleet.ports import store

_LOOKS = 3  # at least so many are written down within the time that a report counts


def failed(release: ledger.Release, hub: state.Hub) -> str:
    """Why it goes no further, as the book has it; "" = it has not failed."""
    here = hub.ledger.environments[release.environment]
    return here.failed.reason if here.failed and here.release == release.number else ""


def noted(release: ledger.Release, *, good: bool, hub: state.Hub) -> store.Write | None:
    """What has come to be since the last look, to be written: a failure, its end, or a longer spell."""
    here = hub.ledger.environments[release.environment]
    spell = _spell(release, here.spell, good=good, hub=hub)
    found = _failure(release, here, spell, hub)
    if found != here.failed:
        return _told(release, replace(here, spell=spell, failed=found), hub)
    return store.Write(rows=(replace(here, spell=spell),)) if spell != here.spell else None


def soaked(release: ledger.Release, number: int, hub: state.Hub) -> str:
    """Until when the wave before that one must stay healthy; "" = it has been for long enough."""
    if number == 0 or release.term(number).wave == release.term(number - 1).wave:
        return ""
    before = release.term(number - 1)
    spell = hub.ledger.environments[release.environment].spell
    if not before.soak:
        return ""
    if spell is None or not spell.good:
        return f"wave {before.wave} must be healthy for {timedelta(seconds=before.soak)}"
    ends = spell.since + timedelta(seconds=before.soak)
    return f"wave {before.wave} soaks until {ends.isoformat()}" if hub.clock.now() < ends else ""


def _spell(
    release: ledger.Release, last: pacing.Spell | None, *, good: bool, hub: state.Hub
) -> pacing.Spell | None:
    """The spell up to now; None where nobody asks how long it is."""
    if not release.deadline and not any(each.soak for each in release.terms):
        return None
    now, stale = hub.clock.now(), timedelta(seconds=release.stale_after)
    if last is None or last.good is not good or not timedelta() <= now - last.seen <= stale:
        return pacing.Spell(good=good, since=now, seen=now)
    return replace(last, seen=now) if now - last.seen >= stale / _LOOKS else last


def _failure(
    release: ledger.Release,
    here: ledger.EnvironmentState,
    spell: pacing.Spell | None,
    hub: state.Hub,
) -> pacing.Failure | None:
    if here.failed and here.failed.final:
        return here.failed
    now = hub.clock.now()
    for why, final in _CAUSES:
        reason = why(release, spell, hub)
        if reason and (here.failed is None or final(release)):
            return pacing.Failure(reason=reason, since=now, final=final(release))
        if reason:
            return here.failed
    return None


def _late(release: ledger.Release, spell: pacing.Spell | None, hub: state.Hub) -> str:
    deadline = timedelta(seconds=release.deadline)
    if not deadline or spell is None or spell.good or hub.clock.now() - spell.since < deadline:
        return ""
    return f"not healthy within {deadline}"


def _failing(release: ledger.Release, _: pacing.Spell | None, hub: state.Hub) -> str:
    """More clusters of a wave than may be unavailable fail by this release."""
    out = members.outstanding(release, hub)
    for name, term in {each.wave: each for each in release.terms}.items():
        wave = {each.cluster for each in members.of_wave(name, release, hub)}
        found = [e for e in out if e.cluster in wave and members.is_failed(e, release)]
        if len(found) > term.max_unavailable:
            told = members.unsettled(found[0], release, hub) or "failed"
            return f"wave {name}: {found[0].cluster}: {told}"
    return ""


_Cause = Callable[[ledger.Release, pacing.Spell | None, state.Hub], str]
# What fails may still recover, unless it is rolled back at once: with a deadline there is time until then.
_CAUSES: tuple[tuple[_Cause, Callable[[ledger.Release], bool]], ...] = (
    (_late, lambda _: True),
    (_failing, lambda release: release.rolls_back and not release.deadline),
)


def _told(release: ledger.Release, here: ledger.EnvironmentState, hub: state.Hub) -> store.Write:
    draft = drafts.rollout(
        act="failed" if here.failed else "recovered",
        environment=release.environment,
        release=release.number,
        reason=here.failed.reason if here.failed else "",
        final=bool(here.failed and here.failed.final),
        at=hub.clock.now(),
    )
    return store.Write(records=(draft,), rows=(here,))
