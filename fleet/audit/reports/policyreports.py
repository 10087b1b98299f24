"""Policy reports as Kubernetes objects, of either API: one for each namespace, one for what lives outside of any.

An object in etcd has bounds, so many results become several reports of one namespace; each counts its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fleet.audit.reports import results, texts
from fleet.model import findings, names

MOST = 500  # results of one report
_SOURCE = "fleetgate"
_NAME = "fleet-check"
# The APIs have no word for what could not be evaluated but this one.
_RESULTS = {results.Result.NOT_EVALUATED: "error"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    version: str
    namespaced: str
    cluster_scoped: str


OPENREPORTS = Api(
    version="openreports.io/v1alpha1", namespaced="Report", cluster_scoped="ClusterReport"
)
WGPOLICY = Api(
    version="wgpolicyk8s.io/v1alpha2",
    namespaced="PolicyReport",
    cluster_scoped="ClusterPolicyReport",
)


def write(report: results.Report, api: Api) -> Iterator[str]:
    """A stream of YAML documents, each one line of JSON, which is YAML too."""
    for document in documents(report, api):
        yield f"---\n{texts.yaml(document)}\n"


def documents(report: results.Report, api: Api) -> Iterator[dict[str, Any]]:
    grouped: dict[str, list[findings.Finding]] = {"": []}
    for each in report.findings:
        grouped.setdefault(_namespace(each), []).append(each)
    passed = _passed(report.passed)
    for namespace in sorted({*grouped, *passed}):
        found = grouped.get(namespace, [])
        count = passed.get(namespace, 0)
        if not namespace and not found and not count and len(grouped) + len(passed) > 1:
            continue
        for start in range(0, len(found) or 1, MOST):
            part = found[start : start + MOST]
            name = f"{_NAME}-{start // MOST + 1}" if start else _NAME
            yield _document(api, namespace, name, part, 0 if start else count, report)


def _namespace(finding: findings.Finding) -> str:
    found = results.subject(findings.escaped(finding.subject))
    return found.namespace if found and names.is_label(found.namespace) else ""


def _passed(counted: Mapping[tuple[str, str], int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for (_, namespace), count in counted.items():
        found[namespace] = found.get(namespace, 0) + count
    return found


def _document(
    api: Api,
    namespace: str,
    name: str,
    found: Sequence[findings.Finding],
    passed: int,
    report: results.Report,
) -> dict[str, Any]:
    listed = [_result(each, report) for each in found]
    words = [each["result"] for each in listed]
    labels = {"app.kubernetes.io/managed-by": _SOURCE}
    return {
        "apiVersion": api.version,
        "kind": api.namespaced if namespace else api.cluster_scoped,
        "metadata": {
            "name": name,
            **({"namespace": namespace} if namespace else {}),
            "labels": labels,
        },
        "summary": {
            "pass": passed,
            **{each: words.count(each) for each in ("fail", "warn", "error", "skip")},
        },
        "results": listed,
    }


def _result(finding: findings.Finding, report: results.Report) -> dict[str, Any]:
    result, grade = results.of(finding), results.grade(finding).severity
    properties = {
        "clusters": ", ".join(finding.clusters),
        "file": str(finding.place),
        "hint": findings.escaped(finding.hint),
        "result": result.value,
        "subject": findings.escaped(finding.subject),
    }
    return {
        "source": _SOURCE,
        "policy": findings.escaped(finding.rule),
        "result": _RESULTS.get(result, result.value),
        "severity": finding.level if finding.level in findings.LEVELS else grade,
        "scored": result is not results.Result.WARN,
        "message": findings.escaped(finding.message),
        **_resources(finding, report),
        "properties": {name: text for name, text in properties.items() if text},
    }


def _resources(finding: findings.Finding, report: results.Report) -> dict[str, Any]:
    found = results.subject(findings.escaped(finding.subject))
    version = report.versions.get(finding.subject, "")
    if found is None or not version:
        return {}
    reference = {"apiVersion": version, "kind": found.kind, "name": found.name}
    if found.namespace:
        reference["namespace"] = found.namespace
    return {"resources": [reference]}
