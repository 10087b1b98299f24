"""Commands for GitHub's workflow runner, which shows them at the lines of a pull request.

The runner takes `::` at the start of a line for a command, so nothing from outside may start one.
"""

from collections.abc import Iterator

from fleet.audit.reports import results, texts
from fleet.model import findings


def write(report: results.Report) -> Iterator[str]:
    for each in report.findings:
        yield _command(each, report.prefix)


def _command(finding: findings.Finding, prefix: str) -> str:
    place = finding.place
    fields = {
        "file": results.located(prefix, place.path),
        "line": str(place.line) if place.line else "",
        "col": str(place.column) if place.column else "",
        "title": f"{results.of(finding).value}: {finding.rule}",
    }
    listed = ",".join(f"{name}={_property(text)}" for name, text in fields.items() if text)
    said = _message(results.sentence(finding))
    return f"::{results.grade(finding).command} {listed}::{said}\n"


def _message(text: str) -> str:
    return texts.quiet(findings.escaped(text)).replace("%", "%25")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
