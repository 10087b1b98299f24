"""Values of wrong types anywhere in any document: what a check and a trial say is findings and cases, and soon."""

import contextlib
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import wrongtypes
from fleet.model import errors

MOST = 10  # seconds; one takes a few hundredths


@pytest.mark.parametrize("name", wrongtypes.WORLDS)
def test_what_is_not_spoiled_is_read(name: str) -> None:
    world = wrongtypes.WORLDS[name]
    world.run(wrongtypes.written(world.documents))


@pytest.mark.parametrize("name", wrongtypes.WORLDS)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=30)
@given(data=st.data())
def test_wrongly_typed_values_come_to_words(name: str, data: st.DataObject) -> None:
    world = wrongtypes.WORLDS[name]
    documents = dict(world.documents)
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(sorted(documents)))
        documents[path] = spoiled(documents[path], data)
    started = time.perf_counter()
    with contextlib.suppress(errors.FleetError):
        world.run(wrongtypes.written(documents))
    assert time.perf_counter() - started < MOST


def spoiled(document: Any, data: st.DataObject) -> Any:
    where = data.draw(st.sampled_from(list(wrongtypes.places(document))))
    return wrongtypes.changed(document, where, data.draw(st.sampled_from(wrongtypes.VALUES)))
