"""Beginnings are those of the library, however far from the first one somebody looks."""

from datetime import datetime, timedelta

from dateutil import rrule
from hypothesis import assume, example, given
from hypothesis import strategies as some

from fleet.manifests import recurrences

PARTS = some.sampled_from([
    "BYDAY=MO,SU", "BYDAY=-1FR", "BYMONTHDAY=15", "BYMONTHDAY=-1", "BYMONTH=2,7", "BYHOUR=3,4", "BYYEARDAY=60",
    "BYSETPOS=1", "INTERVAL=2", "INTERVAL=5", "INTERVAL=7",
])  # fmt: skip
STARTS = some.datetimes(datetime(2000, 1, 1), datetime(2025, 12, 31))  # noqa: DTZ001 - wall clocks
LOOKS = some.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1))  # noqa: DTZ001 - wall clocks


@given(
    some.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    some.lists(PARTS, max_size=3, unique_by=lambda each: each.partition("=")[0]),
    some.sampled_from(["MO", "SU"]),
    STARTS,
    LOOKS,
)
@example("WEEKLY", ["INTERVAL=2", "BYDAY=MO,SU"], "SU", datetime(2020, 1, 8), datetime(2026, 6, 7))  # noqa: DTZ001
def test_looking_from_near_finds_what_looking_from_the_first_finds(
    frequency: str, parts: list[str], week: str, start: datetime, since: datetime
):
    start = start.replace(second=0, microsecond=0)
    text = ";".join([f"FREQ={frequency}", *parts, f"WKST={week}"])
    form = recurrences.Form(
        start=start.isoformat(timespec="minutes"),
        duration=timedelta(hours=1),
        time_zone="Etc/UTC",
        recurrence=text,
    )
    assume(not recurrences.faults(form))
    rule = recurrences.rule_of(form)
    assert rule is not None
    before = since + timedelta(days=800)
    every = rrule.rrulestr(f"{text};UNTIL=20300101T000000", dtstart=start)
    expected = [each for each in every if since <= each < before]
    assert list(recurrences.begins(rule, since, before)) == expected
