"""`fleet check`: cold, warm and after one change, against the tools that people use; same files, same run."""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from bench import apps, peers, processes, results, sized
from fleet.model import names
from fleet.protocol import enrolment, keys

COUNT = 10_000
LARGE = 100_000
CLUSTERS, VERSIONS = 500, ("1.34", "1.35", "1.36")
SHARED = 500  # manifests that all clusters get
ROUNDS = 3
POLICIES = Path(__file__).resolve().parents[1] / "policies"
# The limit: libyaml's own parser over the same files, nothing else.
_LIMIT = """
import sys, yaml, pathlib
for path in pathlib.Path(sys.argv[1]).rglob("*.yaml"):
    for _ in yaml.load_all(path.read_bytes(), Loader=yaml.CSafeLoader):
        pass
"""


def run(report: results.Report) -> None:
    with tempfile.TemporaryDirectory(prefix="fleet-bench-") as where:
        _against_peers(report, Path(where))
    with tempfile.TemporaryDirectory(prefix="fleet-bench-") as where:
        _start(report, Path(where))
    with tempfile.TemporaryDirectory(prefix="fleet-bench-") as where:
        _large(report, Path(where))
    with tempfile.TemporaryDirectory(prefix="fleet-bench-") as where:
        _many_clusters(report, Path(where))


def _against_peers(report: results.Report, where: Path) -> None:
    folder, ground = _repository(where / "fleet", COUNT), where / "ground"
    manifests = where / "manifests"
    _write(manifests, {f"{n}.yaml": apps.text(sized.workload(n)) for n in range(COUNT)})
    rules = len(list(POLICIES.glob("*/policy.yaml")))
    converted = asyncio.run(peers.prepare(ground, POLICIES, VERSIONS[-1]))
    asked: dict[str, tuple[str, ...]] = {"parsing alone, libyaml": (sys.executable, "-c", _LIMIT)}
    asked = {name: (*words, str(manifests)) for name, words in asked.items()}
    for name in peers.PROGRAMS:
        program = peers.build(name)
        if program is not None:
            few = _few(manifests, peers.MOST[name]) if name in peers.MOST else manifests
            asked[name] = peers.command(name, program, few, ground)
    found: dict[str, list[processes.Used]] = {}
    for number in range(ROUNDS):
        cache = {"FLEETGATE_CACHE": str(where / f"cache-{number}")}
        found.setdefault("fleet, cold", []).append(_check(folder, cache))
        found.setdefault("fleet, warm", []).append(_check(folder, cache))
        _change(folder, number)
        found.setdefault("fleet, one file changed", []).append(_check(folder, cache))
        for name, words in asked.items():
            found.setdefault(name, []).append(peers.run(name, words))
    title = f"fleet check, {COUNT:,} manifests of 4 KB, all different, {rules} policies"
    section = report.section(title)
    peer = _middle(found.get("kubeconform", found["fleet, cold"]))
    for name, runs in found.items():
        count = peers.MOST.get(name, COUNT)
        each = peer / COUNT / (_middle(runs) / count)
        section.row(name, *_figures(runs, count), f"{each:.4g}x kubeconform")
    section.row(
        f"conftest: the same rules in Rego; gator and kyverno: {converted} of them in CEL as they stand"
    )


def _few(manifests: Path, most: int) -> Path:
    found = manifests.with_name(f"{manifests.name}-{most}")
    _write(found, {each.name: each.read_text() for each in sorted(manifests.iterdir())[:most]})
    return found


def _start(report: results.Report, where: Path) -> None:
    folder = _repository(where / "fleet", 1)
    runs = []
    for number in range(ROUNDS * 3):
        cache = {"FLEETGATE_CACHE": str(where / f"cache-{number}")}
        runs.append(_check(folder, cache))
    section = report.section("fleet check of one manifest, nothing remembered")
    section.row("start to end", *_figures(runs, 1))


def _large(report: results.Report, where: Path) -> None:
    folder = _repository(where / "fleet", LARGE)
    cache = {"FLEETGATE_CACHE": str(where / "cache")}
    section = report.section(f"fleet check, {LARGE:,} manifests of 4 KB, all different")
    section.row("cold", *_figures([_check(folder, cache)], LARGE))
    warm = [_check(folder, cache) for _ in range(ROUNDS)]
    section.row("warm", *_figures(warm, LARGE))
    _change(folder, 0)
    changed = [_check(folder, cache)]
    section.row("one file changed", *_figures(changed, LARGE))
    section.row(f"a change costs {(_middle(changed) - _middle(warm)) * 1000:,.0f} ms more")


def _many_clusters(report: results.Report, where: Path) -> None:
    """The same manifests for one cluster and for many, each cold."""
    section = report.section(f"fleet check, {CLUSTERS} clusters of {len(VERSIONS)} versions")
    spent = []
    for count in (1, CLUSTERS):
        folder = _repository(where / f"fleet-{count}", SHARED)
        _write(folder, dict(_clusters(count)))
        runs = [
            _check(folder, {"FLEETGATE_CACHE": str(where / f"cache-{count}-{number}")})
            for number in range(ROUNDS)
        ]
        spent.append(_middle(runs))
        section.row(f"{count} clusters, {SHARED} manifests", *_figures(runs, SHARED))
    section.row(f"{spent[1] / spent[0]:.2f}x one cluster")


def _clusters(count: int) -> Iterable[tuple[str, str]]:
    for number in range(count):
        document = enrolment.document(
            cluster=names.Cluster(f"dev-{number}"),
            environment=names.Environment("dev"),
            uid=f"00000000-0000-4000-8000-{number:012}",
            kubernetes_version=VERSIONS[number % len(VERSIONS)],
            labels={},
            key=keys.generate(),
        )
        yield f"clusters/dev/dev-{number}.yaml", apps.text(dict(document))


def _repository(folder: Path, count: int) -> Path:
    processes.run((*processes.FLEET, "init", str(folder)))
    _write(folder, sized.files(count))
    return folder


def _change(folder: Path, number: int) -> None:
    """And as long afterwards as it takes a person to ask."""
    text = apps.text(sized.workload(number, "2.0.0"))
    _write(folder, {f"apps/part-0/service-{number}.yaml": text})
    time.sleep(0.2)


def _check(folder: Path, cache: Mapping[str, str]) -> processes.Used:
    words = (*processes.FLEET, "check", str(folder), "-e", "dev", "-o", "json")
    used = processes.run(words, environment=cache)
    if used.code != 0 or '"findings": []' not in used.out:
        raise SystemExit(f"fleet check failed: {used.code} {used.out[-2000:]}")
    return used


def _middle(runs: Iterable[processes.Used]) -> float:
    return statistics.median(each.seconds for each in runs)


def _figures(runs: list[processes.Used], count: int) -> tuple[str, ...]:
    seconds = _middle(runs)
    spent = statistics.median(each.cpu for each in runs)
    rate = (f"{count / seconds:,.0f} docs/s",) if count > 1 else ()
    peak = max(each.peak_mb for each in runs)
    load = os.getloadavg()[0]
    return (
        f"{seconds:.2f} s",
        *rate,
        f"{spent:.2f} s of CPU",
        f"peak {peak:.0f} MB",
        f"load {load:.0f}",
    )


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)
