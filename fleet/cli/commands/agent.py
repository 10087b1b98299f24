"""`fleet agent`: enroll a cluster, and run its agent, from anywhere a kubeconfig reaches or inside as a pod."""

import contextlib
from pathlib import Path
from typing import Annotated, Any

import typer

from fleet.adapters.kubernetes import access, cluster
from fleet.agent import enrolment, witnessing
from fleet.cli import agent_process, documents, observing, output, processes
from fleet.model import errors, json_values, names
from fleet.protocol import keys

app = typer.Typer(
    help="Enroll a cluster and run its agent.", no_args_is_help=True, rich_markup_mode=None
)
Kubeconfig = Annotated[
    Path | None, typer.Option(help="Default: the pod's ServiceAccount, else ~/.kube/config.")
]
Context = Annotated[str, typer.Option(help="Of the kubeconfig; default: its current one.")]


@app.command()
def enroll(
    cluster_name: Annotated[str, typer.Option("--cluster", help="Its name in the fleet.")],
    environment: Annotated[str, typer.Option("--environment", "-e", help="Where it belongs.")],
    hub: Annotated[str, typer.Option(help="URL at which this cluster reaches the hub.")],
    hub_key: Annotated[Path, typer.Option(help="File with what `fleet hub key` printed.")],
    hub_ca: Annotated[
        Path | None, typer.Option(help="PEM of the authority of the hub's TLS.")
    ] = None,
    trust: Annotated[
        Path | None,
        typer.Option(help="trust/ENVIRONMENT/1.yaml; absent: the first that comes is believed."),
    ] = None,
    label: Annotated[list[str], typer.Option(help="KEY=VALUE, for targets and waves.")] = [],  # noqa: B006 - Typer copies it
    kubeconfig: Kubeconfig = None,
    context: Context = "",
) -> None:
    """Make the agent's key in the cluster's keeping and print the Cluster document to commit.

    Example:  fleet agent enroll --cluster eu -e prod --hub https://hub.example.com --hub-key hub.pub
    """
    document = processes.run(
        _enroll(
            cluster.ApiServer(access.found(kubeconfig, context)),
            names.Cluster(cluster_name),
            names.Environment(environment),
            hub,
            hub_key.read_text().strip(),
            hub_ca.read_text() if hub_ca else "",
            dict(_label(each) for each in label),
            json_values.digest_of_bytes(trust.read_bytes()) if trust else "",
        )
    )
    typer.echo(documents.cluster_yaml(document), nl=False)
    output.console(is_error=True).print(
        f"compare this fingerprint before you merge: {keys.fingerprint(document['spec']['publicKey'])}",
        style="dim",
    )


@app.command()
def run(
    kubeconfig: Kubeconfig = None,
    context: Context = "",
    log_format: Annotated[
        observing.Form, typer.Option(help="json or text.")
    ] = observing.Form.JSON,
) -> None:
    """Run the agent until it is stopped.

    Example:  fleet agent run --kubeconfig ~/.kube/config --context minikube
    """
    agent_process.become(kubeconfig, context, log_format.value)


@app.command()
def checkpoint(
    kubeconfig: Kubeconfig = None,
    context: Context = "",
    evidence: Annotated[
        bool, typer.Option(help="Print instead what did not belong together, as JSON.")
    ] = False,
) -> None:
    """Print the newest checkpoint of the hub's audit log that this cluster's agent believes; exit 1 on alarm.

    Example:  fleet agent checkpoint --context prod-eu > from-eu.txt
    """
    port = cluster.ApiServer(access.found(kubeconfig, context))
    note, found = processes.run(_checkpoint(port))
    if evidence:
        output.document({"evidence": found})
    elif note:
        typer.echo(note, nl=False)
    alarms = [each["reason"] for each in found if each["alarm"]]
    if alarms:
        raise errors.RefusedError(
            f"this agent alarms: {alarms[0]}", hint="see docs/audit.md, when an agent alarms"
        )
    if not note:
        raise errors.RefusedError("this cluster's agent has seen no log yet")


async def _checkpoint(port: cluster.ApiServer) -> tuple[str, list[dict[str, Any]]]:
    async with contextlib.aclosing(port):
        return await witnessing.read(port)


async def _enroll(
    port: cluster.ApiServer,
    name: names.Cluster,
    environment: names.Environment,
    hub: str,
    hub_key: str,
    hub_ca: str,
    labels: dict[str, str],
    trust: str,
) -> dict[str, Any]:
    async with contextlib.aclosing(port):
        found = await enrolment.enroll(
            port, name=name, environment=environment, hub_url=hub, hub_key=hub_key,
            hub_ca=hub_ca, labels=labels, trust=trust,
        )  # fmt: skip
    return dict(found)


def _label(text: str) -> tuple[str, str]:
    key, found, value = text.partition("=")
    if not found:
        raise errors.InputError(f"--label {text!r} is not KEY=VALUE")
    return key, value
