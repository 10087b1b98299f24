"""All that is done with files of documents, whatever stands in them.

Tests put values of wrong types into them; what is done ends with words then, and never with an exception.
"""

import asyncio
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import specimens
from fleet.adapters import clock as clocks
from fleet.adapters import schemas
from fleet.adapters.git import loose, working
from fleet.cli import output, reports, verdicts
from fleet.judge import judging
from fleet.local import folders, offline
from fleet.model import findings, names
from fleet.policy.trials import cases, runs
from fleet.simulation import faults, memo, repository
from folderfuls import FLEET, KUSTOMIZATIONS, TRIALS
from specimens import Many

NEST: list[Any] = [[[[[[[[[[{"a": [[[[{"b": [[[[None]]]]}]]]]}]]]]]]]]]]
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 5, 5.0, 1.5, 2**31, 2**63, -(2**70), 10**30, 1e30, 1e300, ".nan", ".inf",
    "", " ", "x", "y", "*", "a/b/c", "\x00", "\u00e9" * 300, "9" * 400, "1e9", "5%", "Deny", "2026-02-01",
    "2030-01-01T00:00:00Z", [], {}, [None], [[]], [{}], ["x", 1], [True], {"a": None}, {"": ""}, {"a": ["b"]},
    {"items": []}, {"kind": ["List"], "items": [1]}, NEST,
)  # fmt: skip
Place = tuple[Any, ...]
Files = dict[str, bytes]
Found = tuple[findings.Finding, ...]
SOURCE = schemas.Packaged()


def places(value: Any, where: Place = ()) -> Iterator[Place]:
    yield where
    steps = value.items() if isinstance(value, dict) else ()
    if isinstance(value, list):
        steps = enumerate(value)
    for key, each in steps:
        yield from places(each, (*where, key))


def changed(value: Any, where: Place, new: Any) -> Any:
    if not where:
        return new
    found = value.copy()
    found[where[0]] = changed(value[where[0]], where[1:], new)
    return found


def written(documents: Mapping[str, Any]) -> Files:
    """A file of several documents is a tuple of them, so that one of them is at a place too."""
    return {path: _text(each) for path, each in documents.items()}


def _text(value: Any) -> bytes:
    """Numbers that JSON has no word for are written as YAML writes them."""
    if isinstance(value, Many):
        return b"\n---\n".join(map(_text, value))
    said = json.dumps(value)
    for word in (".nan", ".inf"):
        said = said.replace(f'"{word}"', word)
    return said.encode()


@dataclass(frozen=True, slots=True)
class World:
    """`documents` by path, each sound; `run` does with their texts whatever a command does."""

    documents: Mapping[str, Any]
    run: Callable[[Mapping[str, bytes]], object]


_KEPT: dict[str, bytes] = {}  # of what is not changed, which most is


class Printer:
    """A renderer that prints the files of a folder as they are."""

    identity = "printer"

    async def render(self, files: Mapping[str, bytes], folder: str) -> bytes:
        assert folder is not None
        told = ("kustomization.yaml", "bundle.yaml")
        listed = (path for path in files if path.endswith(".yaml") and not path.endswith(told))
        return b"\n---\n".join(files[path] for path in listed)


def _tools(source: Any, near: Any = None) -> judging.Tools:
    return judging.Tools(
        repository=source,
        schemas=SOURCE,
        memo=memo.Memo(_KEPT, faults.Process(name="judge")),
        kustomize=Printer(),
        clock=clocks.SystemClock(),
        crew=Alone(),
        near=near,
    )


class Near:
    """Files that are at hand, as those of a working tree are."""

    def __init__(self, held: Mapping[names.BlobId, bytes]) -> None:
        self._held = held

    def holds(self, blob: names.BlobId) -> bool:
        return blob in self._held

    def at_once(self, blob: names.BlobId) -> bytes:
        return self._held[blob]


class Alone:
    """A crew of one."""

    def spread(self, items: Any, work: Any, *, each: int = 1) -> Any:
        assert each
        return work(items)


def told(found: tuple[offline.Verdict, ...]) -> Found:
    """Of what is said in every format that a check has."""
    report = verdicts.report(found, prefix="", edition="1")
    contents = reports.Contents(
        report=report,
        text=lambda sink: verdicts.text(found, report, sink),
        json=lambda: verdicts.as_json(found, report),
    )
    for each in reports.FORMATS:
        reports._write(each, contents, output.Sink(stream=io.StringIO()))
    assert len(report.findings) < 2000
    for finding in report.findings:
        assert finding.place.path
        assert len(finding.message) < 5000, finding.message
    return report.findings


def check_folder(files: Mapping[str, bytes]) -> Found:
    """As `fleet check DIR --policies RULES` does."""
    return asyncio.run(_check_folder(files))


async def _check_folder(files: Mapping[str, bytes]) -> Found:
    parts: dict[bool, dict[str, Path | bytes]] = {True: {}, False: {}}
    for path, data in files.items():
        parts[path.startswith("rules/")][path] = data
    source = loose.Loose(Path(), parts[False], parts[True])
    asked = folders.Asked(commit=working.TREE, rules=source.rules, version="", environment="")
    return told(await folders.check(asked, _tools(source)))


def check_fleet(files: Mapping[str, bytes]) -> Found:
    """As `fleet check --base` does, and the hub: as what comes after sound files."""
    return asyncio.run(_check_fleet(files, written(FLEET)))


def check_new_fleet(files: Mapping[str, bytes]) -> Found:
    """As `fleet check` does."""
    return asyncio.run(_check_fleet(files, None))


async def _check_fleet(files: Mapping[str, bytes], before: Mapping[str, bytes] | None) -> Found:
    remote = repository.Remote(now=lambda: clocks.SystemClock().now())
    base = None if before is None else remote.start("dev", before)
    tip = remote.start("dev", files)
    near = Near({working.blob_id(data): data for data in files.values()})
    tools = _tools(repository.Repository(remote, {}, faults.Process(name="judge")), near)
    dev = names.Environment("dev")
    return told((await offline.check_commit(dev, tip, base, tools),))


def try_out(files: Mapping[str, bytes]) -> cases.Report:
    """As `fleet policy test` does."""
    return runs.run(files)


def _folder(name: str, *objects: Any) -> World:
    rules = Many(specimens.RULES[name])
    space = specimens.of_kind("v1", "Namespace", "default")
    # JSON has numbers that YAML has not, as 5.0.
    listed = {f"{n}.{('yaml', 'json')[n % 2]}": e for n, e in enumerate((*objects, space))}
    return World({**listed, "rules/rules.yaml": rules}, check_folder)


WORLDS: dict[str, World] = {
    "workloads": _folder("own", *specimens.WORKLOADS),
    "workloads for kyverno": _folder("kyverno", *specimens.WORKLOADS),
    "workloads for gatekeeper": _folder("gatekeeper", *specimens.WORKLOADS),
    "other objects": _folder("own", specimens.WORKLOADS[0], *specimens.OTHERS),
    "policies": _folder("own", *(each for part in specimens.RULES.values() for each in part)),
    "custom resources": _folder("kyverno", specimens.CRD, specimens.GADGET),
    "kustomizations": World(KUSTOMIZATIONS, check_folder),
    "fleet": World(FLEET, check_fleet),
    "new fleet": World(FLEET, check_new_fleet),
    "trials": World(TRIALS, try_out),
}  # fmt: skip
