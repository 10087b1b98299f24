"""What fleet.yaml may not ask for."""

from typing import Any

import pytest

from fleet.manifests import asking
from fleet.model import kinds

UNHEARD: dict[str, tuple[dict[str, Any], str]] = {
    "rollback": ({"rollout": {"onFailure": "rollback"}}, "onFailure"),
    "hotfix": ({"hotfix": {"paths": ["apps/**"], "approvals": [{"group": "a"}]}}, "approvals"),
}


def fleet(**spec: Any) -> kinds.Fleet:
    return kinds.Fleet.model_validate(
        {
            "apiVersion": kinds.API_VERSION,
            "kind": "Fleet",
            "metadata": {"name": "small"},
            "spec": {"environments": [{"name": "prod", **spec}]},
        }
    )


@pytest.mark.parametrize(("spec", "field"), UNHEARD.values(), ids=UNHEARD.keys())
def test_what_nobody_acts_on_is_refused(spec: dict[str, Any], field: str):
    ((where, message),) = asking.faults(fleet(**spec))
    assert where[-1] == field
    assert "does not act on it" in message


def test_what_is_acted_on_is_not():
    assert not list(
        asking.faults(
            fleet(
                waves=[
                    {
                        "name": "all",
                        "size": "25%",
                        "maxUnavailable": "1",
                        "soak": "1h",
                        "approvals": [{"group": "sre"}],
                    }
                ],
                rollout={"onFailure": "stop", "deadline": "1h", "brokenFirst": True},
                hotfix={"paths": ["apps/**"]},
                gates={"soak": "1h"},
            )
        )
    )
