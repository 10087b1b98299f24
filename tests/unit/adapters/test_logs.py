"""One record is one line, whatever is in it."""

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest

from fleet.adapters import logs
from fleet.model import errors

ODD = "a\nb\r\x1b[31mred\x1b[0m\u202eltr\u2028c\x85d\x00e"


@pytest.fixture(autouse=True)
def _root() -> Iterator[None]:
    """The root logger, put back afterwards."""
    logger = logging.getLogger()
    before = logger.handlers[:], logger.level
    yield
    logger.handlers[:], level = before
    logger.setLevel(level)


@pytest.fixture
def stream():
    return io.StringIO()


def test_json_lines_hold_the_words_and_the_fields(stream: io.StringIO):
    logs.configure(stream, "info", "json")
    logging.getLogger("fleet.hub").info("took %d", 3, extra={"cluster": "dev-1", "path": {"a": 1}})
    line = json.loads(stream.getvalue())
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info",
        "logger": "fleet.hub",
        "message": "took 3",
        "cluster": "dev-1",
        "path": {"a": 1},
    }


def test_extra_fields_cannot_pose_as_ours(stream: io.StringIO):
    logs.configure(stream, "info", "json")
    logging.getLogger("fleet.hub").warning("word", extra={"level": "debug", "time": "never"})
    line = json.loads(stream.getvalue())
    assert line["level"] == "warning"
    assert line["time"] != "never"


@pytest.mark.threat(73)
@pytest.mark.parametrize("form", ["json", "text"])
def test_nothing_breaks_a_line_or_moves_a_cursor(stream: io.StringIO, form: logs.Form):
    logs.configure(stream, "info", form)
    logging.getLogger("fleet.hub").info("%s", ODD, extra={"cluster": ODD})
    text = stream.getvalue()
    assert text.endswith("\n")
    assert text[:-1].isprintable()
    if form == "json":
        assert json.loads(text)["message"] == ODD


@pytest.mark.threat(73)
@pytest.mark.parametrize("form", ["json", "text"])
def test_no_line_of_a_traceback_poses_as_a_record(stream: io.StringIO, form: logs.Form):
    logs.configure(stream, "info", form)
    try:
        raise ValueError("x\n2026-01-01T00:00:00 INFO fleet.hub: all is well\x1b[2J")
    except ValueError:
        logging.getLogger("fleet.hub").exception("failed")
    first, *below = stream.getvalue().splitlines()
    assert "failed" in first
    assert all(line.startswith("    ") and line.isprintable() for line in below)
    assert "ValueError" in stream.getvalue()


def test_the_trace_of_the_task_is_named(stream: io.StringIO):
    logs.configure(stream, "info", "json")
    token = logs.trace.set("abc")
    logging.getLogger("fleet.hub").info("in it")
    logs.trace.reset(token)
    logging.getLogger("fleet.hub").info("outside")
    inside, outside = map(json.loads, stream.getvalue().splitlines())
    assert inside["trace"] == "abc"
    assert "trace" not in outside


def test_what_is_below_the_level_is_not_written(stream: io.StringIO):
    logs.configure(stream, "warning")
    logging.getLogger("fleet.hub").info("little")
    logging.getLogger("fleet.hub").warning("much")
    assert "little" not in stream.getvalue()
    assert "much" in stream.getvalue()


def test_configuring_again_replaces(stream: io.StringIO):
    logs.configure(sys.stderr)
    logs.configure(stream)
    logging.getLogger("fleet.hub").warning("once")
    assert stream.getvalue().count("once") == 1


def test_an_unknown_level_is_told():
    with pytest.raises(errors.InputError, match="loud"):
        logs.configure(sys.stderr, "loud")
