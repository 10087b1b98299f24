"""`fleet trust`: sign an environment's trust file, and see whom it trusts."""

from pathlib import Path
from typing import Annotated

import typer

from fleet.cli import documents, output, processes, signing
from fleet.judge import trusts
from fleet.model import errors, findings, names, trusting
from fleet.protocol import openpgp, sshsig, sshwire, trustchain

app = typer.Typer(
    help="Sign an environment's trust file, and see whom it trusts.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Folder = Annotated[Path, typer.Option("--dir", help="The fleet repository.")]


@app.command()
def sign(
    file: Annotated[Path, typer.Argument(help="trust/ENVIRONMENT/N.yaml")],
    key: signing.Key,
) -> None:
    """Sign a trust file as one of its owners: the signature is added to N.sig beside it.

    Example:  fleet trust sign trust/prod/1.yaml --key ~/.ssh/id_ed25519
    """
    data = documents.read(file)
    armor = processes.run(signing.signed(data, key, sshsig.TRUST))
    signer = sshsig.verify(armor, data, sshsig.TRUST)
    beside = file.with_suffix(".sig")
    before = beside.read_text() if beside.exists() else ""
    kept = [each for each in _armors(before) if _still_holds(each, data, signer.text)]
    beside.write_text("".join((*kept, armor)))
    output.say(f"{beside}: signed by {sshwire.fingerprint(signer.text)}, {len(kept) + 1} in all")


@app.command()
def show(
    environment: Annotated[str, typer.Argument(help="Which one.")],
    folder: Folder = Path(),
) -> None:
    """Check an environment's trust files as they are here, and show whom the newest trusts.

    Example:  fleet trust show prod
    """
    if not names.is_label(environment):
        raise errors.InputError(f"{environment!r} is no environment's name")
    here = names.Environment(environment)
    top = folder / trusts.folder(here)
    files = sorted(top.iterdir()) if top.is_dir() else []
    contents = {f"{trusts.folder(here)}/{each.name}": documents.read(each) for each in files}
    chain, found = trusts.read(contents, here)
    output.report(found)
    if findings.refuses(found):
        raise errors.RefusedError(f"{top} does not hold")
    links, _ = trustchain.examine(chain, environment)
    if not links:
        raise errors.InputError(f"there is no {top}/1.yaml", hint="see docs/approvals.md")
    for link in links:
        output.say(f"version {link.anchor.version}  {link.anchor.digest}")
    _show(links[-1].spec)


def _show(spec: trusting.TrustSpec) -> None:
    output.say(f"until {spec.expires.isoformat()}")
    for person, lines in spec.people.items():
        groups = [group for group, people in spec.groups.items() if person in people]
        output.say(f"{person} ({', '.join(groups) or 'in no group'})")
        for line in lines:
            output.say(f"  {sshwire.fingerprint(sshwire.key(line).text)}  {line.split()[0]}")
        for certificate in spec.pgp.get(person, ()):
            output.say(f"  {openpgp.fingerprint(certificate)}  OpenPGP, for commits")
    output.say(f"next version: {spec.owners.threshold} of {spec.owners.group}")
    for each in spec.approvals:
        output.say(f"each release: {each.count} of {each.group}")


def _still_holds(armor: str, data: bytes, key: str) -> bool:
    """Of a signature that was there before: it is of this very text, and another key's."""
    try:
        return sshsig.verify(armor, data, sshsig.TRUST).text != key
    except errors.RefusedError:
        return False


def _armors(text: str) -> tuple[str, ...]:
    return sshsig.split(text) if text else ()
