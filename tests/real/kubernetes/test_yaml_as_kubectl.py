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


def by_kubectl(kubectl: Path, text: str | bytes, folder: Path) -> Any:
    """The document as kubectl has it, without asking any server; None where it refuses."""
    file = folder / "thing.yaml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
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


THING = HEAD + "data: "
ODD = {
    "a mark before UTF-8": b"\xef\xbb\xbf" + (THING + "a\n").encode(),
    "a tag of Python": (THING + "!!python/object/apply:os.system ['true']\n").encode(),
    "a tag of Python on a word": (THING + "!!python/name:os 'a'\n").encode(),
    "a tag of nobody": (THING + "!Ref a\n").encode(),
    "a merge key": (THING + "{one: &x {a: 1, b: 2}, two: {<<: *x, c: 3}}\n").encode(),
    "a merge of several": (THING + "{one: &x {a: 1}, two: &y {a: 2}, three: {<<: [*x, *y]}}\n").encode(),
    "version 1.1": b"%YAML 1.1\n---\n" + (THING + "yes\n").encode(),
    "version 1.2": b"%YAML 1.2\n---\n" + (THING + "yes\n").encode(),
    "version 2.0": b"%YAML 2.0\n---\n" + (THING + "yes\n").encode(),
    "UTF-16": (THING + "a\n").encode("utf-16"),
    "bytes that are no text": THING.encode() + b"'\xff\xfe'\n",
    "a control character": THING.encode() + b"'\x07'\n",
}  # fmt: skip


# kubectl cuts a text at its lines of three dashes before it reads it, and then finds a directive without a document.
CUT_BY_KUBECTL = {"version 1.1", "version 1.2"}


@pytest.mark.threat(8)
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", ODD)
def test_what_looks_like_another_world_is_refused_or_read_as_kubectl_reads_it(
    name: str, lab_binaries: Path, tmp_path: Path
):
    parsed = parse.documents(ODD[name], "thing.yaml", names.BlobId(""))
    if parsed.findings:
        return  # refused here, whatever it may be elsewhere
    theirs = by_kubectl(lab_binaries / "kubectl", ODD[name], tmp_path)
    (document,) = parsed.documents
    if name in CUT_BY_KUBECTL:
        assert theirs is None
        assert document.value["data"] is True
        return
    assert theirs is not None
    del theirs["metadata"]["annotations"]
    assert types_of(as_decoded(document.value)) == types_of(theirs)
