"""How every command ends: what went wrong in words without a traceback, and the exit code that goes with it."""

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


def _end(error: errors.FleetError) -> None:
    from fleet.cli import output  # a command that ends well may have no use for it

    output.fault(error)
    sys.exit(1 if isinstance(error, errors.RefusedError) else 2)
