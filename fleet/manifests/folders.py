"""A folder of manifests without any fleet: which of it is rendered by kustomize, and what is taken as it is written."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fleet.manifests import declared, kustomizations, parse
from fleet.model import findings, kinds, names, objects, snapshots

NAMESPACE = "default"  # where kubectl puts what names none
_MANIFESTS = (".yaml", ".yml", ".json")
_BINDING = "ValidatingAdmissionPolicyBinding"
_POLICY = "ValidatingAdmissionPolicy"

Documents = Mapping[str, tuple[Any, objects.Source]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """`roots` are the folders of kustomizations that no other one leads to; `plain` is what none of them reaches."""

    roots: tuple[str, ...]
    plain: tuple[str, ...]


def parts(snapshot: snapshots.Snapshot, documents: Documents) -> Parts:
    """`documents` are the parsed kustomization files by path."""
    folders = {path.rpartition("/")[0]: document for path, (document, _) in documents.items()}
    named = {each for folder, document in folders.items() for each in _leads(folder, document)}
    roots = [
        folder
        for folder, document in folders.items()
        if folder not in named and not _is_component(document)
    ]
    reached: set[str] = set()
    for folder in folders:
        reached |= kustomizations.reach(folder, snapshot, documents).paths
    plain = (p for p in snapshot.entries if p.endswith(_MANIFESTS) and p not in reached)
    return Parts(roots=tuple(sorted(roots)), plain=tuple(sorted(plain)))


def _leads(folder: str, document: Any) -> Iterator[str]:
    for name in ("resources", "bases", "components"):
        entries = document.get(name) if isinstance(document, Mapping) else None
        for each in entries if isinstance(entries, list) else ():
            path = posixpath.normpath(posixpath.join(folder or ".", str(each)))
            yield "" if path == "." else path


def _is_component(document: Any) -> bool:
    return isinstance(document, Mapping) and document.get("kind") == "Component"


def is_manifest(parsed: parse.Parsed) -> bool:
    """Whether a file says of any of its documents what kind it is; one that cannot be read might."""
    return bool(parsed.findings) or any(
        isinstance(each.value, Mapping) and {"apiVersion", "kind"} & each.value.keys()
        for each in parsed.documents
    )


def bundle(name: str, folder: str, cluster: str) -> declared.Declaration[kinds.Bundle]:
    document = kinds.Bundle.model_validate(
        {
            "apiVersion": kinds.API_VERSION,
            "kind": "Bundle",
            "metadata": {"name": name},
            "spec": {
                "path": f"/{folder}",
                "namespace": NAMESPACE,
                "targets": {"clusters": [cluster]},
            },
        }
    )
    return declared.Declaration(document=document, place=findings.Place(path=folder or "."))


def rules(parsed: Iterable[parse.Parsed]) -> tuple[declared.Rule, ...]:
    """All documents of these files; a policy that no binding names is bound as one that denies."""
    found = [
        declared.Rule(value=each.value, source=_source(file, each))
        for file in parsed
        for each in file.documents
        if isinstance(each.value, Mapping)
    ]
    bound = {_bound(each) for each in found if each.value.get("kind") == _BINDING}
    implied = (_binding(each) for each in found if _is_open(each.value, bound))
    return (*found, *implied)


def _source(file: parse.Parsed, document: parse.Document) -> objects.Source:
    return objects.Source(path=file.path, line=document.line, blob=file.blob, index=document.index)


def _spec(rule: declared.Rule) -> Mapping[str, Any]:
    spec = rule.value.get("spec")
    return spec if isinstance(spec, Mapping) else {}


def _bound(binding: declared.Rule) -> str:
    """The policy that a binding names; one that is malformed names none and is a finding elsewhere."""
    name = _spec(binding).get("policyName")
    return name if isinstance(name, str) else ""


def _is_open(policy: Mapping[str, Any], bound: set[str]) -> bool:
    """One that takes parameters is for a binding to give them."""
    spec = policy.get("spec")
    takes = spec.get("paramKind") if isinstance(spec, Mapping) else None
    return policy.get("kind") == _POLICY and not takes and _name(policy) not in (*bound, "")


def _name(document: Mapping[str, Any]) -> str:
    metadata = document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    return name if isinstance(name, str) else ""


def _binding(rule: declared.Rule) -> declared.Rule:
    name = _name(rule.value)
    value = {
        "apiVersion": rule.value.get("apiVersion"),
        "kind": _BINDING,
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    }
    return declared.Rule(value=value, source=rule.source)


def cluster(number: int) -> names.Cluster:
    return names.Cluster(f"folder-{number}")
