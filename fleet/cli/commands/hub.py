"""`fleet hub`: run the hub, and what its owner asks of it."""

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from fleet.adapters.git import mirror
from fleet.adapters.http import admin, prometheus, server, tls
from fleet.cli import hosting, observing, output, processes, wiring
from fleet.cli.commands import approve as approve_command
from fleet.cli.commands import byhand
from fleet.hub import loop
from fleet.hub import state as hubs
from fleet.hub.desk import answers, people
from fleet.model import errors
from fleet.protocol import encoding, keys

app = typer.Typer(
    help="Run the hub: it reads the fleet repository, decides, and answers agents.",
    invoke_without_command=True,
    rich_markup_mode=None,
)
State = byhand.State

_LONGEST_POLL = 7 * 86_400.0  # seconds


@app.callback()
def hub(
    context: typer.Context,
    repo: Annotated[str, typer.Option(help="https://, ssh:// or a local path.")] = "",
    state: Annotated[
        Path, typer.Option(help="Where the hub keeps its book, key and mirror.")
    ] = Path("fleet-state"),
    listen: Annotated[str, typer.Option(help="Where agents reach it.")] = "127.0.0.1:8440",
    poll: Annotated[float, typer.Option(help="Seconds between two fetches.")] = 30.0,
    webhook_secret_file: Annotated[
        Path | None, typer.Option(help="For POST /hooks/git; absent: none is believed.")
    ] = None,
    status_secret: Annotated[
        list[str], typer.Option(help="ISSUER=FILE, for POST /v1/statuses; once for each issuer.")
    ] = [],  # noqa: B006 - Typer copies it
    metrics_url: Annotated[
        list[str], typer.Option(help="A Prometheus that gates may ask; any other is never asked.")
    ] = [],  # noqa: B006 - Typer copies it
    tls_cert: Annotated[Path | None, typer.Option(help="PEM; with --tls-key.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="PEM.")] = None,
    ssh_key: Annotated[str, typer.Option(help="Private key for ssh:// repositories.")] = "",
    known_hosts: Annotated[str, typer.Option(help="Host keys for ssh:// repositories.")] = "",
    token_file: Annotated[str, typer.Option(help="Token for https:// repositories.")] = "",
    kustomize: Annotated[
        Path | None, typer.Option(help="kustomize v5.7.1; default: our own build.")
    ] = None,
    log_format: Annotated[
        observing.Form, typer.Option(help="json or text.")
    ] = observing.Form.JSON,
) -> None:
    """Run the hub until it is stopped.

    Example:  fleet hub --repo https://git.example.com/fleet.git --state /var/lib/fleet --listen 0.0.0.0:8440
    """
    if context.invoked_subcommand is not None:
        return
    if not repo:
        raise errors.InputError(
            "name the fleet repository", hint="fleet hub --repo URL; see fleet hub --help"
        )
    if not 0 < poll < _LONGEST_POLL:
        raise errors.InputError(f"--poll {poll:g} is no number of seconds between fetches")
    if (tls_cert is None) != (tls_key is None):
        raise errors.InputError("--tls-cert and --tls-key go together")
    secret = webhook_secret_file.read_text().strip() if webhook_secret_file else ""
    options = hosting.HubOptions(
        repo=repo,
        folder=wiring.StateFolder(root=state.resolve()),
        access=mirror.Access(ssh_key=ssh_key, known_hosts=known_hosts, token_file=token_file),
        kustomize=kustomize,
        hub=hubs.Settings(
            poll_interval=poll,
            webhook_secret=secret,
            status_secrets=dict(_secret(each) for each in status_secret),
            metric_urls=frozenset(prometheus.checked(each) for each in metrics_url),
        ),
    )
    served = tls.Tls(certificate=str(tls_cert), key=str(tls_key)) if tls_cert and tls_key else None
    observing.log(log_format.value)
    processes.run(_run(options, listen, served))


@app.command()
def key(context: typer.Context, state: State = None) -> None:
    """Print the hub's public key, for: fleet agent enroll --hub-key FILE. Makes the key at the first call."""
    typer.echo(hosting.hub_key(byhand.folder(context, state)).public)


@app.command()
def baseline(
    context: typer.Context,
    state: State = None,
    environment: Annotated[
        list[str], typer.Option("--environment", "-e", help="Which; default: all.")
    ] = [],  # noqa: B006 - Typer copies it
) -> None:
    """Accept the tips as they are by decree, recorded as such: for adopting a fleet that runs already."""
    found = processes.run(
        admin.ask(byhand.folder(context, state).socket, "baseline", {"environments": environment})
    )
    for each in found["accepted"]:
        output.say(f"{each['environment']}: {each['commit'][:10]} accepted by decree")


@app.command()
def recover(context: typer.Context, state: State = None) -> None:
    """Go on from an old book: a new era, numbers above all that agents have shown. Recorded."""
    found = processes.run(admin.ask(byhand.folder(context, state).socket, "recover", {}))
    output.say(f"recovered: {found['clusters']} clusters begin a new era")


@app.command()
def approve(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="What `fleet approve --out FILE`, or break-glass, wrote.")
    ],
    state: State = None,
) -> None:
    """Hand in what an approver signed elsewhere; its signature is what counts.

    Example:  fleet hub approve approval.json --state /var/lib/fleet
    """
    signed = encoding.as_json(approve_command.read(file))
    found = processes.run(admin.ask(byhand.folder(context, state).socket, "approve", signed))
    output.say(f"{found['environment']}: {found['decision']} is in the book")


app.command("quarantine")(byhand.quarantine)
app.command("lift")(byhand.lift)
app.command("rebaseline")(byhand.rebaseline)
app.command("status-set")(byhand.status_set)


def _secret(written: str) -> tuple[str, str]:
    issuer, _, file = written.partition("=")
    path = Path(file)
    secret = path.read_text().strip() if file and path.is_file() else ""
    if not issuer or not secret:
        raise errors.InputError(
            f"--status-secret {written}: that is no ISSUER=FILE with a secret in the file"
        )
    return issuer, secret


async def _run(options: hosting.HubOptions, listen: str, served: tls.Tls | None) -> None:
    with contextlib.closing(observing.of_hub()) as watched:
        async with hosting.hub(options, watched) as here:
            web = server.Server(answers.Desk(here), listen, served)
            port = await web.start()
            output.say(f"hub on port {port}, key {keys.fingerprint(here.key.public)}")
            try:
                async with admin.serve(
                    options.folder.socket,
                    lambda asked, given, by: people.answer(here, asked, given, by),
                ):
                    await processes.until_stopped(loop.run(here))
            finally:
                await web.stop()
