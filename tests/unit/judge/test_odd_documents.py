"""Documents whose values are of a wrong type: a finding on that document, and all that is said of the others."""

from typing import Any

import pytest

import folderfuls
import rulebooks
import specimens
import wrongtypes

RULE = specimens.Many([rulebooks.policy("false", name="never")])
SOUND = specimens.of_kind("v1", "ConfigMap", "sound", data={})


def said(odd: Any, rules: Any = RULE, beside: Any = SOUND, name: str = "odd.yaml") -> list[str]:
    files = {name: odd, "sound.yaml": beside, "rules/rules.yaml": rules}
    found = wrongtypes.check_folder(wrongtypes.written(files))
    return [
        f"{each.place.path}: {each.severity.value} {each.rule}: {each.message}" for each in found
    ]


DENIED = "sound.yaml: deny never: failed expression: false"


@pytest.mark.parametrize("kind", [["x"], {"a": "b"}, None, 5, True, [], {}])
def test_a_kind_that_is_no_text(kind: Any) -> None:
    odd = {**SOUND, "kind": kind}
    expected = ["odd.yaml: deny manifest: kind is missing or not a kind's name", DENIED]
    assert said(odd) == expected


@pytest.mark.parametrize("kind", [["x"], {"a": "b"}])
def test_a_kind_that_is_no_text_in_a_fleet(kind: Any) -> None:
    path = "apps/web/a.yaml"
    odd = {**folderfuls.FLEET, path: {**SOUND, "kind": kind}}
    found = wrongtypes.check_fleet(wrongtypes.written(odd))
    assert [each.message for each in found if each.place.path == path] == [
        "kind is missing or not a kind's name"
    ]


def test_a_kind_of_one_letter_is_a_kind() -> None:
    assert said({**SOUND, "kind": "y"})[-1] == DENIED


@pytest.mark.parametrize(
    ("value", "said_of"),
    [
        (1e30, "number 1e+30"),
        (1000000000000000000000, "number 1e+21"),
        (2**31, "number 2147483648"),
        (1.5, "number 1.5"),
        (True, "bool"),
        ([1], "array"),
        ({"a": 1}, "object"),
    ],
)
def test_a_count_or_percentage_that_is_neither(value: Any, said_of: str) -> None:
    words = f"cannot unmarshal {said_of} into Go value of type int32"
    budget = specimens.of_kind("policy/v1", "PodDisruptionBudget", spec={"minAvailable": value})
    assert f"odd.yaml: deny schema: spec.minAvailable: {words}" in said(budget)
    rolling = {"rollingUpdate": {"maxUnavailable": value}}
    spec = {**specimens.WORKLOADS[1]["spec"], "strategy": rolling}
    deployment = specimens.of_kind("apps/v1", "Deployment", spec=spec)
    where = "spec.strategy.rollingUpdate.maxUnavailable"
    assert f"odd.yaml: deny schema: {where}: {words}" in said(deployment)


def test_a_whole_number_with_a_point_is_a_count() -> None:
    budget = specimens.of_kind("policy/v1", "PodDisruptionBudget", spec={"minAvailable": 1.0})
    assert not any("schema" in each for each in said(budget, name="odd.json"))
    budget["spec"]["minAvailable"] = -1.0
    message = "Invalid value: -1: must be greater than or equal to 0"
    assert f"odd.json: deny schema: spec.minAvailable: {message}" in said(budget, name="odd.json")


@pytest.mark.parametrize("name", [{"a": "b"}, ["x"], 5, None, True])
def test_a_binding_that_names_no_policy(name: Any) -> None:
    odd = rulebooks.binding("odd", policyName=name)
    found = said(SOUND, specimens.Many([*RULE, odd]), beside=specimens.OTHERS[0])
    assert any(
        each.startswith("rules/rules.yaml: not evaluated odd: spec.policyName") for each in found
    )
    assert "odd.yaml: deny never: failed expression: false" in found


@pytest.mark.parametrize("key", [["x"], {"a": "b"}, [], {}, 5, None])
def test_a_selector_whose_key_is_no_text(key: Any) -> None:
    selector = {"matchExpressions": [{"key": key, "operator": "In", "values": ["web"]}]}
    odd = specimens.of_kind("policy/v1", "PodDisruptionBudget", spec={"selector": selector})
    found = said(odd, beside=specimens.WORKLOADS[0])
    assert any(each.startswith("odd.yaml: deny schema") for each in found)
    assert "sound.yaml: deny never: failed expression: false" in found


@pytest.mark.parametrize("kind", [["x"], {"a": "b"}, None, 5])
def test_a_transformer_whose_kind_is_no_text(kind: Any) -> None:
    odd = {**folderfuls.KUSTOMIZATIONS, "base/t.yaml": {"apiVersion": "builtin", "kind": kind}}
    found = wrongtypes.check_folder(wrongtypes.written(odd))
    message = "a transformer that could run or read what nobody checked"
    assert [each.place.path for each in found if each.message == message] == ["base/t.yaml"]
