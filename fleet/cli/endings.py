"""How every command ends: what went wrong in words without a traceback, and the exit code that goes with it."""

import atexit
import os
import sys
from collections.abc import Callable

from fleet.model import errors


def guarded(command: Callable[[], None]) -> None:
    try:
        command()
    except errors.FleetError as error:
        _end(error)
    except OSError as error:
        said = error.strerror or str(error)
        _end(errors.InputError(f"{error.filename}: {said}" if error.filename else said))
    except UnicodeDecodeError as error:
        _end(errors.InputError(f"a file that was named holds no text: {error.reason}"))
    except KeyboardInterrupt:
        sys.exit(130)


def at_once(command: Callable[[], None]) -> None:
    """Run it and end the process with it: taking apart all that it made takes as long as a small check."""
    code: object = 0
    try:
        command()
    except SystemExit as end:
        code = end.code or 0
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):  # nobody listens any more: the ordinary end says so
        sys.exit(code)  # type: ignore[arg-type]  # as it came
    if not isinstance(code, int):
        sys.exit(code)  # type: ignore[arg-type]
    atexit._run_exitfuncs()  # noqa: SLF001 - os._exit runs nobody's endings
    os._exit(code & 0xFF)


def _end(error: errors.FleetError) -> None:
    from fleet.cli import output  # a command that ends well may have no use for it

    output.fault(error)
    sys.exit(1 if isinstance(error, errors.RefusedError) else 2)
