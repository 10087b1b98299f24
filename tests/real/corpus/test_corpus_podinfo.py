"""podinfo with its overlays: what our policies find in it, mended by patches, then dev and prod."""

import textwrap
from pathlib import Path

import pytest

import corpora
import repositories

BASES = "apps/podinfo/deploy/bases"
# Where each says who its containers run as, or its container begins.
WORKLOADS = {
    "backend/deployment": "25:9", "cache/deployment": "15:11", "database/cronjob-backup-daily": "25:13",
    "database/cronjob-rollup-daily": "25:13", "database/cronjob-rollup-weekly": "25:13",
    "database/deployment-replica": "27:9", "database/statefulset-primary": "24:9",
    "frontend/cronjob-warm-cache": "45:13", "frontend/deployment": "26:9",
}  # fmt: skip
# Only one says how many it wants; the others get one by default.
SCALED = {
    **{each: "6:3" for each in WORKLOADS if each.endswith(("deployment", "replica"))},
    "database/statefulset-primary": "7:13",
}

# What a cluster without a provisioner needs: podinfo's database claims a volume.
STORAGE = {
    "apps/storage/bundle.yaml": repositories.bundle_text("storage"),
    "apps/storage/volume.yaml": textwrap.dedent("""\
        apiVersion: v1
        kind: PersistentVolume
        metadata: {name: podinfo-database}
        spec:
          capacity: {storage: 1Gi}
          accessModes: [ReadWriteOnce]
          hostPath: {path: /data}
        """),
}
COMPONENT = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
HARDENED = COMPONENT + textwrap.dedent("""\
    labels:
    - pairs: {app.kubernetes.io/name: podinfo}
    patches:
    - target: {kind: Deployment|StatefulSet}
      patch: |-
        - op: add
          path: /spec/template/spec/securityContext
          value: {runAsNonRoot: true, runAsUser: 1000}
    - target: {kind: CronJob}
      patch: |-
        - op: add
          path: /spec/jobTemplate/spec/template/spec/securityContext
          value: {runAsNonRoot: true, runAsUser: 1000}
    """)
DOUBLED = COMPONENT + textwrap.dedent("""\
    patches:
    - target: {kind: Deployment|StatefulSet}
      patch: |-
        - op: add
          path: /spec/replicas
          value: 2
    """)


def overlay(stage: str, name: str, *components: str) -> dict[str, str]:
    """One of podinfo's overlays for the clusters of a stage."""
    folder = f"apps/podinfo-{stage}"
    listed = ", ".join(f"../{each}" for each in components)
    built = f"resources: [../podinfo/deploy/overlays/{name}]\ncomponents: [{listed}]\n"
    targets = f"{{targets: {{matchLabels: {{stage: {stage}}}}}}}"
    return {
        f"{folder}/bundle.yaml": repositories.bundle_text(f"podinfo-{stage}", targets),
        f"{folder}/kustomization.yaml": built,
    }


@pytest.fixture
def podinfo(shared: Path) -> dict[str, bytes | str]:
    """As published, for both stages."""
    found = corpora.read(shared, "podinfo")
    return {**found, **overlay("dev", "dev"), **overlay("prod", "production")}


async def test_podinfo_from_a_refusal_to_prod(
    line: corpora.Fleet, podinfo: dict[str, bytes | str]
):
    await line.open("dev", "prod", files=STORAGE)
    dev = await line.join("dev-1", labels={"stage": "dev"})
    prod = await line.join("prod-1", "prod", {"stage": "prod"})

    refused = await line.judged(line.commit(podinfo), "refused")
    assert corpora.places(refused.findings) == {
        *(("require-labels", f"{BASES}/{each}.yaml:4:3") for each in WORKLOADS),
        *(("require-run-as-non-root", f"{BASES}/{e}.yaml:{at}") for e, at in WORKLOADS.items()),
    }
    assert len(refused.findings) == 18
    assert {each.clusters for each in refused.findings} == {("dev-1",)}
    assert "frontend" not in {key.name for key in dev.agent.wanted}

    mended = {
        "apps/hardened/kustomization.yaml": HARDENED,
        **overlay("dev", "dev", "hardened"),
        **overlay("prod", "production", "hardened"),
    }
    report = await line.current(dev, line.commit(mended))
    assert report.objects == 26

    refused = await line.judged(line.promote("dev", "prod"), "refused", "prod")
    assert corpora.places(refused.findings) == {
        ("require-replicas-in-prod", f"{BASES}/{each}.yaml:{at}") for each, at in SCALED.items()
    }
    assert len(refused.findings) == 5

    doubled = {
        "apps/doubled/kustomization.yaml": DOUBLED,
        **overlay("prod", "production", "hardened", "doubled"),
    }
    line.git.run("switch", "--quiet", "dev")
    await line.current(dev, line.commit(doubled))
    report = await line.current(prod, line.promote("dev", "prod"))
    assert report.objects == 26
    live = await prod.owner.read("/apis/apps/v1/namespaces/production/deployments/cache")
    assert live is not None
    assert live["status"]["availableReplicas"] == 2
