"""The words of a rollout: what holds for each wave, for how long it has been well, and who stopped it."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from fleet.model import names


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """So many people of a group must agree before a wave opens."""

    group: str
    count: int
    expires: int  # seconds that an approval counts for
    unsigned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What holds for one part of a rollout: settings of its wave, as they were when the release was accepted."""

    wave: str
    part: int = 1
    parts: int = 1  # that the wave goes in
    at_once: int = 0  # clusters of the wave that may be changing; 0 = any number
    max_unavailable: int = 0
    soak: int = 0  # seconds, before the next wave
    approvals: tuple[Asked, ...] = ()  # that the wave itself asks for


@dataclass(frozen=True, slots=True, kw_only=True)
class Footing:
    """What a release was let in by, and may lose while it goes out."""

    source: names.ContentId | None = None  # of a promotion: the content that upstream accepted
    statuses: tuple[tuple[str, str], ...] = ()  # issuer and context of each that was asked for
    is_settled: bool = False  # by decree, or out already: quarantines of before are passed


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """The rollout that was under way when this release was accepted."""

    release: int
    wave: int  # so many were out
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """For how long the waves that are out have allowed the next one, or have not: by the hub's clock, without a gap."""

    good: bool
    since: datetime
    seen: datetime  # when that was last looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a rollout goes no further. One that is final stays until someone resumes or a new release comes."""

    reason: str
    since: datetime
    final: bool
    stays: str = ""  # why it is not rolled back as asked


class Act(Enum):
    """What people may do to a rollout."""

    PAUSE = "pause"  # until it is resumed, whatever the release
    ABORT = "abort"  # this release, for good


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """Someone stopped rollouts: those of the whole fleet where no environment is named, else of what is named."""

    act: Act
    environment: str = ""
    wave: str = ""
    cluster: str = ""
    release: int = 0  # that was aborted; 0 = a pause
    reason: str
    by: str
    at: datetime
    ended: datetime | None = None

    @property
    def key(self) -> str:
        return f"{self.act.value}/{self.environment}/{self.wave}/{self.cluster}"

    @property
    def scope(self) -> str:
        """What it is about, in words."""
        where = f"environment {self.environment}" if self.environment else "the whole fleet"
        wave = f"wave {self.wave} of {self.environment}" if self.wave else ""
        return f"cluster {self.cluster}" if self.cluster else wave or where
