"""What every document of ours is made of: no coercion, no unknown field, and the forms of words, moments and times."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

Label = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", max_length=63)
]


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")


def _moment(value: Any) -> Any:
    """A day ends as it begins, in UTC. Numbers are no moments: nobody sees which one 1e12 means."""
    if isinstance(value, str) and _DAY.match(value):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    if isinstance(value, str) and not _DAY.match(value[:10]):
        raise ValueError("a moment is written as 2027-01-31 or 2027-01-31T12:00:00Z")
    if not isinstance(value, (str, datetime)):
        raise ValueError("a moment is written as 2027-01-31 or 2027-01-31T12:00:00Z")  # noqa: TRY004 - pydantic's way
    return value


Moment = Annotated[
    AwareDatetime,
    Field(strict=False),
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]}),
]
# Plain ASCII, so that no owner looks like another.
Owner = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9 ._+@/-]{0,126}[A-Za-z0-9])?$")
]
Sentence = Annotated[str, StringConstraints(pattern=r"\S", max_length=1000)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=253)]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_SPAN = re.compile(r"(\d{1,6})([smhdw])")


def _span(value: Any) -> Any:
    parts = _SPAN.findall(value) if isinstance(value, str) else []
    if not parts or "".join(map("".join, parts)) != value:
        raise ValueError("a length of time is written as 90s, 30m, 24h, 7d or 1h30m")
    return timedelta(seconds=sum(int(count) * _UNITS[unit] for count, unit in parts))


Span = Annotated[
    timedelta,
    Field(strict=False, le=timedelta(days=3660)),
    BeforeValidator(_span),
    WithJsonSchema({"type": "string", "pattern": r"^([0-9]{1,6}[smhdw])+$"}),
]


class Strict(BaseModel):
    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        validate_by_name=True,
        defer_build=True,  # most commands meet few of these kinds
    )
