"""A schema that points elsewhere: nothing is asked for, and the objects of its kind are refused."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

import repositories
from fleet.adapters import schemas
from fleet.judge import judging
from fleet.local import offline
from fleet.model import findings, names

SOURCE = schemas.Packaged()
GADGET = "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: g, namespace: shop}\nspec: {a: 1}\n"


def crd(reference: str) -> str:
    inner = {"type": "object", "properties": {"spec": {"$ref": reference}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": inner}}
    return json.dumps(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "gadgets.example.com"},
            "spec": {
                "group": "example.com",
                "scope": "Namespaced",
                "names": {"kind": "Gadget", "plural": "gadgets"},
                "versions": [version],
            },
        }
    )


@pytest.mark.threat(46)
@pytest.mark.parametrize("what", ["http", "file", "recursion"])
async def test_nothing_is_retrieved(what: str, repository_of: Any, tmp_path: Path):
    asked: list[str] = []

    async def hears(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append("somebody came")
        writer.close()

    server = await asyncio.start_server(hears, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    secret = tmp_path / "secret.json"
    secret.write_text('{"type": "string", "description": "canary-46"}')
    there = {
        "http": f"http://127.0.0.1:{port}/a.json",
        "file": f"file://{secret}",
        "recursion": "#",
    }
    reader = repository_of(
        {
            "apps/web/bundle.yaml": repositories.bundle_text(),
            "apps/web/g.yaml": GADGET,
            "schemas/gadgets.yaml": crd(there[what]),
        }
    )
    tools = judging.Tools(
        repository=reader.local, schemas=SOURCE, memo=reader.memo, kustomize=None
    )
    verdict = await offline.check_commit(names.Environment("dev"), reader.git.tip(), None, tools)
    server.close()
    await server.wait_closed()
    denied = [each for each in verdict.findings if each.rule == "schema"]
    assert findings.refuses(denied)
    assert any("$ref" in each.message for each in denied)
    assert asked == []
    assert "canary-46" not in repr(verdict.findings)
