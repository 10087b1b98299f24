"""The ready policies and their examples, as tests judge by them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fleet.manifests import declared, parse, scopes
from fleet.model import findings, json_values, names, objects
from fleet.policy import evaluate, policies

ROOT = Path(__file__).resolve().parents[1] / "policies"
FOLDERS = tuple(sorted(each.name for each in ROOT.iterdir() if each.is_dir()))


def documents(path: Path) -> Iterator[tuple[dict[str, Any], objects.Source]]:
    shown = str(path.relative_to(ROOT.parent)) if path.is_relative_to(ROOT) else path.name
    parsed = parse.documents(path.read_bytes(), shown, names.BlobId("0" * 40))
    assert not parsed.findings
    for each in parsed.documents:
        source = objects.Source(path=shown, line=each.line, blob=parsed.blob, index=each.index)
        yield each.value, source


def rules(folders: tuple[str, ...] = FOLDERS) -> Iterator[declared.Rule]:
    for folder in folders:
        for path in sorted((ROOT / folder).glob("*.yaml")):
            for value, source in documents(path):
                yield declared.Rule(value=value, source=source)


def library(*folders: str) -> policies.PolicySet:
    return policies.parse(rules(folders or FOLDERS))


def namespaces() -> dict[str, dict[str, str]]:
    """Those that the examples live in."""
    return {
        value["metadata"]["name"]: value["metadata"]["labels"]
        for path in sorted(ROOT.glob("*/tests/namespaces.yaml"))
        for value, _ in documents(path)
    }


def judged(
    library: policies.PolicySet,
    value: dict[str, Any],
    source: objects.Source,
    *,
    where: str = "prod",
    spaces: Mapping[str, Mapping[str, str]] | None = None,
) -> tuple[findings.Finding, ...]:
    manifest = objects.Manifest(
        key=objects.key_of(value),
        version=value["apiVersion"].rpartition("/")[2],
        body=value,
        digest=json_values.digest(value),
        bundle=names.Bundle("examples"),
        source=source,
    )
    bound = policies.for_environment(library, names.Environment(where))
    known = namespaces() if spaces is None else spaces
    scene = evaluate.Scene(namespaces=known, scopes=scopes.scopes([]))
    return evaluate.evaluate(bound, manifest, scene)
