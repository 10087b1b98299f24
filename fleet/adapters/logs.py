"""What the programs log, one record a line.

Names and messages come from strangers: nothing in them may break a line or move a terminal's cursor (threat 73).
"""

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal, TextIO, TypeAlias

from fleet.model import errors, findings

Form: TypeAlias = Literal["json", "text"]

trace: ContextVar[str] = ContextVar(
    "trace", default=""
)  # id of the trace that this task works for

_KNOWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def configure(stream: TextIO, level: str = "info", form: Form = "text") -> None:
    """All logging of this process goes to `stream` from here on."""
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise errors.InputError(f"{level!r} is no level", hint="debug, info, warning or error")
    handler = logging.StreamHandler(stream)
    handler.setLevel(number)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)


class JsonLines(logging.Formatter):
    """ASCII only, so control characters, odd line ends and reversed text are all escaped."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if trace.get():
            line["trace"] = trace.get()
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps({**_extra(record), **line}, default=str)


class TextLines(logging.Formatter):
    """For people; a traceback follows its line, indented."""

    def format(self, record: logging.LogRecord) -> str:
        extra = "".join(f" {name}={value}" for name, value in _extra(record).items())
        line = f"{_time(record)} {record.levelname:<7} {record.name}: {record.getMessage()}{extra}"
        below = self.formatException(record.exc_info).splitlines() if record.exc_info else []
        return "\n    ".join(findings.escaped(each) for each in (line, *below))


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _KNOWN}


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
