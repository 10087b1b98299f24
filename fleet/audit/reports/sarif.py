"""SARIF 2.1.0 (OASIS), as code scanning of git hosts reads it.

Paths are relative to the repository's top and encoded as URIs; columns count code points.
"""

import re
import urllib.parse
from collections.abc import Iterator, Sequence
from typing import Any

from fleet.audit.reports import results, texts
from fleet.model import findings

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_BASE = "SRCROOT"
_ODD = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # stands for no byte of any file's name


def write(report: results.Report) -> Iterator[str]:
    """The document in parts: one for each result, so that many findings are never one text in memory."""
    grouped = results.by_rule(report.findings)
    rules = sorted(grouped)
    places = {rule: index for index, rule in enumerate(rules)}
    yield '{"$schema":' + texts.json(_SCHEMA) + ',"version":"2.1.0","runs":[{"tool":{"driver":'
    yield texts.json(_driver(report, [_rule(each, grouped[each], report) for each in rules]))
    yield '},"results":['
    marks = results.fingerprints(report.findings)
    for index, (finding, mark) in enumerate(zip(report.findings, marks, strict=True)):
        yield (",\n" if index else "\n") + texts.json(
            _result(finding, mark, places[finding.rule], report)
        )
    yield "],"
    yield texts.json(_run(report))[1:-1]
    yield "}]}\n"


def _driver(report: results.Report, rules: list[dict[str, Any]]) -> dict[str, Any]:
    version = {"version": report.edition} if report.edition else {}
    return {"name": "fleet check", **version, "rules": rules}


def _rule(name: str, found: Sequence[findings.Finding], report: results.Report) -> dict[str, Any]:
    known = report.rules.get(name, results.Rule())
    title = known.title or name
    help_ = known.help or title
    return {
        "id": findings.escaped(name),
        "shortDescription": {"text": title},
        "fullDescription": {"text": help_},
        "help": {"text": help_},
        "defaultConfiguration": {"level": results.grade(found[0]).level},
        "properties": {"tags": ["kubernetes", "policy"], **_written(known)},
    }


def _written(rule: results.Rule) -> dict[str, str]:
    return {"written": findings.escaped(rule.path)} if rule.path else {}


def _result(
    finding: findings.Finding, mark: str, place: int, report: results.Report
) -> dict[str, Any]:
    return {
        "ruleId": findings.escaped(finding.rule),
        "ruleIndex": place,
        "level": results.grade(finding).level,
        "message": {"text": results.sentence(finding)},
        "locations": [_location(finding, report.prefix)],
        **_suppressed(finding),
        "partialFingerprints": {"fleetFinding/v1": mark, "primaryLocationLineHash": mark},
        "properties": {
            "clusters": list(finding.clusters),
            "result": results.of(finding).value,
            "severity": finding.severity.value,
            **({"level": finding.level} if finding.level else {}),
            "hint": findings.escaped(finding.hint),
        },
    }


def _suppressed(finding: findings.Finding) -> dict[str, Any]:
    """A waiver is an accepted suppression from outside; who answers for it is said."""
    waived = finding.waived
    if finding.severity is not findings.Severity.WAIVED or waived is None:
        return {}
    until = waived.until.isoformat()
    said = (
        f"{waived.reason} (waiver {waived.waiver} of {waived.owner} {waived.ticket} until {until})"
    )
    justification = findings.escaped(said)
    return {
        "suppressions": [
            {"kind": "external", "status": "accepted", "justification": justification}
        ]
    }


def _location(finding: findings.Finding, prefix: str) -> dict[str, Any]:
    where = {"artifactLocation": {"uri": uri(prefix, finding.place.path), "uriBaseId": _BASE}}
    region = {"startLine": finding.place.line, "startColumn": finding.place.column}
    physical = {**where, "region": {k: v for k, v in region.items() if v}}
    found: dict[str, Any] = {"physicalLocation": physical if finding.place.line else where}
    if finding.subject:
        name = findings.escaped(finding.subject)
        found["logicalLocations"] = [{"fullyQualifiedName": name, "kind": "object"}]
    return found


def uri(prefix: str, path: str) -> str:
    """Bytes that are no UTF-8 are encoded as they are, and no colon makes a path another scheme."""
    found = _ODD.sub(lambda odd: findings.escaped(odd[0]), results.located(prefix, path))
    return urllib.parse.quote(found, safe="/", errors="surrogateescape")


def _run(report: results.Report) -> dict[str, Any]:
    return {
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {
            _BASE: {"description": {"text": "The top of the git repository that was checked."}}
        },
        "automationDetails": {"id": f"fleet-check/{'+'.join(report.environments)}/"},
        "invocations": [{"executionSuccessful": True, "exitCode": int(report.is_refused)}],
        "properties": {"results": results.counts(report)},
    }
