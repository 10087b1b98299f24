"""The peer: server-side apply of a file's objects, 16 in flight, and nothing else. Prints the seconds it took.

`python -m bench.raw KUBECONFIG FILE`, the file with a JSON object a line, Namespaces first.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from fleet.adapters.kubernetes import access, cluster
from fleet.model import json_values, objects
from fleet.ports import cluster as ports

IN_FLIGHT = 16


async def _apply(kubeconfig: Path, bodies: Sequence[json_values.JsonObject]) -> float:
    async with cluster.ApiServer(access.found(kubeconfig)) as api:
        served = (await api.discover()).resources
        first = [each for each in bodies if each["kind"] == "Namespace"]
        rest = [each for each in bodies if each["kind"] != "Namespace"]
        began = time.perf_counter()
        for stage in (first, rest):
            waiting = iter(stage)
            async with asyncio.TaskGroup() as group:
                for _ in range(IN_FLIGHT):
                    group.create_task(_worker(api, served, waiting))
        return time.perf_counter() - began


async def _worker(
    api: cluster.ApiServer,
    served: Mapping[tuple[str, str], ports.Resource],
    waiting: Iterator[json_values.JsonObject],
) -> None:
    for body in waiting:
        key = objects.key_of(body)
        answer = await api.apply(served[key.group, key.kind], body, force=False)
        if answer.status is not ports.Status.DONE:
            raise SystemExit(f"{key}: {answer.message}")


def main() -> None:
    kubeconfig, file = map(Path, sys.argv[1:])
    bodies = [json.loads(line) for line in file.read_text().splitlines()]
    print(asyncio.run(_apply(kubeconfig, bodies)))


main()
