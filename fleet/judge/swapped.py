"""The CRDs of a commit beside those in force: among the rules and in bundles, each by its name."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from fleet.judge import readings, rendering
from fleet.model import findings, names, objects
from fleet.policy.crds import swaps

_Render = Callable[[], Awaitable[rendering.Rendered]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Definition:
    body: swaps.Document
    source: objects.Source
    clusters: tuple[names.Cluster, ...] = ()


async def check(
    reading: readings.Reading,
    base: readings.Reading,
    rendered: rendering.Rendered,
    render_base: _Render,
) -> list[findings.Finding]:
    """What runs is rendered for it only where some CRD may have changed."""
    if (reading.ids.content, reading.ids.rules) == (base.ids.content, base.ids.rules):
        return []
    comes = [*_of_rules(reading), *_of_bundles(rendered)]
    if not any(_may_differ(each, base) for each in comes):
        return []
    runs = [*_of_rules(base), *_of_bundles(await render_base())]
    before: dict[str, _Definition] = {}
    for each in runs:
        before.setdefault(swaps.name(each.body), each)
    found: list[findings.Finding] = []
    for each in comes:
        other = before.get(swaps.name(each.body))
        if other is not None:
            found += [_finding(each, swap) for swap in swaps.between(other.body, each.body)]
    return found


def _may_differ(definition: _Definition, base: readings.Reading) -> bool:
    source = definition.source
    entry = base.snapshot.entries.get(source.path)
    return source.rendered or entry is None or entry.blob != source.blob


def _of_rules(reading: readings.Reading) -> Iterator[_Definition]:
    for each in reading.declared.crds:
        yield _Definition(body=each.value, source=each.source)


def _of_bundles(rendered: rendering.Rendered) -> Iterable[_Definition]:
    where: dict[tuple[names.Digest, objects.Source], list[names.Cluster]] = {}
    bodies: dict[names.Digest, Mapping[str, object]] = {}
    for cluster, share in rendered.manifests.items():
        for each in share:
            if (each.key.group, each.key.kind) == swaps.CRD:
                where.setdefault((each.digest, each.source), []).append(cluster)
                bodies[each.digest] = each.body
    for (digest, source), clusters in where.items():
        yield _Definition(body=bodies[digest], source=source, clusters=tuple(clusters))


def _finding(definition: _Definition, swap: swaps.Swap) -> findings.Finding:
    return findings.Finding(
        rule="swap",
        severity=findings.Severity.WARN,
        message=findings.escaped(swap.message),
        place=definition.source.place,
        hint=swap.hint,
        subject=f"{swaps.CRD[1]}.{swaps.CRD[0]} {findings.escaped(swaps.name(definition.body))}",
        clusters=definition.clusters,
        field=() if definition.source.rendered else swap.field,
    )
