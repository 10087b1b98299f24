"""A preview as a commit status: one line for whoever looks at the commit, printed or posted to the forge."""

import json

from fleet.cli import output, previewing, settings
from fleet.local import previews
from fleet.model import errors
from fleet.ports import forges

Forge = forges.Forge


def wanted(forge: Forge | None, url: str, project: str) -> forges.Address | None:
    """Where to post; None = nowhere. Raises errors.InputError before any work is done."""
    if forge is None:
        if url or project:
            raise errors.InputError("--url and --project say where: --post says to whom")
        return None
    from fleet.adapters.http import forges as posting  # only who posts loads what it needs

    token = settings.read().forge_token
    address = forges.Address(forge=forge, project=project, token=token, base=url)
    posting.check(address)
    return address


async def told(found: previews.Preview, address: forges.Address | None) -> None:
    status = of(found)
    shown = {
        "state": "success" if status.is_good else "failure",
        "context": status.context,
        "description": status.description,
        "commit": status.commit,
    }
    output.Sink.standard().parts([f"{json.dumps(shown)}\n"])
    if address is not None:
        from fleet.adapters.http import forges as posting

        await posting.post(status, address)


def of(found: previews.Preview) -> forges.Status:
    """Numbers and words of ours only: a forge may show them as it likes."""
    return forges.Status(
        commit=found.asked.head or found.asked.commit,
        is_good=not found.is_refused,
        context=f"fleet/preview/{found.asked.target}",
        description=previewing.conclusion(found),
    )
