"""`fleet preview` in a fleet of a thousand clusters: a change of one file, before it is promoted."""

import json
import os
import statistics
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bench import apps, processes, results, sized
from fleet.model import names
from fleet.protocol import enrolment, keys

CLUSTERS, SHARED = 1_000, 200
VERSIONS = ("1.34", "1.35", "1.36")
ROUNDS = 5
GOAL = 1.0  # seconds
_PERSON = {
    "GIT_AUTHOR_NAME": "bench", "GIT_AUTHOR_EMAIL": "bench@localhost",
    "GIT_COMMITTER_NAME": "bench", "GIT_COMMITTER_EMAIL": "bench@localhost",
}  # fmt: skip


def run(report: results.Report) -> None:
    with tempfile.TemporaryDirectory(prefix="fleet-bench-") as where:
        folder = _repository(Path(where) / "fleet")
        cache = {"FLEETGATE_CACHE": str(Path(where) / "cache")}
        title = (
            f"fleet preview, {CLUSTERS:,} clusters of {len(VERSIONS)} versions, {SHARED} manifests"
        )
        section = report.section(title)
        _change(folder, 0)
        section.row("cold", *_figures([_preview(folder, cache)]))
        again = [_preview(folder, cache) for _ in range(ROUNDS)]
        section.row("the same once more", *_figures(again), f"goal {GOAL:.0f} s")
        changed = []
        for number in range(1, ROUNDS + 1):
            _change(folder, number)
            changed.append(_preview(folder, cache))
        section.row("after another commit to one file", *_figures(changed), f"goal {GOAL:.0f} s")


def _repository(folder: Path) -> Path:
    processes.run((*processes.FLEET, "init", str(folder)))
    _git(folder, "switch", "--quiet", "dev")
    _commit(folder, sized.files(SHARED))
    _git(folder, "switch", "--quiet", "staging")
    _git(folder, "merge", "--quiet", "--no-edit", "dev")
    _commit(folder, dict(map(_cluster, range(CLUSTERS))))
    _git(folder, "switch", "--quiet", "dev")
    _git(folder, "gc", "--quiet")  # a clone comes packed
    return folder


def _cluster(number: int) -> tuple[str, str]:
    document = enrolment.document(
        cluster=names.Cluster(f"staging-{number}"),
        environment=names.Environment("staging"),
        uid=f"00000000-0000-4000-8000-{number:012}",
        kubernetes_version=VERSIONS[number % len(VERSIONS)],
        labels={"region": f"region-{number % 12}"},
        key=keys.generate(),
    )
    return f"clusters/staging/staging-{number}.yaml", apps.text(dict(document))


def _change(folder: Path, number: int) -> None:
    text = apps.text(sized.workload(number, f"2.0.{number}"))
    _commit(folder, {f"apps/part-0/service-{number}.yaml": text})


def _commit(folder: Path, files: Mapping[str, str]) -> None:
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "-m", "a change")


def _git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, env={**os.environ, **_PERSON}, check=True)  # noqa: S607


def _preview(folder: Path, cache: Mapping[str, str]) -> processes.Used:
    words = (*processes.FLEET, "preview", "dev", "staging", "--dir", str(folder), "-o", "json")
    used = processes.run(words, environment=cache)
    totals = json.loads(used.out)["totals"] if used.code == 0 else {}
    if totals.get("clusters") != CLUSTERS:
        raise SystemExit(f"fleet preview failed: {used.code} {used.out[:2000]}")
    return used


def _figures(runs: list[processes.Used]) -> tuple[str, ...]:
    return (
        f"{statistics.median(each.seconds for each in runs):.2f} s",
        f"{statistics.median(each.cpu for each in runs):.2f} s of CPU",
        f"peak {max(each.peak_mb for each in runs):.0f} MB",
        f"load {os.getloadavg()[0]:.0f}",
    )
