"""`ssh-keygen -Y sign` with the user's own keys: files, agents and hardware keys, which may ask on the terminal."""

import asyncio
import shutil
from collections.abc import Mapping
from pathlib import Path

from fleet.model import errors

_PATIENCE = 300.0  # seconds for a passphrase or a touch


async def sign(data: bytes, key: Path, namespace: str, environment: Mapping[str, str]) -> str:
    """The armored signature. Raises errors.InputError with what ssh-keygen said."""
    program = shutil.which("ssh-keygen", path=environment.get("PATH"))
    if program is None:
        raise errors.InputError("there is no ssh-keygen here", hint="install OpenSSH")
    if not key.is_file():
        raise errors.InputError(f"there is no key {key}", hint="as --key ~/.ssh/id_ed25519")
    words = ("-q", "-Y", "sign", "-n", namespace, "-f", str(key.resolve()))
    process = await asyncio.create_subprocess_exec(
        program,
        *words,
        env=dict(environment),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, said = await asyncio.wait_for(process.communicate(data), _PATIENCE)
    except TimeoutError as error:
        process.kill()
        raise errors.InputError("ssh-keygen was waited for in vain") from error
    if process.returncode != 0:
        last = (said.decode("utf-8", "replace").strip() or "it failed without a word").splitlines()
        raise errors.InputError(f"ssh-keygen: {last[-1]}", hint="is the key's agent running?")
    return out.decode("ascii", "replace")
