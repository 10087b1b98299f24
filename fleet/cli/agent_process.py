"""The agent's own process, which `fleet agent run` becomes.

It runs for months beside other people's workloads, so what only reads a command line does not stay in its memory.
"""

import contextlib
import os
import sys
from pathlib import Path
from typing import NoReturn

from fleet.adapters import clock
from fleet.adapters.http import client
from fleet.adapters.kubernetes import access, cluster
from fleet.agent import enrolment, loop, state
from fleet.cli import endings, observing, processes


def become(kubeconfig: Path | None, context: str, log_format: str) -> NoReturn:
    """Go on as an agent, with the same process id."""
    words = (str(kubeconfig or ""), context, log_format)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, (sys.executable, "-P", "-m", "fleet.cli.agent_process", *words))  # noqa: S606 - no shell


def main(kubeconfig: str, context: str, log_format: str) -> None:
    observing.log(log_format)
    file = Path(kubeconfig) if kubeconfig else None
    # A pod's host name is its own and outlives its container, so a restarted agent need not wait for its own lease.
    is_pod = file is None and not context and access.POD.is_dir()
    name = processes.host() if is_pod else processes.name()
    processes.run(_run(cluster.ApiServer(access.found(file, context)), name))


async def _run(port: cluster.ApiServer, name: str) -> None:
    async with contextlib.aclosing(port):
        enrolled = await enrolment.read(port)
        async with client.Link(enrolled.hub_url, authorities=enrolled.hub_ca) as link:
            agent = state.Agent(
                identity=enrolled.identity,
                key=enrolled.key,
                cluster=port,
                link=link,
                clock=clock.SystemClock(),
                telemetry=observing.of_agent(),
                name=name,
            )
            await processes.until_stopped(loop.run(agent))


if __name__ == "__main__":
    endings.guarded(lambda: main(*sys.argv[1:]))
