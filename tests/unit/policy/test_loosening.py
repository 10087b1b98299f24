"""What counts as a loosening: by form, anything but added denials."""

from typing import Any

import pytest

import builders
import rulebooks
from fleet.policy import loosening

PARAM_KIND = {"apiVersion": "v1", "kind": "ConfigMap"}
POLICY = rulebooks.policy("true", paramKind=PARAM_KIND)
BOUND = rulebooks.binding()
SETTINGS = builders.body("settings", data={"a": "b"})
BEFORE = (POLICY, BOUND, SETTINGS)


def loosened(*after: dict[str, Any]) -> tuple[str, ...]:
    return loosening.loosenings(rulebooks.parsed(*BEFORE), rulebooks.parsed(*after))


def test_the_same_rules_are_no_loosening() -> None:
    assert loosened(*BEFORE) == ()
    assert loosened(*reversed(BEFORE)) == ()


def test_an_added_denial_is_none() -> None:
    added = (rulebooks.policy("false", name="more"), rulebooks.binding("more"))
    assert loosened(*BEFORE, *added) == ()
    assert loosened(*BEFORE, rulebooks.binding("again", policyName="rule")) == ()


@pytest.mark.threat(36)
@pytest.mark.parametrize(
    ("after", "said"),
    [
        ((BOUND, SETTINGS), "policy rule is gone"),
        ((POLICY, SETTINGS), "binding rule is gone"),
        ((POLICY, BOUND), "parameter ConfigMap shop/settings is gone"),
        (
            (rulebooks.policy("false", paramKind=PARAM_KIND), BOUND, SETTINGS),
            "policy rule is changed",
        ),
        ((POLICY, rulebooks.binding("rule", "Warn"), SETTINGS), "binding rule is changed"),
        ((POLICY, rulebooks.binding(environments="dev"), SETTINGS), "binding rule is changed"),
        (
            (POLICY, BOUND, builders.body("settings", data={"a": "c"})),
            "parameter ConfigMap shop/settings is changed",
        ),
        (
            (*BEFORE, builders.body("more")),
            "parameter ConfigMap shop/more is new to policies that were there",
        ),
        (
            (*BEFORE, rulebooks.binding("soft", "Audit", policyName="rule")),
            "binding soft is new and does not deny",
        ),
    ],
)
def test_every_other_change_is_one(after: tuple[dict[str, Any], ...], said: str) -> None:
    assert said in loosened(*after)
