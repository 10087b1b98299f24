"""Kubernetes' own reading of YAML, case by case."""

import json
from pathlib import Path

import pytest

from fleet.manifests import parse
from fleet.model import names

CASES = json.loads((Path(__file__).parent / "yaml-scalars.json").read_text())
BLOB = names.BlobId("0" * 40)


@pytest.mark.threat(51)
@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_reads_as_kubernetes_does(case: dict):
    parsed = parse.documents(case["yaml"].encode(), "a.yaml", BLOB)
    expected = case["kubernetes"]
    is_duplicate = "already set in map" in expected.get("strict", "") and case["name"] != "merge"
    if "err" in expected or is_duplicate:
        assert parsed.findings
        assert parsed.documents == ()
        return
    assert parsed.findings == ()
    value = parsed.documents[0].value if parsed.documents else None
    assert value == json.loads(expected["json"])
    assert json.dumps(value, sort_keys=True) == json.dumps(
        json.loads(expected["json"]), sort_keys=True
    )
