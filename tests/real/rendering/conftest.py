"""Real repositories, read and rendered by the hub's own stages."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

import repositories
from fleet.adapters.git import working
from fleet.adapters.render import kustomize as program
from fleet.adapters.store import memo
from fleet.judge import judging, readings, rendering
from fleet.lab import binaries
from fleet.manifests import layout
from fleet.model import errors, findings, ledger, names, objects


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One repository with its own memory."""

    git: repositories.Git
    local: working.Local
    memo: memo.Memo
    kustomize: program.Kustomize | None = None

    async def read(
        self, commit: names.CommitId | None = None, environment: str = "dev"
    ) -> readings.Reading:
        where = layout.Layout(environment=names.Environment(environment), owned=layout.OWNED)
        files = readings.Files(self.local, self.memo)
        return await readings.read(commit or self.git.tip(), where, self.local, files)

    def question(self) -> judging.Question:
        """Of the tip, in a fleet of dev alone in which nothing was accepted yet."""
        dev = names.Environment("dev")
        step = ledger.Step(environment=dev, branch=names.Branch("dev"))
        return judging.Question(
            environment=dev,
            commit=self.git.tip(),
            road=ledger.Road(steps=(step,), owned=layout.OWNED),
            base=None,
            upstream=None,
        )

    async def render(self, commit: names.CommitId | None = None) -> rendering.Rendered:
        reading = await self.read(commit)
        assert reading.findings == ()
        files = readings.Files(self.local, self.memo)
        kitchen = rendering.Kitchen(files=files, kustomize=self.kustomize, memo=self.memo)
        return await rendering.render(reading, kitchen)

    async def share(self, cluster: str = "dev-1") -> dict[str, objects.Manifest]:
        """What a cluster would run, of a repository that is sound."""
        rendered = await self.render()
        assert rendered.findings == ()
        return {str(each.key): each for each in rendered.manifests[names.Cluster(cluster)]}

    async def faults(self) -> list[findings.Finding]:
        return list(dict.fromkeys((await self.render()).findings))


RepositoryOf = Callable[[Mapping[str, str | bytes]], Reader]


@pytest.fixture
def repository_of(tmp_path: Path) -> Iterator[RepositoryOf]:
    """A repository of dev with these files beside fleet.yaml and one cluster."""
    opened: list[memo.Memo] = []

    def made(files: Mapping[str, str | bytes]) -> Reader:
        git = repositories.Git(tmp_path / "repository")
        always = {
            "fleet.yaml": repositories.FLEET,
            "clusters/dev/1.yaml": repositories.cluster_text(),
        }
        git.commit({**always, **files})
        opened.append(memo.Memo(tmp_path / "memo.sqlite"))
        return Reader(git=git, local=working.Local(git.folder), memo=opened[-1])

    yield made
    for each in opened:
        each.close()


@pytest.fixture(scope="session")
def kustomize() -> program.Kustomize:
    """The real program, built once into the cache."""
    cache = Path(os.environ.get("FLEETGATE_CACHE", Path.home() / ".cache" / "fleetgate"))
    try:
        built = binaries.ensure_kustomize(cache, print, environment=dict(os.environ))
    except errors.FleetError as error:
        pytest.skip(f"no kustomize: {error}")
    return program.Kustomize(built, "v5.7.1")
