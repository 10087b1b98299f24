"""JUnit XML, as CI servers read it: a suite a rule, a case a finding, and one case for all objects that passed.

What warns is no failure: it is a case that passed and has something to say.
"""

import html
from collections.abc import Iterator, Sequence

from fleet.audit.reports import results
from fleet.model import findings

_TAGS = {
    results.Result.FAIL: "failure",
    results.Result.ERROR: "error",
    results.Result.SKIP: "skipped",
    results.Result.NOT_EVALUATED: "skipped",
}


def write(report: results.Report) -> Iterator[str]:
    grouped = results.by_rule(report.findings)
    passed = results.passed_by_rule(report)
    rules = sorted({*grouped, *passed})
    total = sum((_cases(grouped.get(rule, ()), passed.get(rule, 0)) for rule in rules), 0)
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<testsuites name="fleet check" {_counts(report.findings, total)}>\n'
    for rule in rules:
        yield from _suite(rule, grouped.get(rule, []), passed.get(rule, 0))
    yield "</testsuites>\n"


def _cases(found: Sequence[findings.Finding], passed: int) -> int:
    return len(found) + (passed > 0)


def _suite(rule: str, found: Sequence[findings.Finding], passed: int) -> Iterator[str]:
    counted = _counts(found, _cases(found, passed))
    yield f'  <testsuite name="{_safe(rule)}" {counted}>\n'
    yield f'    <properties><property name="passed" value="{passed}"/></properties>\n'
    if passed:
        words = "1 object passes" if passed == 1 else f"{passed} objects pass"
        yield f'    <testcase classname="{_safe(rule)}" name="{words}" time="0"/>\n'
    for each in found:
        yield _case(each)
    yield "  </testsuite>\n"


def _counts(found: Sequence[findings.Finding], tests: int) -> str:
    tags = [_TAGS.get(results.of(each), "") for each in found]
    words = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    inner = " ".join(f'{name}="{tags.count(tag)}"' for name, tag in words.items())
    return f'tests="{tests}" {inner} time="0"'


def _case(finding: findings.Finding) -> str:
    result = results.of(finding)
    place = str(finding.place)
    name = f"{finding.subject} at {place}" if finding.subject else place
    line = f' line="{finding.place.line}"' if finding.place.line else ""
    head = (
        f'    <testcase classname="{_safe(finding.rule)}" name="{_safe(name)}" '
        f'file="{_safe(finding.place.path)}"{line} time="0">'
    )
    said = f"{place}: {results.sentence(finding)}"
    tag = _TAGS.get(result)
    if tag is None:
        return f"{head}<system-out>{result.value}: {_safe(said)}</system-out></testcase>\n"
    message = _safe(f"{result.value}: {finding.message}")
    kind = "" if tag == "skipped" else f' type="{_safe(finding.rule)}"'
    return f'{head}<{tag} message="{message}"{kind}>{_safe(said)}</{tag}></testcase>\n'


def _safe(text: str) -> str:
    """XML has no way to write most control characters: they are spelled out, then the markup is escaped."""
    return html.escape(findings.escaped(text), quote=True)
