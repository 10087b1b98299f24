"""How the parts of a slice add up."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fleet.model import changes, health

Health = health.Health


@pytest.mark.parametrize(
    ("parts", "worst"),
    [
        ([Health.CURRENT, Health.CURRENT], Health.CURRENT),
        ([Health.CURRENT, Health.IN_PROGRESS], Health.IN_PROGRESS),
        ([Health.IN_PROGRESS, Health.FAILED, Health.UNKNOWN], Health.FAILED),
        ([Health.UNKNOWN, Health.NOT_FOUND], Health.UNKNOWN),
        ([Health.TERMINATING, Health.IN_PROGRESS], Health.TERMINATING),
    ],
)
def test_the_worst_part_counts(parts: list[Health], worst: Health):
    assert health.worst(parts) is worst


@pytest.mark.threat(57)
def test_nothing_observed_is_never_healthy():
    assert health.worst([]) is Health.UNKNOWN


@given(some.lists(some.sampled_from(Health), min_size=1), some.sampled_from(Health))
def test_the_worst_is_one_of_them_and_more_parts_never_better_it(
    parts: list[Health], more: Health
):
    worst = health.worst(parts)
    assert worst in parts
    assert health.worst([*parts, more]) is health.worst([worst, more])
    assert health.worst(reversed(parts)) is worst


def test_only_all_current_is_current():
    for each in Health:
        assert (health.worst([Health.CURRENT, each]) is Health.CURRENT) is (each is Health.CURRENT)


def test_the_words_of_results_are_closed():
    words = [each.value for each in changes.Result]
    assert words == ["created", "configured", "unchanged", "deleted", "skipped", "failed"]
