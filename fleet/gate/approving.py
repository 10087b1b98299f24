"""The gate of approvals: so many different people of a group, none of whom made the change.

Who a person is the trust file says, by keys; who made the change its commits' signatures say (threats 34, 40, 41).
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from fleet.gate import answers, candidates, told
from fleet.model import approving, gating, kinds, ledger
from fleet.model.ledger import GateResult, Lineage

GATE = "approvals"


def gate(candidate: candidates.Candidate, facts: candidates.Facts, found: told.Told) -> GateResult:
    consent, act = facts.consent, told.let_in(candidate, facts)
    if consent is None or not (consent.wanted or consent.troubles):
        return answers.opens(GATE, "nobody's approval is asked for")
    if found.kind is Lineage.NOTHING and consent.is_same and act is None:
        return answers.opens(GATE, "nothing changes")
    if (
        act is not None
    ):  # a rewritten history is agreed to anew, whatever was said of this content before
        facts = replace(facts, voices=tuple(e for e in facts.voices if e.received >= act.since))
    lacking = missing(consent, facts.voices, facts.now)
    if lacking:
        return answers.waits(GATE, "; ".join(lacking), consent.hint)
    return answers.opens(GATE, _said(consent, facts))


def asked(spec: kinds.EnvironmentSpec, kind: Lineage | None) -> Iterator[gating.Approvals]:
    """Of a candidate of this kind; where that is not known, all that may be asked."""
    has_other = spec.hotfix is not None and spec.hotfix.approvals is not None
    if kind is not Lineage.HOTFIX or not has_other:
        yield from spec.gates.approvals
    if kind in (Lineage.HOTFIX, None) and spec.hotfix is not None:
        yield from spec.hotfix.approvals or ()


def missing(
    consent: approving.Consent, voices: Iterable[approving.Voice], now: datetime
) -> tuple[str, ...]:
    """What is asked and not there, in words; () = everybody who must has agreed, and it still counts."""
    said = tuple(voices)
    each = (_lacks(wanted, consent, said, now) for wanted in consent.wanted)
    return (*consent.troubles, *dict.fromkeys(words for words in each if words))


def current(approvals: Iterable[ledger.Approval], environment: str) -> tuple[approving.Voice, ...]:
    return tuple(each.voice for each in approvals if each.environment == environment)


def _lacks(
    wanted: approving.Wanted,
    consent: approving.Consent,
    voices: tuple[approving.Voice, ...],
    now: datetime,
) -> str:
    unknown = [each for each in consent.signers if not each.key]
    if unknown and not wanted.allows_unsigned:
        first = unknown[0]
        more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        return (
            f"commit {first.commit[:10]} is {first.reason or 'not signed'}{more}, so nobody knows whose change"
            f" {wanted.group} would approve"
        )
    agreed = approving.agreeing(wanted, voices, consent.subject, now)
    others = agreed - _authors(wanted, consent)
    count = len(others)
    if count >= wanted.count:
        return ""
    own = sorted(agreed - others)
    beside = f" ({', '.join(own)} made the change)" if own else ""
    other = _others(wanted, voices, consent, now)
    return f"{count} of {wanted.count} people of {wanted.group} approved this{beside}{other}"


def _authors(wanted: approving.Wanted, consent: approving.Consent) -> set[str | None]:
    return {
        name for each in consent.signers for name in (each.person, wanted.people.get(each.key))
    }


def _others(
    wanted: approving.Wanted,
    voices: tuple[approving.Voice, ...],
    consent: approving.Consent,
    now: datetime,
) -> str:
    """Of whoever approved something else here: what differs, so that nobody must guess."""
    last = [
        each
        for each in voices
        if each.key in wanted.people
        and each.said.expires > now
        and each.said.decision is approving.Decision.APPROVE
        and each.said.subject != consent.subject
    ]
    if not last:
        return ""
    newest = max(last, key=lambda each: each.received)
    differing = [
        field.replace("_", " ")
        for field in type(consent.subject).__slots__
        if getattr(newest.said.subject, field) != getattr(consent.subject, field)
    ]
    person = wanted.people[newest.key]
    return f" ({person}'s approval is of another {', '.join(differing)})"


def _said(consent: approving.Consent, facts: candidates.Facts) -> str:
    people = {
        person
        for wanted in consent.wanted
        for person in approving.agreeing(wanted, facts.voices, consent.subject, facts.now)
        if person not in _authors(wanted, consent)
    }
    return f"approved by {', '.join(sorted(people))}"
