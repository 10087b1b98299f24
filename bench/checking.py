"""`fleet check` on 10,000 manifests: cold, warm, and after one file changed; against parsing the same bytes alone."""

import statistics
import sys
import tempfile
from pathlib import Path

from bench import apps, processes, results

APPS = 2_500  # of four manifests each
ROUNDS = 3  # of a cold run each; the rest is quick
# The limit: libyaml's own parser over the same files, nothing else.
_LIMIT = """
import sys, yaml, pathlib
for path in pathlib.Path(sys.argv[1]).rglob("*.yaml"):
    for _ in yaml.load_all(path.read_bytes(), Loader=yaml.CSafeLoader):
        pass
"""


def run(report: results.Report) -> None:
    with tempfile.TemporaryDirectory(prefix="fleet-bench-") as where:
        folder = Path(where) / "fleet"
        processes.run((*processes.FLEET, "init", str(folder)))
        _write(folder, apps.files(APPS))
        count = APPS * 4 + apps.NAMESPACES
        cold, warm, changed, limit = [], [], [], []
        for number in range(ROUNDS):
            cache = {"FLEETGATE_CACHE": str(Path(where) / f"cache-{number}")}
            limit.append(processes.run((sys.executable, "-c", _LIMIT, str(folder / "apps"))))
            cold.append(_check(folder, cache))
            warm.append(_check(folder, cache))
            _write(folder, {f"apps/group-0/app-{number}-configmap.yaml": _changed(number)})
            changed.append(_check(folder, cache))
    base = statistics.median(each.seconds for each in limit)
    section = report.section(f"fleet check, {count:,} manifests, all different")
    for name, runs in (("cold", cold), ("warm", warm), ("one file changed", changed)):
        seconds = statistics.median(each.seconds for each in runs)
        section.row(
            name,
            f"{seconds:.2f} s",
            f"{count / seconds:,.0f} docs/s",
            f"peak {max(each.peak_mb for each in runs):.0f} MB",
            f"{seconds / base:.2f}x parsing alone ({base:.2f} s)",
        )


def _check(folder: Path, cache: dict[str, str]) -> processes.Used:
    used = processes.run((*processes.FLEET, "check", str(folder), "-o", "json"), environment=cache)
    if used.code not in (0, 1) or '"findings"' not in used.out:
        raise SystemExit(f"fleet check failed: {used.code}")
    return used


def _changed(number: int) -> str:
    return apps.text(apps.app(number, "2.0.0")[2])


def _write(folder: Path, files: dict[str, str]) -> None:
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)
