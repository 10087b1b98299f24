"""A preview as text, as JSON, and as the comment of a pull request, in which nothing of the repository is markup."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from enum import Enum
from typing import Any

from rich.text import Text

from fleet.audit import drafts, violations
from fleet.audit.reports import texts
from fleet.cli import output, previewing
from fleet.gate import demands
from fleet.local import previews as judged
from fleet.model import changes, findings, names
from fleet.plan import edits, previews
from fleet.policy import impacts

MOST = 60_000  # characters of a comment; forges take a little more
_LINE = 1_000  # of them that one line may have
_ROOM = 2_000  # of them, for headings and for the word that something was cut
_STYLES = {"+": "green", "-": "red", "~": "yellow"}


class Form(Enum):
    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


def write(form: Form, told: previewing.Told) -> None:
    sink = output.Sink.standard()
    if form is Form.JSON:
        sink.parts([f"{output.as_text(as_json(told))}\n"])
    elif form is Form.MARKDOWN:
        sink.parts([markdown(told)])
    else:
        for line in _text(told):
            sink.line(line)


def _text(told: previewing.Told) -> Iterator[Text]:
    for number, section in enumerate(previewing.sections(told)):
        style = ("bold red" if told.preview.is_refused else "bold green") if not number else "bold"
        yield Text(safe(section.title), style=style)
        for line in section.lines:
            yield Text(f"  {safe(line)}", style=_STYLES.get(line.strip()[:1], ""))


def safe(text: str) -> str:
    """In one line, without anything that leads a terminal or a CI server astray."""
    return texts.harmless(findings.escaped(text))


def markdown(told: previewing.Told) -> str:
    """All text from the repository stands in fenced blocks, each with a fence that is longer than any run inside.

    Whatever is in such a block is neither HTML nor a link, an image, a mention or a reference.
    """
    found, left, cut = [], MOST - _ROOM, 0
    for number, section in enumerate(previewing.sections(told)):
        lines, missing = _fitting([_bounded(line) for line in section.lines], left)
        cut += missing
        block = _block(section, lines, is_first=number == 0) if lines else ""
        left -= len(block)
        found.append(block)
    if cut:
        found.append(f"\n**Cut: {cut} lines are left out.** `fleet preview` shows all of them.\n")
    return "".join(found)


def _bounded(line: str) -> str:
    found = safe(line)
    return found if len(found) <= _LINE else f"{found[: _LINE - 3]}..."


def _fitting(lines: Sequence[str], room: int) -> tuple[list[str], int]:
    kept: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return kept, len(lines) - len(kept)


def _block(section: previewing.Section, lines: Sequence[str], *, is_first: bool) -> str:
    """Titles are words of ours and numbers."""
    body = "\n".join(lines)
    runs = re.findall("`+", body)
    fence = "`" * max(3, *(len(run) + 1 for run in runs), 3)
    inner = f"{fence}text\n{body}\n{fence}\n"
    if is_first:
        return f"### fleet preview: {section.title}\n\n{inner}"
    if section.is_long:
        return f"\n<details><summary>{section.title}</summary>\n\n{inner}\n</details>\n"
    return f"\n#### {section.title}\n\n{inner}"


def as_json(told: previewing.Told) -> dict[str, Any]:
    found = told.preview
    asked, total = found.asked, found.difference.totals
    return {
        "refused": found.is_refused,
        "target": asked.target,
        "source": asked.source,
        "commit": asked.commit,
        "head": asked.head,
        "running": found.running,
        "subject": findings.escaped(found.subject),
        "conflicts": _escaped(found.conflicts),
        "totals": {
            "clusters": total.clusters,
            "created": total.created,
            "configured": total.configured,
            "deleted": total.deleted,
        },
        "first": [*_first(found.difference)],
        "waves": [*_waves(found.difference)],
        "changes": [
            {"number": number, "clusters": list(g.clusters), "objects": [*map(_object, g.changes)]}
            for number, g in enumerate(found.difference.groups, 1)
        ],
        "findings": _findings(found),
        "lineage": drafts.gate(found.lineage) if found.lineage else None,
        "beside": _beside(found),
        "refusing": [drafts.gate(each) for each in found.refusing],
        "gates": [*map(_demand, told.demands)],
        "assumed": list(told.assumed),
    }


def _escaped(paths: Iterable[str]) -> list[str]:
    return [findings.escaped(each) for each in paths]


def _first(difference: previews.Difference) -> Iterator[dict[str, Any]]:
    for concern in previews.Concern:
        for change, clusters in difference.pressing(concern):
            brief = replace(change, edits=())
            yield {"concern": concern.value, **_object(brief), "clusters": list(clusters)}


def _demand(demand: demands.Demand) -> dict[str, Any]:
    return {
        "gate": demand.gate,
        "asks": demand.words,
        "wave": demand.wave,
        "answer": drafts.gate(demand.answer) if demand.answer else None,
    }


def _waves(difference: previews.Difference) -> Iterator[dict[str, Any]]:
    number = {c: n for n, group in enumerate(difference.groups, 1) for c in group.clusters}
    joining = set(difference.joining)
    for wave in difference.waves:
        clusters = [_cluster(e, number.get(e), joining, difference) for e in wave.clusters]
        terms = wave.terms
        yield {"wave": terms.wave, "part": terms.part, "parts": terms.parts, "clusters": clusters}


def _cluster(
    cluster: names.Cluster,
    number: int | None,
    joining: set[names.Cluster],
    difference: previews.Difference,
) -> dict[str, Any]:
    how = difference.retiring.get(cluster)
    return {
        "cluster": cluster,
        "change": number,
        "joins": cluster in joining,
        "leaves": how.value if how else None,
    }


def _object(change: previews.Change) -> dict[str, Any]:
    key = change.key
    return {
        "result": change.result.value,
        "group": key.group,
        "kind": key.kind,
        "namespace": key.namespace,
        "name": key.name,
        "path": findings.escaped(change.place.path),
        "line": change.place.line,
        "note": change.note,
        "edits": [_edit(each) for each in change.edits],
    }


def _edit(edit: edits.Edit) -> dict[str, Any]:
    """A side on which the field is not there has no word for it."""
    there: dict[str, Any] = {}
    if edit.result is not changes.Result.CREATED:
        there["before"] = edit.before
    if edit.result is not changes.Result.DELETED:
        there["after"] = edit.after
    return {"path": edit.path, **there, "lines": list(edit.lines)}


def _findings(found: judged.Preview) -> dict[str, Any]:
    told = [(each, impacts.as_json(each)) for each in found.impacts]
    return {
        "new": [shape for each, shape in told if each.before is None],
        "ended": [shape for each, shape in told if each.after is None],
        "changed": [shape for each, shape in told if each.before and each.after],
        "refusing": [
            violations.finding_as_json(each) for each in found.findings if findings.refuses([each])
        ],
    }


def _beside(found: judged.Preview) -> dict[str, list[str]] | None:
    seen = found.unseen
    if seen is None:
        return None
    return {
        "hidden": _escaped(seen.hidden),
        "idle": _escaped(seen.idle),
        "skewed": _escaped(seen.skewed),
    }
