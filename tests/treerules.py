"""Invariant 10 over the records of a world: what an environment runs is what upstream accepted, but for open records.

It is told from the files of the commits alone: neither ids nor classes nor rows of the hub are believed.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import worlds
from fleet.audit import records
from fleet.gate import trailers
from fleet.manifests import layout
from fleet.model import names, snapshots

Files: TypeAlias = Mapping[str, str]
_RULES = ("policies/", "schemas/", "fleet.yaml")


@dataclass(frozen=True, kw_only=True)
class Stand:
    """What ran with one release: its shared files, the fixes that were open, the newest of upstream's in it."""

    commit: names.CommitId
    release: int
    files: Files
    fixes: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # path: before, after
    source: int = 0

    @property
    def rules(self) -> Files:
        return {path: blob for path, blob in self.files.items() if path.startswith(_RULES)}

    @property
    def content(self) -> Files:
        return {path: blob for path, blob in self.files.items() if not path.startswith(_RULES)}


@dataclass(kw_only=True)
class Rules:
    say: Callable[[str], None]
    files_of: Callable[[names.CommitId], Files]
    steps: Callable[[names.CommitId, names.CommitId], tuple[snapshots.Step, ...]]
    scope: tuple[str, ...] = ()  # of hotfixes
    stood: dict[str, list[Stand]] = field(default_factory=dict)

    def check(self, record: records.Record) -> None:
        body = record.body
        if record.kind is not records.Kind.DECISION or body["verdict"] != "accepted":
            return
        shared = {p: b for p, b in self.files_of(body["commit"]).items() if worlds.is_shared(p)}
        tip = Stand(commit=body["commit"], release=body["release"], files=shared)
        found = self.explained(tip, body)
        if found is None:
            self.say(f"record {record.index}: {body['environment']} accepts what nothing explains")
        self.stood.setdefault(body["environment"], []).append(found or tip)

    def explained(self, tip: Stand, body: Mapping[str, str]) -> Stand | None:
        place = {name: n for n, name in enumerate(worlds.ENVIRONMENTS)}.get(body["environment"], 0)
        if place == 0 or body["lineage"] == "baseline":
            return tip
        above = self.stood.get(worlds.ENVIRONMENTS[place - 1], [])
        own = self.stood.get(body["environment"], [])
        if not own:
            return next((replace(tip, source=e.release) for e in _equal(tip, above)), None)
        for look in (self._taken, self._same, self._back, self._fixed, self._part, self._dropped):
            found = look(tip, own, above)
            if found is not None:
                return found
        return None

    def _same(self, tip: Stand, own: list[Stand], _: list[Stand]) -> Stand | None:
        base = own[-1]
        is_same = base.files == tip.files
        return replace(tip, fixes=base.fixes, source=base.source) if is_same else None

    def _taken(self, tip: Stand, own: list[Stand], above: list[Stand]) -> Stand | None:
        for source in reversed(above):
            kept = _kept(differing(tip.files, source.files), tip, own[-1], source)
            if kept is not None and self._is_forward(tip, own[-1], source):
                return replace(tip, fixes=kept, source=source.release)
        return None

    def _back(self, tip: Stand, own: list[Stand], _: list[Stand]) -> Stand | None:
        same = [e for e in own if e.content == tip.content and own[-1].rules == tip.rules]
        return (
            replace(tip, fixes=same[-1].fixes, source=same[-1].source)
            if same[-1:] and same[-1] is not own[-1]
            else None
        )

    def _fixed(self, tip: Stand, own: list[Stand], _: list[Stand]) -> Stand | None:
        base = own[-1]
        paths = differing(tip.files, base.files)
        if not all(layout.fits(path, self.scope) for path in paths) or not self._says(
            trailers.HOTFIX, tip, base
        ):
            return None
        before = {p: base.fixes[p][0] if p in base.fixes else base.files.get(p, "") for p in paths}
        fresh = {path: (before[path], tip.files.get(path, "")) for path in paths}
        fixes = {**base.fixes, **fresh}
        return replace(
            tip,
            source=base.source,
            fixes={path: pair for path, pair in fixes.items() if pair[0] != pair[1]},
        )

    def _part(self, tip: Stand, own: list[Stand], above: list[Stand]) -> Stand | None:
        """Whole bundles of one commit that upstream accepted, or of one that ran here; all else as it is."""
        base = own[-1]
        forward = [e for e in reversed(above) if self._is_forward(tip, base, e)]
        for source in [*forward, *reversed(own[:-1])]:
            folders = _folders(differing(tip.files, base.files), tip, base, source)
            inside = [p for p in differing(tip.files, source.files) if p.startswith(folders)]
            kept = _kept(inside, tip, base, source) if folders else None
            if kept is not None and base.rules == tip.rules:
                others = {p: e for p, e in base.fixes.items() if not p.startswith(folders)}
                newest = source.release if source in forward else base.source
                return replace(tip, fixes={**others, **kept}, source=newest)
        return None

    def _dropped(self, tip: Stand, own: list[Stand], _: list[Stand]) -> Stand | None:
        """What runs, but for open fixes that are as they were before."""
        base = own[-1]
        paths = differing(tip.files, base.files)
        if any(p not in base.fixes or base.fixes[p][0] != tip.files.get(p, "") for p in paths):
            return None
        left = {path: pair for path, pair in base.fixes.items() if path not in paths}
        return replace(tip, fixes=left, source=base.source)

    def _is_forward(self, tip: Stand, base: Stand, source: Stand) -> bool:
        return source.release >= base.source or self._says(trailers.OLDER, tip, base)

    def _says(self, key: str, tip: Stand, base: Stand) -> bool:
        return bool(trailers.values(key, self.steps(base.commit, tip.commit)))


def _equal(tip: Stand, stood: list[Stand]) -> Iterator[Stand]:
    return (each for each in reversed(stood) if each.files == tip.files)


def differing(one: Files, other: Files) -> list[str]:
    return sorted(p for p in {*one, *other} if one.get(p) != other.get(p))


def _kept(
    paths: list[str], tip: Stand, base: Stand, source: Stand
) -> Mapping[str, tuple[str, str]] | None:
    """The open fixes that explain how these paths differ from the source; None where they do not."""
    fixes = {
        path: (before, after)
        for path, (before, after) in base.fixes.items()
        if tip.files.get(path, "") == after and source.files.get(path, "") == before
    }
    return fixes if fixes.keys() >= set(paths) else None


def _folders(paths: list[str], *stands: Stand) -> tuple[str, ...]:
    """The bundles that all of these lie in; () where one lies in none."""
    found = {"/".join(path.split("/")[:2]) + "/" for path in paths}
    is_bundle = all(any(f"{folder}bundle.yaml" in s.files for s in stands) for folder in found)
    return tuple(sorted(found)) if is_bundle else ()
