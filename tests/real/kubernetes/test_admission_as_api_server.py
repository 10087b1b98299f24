"""The table of admission cases against a real API server: the same verdict, the same fields, reasons and words."""

import asyncio
import copy
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import admission_cases as cases
import lines
from fleet.adapters import schemas as packaged
from fleet.manifests import scopes
from fleet.manifests.admission import judge
from fleet.manifests.schemas import validate

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


ODD = (
    "", "A b", "a", "a.b", "-a", "1", -1, 0, 1, 70000, 101, "50%", "10.0.0.1", "10.0.0.0/8", "../a", "/a", True, False,
    {}, [], None, "100m", "1Gi", "x" * 64, "Always", "None", ["a", "a"], ["*", "a"], {"a": "b"},
)  # fmt: skip


@pytest.mark.timeout(180, func_only=True)
async def test_an_api_server_and_we_refuse_the_same_of_damaged_objects(lab_clusters: Any):
    """Changes that nobody thought of; what our schema refuses is not sent."""
    (place,) = lab_clusters(1)
    refuses = await _schemas()
    chance = random.Random(7)  # noqa: S311  # the same objects each time
    damaged = [case for case in _damaged(chance, 4000) if not refuses(case)]
    owner = lines.Owner(place.kubeconfig)
    async with owner.port:
        said = await answers(owner, damaged)
    tables = judge.Tables("1.36")
    differing = {
        case.title: answer
        for case, answer in zip(damaged, said, strict=True)
        if bool(answer) != bool(tables.faults(*case.place, case.body))
    }
    assert len(damaged) > 800
    assert differing == {}


async def _schemas() -> Callable[[cases.Case], bool]:
    """Whether JSON Schema alone refuses a case."""
    definitions = await packaged.Packaged().definitions("1.36")
    assert definitions is not None
    known = validate.Schemas(version="1.36", source="", definitions=definitions, crds=[])

    def refuses(case: cases.Case) -> bool:
        group, kind = case.place
        validator = known._validator((group, case.body["apiVersion"].rpartition("/")[2], kind))
        return not validator.is_valid(case.body)

    return refuses


def _damaged(chance: random.Random, count: int) -> Iterator[cases.Case]:
    sound = [each for each in cases.table() if not each.answer and "times" not in each.title]
    for number in range(count):
        body = copy.deepcopy(chance.choice(sound).body)
        path = chance.choice([each for each in _paths(body) if _is_open(each)])
        inner = body
        for step in path[:-1]:
            inner = inner[step]
        if chance.random() < 0.15:
            del inner[path[-1]]
        else:
            inner[path[-1]] = copy.deepcopy(chance.choice(ODD))
        title = f"{number} {body['kind']} {path}"
        if "metadata" in body and isinstance(body["metadata"], dict):
            yield cases.Case(title=title, body=body, answer=())


def _is_open(path: tuple[Any, ...]) -> bool:
    """Without a name we do not take an object, whatever a server would call it."""
    return (
        bool(path) and path[0] not in ("apiVersion", "kind") and path[:2] != ("metadata", "name")
    )


def _paths(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield here
    if isinstance(value, dict):
        steps = list(value.items())
    else:
        steps = list(enumerate(value)) if isinstance(value, list) else []
    for key, inner in steps:
        yield from _paths(inner, (*here, key))
