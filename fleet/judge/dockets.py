"""From two readings to the docket by which findings of rules are settled: what is in force and what comes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from fleet.judge import installing, readings, rendering
from fleet.manifests import layout, parse
from fleet.model import findings, names
from fleet.policy import leniency

Found = Iterable[findings.Finding]


def docket(
    reading: readings.Reading,
    base: readings.Reading | None,
    rendered: rendering.Rendered,
    own: Found,
    in_force: Found,
) -> leniency.Docket:
    """`own` and `in_force` are what the rules of each side found in the candidate's manifests."""
    sides = [_side(reading, own)]
    if base is not None:
        sides.append(_side(base, in_force))
    return leniency.Docket(
        sides=tuple(sides),
        labels=_labels(sides, rendered),
        installed=installing.installed(reading),
        only_waivers=base is not None and _only_waivers_differ(reading, base),
    )


def _side(reading: readings.Reading, heard: Found) -> leniency.Side:
    return leniency.Side(
        heard=_identities(heard),
        spec=reading.declared.spec,
        waivers=reading.declared.waivers,
    )


def _identities(found: Found) -> frozenset[leniency.Identity]:
    return frozenset(leniency.identity(each) for each in found)


def wants_baseline(asked: leniency.Docket) -> bool:
    return len(asked.sides) > 1 and any(side.spec.baseline for side in asked.sides)


def with_standing(asked: leniency.Docket, own: Found, in_force: Found) -> leniency.Docket:
    """With what the rules of each side have against what runs."""
    sides = (
        replace(side, standing=_identities(found))
        for side, found in zip(asked.sides, (own, in_force), strict=True)
    )
    return replace(asked, sides=tuple(sides))


def loosenings(asked: leniency.Docket) -> Iterator[findings.Finding]:
    if len(asked.sides) > 1:
        own, in_force = asked.sides
        yield from leniency.loosenings(in_force, own)


def _labels(
    sides: Iterable[leniency.Side], rendered: rendering.Rendered
) -> dict[tuple[names.Cluster, str], Mapping[str, str]]:
    """Of objects that something is wrong with, where a waiver selects by labels."""
    asks = {
        rule
        for side in sides
        for each in side.waivers
        if any(entry.labels is not None for entry in each.document.spec.objects)
        for rule in each.document.spec.rules
    }
    any_rule = any("*" in rule for rule in asks)
    wanted = {
        subject for side in sides for rule, subject, _ in side.heard if any_rule or rule in asks
    }
    if not wanted:
        return {}
    return {
        (cluster, str(each.key)): _text((each.sketch or each.body)["metadata"].get("labels"))
        for cluster, share in rendered.manifests.items()
        for each in share
        if str(each.key) in wanted
    }


def _text(labels: object) -> Mapping[str, str]:
    """Malformed ones are the schema's finding; no selector selects by them."""
    written = labels if isinstance(labels, Mapping) else {}
    return {k: v for k, v in written.items() if isinstance(k, str) and isinstance(v, str)}


def _only_waivers_differ(reading: readings.Reading, base: readings.Reading) -> bool:
    """Whether every file that differs, if any does, holds waivers and nothing else, on both sides."""
    if (reading.ids.content, reading.ids.rules) != (base.ids.content, base.ids.rules):
        return False
    here, before = reading.snapshot.entries, base.snapshot.entries
    differing = [
        path
        for path in {*here, *before}
        if reading.layout.part(path) is not layout.Part.INERT
        and here.get(path) != before.get(path)
    ]
    return all(_holds_waivers(path, reading) and _holds_waivers(path, base) for path in differing)


def _holds_waivers(path: str, reading: readings.Reading) -> bool:
    if path not in reading.snapshot.entries:
        return True
    parsed = reading.parsed.get(path)
    return parsed is not None and not parsed.findings and all(map(_is_waiver, parsed.documents))


def _is_waiver(document: parse.Document) -> bool:
    value = document.value
    return isinstance(value, dict) and value.get("kind") == "Waiver"
