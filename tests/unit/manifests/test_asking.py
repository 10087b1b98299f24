"""What fleet.yaml may not ask for."""

from typing import Any

import pytest

from fleet.manifests import asking
from fleet.model import kinds

UNHEARD: dict[str, tuple[dict[str, Any], str]] = {
    "size": ({"waves": [{"name": "all", "size": "25%"}]}, "size"),
    "maxUnavailable": ({"waves": [{"name": "all", "maxUnavailable": "1"}]}, "maxUnavailable"),
    "soak": ({"waves": [{"name": "all", "soak": "1h"}]}, "soak"),
    "approvals": ({"waves": [{"name": "all", "approvals": [{"group": "sre"}]}]}, "approvals"),
    "rollout": ({"rollout": {"onFailure": "rollback"}}, "rollout"),
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
            fleet(waves=[{"name": "all"}], hotfix={"paths": ["apps/**"]}, gates={"soak": "1h"})
        )
    )
