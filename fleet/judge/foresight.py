"""Files that nothing is known of are read and judged in one go, by all cores, before anybody asks for their objects.

What was found is put where the judge looks first: the rows that keeping keeps, and verdicts by all that they depend
on. What is foreseen wrongly (a bundle's kinds or Namespaces are others than they seemed) is therefore never asked for.
Only rows and verdicts come back, so no process holds more than one piece's objects.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fleet.judge import keeping, memory, readings, verdicts
from fleet.manifests import declared, objects, scopes
from fleet.model import json_values, names, snapshots
from fleet.model import objects as words
from fleet.policy import policies
from fleet.policy.crds import customs

_TELLING = (b"Namespace", b"CustomResourceDefinition")
_BY_CLUSTER = Mapping[names.Cluster, customs.Schemas]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """A piece to be read, and by whom its objects are to be judged."""

    origin: objects.Origin
    piece: keeping.Piece
    courts: tuple[verdicts.Court, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    data: bytes
    verdicts: tuple[verdicts.Told, ...]  # of each court


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """Implements keeping.Ahead. `schemas` says by which schemas each cluster judges."""

    said: declared.Declared
    rules: policies.PolicySet  # that count in the environment
    files: readings.Files = field(repr=False)
    bench: verdicts.Bench = field(repr=False)
    crew: memory.Crew = field(repr=False)
    schemas: Callable[[customs.Customs], Awaitable[_BY_CLUSTER]] = field(repr=False)

    async def __call__(
        self, laid: Sequence[keeping.Laid], others: Iterable[keeping.Ground]
    ) -> Mapping[str, bytes]:
        grounds = [*others, *self._grounds(laid)]
        written = [value for each in grounds for value in each.written if _is_definition(value)]
        known = scopes.scopes([*(each.value for each in self.said.crds), *written])
        courts = await self._courts(grounds)
        tasks = await self._tasks(laid, known, courts)
        kept: dict[str, bytes] = {}
        foreseen = verdicts.Foreseen()
        for task, done in zip(tasks, self._spread(tasks, known), strict=True):
            if done is not None:
                kept[task.piece.key] = done.data
                piece = keeping.named(task.piece, keeping.identity(known))
                for court, told in zip(task.courts, done.verdicts, strict=True):
                    foreseen.take(court, piece, told)
        await self.bench.memo.remember(kept)
        await self.bench.memo.remember(foreseen.lasting())
        self.bench.foreseen.add(foreseen)
        return kept

    def _spread(self, tasks: Sequence[_Task], known: scopes.Scopes) -> list[_Done | None]:
        def work(part: Sequence[_Task]) -> list[_Done | None]:
            return [_done(each, known, self.files) for each in part]

        return self.crew.spread(tasks, work, each=keeping.TOGETHER)

    async def _courts(self, grounds: Iterable[keeping.Ground]) -> list[verdicts.Court]:
        kinds: dict[names.Digest, json_values.JsonObject] = {}
        spaces: dict[names.Cluster, tuple[words.Manifest, ...]] = {
            names.Cluster(each.document.metadata.name): () for each in self.said.clusters
        }
        for ground in grounds:
            kinds |= {e.digest: e.body for e in ground.manifests if keeping.is_definition(e.key)}
            found = tuple(each for each in ground.manifests if keeping.is_namespace(each.key))
            for cluster in ground.clusters:
                spaces[cluster] += found
        crds = [*(each.value for each in self.said.crds), *kinds.values()]
        known, brought = scopes.scopes(crds), customs.Customs(crds)
        judged = verdicts.policy_courts(spaces, self.rules, known, brought, {})
        return [*verdicts.schema_courts(await self.schemas(brought), {}), *judged]

    async def _tasks(
        self,
        laid: Sequence[keeping.Laid],
        known: scopes.Scopes,
        courts: Iterable[verdicts.Court],
    ) -> list[_Task]:
        """Pieces of which no rows are kept, or that some court has never seen."""
        about = keeping.identity(known)
        asked = [
            _Task(
                origin=replace(bundle.origin, scopes=known),
                piece=piece,
                courts=tuple(e for e in courts if not bundle.clusters.isdisjoint(e.clusters)),
            )
            for bundle in laid
            for piece in bundle.pieces
        ]
        marks = {
            verdicts.mark(court, keeping.named(task.piece, about))
            for task in asked
            for court in task.courts
        }
        seen = await self.bench.memo.recall(marks)
        return [
            task
            for task in asked
            if task.piece.known is None
            or task.piece.known[0] != about
            or any(
                verdicts.mark(e, keeping.named(task.piece, about)) not in seen for e in task.courts
            )
        ]

    def _grounds(self, laid: Sequence[keeping.Laid]) -> Iterator[keeping.Ground]:
        telling = self._telling(laid)
        for bundle in laid:
            entries = sorted(telling & bundle.unread, key=lambda each: each.path)
            parsed = [self.files.at_once(each) for each in entries]
            documents = [pair for each in parsed for pair in readings.sourced(each)]
            found = objects.each(documents, bundle.origin)
            yield keeping.Ground(
                clusters=bundle.clusters,
                written=tuple(value for value, _ in documents),
                manifests=(*bundle.namespaces(), *found.manifests),
            )

    def _telling(self, laid: Sequence[keeping.Laid]) -> frozenset[snapshots.Entry]:
        """Unread files with words in them that may bring a kind or a Namespace."""
        unread = [entry for bundle in laid for entry in bundle.unread]

        def work(part: Sequence[snapshots.Entry]) -> list[bool]:
            return [_tells(self.files.bytes_at_once(each)) for each in part]

        found = self.crew.spread(unread, work)
        return frozenset(each for each, tells in zip(unread, found, strict=True) if tells)


def _tells(data: bytes) -> bool:
    return any(word in data for word in _TELLING)


def _is_definition(value: Any) -> bool:
    return isinstance(value, dict) and value.get("kind") == customs.CRD[1]


def _done(task: _Task, known: scopes.Scopes, files: readings.Files) -> _Done | None:
    """None for what has faults of its own: it is read and judged as if nobody had looked at it before."""
    parsed = [files.at_once(each) for each in task.piece.entries]
    if any(each.findings for each in parsed):
        return None
    documents = (pair for each in parsed for pair in readings.sourced(each))
    read = objects.each(documents, task.origin)
    data = keeping.kept(read, task.piece, keeping.identity(known))
    if data is None:
        return None
    told = tuple(_told(court, read.manifests) for court in task.courts)
    return _Done(data=data, verdicts=told)


def _told(court: verdicts.Court, manifests: Iterable[words.Manifest]) -> verdicts.Told:
    return verdicts.Told(tuple(_each(court, manifests)))


def _each(court: verdicts.Court, manifests: Iterable[words.Manifest]) -> Iterator[verdicts.One]:
    for each in manifests:
        yield verdicts.key(court, each, None), each.source, court.judge(each, None)
