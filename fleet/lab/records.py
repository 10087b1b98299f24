"""What a lab's folder says to other processes: who owns it, and which clusters run in it."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fleet.lab import clusters, identities

LOCK = "lock"  # held by the owner as long as it lives
LEDGER = "processes.jsonl"
_RECORD = "lab.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    owner: identities.Identity
    detached: (
        bool  # the owner is a supervisor that serves nothing else, and may be ended by others
    )
    is_up: bool
    running: tuple[clusters.Cluster, ...]


def write(
    folder: Path, *, detached: bool, is_up: bool, running: Iterable[clusters.Cluster]
) -> None:
    """In the name of this process. Readers see the old record or the new one."""
    owner = identities.identify(os.getpid())
    content = {
        "pid": os.getpid(),
        "began": owner.began if owner else "",
        "detached": detached,
        "isUp": is_up,
        "clusters": [_encode(cluster) for cluster in running],
    }
    draft = folder / f".{_RECORD}"
    draft.write_text(json.dumps(content, indent=2), encoding="utf-8")
    draft.replace(folder / _RECORD)


def read(folder: Path) -> Record | None:
    """None where no lab was ever started, or what is there is none."""
    try:
        content = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
        return Record(
            owner=identities.Identity(pid=content["pid"], began=content["began"]),
            detached=content["detached"],
            is_up=content["isUp"],
            running=tuple(_parse(each) for each in content["clusters"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def forget(folder: Path) -> None:
    for name in (_RECORD, LEDGER):
        (folder / name).unlink(missing_ok=True)


def _encode(cluster: clusters.Cluster) -> dict[str, object]:
    return {
        "name": cluster.name,
        "url": cluster.url,
        "kubeconfig": str(cluster.kubeconfig),
        "version": cluster.version,
        "full": cluster.full,
    }


def _parse(content: dict[str, str]) -> clusters.Cluster:
    return clusters.Cluster(
        name=content["name"],
        url=content["url"],
        kubeconfig=Path(content["kubeconfig"]),
        version=content["version"],
        full=bool(content["full"]),
    )
