"""What an environment may ask of a commit besides lineage and policies, as `fleet.yaml` says it."""

from datetime import timedelta
from enum import Enum
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from fleet.model import strict

NO_TIME = timedelta(0)

Share = Annotated[str, StringConstraints(pattern=r"^(\d{1,5}|\d{1,2}%|100%)$")]
Size = Annotated[str, StringConstraints(pattern=r"^([1-9]\d{0,4}|[1-9]\d?%|100%)$")]  # never none
Glob = Annotated[str, StringConstraints(min_length=1, max_length=1024)]


class Approvals(strict.Strict):
    """Keys and groups are in the environment's trust file; the cluster's agents hold them against it too."""

    group: strict.Label = Field(description="A group of the environment's trust file.")
    count: int = Field(default=1, ge=1, le=20, description="So many different people.")
    expires: strict.Span = Field(
        default=timedelta(days=7), description="An approval counts for so long."
    )
    unsigned: bool = Field(
        default=False,
        description="A change whose commits are not signed may be approved by anyone of the group.",
    )


class Effect(Enum):
    ALLOW = "allow"
    DENY = "deny"


class Window(strict.Strict):
    """Where any `allow` is declared, one of them must be open; an open `deny` wins."""

    name: strict.Label = Field(description="Shown while it holds something.")
    effect: Effect = Field(strict=False, description="allow: only then; deny: never then.")
    time_zone: strict.Word = Field(description="IANA zone, as Europe/Berlin.")
    start: str = Field(
        pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?$",
        description="The first beginning, in that zone's wall clock: 2027-01-04T09:00.",
    )
    duration: strict.Span = Field(description="How long each lasts.")
    recurrence: str | None = Field(
        default=None, max_length=500, description="RFC 5545 RRULE, as FREQ=WEEKLY;BYDAY=MO,TU."
    )
    waves: list[strict.Label] = Field(
        default=[], max_length=50, description="Only for these waves; absent: for all."
    )


def written(window: Window) -> dict[str, Any]:
    """As fleet.yaml would say it, for the book."""
    said = window.model_dump(mode="json", by_alias=True, exclude={"duration"})
    return {**said, "duration": f"{window.duration.days}d{window.duration.seconds}s"}


class BreakGlass(strict.Strict):
    """Lets a commit out in spite of windows, with a reason and an end."""

    group: strict.Label = Field(description="A group of the environment's trust file.")
    count: int = Field(default=2, ge=1, le=20, description="So many different people.")
    longest: strict.Span = Field(
        default=timedelta(hours=4), description="The farthest end that may be asked for."
    )


class Budget(strict.Strict):
    clusters: int | None = Field(default=None, ge=1, description="Clusters that change at most.")
    objects: int | None = Field(default=None, ge=1, description="Objects that change at most.")
    deletions: int | None = Field(default=None, ge=0, description="Objects that go at most.")


class Signatures(strict.Strict):
    group: strict.Label = Field(description="A group of the environment's trust file.")


class Status(strict.Strict):
    """Imported from CI; it counts for exactly this issuer, this context and the candidate's content."""

    issuer: strict.Word = Field(description="Who says it, as the hub knows it by its secret.")
    context: strict.Word = Field(description="What was tried, as e2e.")


class Comparison(Enum):
    BELOW = "below"
    ABOVE = "above"


class Metric(strict.Strict):
    """Every value of the range query must keep to the bound; none at all, NaN and errors wait."""

    name: strict.Label = Field(description="Shown while it holds something.")
    url: Annotated[str, StringConstraints(pattern=r"^https?://", max_length=2048)] = Field(
        description="Prometheus' own address."
    )
    query: strict.Sentence = Field(description="PromQL.")
    window: strict.Span = Field(description="From so long ago until now.")
    must_be: Comparison = Field(strict=False, description="below or above the bound.")
    bound: float = Field(allow_inf_nan=False, description="The bound.")


class Debt(strict.Strict):
    max_age: strict.Span = Field(
        description="No promotion while a hotfix is open for longer than this."
    )


class Gates(strict.Strict):
    soak: strict.Span = Field(
        default=NO_TIME, description="Contiguous healthy time of the content upstream."
    )
    approvals: list[Approvals] = Field(default=[], max_length=10, description="All of them.")
    loosening: list[Approvals] = Field(
        default=[],
        max_length=10,
        description="Besides, of a commit that loosens rules, gates or waivers: all of them.",
    )
    windows: list[Window] = Field(default=[], max_length=50, description="When waves may open.")
    break_glass: BreakGlass | None = Field(
        default=None, description="Who may pass closed windows; absent: nobody."
    )
    budget: Budget = Field(
        default=Budget.model_construct(), description="How much one commit may change."
    )
    signatures: Signatures | None = Field(
        default=None, description="Who must have signed the commits; absent: nobody need."
    )
    statuses: list[Status] = Field(default=[], max_length=50, description="All of them, good.")
    metrics: list[Metric] = Field(default=[], max_length=50, description="All within bounds.")
    debt: Debt | None = Field(default=None, description="How old an open hotfix may grow.")


class OnFailure(Enum):
    STOP = "stop"
    ROLLBACK = "rollback"


class Rollout(strict.Strict):
    on_failure: OnFailure = Field(
        default=OnFailure.STOP,
        strict=False,
        description="stop: no further wave, what is out stays; rollback: the release before, anew.",
    )
    deadline: strict.Span | None = Field(
        default=None, description="A wave not healthy by then has failed; absent: it only waits."
    )
    broken_first: bool = Field(
        default=False,
        description="Clusters that fail before the rollout get it with the first wave, whatever theirs is.",
    )


def counted(share: str, whole: int) -> int:
    """So many of `whole`, for a share written as 2 or 25%; rounded down, so 25% of 3 is none."""
    return whole * int(share[:-1]) // 100 if share.endswith("%") else int(share)


class Hotfix(strict.Strict):
    """A commit on this very branch may change these shared paths; it is a record until upstream has it too."""

    paths: list[Glob] = Field(
        min_length=1, max_length=100, description="As apps/web/** or apps/*/values.yaml."
    )
    approvals: list[Approvals] | None = Field(
        default=None, max_length=10, description="Instead of the environment's own approvals."
    )
