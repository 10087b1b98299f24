"""How the git program is always called: nothing of the user's configuration, nothing inherited."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from fleet.model import errors

ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PROTOCOL_FROM_USER": "0",
    "HOME": os.devnull,
    "LC_ALL": "C",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
}
# Whatever a repository's own configuration says: nothing of it runs, and answers come from the objects alone.
_SETTINGS = (
    "core.commitGraph=false",
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    "gc.autoDetach=false",
    "log.showSignature=false",
    "safe.directory=*",  # so it does not matter whose the folder is
)
WORDS = tuple(word for setting in _SETTINGS for word in ("-c", setting))
LISTING = ("ls-files", "-co", "--exclude-standard", "-z")  # a working tree less what is ignored


def executable() -> str:
    """Raises errors.InputError where there is no git."""
    found = shutil.which("git", path=ENVIRONMENT["PATH"]) or shutil.which("git")
    if found is None:
        raise errors.InputError("there is no git program here", hint="install git")
    return found


def identity() -> str:
    """Version and digest of the program, as "git version 2.47.1 sha256:..."."""
    program = executable()
    told = subprocess.run([program, "version"], env=ENVIRONMENT, check=True, capture_output=True)  # noqa: S603 - fixed words
    digest = hashlib.sha256(Path(program).read_bytes()).hexdigest()
    return f"{told.stdout.decode('utf-8', 'replace').strip()} sha256:{digest}"
