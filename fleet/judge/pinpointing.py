"""Every finding at the line of the value that it is about, also where a program rendered the object meanwhile."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from fleet.judge import readings
from fleet.manifests import origins, parse, tracing
from fleet.model import findings


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spot:
    """A path inside a document of a file; `place` is where that document begins."""

    place: findings.Place
    path: tuple[str, ...] = ()
    inline: origins.Written | None = None


async def pinpointed(
    found: Iterable[findings.Finding],
    reading: readings.Reading,
    traces: Iterable[tracing.Trace],
    files: readings.Files,
) -> list[findings.Finding]:
    known = _by_place(traces)
    spots = [(each, _spot(each, known)) for each in found]
    entries = reading.snapshot.entries
    wanted = {spot.place.path for _, spot in spots if spot.path or spot.inline}
    contents = await files.contents(entries[path] for path in wanted if path in entries)
    spots.sort(key=lambda each: each[1].place)  # one file after the other: each is read once
    return [replace(each, field=(), place=_narrowed(spot, contents)) for each, spot in spots]


def _by_place(traces: Iterable[tracing.Trace]) -> dict[findings.Place, list[tracing.Trace]]:
    known: dict[findings.Place, list[tracing.Trace]] = {}
    for each in traces:
        known.setdefault(each.source.place, []).append(each)
    return known


def _spot(finding: findings.Finding, known: Mapping[findings.Place, list[tracing.Trace]]) -> _Spot:
    rendered = known.get(finding.place)
    if rendered is None:
        return _Spot(place=finding.place, path=finding.field)
    trace = next((each for each in rendered if _is_about(finding, each)), None)
    if trace is None or trace.origin is None or not finding.field:
        return _Spot(place=finding.place)
    where = tracing.follow(trace.origin, trace.body, finding.field)
    written = where.written
    if written.text:
        return _Spot(place=written.source.place, path=where.path, inline=written)
    return _Spot(place=written.source.place, path=(*written.at, *where.path))


def _is_about(finding: findings.Finding, trace: tracing.Trace) -> bool:
    if trace.origin is None or not trace.clusters.issuperset(finding.clusters[:1]):
        return False
    metadata = trace.body["metadata"]
    kind, _, rest = finding.subject.partition(" ")
    namespace, _, name = rest.rpartition("/")
    return (
        kind.partition(".")[0] == trace.body.get("kind")
        and name == findings.escaped(str(metadata.get("name")))
        and namespace in ("", metadata.get("namespace") or namespace)
    )


def _narrowed(spot: _Spot, contents: Mapping[str, bytes]) -> findings.Place:
    data = contents.get(spot.place.path)
    if data is None:
        return spot.place
    if spot.inline is not None:
        return _inside(data, spot.inline, spot.path)
    if not spot.path:
        return spot.place
    return parse.locate(data, spot.place.path, spot.place.line, spot.path)


def _inside(data: bytes, written: origins.Written, path: tuple[str, ...]) -> findings.Place:
    """A place in a text that stands in a file as it is, line by line; else the text's own place."""
    source = written.source
    outer = parse.locate(data, source.path, source.line, written.at)
    lines = data.splitlines()
    begun = lines[outer.line - 1][outer.column - 1 :] if 0 < outer.line <= len(lines) else b""
    inner = parse.locate(written.text.encode("utf-8", "replace"), source.path, written.line, path)
    number = outer.line + inner.line
    if not begun.startswith(b"|") or number > len(lines):
        return outer
    first = next((each for each in lines[outer.line :] if each.strip()), b"")
    indent = len(first) - len(first.lstrip(b" "))
    return findings.Place(path=source.path, line=number, column=indent + max(inner.column, 1))
