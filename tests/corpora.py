"""Fleets made of real manifests: public projects as published, which nobody wrote for our policies."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

import lines
import repositories
from fleet.model import findings, health, ledger, messages

_ROOT = Path(__file__).resolve().parents[1]
_RIGHTS = "/apis/rbac.authorization.k8s.io/v1"
_ACCESS = {
    "ServiceAccount": "/api/v1/namespaces/fleetgate-system/serviceaccounts",
    "ClusterRole": f"{_RIGHTS}/clusterroles",
    "ClusterRoleBinding": f"{_RIGHTS}/clusterrolebindings",
}
_PATIENCE = 60.0  # seconds, for a whole application to become Current


def read(shared: Path, name: str) -> dict[str, bytes]:
    """An application's files below apps/; empty ones stand in for scripts that the corpus lacks."""
    folder = shared / "corpus" / name
    if not folder.is_dir():
        pytest.skip(f"there is no {name} in {folder.parent}")
    paths = [each for each in sorted(folder.rglob("*")) if each.is_file()]
    found = {f"apps/{each.relative_to(folder.parent)}": each.read_bytes() for each in paths}
    for path in [each for each in found if each.endswith("/kustomization.yaml")]:
        (document,) = repositories.parsed(found[path], path).documents
        for generator in document.value.get("configMapGenerator", []):
            for file in generator.get("files", []):
                found.setdefault(f"{path.rpartition('/')[0]}/{file}", b"")
    return found


_FIRST = (
    "allowed-registries", "disallow-default-namespace", "disallow-host-namespaces", "disallow-latest-tag",
    "disallow-privileged", "require-labels", "require-replicas-in-prod", "require-requests-and-limits",
    "require-run-as-non-root",
)  # fmt: skip


def library(*, warn: Iterable[str] = ()) -> dict[str, bytes]:
    """Nine of the ready policies, enough to find something everywhere; those named only warn."""
    folders = [_ROOT / "policies" / name for name in _FIRST]
    paths = [p for folder in folders for p in sorted(folder.rglob("*")) if p.is_file()]
    found = {each.relative_to(_ROOT).as_posix(): each.read_bytes() for each in paths}
    for name in warn:
        path = f"policies/{name}/policy.yaml"
        assert found[path].count(b"validationActions: [Deny]") == 1
        found[path] = found[path].replace(b"[Deny]", b"[Warn]")
    return found


def places(found: Iterable[findings.Finding]) -> set[tuple[str, str]]:
    return {(each.rule, str(each.place)) for each in found}


def rules(found: Iterable[findings.Finding]) -> Counter[str]:
    return Counter(each.rule for each in found)


@dataclass
class Fleet(lines.Line):
    """A line with the ready policies and nothing else in its repository."""

    async def open(self, *environments: str, files: Mapping[str, str | bytes] | None = None):
        self.environments = environments
        first, *others = environments
        self._git = repositories.Git(self.folder / "fleet", first)
        said = {"fleet.yaml": lines.fleet_yaml(*environments)}
        self.git.commit({**said, **library(), **(files or {})}, "the fleet")
        for branch in others:
            self.git.run("branch", branch)
        head = f"--initial-branch={first}"
        self.git.run("init", "--quiet", "--bare", head, str(self.origin))
        self.git.run("remote", "add", "origin", str(self.origin))
        self.git.run("push", "--quiet", "origin", *environments)
        await self.start_hub()

    async def join(
        self, name: str, environment: str = "dev", labels: Mapping[str, str] | None = None
    ) -> lines.Station:
        """With the rules in force, so that what comes next is judged by them."""
        station = await super().join(name, environment, labels)
        await self.judged(self.git.tip(environment), "accepted", environment)
        return station

    async def enroll(
        self, name: str, environment: str, labels: Mapping[str, str] | None = None
    ) -> lines.Station:
        """The agent has the rights that deploy/agent gives it, and no others."""
        station = await super().enroll(name, environment, labels)
        access = repositories.parsed((_ROOT / "deploy" / "agent" / "access.yaml").read_bytes())
        for each in access.documents:
            path = f"{_ACCESS[each.value['kind']]}/{each.value['metadata']['name']}"
            await station.owner.own(path, each.value, "kubectl")
        asked = f"{_ACCESS['ServiceAccount']}/agent/token"
        made = await station.owner.must("POST", asked, {"spec": {"expirationSeconds": 86400}})
        station.kubeconfig = self._kubeconfig(station, made["status"]["token"])
        return station

    def _kubeconfig(self, station: lines.Station, token: str) -> Path:
        document = json.loads(station.kubeconfig.read_text())
        for each in document["users"]:
            each["user"] = {"token": token}
        own = self.folder / f"{station.name}.kubeconfig"
        own.write_text(json.dumps(document))
        return own

    def promote(self, source: str, target: str) -> str:
        """As a forge's merge button does."""
        self.git.run("switch", "--quiet", target)
        self.git.run("merge", "--quiet", "--no-ff", "-m", f"{source} to {target}", source)
        return self.push(target)

    async def current(self, station: lines.Station, commit: str) -> messages.Report:
        """The report on this commit's release, once each of its objects is applied and Current."""

        def found() -> messages.Report | None:
            self._check_not_refused(station, commit)
            release = self.rows.in_force(station.environment)
            row = self.rows.clusters.get(station.name)
            report = row.report if row else None
            is_it = release and release.commit == commit and release.healthy
            is_said = report and release and report.release == release.number
            return report if is_it and is_said and not report.outcomes else None

        report = await self.until(
            f"{station.name} is Current with {commit[:10]}", found, _PATIENCE
        )
        assert (report.applied, report.health) == (True, health.Health.CURRENT)
        assert report.objects == len(station.agent.wanted)
        assessed = {each.health for key, each in station.agent.assessed.items()}
        assert assessed == {health.Health.CURRENT}
        assert station.agent.assessed.keys() >= station.agent.wanted.keys()
        return report

    def _check_not_refused(self, station: lines.Station, commit: str) -> None:
        decision = self.decision(station.environment)
        if decision and decision.commit == commit and decision.verdict is ledger.Verdict.REFUSED:
            said = [f"{each.place}: {each.rule}: {each.message}" for each in decision.findings]
            raise AssertionError("\n".join(["it is refused", *said]))

    def told(self) -> str:
        """With every object that is not Current, and why."""
        said = [super().told()]
        for each in self.stations.values():
            if each.state is not None:
                said += [
                    f"{each.name}: {k}: {a}" for k, a in each.state.assessed.items() if a.reason
                ]
        return "\n".join(said)


def kinds(station: lines.Station) -> Counter[str]:
    return Counter(key.kind for key in station.agent.wanted)


def severities(found: Iterable[findings.Finding]) -> Counter[str]:
    return Counter(each.severity.value for each in found)
