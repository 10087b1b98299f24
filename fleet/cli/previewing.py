"""What `fleet preview` says, as sections of lines: the same words in a terminal and in a pull request's comment."""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fleet.gate import demands, lineage
from fleet.local import previews as judged
from fleet.model import changes, findings, ledger, names
from fleet.plan import edits, previews
from fleet.policy import impacts

BY_THE_HUB = "asked by the hub"
_NAMED = 5  # clusters of a long list
_LISTED = 20  # paths of a list
_EDITS = 40  # fields of one object
_WIDE = 160  # characters of a value
_MARKS = {
    changes.Result.CREATED: "+",
    changes.Result.CONFIGURED: "~",
    changes.Result.DELETED: "-",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """`demands` are the preview's, with what a hub said of them where one was asked."""

    preview: judged.Preview
    demands: tuple[demands.Demand, ...]
    assumed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """`is_long`: folded away where that can be. Lines come from the repository and are as they are there."""

    title: str
    lines: tuple[str, ...]
    is_long: bool = False


def sections(told: Told) -> tuple[Section, ...]:
    """In the order in which people should read them; those that have nothing to say are left out."""
    found = told.preview
    every = (
        Section(title=conclusion(found), lines=tuple(_head(found))),
        Section(title="look at these first", lines=tuple(_pressing(found.difference))),
        Section(title="what stands against it", lines=tuple(_against(found))),
        Section(title="findings that are new", lines=tuple(_impacts(found, _is_new))),
        Section(title="findings that end", lines=tuple(_impacts(found, _is_ended))),
        Section(title="findings that weigh otherwise", lines=tuple(_impacts(found, _is_other))),
        Section(title="waves", lines=tuple(_waves(found.difference))),
        *_groups(found.difference),
        Section(title="beside the pull request's own diff", lines=tuple(_unseen(found))),
        Section(title="gates", lines=tuple(map(_demand, told.demands))),
        Section(title="assumed", lines=told.assumed),
    )
    return tuple(each for each in every if each.lines)


def conclusion(found: judged.Preview) -> str:
    if found.conflicts:
        return "refused: it cannot be merged"
    if found.is_refused:
        return "would be refused"
    total = found.difference.totals
    counted = {"created": total.created, "configured": total.configured, "deleted": total.deleted}
    said = ", ".join(f"{count} {word}" for word, count in counted.items() if count)
    return f"nothing refuses it: {said or 'no object changes'}"


def _head(found: judged.Preview) -> Iterator[str]:
    asked, total = found.asked, found.difference.totals
    commit = asked.head or asked.commit
    way = f"{asked.source} -> {asked.target}" if asked.source else f"onto {asked.target}"
    yield f"{way}: {commit[:10]} {found.subject}"
    if asked.head:
        yield f"as if {asked.source} had accepted it first"
    yield from (f"conflict in {path}" for path in found.conflicts[:_LISTED])
    yield from _more(len(found.conflicts) - _LISTED)
    if not found.conflicts:
        every = sum(len(wave.clusters) for wave in found.difference.waves)
        yield (
            f"objects in clusters: {total.created} created, {total.configured} configured, "
            f"{total.deleted} deleted; {total.clusters} of {every} clusters change"
        )


def _pressing(difference: previews.Difference) -> Iterator[str]:
    for cluster, how in difference.retiring.items():
        yield f"cluster {cluster} leaves ({how.value})"
    yield from _few(difference.joining, "cluster {} joins")
    for concern in previews.Concern:
        lines = [
            f"{_object(change)} ({clusters_in_words(clusters)})"
            for change, clusters in difference.pressing(concern)
        ]
        if lines:
            yield f"{concern.value}:"
            yield from (f"  {line}" for line in lines)


def _few(clusters: Sequence[names.Cluster], form: str) -> Iterator[str]:
    yield from (form.format(each) for each in clusters[:_LISTED])
    yield from _more(len(clusters) - _LISTED)


def _more(count: int) -> Iterator[str]:
    if count > 0:
        yield f"and {count} more"


def _counted(clusters: Sequence[names.Cluster]) -> str:
    return f"{len(clusters)} clusters" if len(clusters) != 1 else "1 cluster"


def clusters_in_words(clusters: Sequence[names.Cluster]) -> str:
    shown = ", ".join(clusters[:_NAMED])
    more = f" and {len(clusters) - _NAMED} more" if len(clusters) > _NAMED else ""
    count = f"{_counted(clusters)}: " if len(clusters) > 1 else ""
    return f"{count}{shown}{more}"


def _against(found: judged.Preview) -> Iterator[str]:
    for gate in _holding(found):
        yield f"{gate.gate}, {gate.state.value}: {gate.reason}"
        if gate.hint:
            yield f"  {gate.hint}"
    for each in found.findings:
        if findings.refuses([each]):
            yield _finding(each)
            if each.hint:
                yield f"  {each.hint}"


def _holding(found: judged.Preview) -> Iterator[ledger.GateResult]:
    """Lineage, whatever holds it, and gates that no other fact would open."""
    if found.lineage is not None and found.lineage.state is not ledger.GateState.OPEN:
        yield found.lineage
    yield from (each for each in found.refusing if each.gate != lineage.GATE)


def _finding(each: findings.Finding) -> str:
    subject = f"{each.subject}: " if each.subject else ""
    clusters = f" ({clusters_in_words(each.clusters)})" if each.clusters else ""
    return f"{each.place}: {each.severity.value} {each.rule}: {subject}{each.message}{clusters}"


def _is_new(each: impacts.Impact) -> bool:
    return each.before is None


def _is_ended(each: impacts.Impact) -> bool:
    return each.after is None


def _is_other(each: impacts.Impact) -> bool:
    return each.before is not None and each.after is not None


def _impacts(found: judged.Preview, holds: Callable[[impacts.Impact], bool]) -> Iterator[str]:
    for each in found.impacts:
        if holds(each):
            words = [each.before.value] if each.before and each.after else []
            was = f"(was {words[0]}) " if words else ""
            yield was + _finding(each.shown)


def _waves(difference: previews.Difference) -> Iterator[str]:
    """The parts of a wave together: they come one after the other, in this order."""
    number = {c: n for n, group in enumerate(difference.groups, 1) for c in group.clusters}
    for place, (wave, parts) in enumerate(_by_name(difference.waves), 1):
        together: dict[int, list[names.Cluster]] = {}
        for cluster in (each for part in parts for each in part.clusters):
            together.setdefault(number.get(cluster, 0), []).append(cluster)
        paced = f", in {len(parts)} parts" if len(parts) > 1 else ""
        for group, clusters in sorted(together.items(), key=lambda each: each[0] or 1 << 30):
            what = f"change {group}" if group else "unchanged"
            yield f"{place} {wave}{paced}: {what}: {clusters_in_words(clusters)}"


def _by_name(waves: Sequence[previews.Wave]) -> list[tuple[str, list[previews.Wave]]]:
    together = itertools.groupby(waves, key=lambda each: each.terms.wave)
    return [(wave, list(parts)) for wave, parts in together]


def _groups(difference: previews.Difference) -> Iterator[Section]:
    for number, group in enumerate(difference.groups, 1):
        yield Section(
            title=f"change {number}, in {_counted(group.clusters)}",
            lines=(clusters_in_words(group.clusters), *_changes(group)),
            is_long=True,
        )


def _changes(group: previews.Group) -> Iterator[str]:
    for each in group.changes:
        yield f"{_object(each)}  {each.place}"
        yield from (f"    {line}" for edit in each.edits[:_EDITS] for line in _edit(edit))
        yield from (f"    {line}" for line in _more(len(each.edits) - _EDITS))


def _object(change: previews.Change) -> str:
    silent = change.result is changes.Result.CONFIGURED and not change.edits and not change.note
    note = change.note or ("only in what is the default anyway" if silent else "")
    return f"{_MARKS[change.result]} {change.key}" + (f" ({note})" if note else "")


def _edit(edit: edits.Edit) -> Iterator[str]:
    if edit.lines:
        yield f"{edit.path}:"
        yield from (f"  {_short(line)}" for line in edit.lines[:_EDITS])
        yield from (f"  {line}" for line in _more(len(edit.lines) - _EDITS))
    elif edit.result is changes.Result.CREATED:
        yield f"{edit.path}: + {value(edit.after)}"
    elif edit.result is changes.Result.DELETED:
        yield f"{edit.path}: - {value(edit.before)}"
    else:
        yield f"{edit.path}: {' -> '.join(_pair(edit.before, edit.after))}"


def value(found: Any) -> str:
    return _short(_spelled(found))


def _pair(before: Any, after: Any) -> tuple[str, str]:
    """Of two long values the part is shown in which they begin to differ."""
    old, new = _spelled(before), _spelled(after)
    same = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), 0)
    start = same - _WIDE // 4 if same > _WIDE // 2 and max(len(old), len(new)) > _WIDE else 0
    dots = "..." if start else ""
    return _short(dots + old[start:]), _short(dots + new[start:])


def _spelled(found: Any) -> str:
    return json.dumps(found, ensure_ascii=False, sort_keys=True)


def _short(text: str) -> str:
    return text if len(text) <= _WIDE else f"{text[: _WIDE - 3]}..."


def _unseen(found: judged.Preview) -> Iterator[str]:
    seen = found.unseen
    if seen is None:
        return
    for said, paths in (
        ("changes, and the diff does not show it", seen.hidden),
        ("in the diff, and nothing changes", seen.idle),
        ("changes otherwise than the diff shows", seen.skewed),
    ):
        yield from _paths(said, paths)


def _paths(said: str, paths: Sequence[str]) -> Iterable[str]:
    yield from (f"{said}: {path}" for path in paths[:_LISTED])
    yield from _more(len(paths) - _LISTED)


def _demand(demand: demands.Demand) -> str:
    wave = f" of wave {demand.wave}" if demand.wave else ""
    words = f"{demand.words}: " if demand.words else ""
    return f"{demand.gate}{wave}: {words}{_answer(demand.answer)}"


def _answer(answer: ledger.GateResult | None) -> str:
    if answer is None:
        return BY_THE_HUB
    until = f", until {answer.until.isoformat(timespec='minutes')}" if answer.until else ""
    hint = f" ({answer.hint})" if answer.hint else ""
    return f"{answer.state.value}: {answer.reason}{until}{hint}"
