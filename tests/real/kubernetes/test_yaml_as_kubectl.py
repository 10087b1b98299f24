"""What we read from a text is what kubectl reads from it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from fleet.manifests import parse
from fleet.model import names

CASES = json.loads(
    (Path(__file__).parents[2] / "unit" / "manifests" / "yaml-scalars.json").read_text()
)
HEAD = "apiVersion: example.com/v1\nkind: Thing\nmetadata:\n  name: thing\n"
# A text that is a document of its own cannot follow our head.
INNER = [
    case
    for case in CASES
    if case["yaml"] and not case["yaml"].startswith(("%", "\ufeff")) and "---" not in case["yaml"]
]
KUBECTL_IS_LENIENT = "already set in map"  # the last duplicate wins there, silently


def by_kubectl(kubectl: Path, text: str, folder: Path) -> Any:
    """The document as kubectl has it, without asking any server; None where it refuses."""
    file = folder / "thing.yaml"
    file.write_text(text)
    done = subprocess.run(  # noqa: S603 - the lab's own kubectl
        [kubectl, "annotate", "--local", "-f", file, "read=yes", "-o", "json"],
        capture_output=True,
        check=False,
        env={"HOME": str(folder)},
    )
    return json.loads(done.stdout) if done.returncode == 0 and done.stdout else None


def by_us(text: str) -> Any:
    parsed = parse.documents(text.encode(), "thing.yaml", names.BlobId(""))
    return None if parsed.findings else as_decoded(parsed.documents[0].value)


def as_decoded(value: Any) -> Any:
    """Integers past 64 bits become doubles when Kubernetes decodes them."""
    if isinstance(value, dict):
        return {key: as_decoded(each) for key, each in value.items()}
    is_past = type(value) is int and not -(2**63) <= value < 2**63
    return float(value) if is_past else value


def types_of(value: Any) -> str:
    """With the types that JSON tells apart: 1 and true are not the same."""
    return json.dumps(value, sort_keys=True)


@pytest.mark.threat(51)
@pytest.mark.timeout(120)
def test_every_scalar_is_what_kubectl_takes_it_for(lab_binaries: Path, tmp_path: Path):
    differing = {}
    for case in INNER:
        text = HEAD + case["yaml"]
        ours, theirs = by_us(text), by_kubectl(lab_binaries / "kubectl", text, tmp_path)
        if KUBECTL_IS_LENIENT in case["kubernetes"].get("strict", "") and case["name"] != "merge":
            assert ours is None, case["name"]
            continue
        if theirs is not None:
            del theirs["metadata"]["annotations"]
        if types_of(ours) != types_of(as_decoded(theirs)):
            differing[case["name"]] = (ours, theirs)
    assert differing == {}
    assert len(INNER) > 70
