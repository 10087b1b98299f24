"""The shipped policies, each by its own examples: the whole library judges every document."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fleet.manifests import declared, parse, scopes
from fleet.model import findings, json_values, names, objects
from fleet.policy import evaluate, policies

LIBRARY = Path(__file__).resolve().parents[3] / "policies"
FOLDERS = sorted(each.name for each in LIBRARY.iterdir() if each.is_dir())
EXPECT = "fleetgate.dev/expect"
SCENE = evaluate.Scene(namespaces={}, scopes=scopes.scopes([]))


def documents(path: Path) -> Iterator[tuple[dict[str, Any], objects.Source]]:
    shown = str(path.relative_to(LIBRARY.parent))
    parsed = parse.documents(path.read_bytes(), shown, names.BlobId("0" * 40))
    assert not parsed.findings
    for each in parsed.documents:
        source = objects.Source(path=shown, line=each.line, blob=parsed.blob, index=each.index)
        yield each.value, source


def examples(which: str) -> list[Any]:
    return [
        pytest.param(folder, value, source, id=f"{folder}-{path.stem}-{value['metadata']['name']}")
        for folder in FOLDERS
        for path in sorted((LIBRARY / folder / "tests" / which).glob("*.yaml"))
        for value, source in documents(path)
    ]


@pytest.fixture(scope="module")
def library() -> policies.PolicySet:
    rules = (
        declared.Rule(value=value, source=source)
        for path in sorted(LIBRARY.glob("*/*.yaml"))
        for value, source in documents(path)
    )
    return policies.parse(rules)


def judged(
    library: policies.PolicySet, value: dict[str, Any], source: objects.Source, where: str = "prod"
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
    return evaluate.evaluate(bound, manifest, SCENE)


def test_the_library_is_sound_and_complete(library: policies.PolicySet) -> None:
    assert library.findings == ()
    assert sorted(library.policies) == FOLDERS
    assert len(FOLDERS) >= 9


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_policy_has_good_and_bad_examples_and_words(
    library: policies.PolicySet, folder: str
) -> None:
    assert list((LIBRARY / folder / "tests" / "good").glob("*.yaml"))
    assert list((LIBRARY / folder / "tests" / "bad").glob("*.yaml"))
    assert (LIBRARY / folder / "README.md").read_text().startswith(f"# {folder}\n")
    assert library.policies[folder].hint


@pytest.mark.parametrize(("folder", "value", "source"), examples("good"))
def test_good_examples_pass_every_policy(
    library: policies.PolicySet, folder: str, value: dict[str, Any], source: objects.Source
) -> None:
    assert folder
    assert judged(library, value, source) == ()


@pytest.mark.threat(53)
@pytest.mark.parametrize(("folder", "value", "source"), examples("bad"))
def test_bad_examples_are_denied_by_their_policy_alone(
    library: policies.PolicySet, folder: str, value: dict[str, Any], source: objects.Source
) -> None:
    found = judged(library, value, source)
    assert {(each.rule, each.severity) for each in found} == {(folder, findings.Severity.DENY)}
    assert value["metadata"]["annotations"][EXPECT] in found[0].message
    assert found[0].hint
    assert found[0].field, "it points at no field"


def test_replicas_count_in_prod_only(library: policies.PolicySet) -> None:
    path = LIBRARY / "require-replicas-in-prod" / "tests" / "bad" / "replicas.yaml"
    for value, source in documents(path):
        assert judged(library, value, source, "prod")
        assert judged(library, value, source, "staging") == ()
