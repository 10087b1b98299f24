"""What `fleet check` says of its verdicts: the report for every format, the words for people, the JSON."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from rich.text import Text

from fleet.audit import violations
from fleet.audit.reports import results, rulebook
from fleet.cli import output
from fleet.local import offline
from fleet.model import findings

Verdicts = Sequence[offline.Verdict]


def report(verdicts: Verdicts, *, prefix: str, edition: str) -> results.Report:
    found = offline.merged(tuple(verdicts))
    passed: Counter[tuple[str, str]] = Counter()
    for each in verdicts:
        passed.update(each.passed)
    written = (
        (rule.value, rule.source.path) for each in verdicts for rule in each.judged.declared.rules
    )
    return results.Report(
        environments=tuple(each.environment for each in verdicts),
        findings=found,
        passed=passed,
        rules=rulebook.rules(written, found),
        versions=dict(_versions(verdicts, {each.subject for each in found if each.subject})),
        prefix=prefix,
        edition=edition,
    )


def _versions(verdicts: Verdicts, subjects: set[str]) -> Iterator[tuple[str, str]]:
    """ApiVersions by the words of findings; a finding keeps only who an object is."""
    kinds = {each.partition(" ")[0].partition(".")[0] for each in subjects}
    for verdict in verdicts:
        shares = {tuple(map(id, each)): each for each in verdict.judged.manifests.values()}
        for each in (each for share in shares.values() for each in share):
            if each.key.kind in kinds and (words := str(each.key)) in subjects:
                yield words, each.api_version


def text(verdicts: Verdicts, told: results.Report, sink: output.Sink) -> None:
    output.report(told.findings, sink)
    for verdict in verdicts:
        sink.line(Text(_size(verdict)))
        for assumed in verdict.assumed:
            sink.line(Text(f"    assumed: {assumed}", style="dim"))
    for each in _summary(told):
        sink.line(each)
    for each in _waived(told.findings):
        sink.line(each)
    sink.line(_conclusion(told.findings))


def _size(verdict: offline.Verdict) -> str:
    manifests = verdict.judged.manifests
    count = len({each.key for share in manifests.values() for each in share})
    if verdict.judged.declared.fleet is None:
        return f"{count} objects"
    return f"{verdict.environment}: {count} objects for {len(manifests)} clusters"


def _summary(told: results.Report) -> Iterator[Text]:
    if len(told.findings) > results.MOST:  # fewer are seen at a glance
        yield from _most("most broken rules", results.most_broken(told.findings))
        yield from _most("files most affected", results.most_affected(told.findings))
    counted = (f"{count} {word}" for word, count in results.counts(told).items())
    yield Text(f"results: {', '.join(counted)}")


def _most(title: str, counted: Iterable[tuple[str, int]]) -> Iterator[Text]:
    yield Text(f"{title}:")
    for name, count in counted:
        yield Text(f"{count:8}  {findings.escaped(name)}")


def _waived(found: Sequence[findings.Finding]) -> Iterator[Text]:
    count = sum(1 for each in found if each.severity is findings.Severity.WAIVED)
    if count:
        yield Text(f"{count} findings are waived until their waivers end", style="cyan")


def _conclusion(found: Sequence[findings.Finding]) -> Text:
    denied = sum(1 for each in found if findings.refuses([each]))
    waived = sum(1 for each in found if each.severity is findings.Severity.WAIVED)
    noted = len(found) - denied - waived
    if denied:
        return Text(f"refused: {denied} findings deny it, {noted} more", style="bold red")
    return Text(f"nothing denies it ({noted} warnings and notes)", style="bold green")


def as_json(verdicts: Verdicts, told: results.Report) -> dict[str, object]:
    return {
        "refused": told.is_refused,
        "environments": [
            {
                "name": each.environment,
                "commit": each.judged.question.commit,
                "content": each.judged.ids.content,
                "rules": each.judged.ids.rules,
                "clusters": {name: len(share) for name, share in each.judged.manifests.items()},
                "assumed": list(each.assumed),
            }
            for each in verdicts
        ],
        "results": results.counts(told),
        "mostBroken": [
            {"rule": name, "findings": count} for name, count in results.most_broken(told.findings)
        ],
        "mostAffected": [
            {"path": findings.escaped(name), "findings": count}
            for name, count in results.most_affected(told.findings)
        ],
        "findings": [violations.finding_as_json(each) for each in told.findings],
    }
