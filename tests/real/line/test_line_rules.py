"""Rules on the real line: what the gate says, the cluster says too; what was waived comes back by the clock."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import lines
import repositories

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240, func_only=True)]
POLICY = "policies/polite.yaml"
_ADMISSION = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"


def installed(line: lines.Line, name: str) -> str:
    """The line's own policy under another name, marked, and bound to the line's namespace alone."""
    text = lines.POLICY.replace(
        "polite}", f"{name}, annotations: {{fleetgate.dev/install: 'true'}}}}", 1
    )
    text = text.replace("metadata: {name: polite}", f"metadata: {{name: {name}}}")
    selector = f"{{namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {line.namespace}}}}}}}"
    return text.replace(
        "{policyName: polite, ", f"{{policyName: {name}, matchResources: {selector}, "
    )


async def test_gate_and_cluster_say_the_same(line: lines.Line):
    name = f"polite-{line.namespace}"
    await line.open(files={POLICY: installed(line, name)})
    station = await line.join("dev-1")
    await line.healthy(line.git.tip())
    owner = station.owner
    assert await owner.read(f"{_ADMISSION}/{name}") is not None

    async def refusal() -> str:
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "by-hand"},
            "data": {"word": "rude"},
        }
        status, found = await owner.ask(
            "POST", f"/api/v1/namespaces/{line.namespace}/configmaps?dryRun=All", body
        )
        return str(found["message"]) if status >= 400 else ""

    said = await line.until("the cluster refuses it", refusal)
    assert name in said
    bad = line.commit(line.app(a="rude"))
    decision = await line.judged(bad, "refused")
    (found,) = [each for each in decision.findings if each.rule == name]
    assert said.endswith(found.message)
    line.git.run("revert", "--no-edit", "HEAD")
    await line.healthy(line.push("dev"))
    await line.healthy(line.commit({POLICY: lines.POLICY}))
    assert await owner.read(f"{_ADMISSION}/{name}") is None


async def test_what_was_waived_is_back_when_the_waiver_ends(line: lines.Line):
    await line.open()
    await line.join("dev-1")
    ends = datetime.now(UTC) + timedelta(seconds=15)
    waiver = repositories.waiver_text(
        rules=["polite"],
        objects=[{"kind": "ConfigMap", "namespace": line.namespace, "name": "a"}],
        expires=ends.isoformat(),
    )
    await line.judged(line.commit({"environments/dev/w.yaml": waiver}), "accepted")
    await line.judged(line.commit(line.app(a="rude")), "accepted")

    async def severities() -> list[str]:
        found = await line.ask("audit violations", rule="polite", open=True)
        return [each["severity"] for each in found["violations"]]

    assert await severities() == ["waived"]

    async def is_back() -> Any:
        return await severities() == ["deny"]

    await line.until("it is back", is_back, seconds=60)
    assert datetime.now(UTC) >= ends
    (dev,) = (await line.ask("status"))["environments"]
    assert [each["ended"] for each in dev["waivers"]] == [True]
    await line.judged(line.commit(line.app(a="rude", b="other")), "refused")
