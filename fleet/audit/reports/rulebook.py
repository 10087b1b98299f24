"""What fleet's own rules are about, for the reports that explain each rule beside its findings."""

from collections.abc import Iterable, Mapping
from typing import Any

from fleet.audit.reports import results
from fleet.model import findings

HINT = "fleetgate.dev/hint"
_TITLES = ("fleetgate.dev/title", "policies.kyverno.io/title", "metadata.gatekeeper.sh/title")
_TEXTS = ("fleetgate.dev/why", "policies.kyverno.io/description", "description")
_LINKS = ("fleetgate.dev/links",)

OWN: Mapping[str, tuple[str, str]] = {
    "bundle": ("A bundle can be rendered", "Mend the Bundle document or the folder that it names."),
    "collision": ("No two Ingresses serve the same address", "Let one Ingress have the host and path."),
    "delete": ("Deletions are within bounds", "Give a Permit for what shall be deleted."),
    "fleet": ("fleet's own documents are sound", "Mend the document; docs/formats.md describes each kind."),
    "json": ("JSON can be read", "Mend the text in that line."),
    "kustomize": ("A kustomization renders, from files of the repository alone",
                  "Keep everything that is rendered inside the repository, as plain files."),
    "loosening": ("A rule is loosened", "Nothing, if that is meant: what is in force judges this commit too."),
    "manifest": ("A manifest names an object that a repository may hold", "Mend the object's identity and metadata."),
    "ownership": ("One object has one owner", "Let one bundle own it."),
    "plan": ("The rollout plan is sound", "Mend what the message names."),
    "registration": ("Clusters are registered once, with a proof of their key", "Enrol the agent again."),
    "reference": ("What an object names is in the same revision",
                  "Correct the name, or commit the object; nothing if it lives in the cluster outside git."),
    "scaling": ("What an autoscaler scales has no fixed number of replicas", "Leave spec.replicas out."),
    "schema": ("Objects fit the schemas and the validation of their clusters' Kubernetes version",
               "Use a field and value that an API server of this version takes."),
    "selection": ("Services and disruption budgets select Pods", "Select by labels that the Pods carry."),
    "tree": ("The repository holds plain files of sensible names and sizes", "Rename, shorten or remove the file."),
    "variables": ("Every variable has a value", "Give it in the Cluster, the bundle or its values."),
    "waves": ("Each cluster is in exactly one wave", "Let the waves' selectors fit every cluster once."),
    "yaml": ("YAML can be read as Kubernetes reads it", "Mend the text in that line."),
}  # fmt: skip


def rules(
    documents: Iterable[tuple[Any, str]], found: Iterable[findings.Finding]
) -> dict[str, results.Rule]:
    """Of each rule that has findings, and of each policy among the documents (value, path)."""
    known = {each.rule: _own(each) for each in found}
    for value, path in documents:
        name, rule = _written(value, path)
        if name:
            known[name] = rule
    return known


def _own(finding: findings.Finding) -> results.Rule:
    title, help_ = OWN.get(finding.rule, ("", finding.hint))
    return results.Rule(title=title, help=help_)


def _written(value: Any, path: str) -> tuple[str, results.Rule]:
    metadata = value.get("metadata") if isinstance(value, Mapping) else None
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    kind = value.get("kind") if isinstance(value, Mapping) else None
    if not isinstance(name, str) or not _is_policy(kind):
        return "", results.Rule()
    written = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    annotations = written if isinstance(written, Mapping) else {}
    return findings.escaped(name), results.Rule(
        title=_first(annotations, _TITLES),
        help=_help(annotations),
        path=path,
    )


def _help(annotations: Mapping[str, Any]) -> str:
    """Why it is asked, how to mend what breaks it, and where more is written."""
    why, hint = _first(annotations, _TEXTS), _first(annotations, (HINT,))
    mend = f"To mend it: {hint}." if why and hint else hint
    links = _first(annotations, _LINKS)
    return " ".join(each for each in (why, mend, links and f"See {links}") if each)


def _is_policy(kind: object) -> bool:
    return isinstance(kind, str) and (kind.endswith("Policy") or kind == "ConstraintTemplate")


def _first(annotations: Mapping[str, Any], names: Iterable[str]) -> str:
    texts = (annotations.get(name) for name in names)
    said = (" ".join(each.split()) for each in texts if isinstance(each, str))
    return next((findings.escaped(each) for each in said if each), "")
