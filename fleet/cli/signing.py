"""What a person signs with an SSH key, and where it goes: to the hub, or into a file for whoever is there."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from fleet.adapters import sshkeys
from fleet.adapters.http import client
from fleet.cli import output, settings
from fleet.model import approving, errors
from fleet.protocol import encoding

Key = Annotated[
    Path, typer.Option(help="SSH key; its *.pub where an agent or a token has the rest.")
]
KEY = Path("~/.ssh/id_ed25519")
Hub = Annotated[str, typer.Option(help="The hub's URL; absent: write to --out.")]
Authority = Annotated[Path | None, typer.Option(help="PEM of the authority of the hub's TLS.")]
Out = Annotated[Path | None, typer.Option(help="For: fleet hub approve FILE.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class To:
    hub: str
    authorities: str
    file: Path | None

    @classmethod
    def of(cls, hub: str, hub_ca: Path | None, file: Path | None) -> "To":
        if bool(hub) == (file is not None):
            raise errors.InputError("name where it goes: --hub URL or --out FILE")
        return cls(hub=hub, authorities=hub_ca.read_text() if hub_ca else "", file=file)


async def signed(data: bytes, key: Path, namespace: str) -> str:
    return await sshkeys.sign(data, key.expanduser(), namespace, settings.read().environment)


async def send(text: str, key: Path, namespace: str, to: To) -> None:
    armor = await signed(text.encode(), key, namespace)
    data = encoding.encode(approving.Signed(text=text, signature=armor))
    if to.file is not None:
        to.file.write_bytes(data)
        output.say(f"signed: hand it in with  fleet hub approve {to.file}")
        return
    async with client.Link(to.hub, authorities=to.authorities) as link:
        await link.approve(data)
    output.say("signed, and the hub has it: it decides now (fleet status)", "bold green")
