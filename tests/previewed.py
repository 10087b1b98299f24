"""A fleet repository with three environments for previews: small, real git, registered clusters."""

import json
from collections.abc import Mapping
from pathlib import Path

import repositories
from commands import ROOT, Ended, fleet
from fleet.model import leaving, names, pacing
from fleet.plan import rollout
from fleet.protocol import enrolment, keys

FLEET = """
apiVersion: fleetgate.dev/v1alpha1
kind: Fleet
metadata: {name: example}
spec:
  environments:
  - name: dev
  - name: staging
    waves:
    - {name: canary, selector: {matchLabels: {canary: "yes"}}}
    - {name: rest}
  - name: prod
    gates:
      soak: 24h
      approvals: [{group: release-managers, count: 2}]
"""
WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "example.com/web:1.0"}
"""
SPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
POLICY = (ROOT / "policies/disallow-latest-tag/policy.yaml").read_text()


def cluster(environment: str, number: int, **labels: str) -> tuple[str, str]:
    name = f"{environment}-{number}"
    document = enrolment.document(
        cluster=names.Cluster(name),
        environment=names.Environment(environment),
        uid=f"00000000-0000-4000-8000-{number:012}",
        kubernetes_version="1.36",
        labels=labels,
        key=keys.generate(),
    )
    return f"clusters/{environment}/{name}.yaml", json.dumps(document, indent=1) + "\n"


def secret(word: str, name: str = "db") -> str:
    metadata = f"{{name: {name}, namespace: shop}}"
    data = f"stringData: {{password: {word}}}"
    return f"apiVersion: v1\nkind: Secret\nmetadata: {metadata}\n{data}\n"


def config(word: str, name: str = "settings") -> str:
    return repositories.config_map(name=name, namespace="shop", word=word)


def planted(folder: Path, fleet_yaml: str = FLEET) -> repositories.Git:
    """dev, staging (two clusters, one a canary), prod; all with the same shared paths."""
    git = repositories.Git(folder)
    git.commit(
        {
            "fleet.yaml": fleet_yaml,
            "policies/latest.yaml": POLICY,
            "apps/web/bundle.yaml": repositories.bundle_text("web"),
            "apps/web/space.yaml": SPACE,
            "apps/web/web.yaml": WEB,
            "apps/web/settings.yaml": config("hello"),
            "apps/web/old.yaml": config("old", "old"),
            "apps/web/secret.yaml": secret("first-canary-word"),
        }
    )
    for environment in ("staging", "prod", "dev"):
        if environment != "dev":
            git.run("branch", environment)
        git.run("switch", "--quiet", environment)
        git.commit(dict([cluster(environment, 1), cluster(environment, 2, canary="yes")]))
    return git


async def preview(git: repositories.Git, *words: str | Path) -> Ended:
    return await fleet("preview", "--dir", git.folder, *words)


def plan(
    *waves: tuple[names.Cluster, ...],
    retired: Mapping[names.Cluster, leaving.OnRemoval] | None = None,
) -> rollout.Plan:
    """Of waves that ask for nothing; of its slices nobody asks."""
    return rollout.Plan(
        environment=names.Environment("staging"),
        slices={},
        retired=retired or {},
        waves=waves,
        terms=tuple(pacing.Terms(wave=f"wave-{number}") for number, _ in enumerate(waves, 1)),
        slices_root=names.Root(""),
    )
