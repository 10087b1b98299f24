"""What people sign and what it counts for: one rule for the hub's gate and for every agent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Literal

from fleet.model import names


class Decision(Enum):
    APPROVE = "approve"
    REVOKE = "revoke"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is approved: by content, not by commit, so that the same thing need not be approved twice."""

    environment: names.Environment
    content: names.ContentId
    rules: names.RulesId
    owned: names.OwnedId
    slices_root: names.Root
    gates: names.Digest  # of the environment's settings in the candidate's fleet.yaml
    trust: int  # version of the candidate's newest trust file
    wave: str = ""  # of one wave alone; "" = of the release


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """The very words that are signed, as canonical JSON."""

    kind: Literal["Approval"]
    subject: Subject
    expires: datetime
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlass:
    """The words of one person who wants closed windows passed; what was said earlier than their last counts no more."""

    kind: Literal["BreakGlass"]
    environment: names.Environment
    reason: str
    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What somebody signed, as it travels: its text and the armored SSH signature over exactly that text."""

    text: str
    signature: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustFile:
    """trust/ENVIRONMENT/N.yaml and N.sig, as they are."""

    text: str = field(repr=False)
    signatures: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """An approval whose signature held. `received` is the clock of whoever counts it."""

    key: str
    said: Approval
    received: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """So many different people of one group; `people` are the group's members by key."""

    group: str
    count: int
    people: Mapping[str, str]
    lifetime: int = 0  # seconds for which an approval counts at most; 0 = as long as it says
    allows_unsigned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who signed a commit of the change; no key: nobody who is known, for `reason`."""

    commit: names.CommitId
    key: str = ""
    person: str = (
        ""  # by the trust file in force: another key in the one that comes is still theirs
    )
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What people are asked to agree to, by whom the change was signed, and what was said so far.

    `troubles` are reasons for which nobody's word could count yet.
    """

    subject: Subject
    wanted: tuple[Wanted, ...]
    signers: tuple[Signer, ...] = ()
    troubles: tuple[str, ...] = ()
    hint: str = ""
    is_same: bool = False  # the very slices that run already


def agreeing(
    wanted: Wanted, voices: Iterable[Voice], subject: Subject, now: datetime
) -> frozenset[str]:
    """The people whose last word on exactly this is a yes that has not ended."""
    last: dict[str, Voice] = {}
    for voice in sorted(voices, key=lambda each: each.received):
        person = wanted.people.get(voice.key)
        if person is not None and voice.said.subject == subject:
            last[person] = voice
    return frozenset(person for person, voice in last.items() if _counts(voice, wanted, now))


def _counts(voice: Voice, wanted: Wanted, now: datetime) -> bool:
    is_old = wanted.lifetime and (now - voice.received).total_seconds() >= wanted.lifetime
    is_yes = voice.said.decision is Decision.APPROVE
    return is_yes and voice.said.expires > now and not is_old
