"""The table of admission cases against a real API server: the same verdict, the same fields, reasons and words."""

import asyncio
from typing import Any

import pytest

import admission_cases as cases
import lines
from fleet.manifests import scopes

NAMESPACE = "admission-cases"
KNOWN = scopes.Scopes(custom={})


async def asked(owner: lines.Owner, case: cases.Case) -> list[str]:
    """What a dry-run create is answered, in the form of the table."""
    group, kind = case.place
    version = case.body["apiVersion"]
    root = f"/apis/{version}" if group else f"/api/{version}"
    space = f"/namespaces/{NAMESPACE}" if KNOWN.is_namespaced(group, kind) else ""
    path = f"{root}{space}/{scopes.plural(kind)}?dryRun=All&fieldValidation=Strict"
    status, said = await owner.ask("POST", path, case.body)
    if status == 400:
        return [cases.UNREADABLE]
    assert status < 300 or status == 422, said
    listed = said["details"]["causes"] if status == 422 else []
    return sorted({cases.plain(f"{each['field']}: {each['message']}") for each in listed})


async def answers(owner: lines.Owner, table: list[cases.Case]) -> list[list[str]]:
    await owner.ask("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    account = {"metadata": {"name": "default"}}
    await owner.ask("POST", f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts", account)
    gate = asyncio.Semaphore(8)

    async def one(case: cases.Case) -> list[str]:
        async with gate:
            return await asked(owner, case)

    return await asyncio.gather(*(one(each) for each in table))


@pytest.mark.filterwarnings(
    "ignore:Sending a large body"
)  # a mebibyte too many is what is asked about
@pytest.mark.timeout(120, func_only=True)
async def test_an_api_server_says_what_the_table_says(lab_clusters: Any):
    (place,) = lab_clusters(1)
    owner = lines.Owner(place.kubeconfig)
    table = cases.table()
    async with owner.port:
        said = await answers(owner, table)
    differing = {
        case.title: (case.theirs, answer)
        for case, answer in zip(table, said, strict=True)
        if case.theirs != answer
    }
    assert differing == {}
