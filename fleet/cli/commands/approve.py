"""`fleet approve`: see on your own machine what would change, and sign exactly that."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from fleet.adapters import clock
from fleet.adapters.git import working, writer
from fleet.cli import documents, output, processes, pushing, settings, signing, wiring
from fleet.judge import judging
from fleet.local import offline, proposals
from fleet.model import approving, errors, kinds, names
from fleet.protocol import approvals, encoding, sshsig

_WEEK = 7 * 86_400


def approve(
    environment: Annotated[str, typer.Argument(help="Whose release it is.")],
    commit: Annotated[str, typer.Argument(help="Default: the tip of its branch.")] = "",
    key: signing.Key = signing.KEY,
    hub: signing.Hub = "",
    hub_ca: signing.Authority = None,
    out: signing.Out = None,
    running: Annotated[
        str, typer.Option(help="The commit that runs; default: the one before on the branch.")
    ] = "",
    leaving: Annotated[
        list[str], typer.Option(help="CLUSTER=orphan or prune, still leaving since earlier.")
    ] = [],  # noqa: B006 - Typer copies it
    hours: Annotated[
        float, typer.Option(help="It counts for so long; default: as fleet.yaml says.")
    ] = 0.0,
    wave: Annotated[str, typer.Option(help="Only of this wave; absent: of the release.")] = "",
    revoke: Annotated[bool, typer.Option("--revoke", help="Take back what you said.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Sign without being asked.")] = False,
    folder: Annotated[
        Path, typer.Option("--dir", help="A clone of the fleet repository.")
    ] = Path(),
    kustomize: Annotated[Path | None, typer.Option(help="kustomize v5.7.1.")] = None,
) -> None:
    """Approve a release: fetch, judge and render it here, see what would change, and sign that.

    The hub is not asked what there is to sign; where an approval waits, its gate names the whole command.

    As in:

      fleet approve prod --key ~/.ssh/id_ed25519.pub --hub https://hub.example.com

      fleet approve prod 3f2c1aa --out approval.json
    """
    to = signing.To.of(hub, hub_ca, out)
    asked = proposals.Asked(
        environment=names.Environment(environment),
        commit=names.CommitId(commit),
        running=names.CommitId(running) if running else None,
        leaving=dict(_leaving(each) for each in leaving),
        wave=wave,
    )
    decision = approving.Decision.REVOKE if revoke else approving.Decision.APPROVE
    text = processes.run(_worded(asked, folder.resolve(), kustomize, hours, decision))
    if not yes:
        typer.confirm(f"sign: {decision.value}?", abort=True)
    processes.run(signing.send(text, key, sshsig.RELEASE, to))


def read(file: Path) -> approving.Signed:
    """Raises errors.InputError for what `--out` did not write."""
    return encoding.decode(approving.Signed, documents.read(file))


async def _worded(
    asked: proposals.Asked,
    folder: Path,
    kustomize: Path | None,
    hours: float,
    decision: approving.Decision,
) -> str:
    """What will be signed, after it was shown."""
    await writer.Writer(folder, settings.read().environment).fetch()
    tools = wiring.checking(folder, kustomize, needs_kustomize=True)
    local = working.Local(folder)
    proposal = await _proposal(asked, tools, local)
    if not proposal.subject.trust:
        raise errors.InputError(
            f"there is no trust/{asked.environment}/1.yaml: nobody's approval can count",
            hint="see docs/approvals.md",
        )
    _show(proposal)
    seconds = hours * 3600 or proposal.lifetime or _WEEK
    said = approving.Approval(
        kind="Approval",
        subject=replace(proposal.subject, wave=asked.wave),
        expires=clock.SystemClock().now().replace(microsecond=0) + timedelta(seconds=seconds),
        decision=decision,
    )
    output.say(f"until {said.expires.isoformat()}")
    return approvals.text(said)


async def _proposal(
    asked: proposals.Asked, tools: judging.Tools, local: working.Local
) -> proposals.Proposal:
    tips = (await local.fetch()).branches
    road = await offline.road_to(tips, asked.environment, tools)
    tip = tips.get(road.branch(asked.environment))
    if tip is None:
        raise errors.InputError(f"the branch of {asked.environment} is not here", hint="git fetch")
    commit = await local.resolve(asked.commit) if asked.commit else tip
    parents = (await local.commit(commit)).parents
    before = await local.resolve(asked.running) if asked.running else next(iter(parents), None)
    return await proposals.prepare(replace(asked, commit=commit, running=before), road, tools)


def _show(proposal: proposals.Proposal) -> None:
    subject = proposal.subject
    for line in pushing.described(proposal.changes):
        output.say(line)
    for cluster, how in proposal.retired.items():
        output.say(f"{cluster}: leaves ({how.value})", "bold yellow")
    output.report(proposal.findings)
    output.say(f"slices {subject.slices_root}, content {subject.content}", "dim")
    output.say(f"trust/{subject.environment}/{subject.trust}.yaml", "dim")


def _leaving(text: str) -> tuple[names.Cluster, kinds.OnRemoval]:
    cluster, _, how = text.partition("=")
    try:
        return names.Cluster(cluster), kinds.OnRemoval(how)
    except ValueError as error:
        raise errors.InputError(f"--leaving {text!r} is not CLUSTER=orphan or prune") from error
