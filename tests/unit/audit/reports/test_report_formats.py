"""Every format: exact text of a small check, its published schema, and texts that would lead a reader astray."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import yaml

import builders
import reportforms
from fleet.audit.reports import github, junit, policyreports, results, rulebook, sarif
from fleet.model import findings

HERE = Path(__file__).parent
WRITERS: dict[str, Callable[[results.Report], Iterator[str]]] = {
    "sarif": sarif.write,
    "xml": junit.write,
    "github": github.write,
    "openreports": lambda report: policyreports.write(report, policyreports.OPENREPORTS),
    "policyreport": lambda report: policyreports.write(report, policyreports.WGPOLICY),
}
KINDS = {
    "openreports": ("openreports.io/v1alpha1", "Report", "ClusterReport"),
    "policyreport": ("wgpolicyk8s.io/v1alpha2", "PolicyReport", "ClusterPolicyReport"),
}
WEB = "Deployment.apps shop/web"


def report(*found: findings.Finding, **fields: Any) -> results.Report:
    return results.Report(
        **{
            "environments": ("dev",),
            "findings": found,
            "passed": {},
            "rules": rulebook.rules([], found),
            "edition": "1.0",
            **fields,
        }
    )


WAIVED = findings.Waived(
    waiver="old-web",
    owner="ada@example.org",
    reason="moves next week]]>",
    ticket="OPS-7",
    until=builders.NOW,
    place=findings.Place(path="environments/dev/waivers.yaml", line=1),
    otherwise=findings.Severity.DENY,
)


def small() -> results.Report:
    """One finding of each result."""
    return report(
        builders.finding(
            "no-latest",
            'image "web:latest" has no fixed tag',
            path="apps/web.yaml",
            line=14,
            subject=WEB,
            hint="name a version",
            clusters=("dev-1", "prod-eu"),
        ),
        builders.finding("yaml", "mapping values are not allowed here", path="apps/odd.yaml"),
        builders.finding(
            "replicas", "two, please", severity=findings.Severity.WARN, subject=WEB, line=9
        ),
        builders.finding(
            "quota",
            "no such function",
            severity=findings.Severity.UNKNOWN,
            subject="Namespace shop",
        ),
        builders.finding("tree", "9 files; at most 8 are read", path=".", line=0),
        builders.finding(
            "no-root",
            "runs as root",
            severity=findings.Severity.WAIVED,
            subject=WEB,
            level="critical",
            waived=WAIVED,
            hint="waived by old-web of ada@example.org until 2026-03-01",
        ),
        passed={("no-latest", "shop"): 3, ("schema", "shop"): 4, ("schema", ""): 1},
        versions={WEB: "apps/v1", "Namespace shop": "v1"},
    )


def written(form: str, told: results.Report) -> str:
    return "".join(WRITERS[form](told))


def parsed(form: str, text: str) -> Any:
    if form == "sarif":
        return json.loads(text)
    if form == "xml":
        return ET.fromstring(text)  # noqa: S314 - of our own writing
    if form == "github":
        assert not text or text.endswith("\n")
        return text.split("\n")[:-1]
    return list(yaml.safe_load_all(text))


def checked(form: str, text: str) -> Any:
    """Read as that format's readers read it, and held against its schema."""
    found = parsed(form, text)
    if form == "sarif":
        jsonschema.validate(found, reportforms.SARIF)
    if form in KINDS:
        for each in found:
            jsonschema.validate(each, reportforms.policy_report(*KINDS[form]))
    return found


@pytest.mark.parametrize("form", WRITERS)
def test_a_small_check_reads_exactly_so(form: str):
    assert written(form, small()) == (HERE / f"small.{form}").read_text(encoding="utf-8")


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("told", [small(), report()], ids=["small", "nothing"])
def test_a_format_is_valid_by_its_own_schema(form: str, told: results.Report):
    checked(form, written(form, told))


HOSTILE = [
    "\x1b[31mred\x1b]0;title\x07", "line\nbreak\r\n::set-output name=x::y", "]]></failure><x>",
    "\u202egnp.exe\u2066", "%0A::error::%", "##[add-mask]x ##vso[task.setvariable]y", "\ud800 alone",
    "<script>alert(1)</script> & 'q' \"q\"", "\x00\x0b\ufffe\uffff", "[bold red]rich[/]", "",
    "=cmd|' /C calc'!A0", "a,b:c=d::e", "{{ 7*7 }} ${jndi:x}", "---\nkind: Secret\n",
    "\U0001f600" * 3, "x" * 100_000,
]  # fmt: skip
IDS = [str(number) for number in range(len(HOSTILE))]


@pytest.mark.threat(73)
@pytest.mark.parametrize("text", HOSTILE, ids=IDS)
@pytest.mark.parametrize("form", WRITERS)
def test_no_text_leads_a_reader_astray(form: str, text: str):
    """Wherever a text from outside can stand, one finding stays one finding and nothing unprintable is left."""
    rule, message, path, hint, subject = (
        f"{word}{text}" for word in ("r", "m", "p", "h", "Kind ")
    )
    finding = builders.finding(rule, message, path=path, hint=hint, subject=subject)
    out = written(form, report(finding, prefix="infra/"))
    assert all(c.isprintable() or c == "\n" for c in out)
    found = checked(form, out)
    if form == "sarif":
        (result,) = found["runs"][0]["results"]
        assert findings.escaped(f"m{text}") in result["message"]["text"]
    elif form == "xml":
        (case,) = found.findall("testsuite/testcase/failure")
        assert findings.escaped(f"m{text}") in (case.text or "")
        assert {each.tag for each in found.iter()} == {
            "testsuites", "testsuite", "properties", "property", "testcase", "failure",
        }  # fmt: skip
    elif form == "github":
        (line,) = found
        assert line.startswith("::error file=infra/p")
        assert "##[" not in line
        assert "##vso[" not in line
    else:
        (result,) = [each for document in found for each in document["results"]]
        assert result["message"] == findings.escaped(f"m{text}")


def command(line: str) -> tuple[str, dict[str, str], str]:
    """As the workflow runner reads it (actions/toolkit and runner, ActionCommand v2)."""
    head, message = line.removeprefix("::").split("::", 1)
    name, _, fields = head.partition(" ")
    pairs = dict(each.split("=", 1) for each in fields.split(",") if each)
    return name, {k: unescaped(v) for k, v in pairs.items()}, unescaped(message)


def unescaped(text: str) -> str:
    for coded, plain in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(coded, plain)
    return text


@pytest.mark.threat(73)
def test_the_runner_reads_back_what_was_written():
    finding = builders.finding("a:b", "50%, of: x::y", path="a,b:c.yaml", line=7)
    (line,) = parsed("github", written("github", report(finding)))
    assert command(line) == (
        "error",
        {"file": "a,b:c.yaml", "line": "7", "title": "fail: a:b"},
        "50%, of: x::y",
    )


@pytest.mark.threat(73)
def test_a_path_is_one_relative_uri_whatever_is_in_it():
    assert sarif.uri("", "javascript:alert(1)") == "javascript%3Aalert%281%29"
    assert sarif.uri("infra/", "a b/ü#?.yaml") == "infra/a%20b/%C3%BC%23%3F.yaml"
    assert sarif.uri("", "odd\udcff.yaml") == "odd%FF.yaml"
    assert sarif.uri("infra/", "../../../etc/passwd") == "etc/passwd"
    assert sarif.uri("", "//host/x") == "host/x"
    assert (sarif.uri("", "."), sarif.uri("infra/", "")) == (".", "infra")


def marks(*found: findings.Finding) -> list[str]:
    return results.fingerprints(found)


def test_a_fingerprint_stays_when_lines_move_and_differs_otherwise():
    finding = builders.finding("r", "also in apps/a.yaml:7:2, first in line 3", line=3)
    moved = builders.finding("r", "also in apps/a.yaml:19:4, first in line 8", line=30)
    assert marks(finding) == marks(moved)
    others = [
        builders.finding("s", finding.message),
        builders.finding("r", finding.message, path="b.yaml"),
        builders.finding("r", finding.message, subject=WEB),
        builders.finding("r", "also in apps/b.yaml:7:2, first in line 3"),
        builders.finding("r", 'image "web:1.4"'),
        builders.finding("r", 'image "web:1.5"'),
    ]
    assert len(set(marks(finding, *others))) == 1 + len(others)
    assert len(set(marks(finding, finding, moved))) == 3  # alike in one file: each has its own


def test_many_findings_are_written_in_bounded_reports():
    found = [
        builders.finding(
            f"rule-{n % 13}", f"wrong {n}", subject=f"ConfigMap shop/c{n}", line=n + 1
        )
        for n in range(1201)
    ]
    told = report(*found, passed={("schema", "shop"): 9})
    documents = list(policyreports.documents(told, policyreports.OPENREPORTS))
    assert [each["metadata"]["name"] for each in documents] == [
        "fleet-check", "fleet-check-2", "fleet-check-3",
    ]  # fmt: skip
    assert [each["summary"]["pass"] for each in documents] == [9, 0, 0]
    assert [each["summary"]["fail"] for each in documents] == [500, 500, 201]
    assert sum(len(each["results"]) for each in documents) == len(found)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("form", WRITERS)
def test_a_hundred_thousand_findings_are_written(form: str):
    found = tuple(
        builders.finding(f"rule-{n % 7}", "wrong", path=f"apps/{n % 999}.yaml", line=n)
        for n in range(100_000)
    )
    size = sum(len(part) for part in WRITERS[form](report(*found)))
    assert size > 100_000 * 50


def test_what_warns_fails_no_suite_and_what_nobody_could_tell_is_skipped():
    found = parsed("xml", written("xml", small()))
    counted = {name: found.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counted == {"tests": "8", "failures": "1", "errors": "2", "skipped": "2"}
    for suite in found.findall("testsuite"):
        assert int(suite.get("tests")) == len(suite.findall("testcase"))
    (quota,) = found.findall("testsuite[@name='quota']/testcase/skipped")
    assert quota.get("message") == "not evaluated: no such function"


def test_what_could_not_be_evaluated_is_an_error_in_policy_reports_and_says_so():
    for form in KINDS:
        cluster, shop = parsed(form, written(form, small()))
        assert cluster["summary"] == {"pass": 1, "fail": 0, "warn": 0, "error": 3, "skip": 0}
        assert shop["summary"] == {"pass": 7, "fail": 1, "warn": 1, "error": 0, "skip": 1}
        assert shop["results"][2]["severity"] == "critical"
        words = [each["properties"]["result"] for each in cluster["results"]]
        assert sorted(words) == ["error", "error", "not evaluated"]
        assert shop["results"][0]["resources"] == [
            {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "namespace": "shop"}
        ]


def test_what_is_waived_is_suppressed_with_who_answers_for_it():
    found = parsed("sarif", written("sarif", small()))["runs"][0]["results"]
    (waived,) = [each for each in found if "suppressions" in each]
    assert waived["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "moves next week]]> "
            "(waiver old-web of ada@example.org OPS-7 until 2026-03-01T12:00:00+00:00)",
        }
    ]
    assert waived["properties"]["result"] == "skip"


def test_a_rule_is_explained_by_its_policy_or_by_fleet():
    annotations = {
        "fleetgate.dev/hint": "name a version",
        "policies.kyverno.io/title": "No latest\u202e",
        "policies.kyverno.io/description": 7,
    }
    policy = {
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "no-latest", "annotations": annotations},
    }
    odd: list[Any] = [None, {}, {"kind": 3, "metadata": []}, {"kind": "XPolicy", "metadata": {}}]
    found = [builders.finding("no-latest"), builders.finding("yaml"), builders.finding("theirs")]
    known = rulebook.rules([(each, "x") for each in (policy, *odd)], found)
    assert known["no-latest"] == results.Rule(
        title="No latest\\u202e", help="name a version", path="x"
    )
    assert known["yaml"].title == "YAML can be read as Kubernetes reads it"
    assert known["theirs"] == results.Rule()


def test_a_rule_is_explained_by_why_it_is_asked_how_to_mend_it_and_where_to_read_on():
    words = {
        "title": "Ours", "why": "Tags move.", "hint": "name a digest",
        "links": "https://example.com/a\n https://example.com/b",
    }  # fmt: skip
    theirs = {"policies.kyverno.io/title": "Theirs", "policies.kyverno.io/description": "Text."}
    said = {f"fleetgate.dev/{key}": text for key, text in words.items()}
    metadata = {"name": "rule", "annotations": {**theirs, **said}}
    policy = {"kind": "ValidatingAdmissionPolicy", "metadata": metadata}
    known = rulebook.rules([(policy, "p.yaml")], [])["rule"]
    assert known.title == "Ours"
    assert known.help == (
        "Tags move. To mend it: name a digest. See https://example.com/a https://example.com/b"
    )
    metadata["annotations"] = {**theirs, "fleetgate.dev/links": 3, "fleetgate.dev/why": " "}
    known = rulebook.rules([(policy, "p.yaml")], [])["rule"]
    assert (known.title, known.help) == ("Theirs", "Text.")


def test_the_most_broken_come_first_and_ten_at_most():
    found = [builders.finding(f"r{n:02}", path=f"{n}.yaml") for n in range(12) for _ in range(n)]
    assert results.most_broken(found)[0] == ("r11", 11)
    assert len(results.most_broken(found)) == len(results.most_affected(found)) == 10
    assert results.most_affected([*found, builders.finding(path="a.yaml")])[0] == ("11.yaml", 11)
