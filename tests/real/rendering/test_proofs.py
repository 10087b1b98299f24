"""A proof that held is not verified again; any other word of the document makes it another proof."""

from pathlib import Path
from typing import Any

import pytest

import builders
from fleet.adapters.store import memo
from fleet.local import proofs
from fleet.model import kinds, names

DEV = names.Environment("dev")


@pytest.mark.threat(21)
@pytest.mark.threat(106)
@pytest.mark.parametrize("field", ["uid", "publicKey", "proof", "name", "environment"])
async def test_only_the_very_same_proof_is_believed(tmp_path: Path, field: str):
    kept = memo.Memo(tmp_path / "memo.sqlite")
    one, other = (builders.cluster(name, uid=f"uid-{name}") for name in ("a", "b"))

    async def found(cluster: kinds.Cluster, environment: names.Environment = DEV) -> list[str]:
        told = await proofs.check([builders.declaration(cluster)], environment, kept)
        return [each.message for each in told]

    assert await found(one) == []
    assert await found(one) == []
    changed: dict[str, Any] = {
        "uid": {"uid": "another"},
        "publicKey": {"public_key": other.spec.public_key},
        "proof": {"proof": other.spec.proof},
    }.get(field, {})
    copied = one.model_copy(update={"spec": one.spec.model_copy(update=changed)})
    if field == "name":
        copied = one.model_copy(update={"metadata": other.metadata})
    elsewhere = names.Environment("prod") if field == "environment" else DEV
    for _ in range(2):
        (said,) = await found(copied, elsewhere)
        assert said.startswith("proof does not hold")
    kept.close()
