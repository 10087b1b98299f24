"""The stage of real parts: git, API servers, and the very commands that a person would type."""

import asyncio
import contextlib
import json
import shutil
import sys
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fleet.adapters import clock
from fleet.adapters.http import admin
from fleet.adapters.kubernetes import access, cluster
from fleet.cli.commands import init
from fleet.cli.demo.stage import Ended, Player
from fleet.lab import processes
from fleet.model import errors, objects
from fleet.ports import cluster as ports

_DEPLOYMENTS = ports.Resource(
    group="apps",
    version="v1",
    kind="Deployment",
    plural="deployments",
    namespaced=True,
    versions=("v1",),
)
_CONFIGMAPS = ports.Resource(
    group="",
    version="v1",
    kind="ConfigMap",
    plural="configmaps",
    namespaced=True,
    versions=("v1",),
)
_KINDS = {"Deployment": _DEPLOYMENTS, "ConfigMap": _CONFIGMAPS}
_FORBIDDEN = """apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {{name: forbidden}}
spec:
  matchConstraints:
    resourceRules:
      - {{apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}}
  validations:
    - expression: "!object.spec.template.spec.containers.exists(c, c.image.contains('{image}'))"
      message: {image} does not run here
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {{name: forbidden}}
spec: {{policyName: forbidden, validationActions: [Deny]}}
"""
AGENT = Path(init.__file__).parents[3] / "deploy" / "agent"


@dataclass(slots=True, kw_only=True)
class Real:
    """`kubeconfigs` by cluster are the owner's; agents get their ServiceAccount's token."""

    folder: Path
    kubeconfigs: Mapping[str, Path]
    kubectl: Path
    environment: Mapping[str, str]
    children: processes.Children
    hub_url: str = ""
    ports: dict[str, cluster.ApiServer] = field(default_factory=dict)
    kind: str = "real git, real API servers, kwok playing the kubelets"

    @property
    def state(self) -> Path:
        return self.folder / "hub"

    @property
    def clone(self) -> Path:
        return self.folder / "fleet"

    async def open(self) -> None:
        """The repository is written and the hub runs."""
        await self._fleet("init", str(self.clone))
        # A newcomer's git may not know yet who commits, neither here nor in `fleet promote`.
        for setting, value in (("user.name", "demo"), ("user.email", "demo@example.com")):
            await self._git("-C", str(self.clone), "config", setting, value)
        await self._git("init", "--quiet", "--bare", "--initial-branch=dev", str(self.origin))
        await self._git("-C", str(self.clone), "remote", "add", "origin", str(self.origin))
        await self._git(
            "-C", str(self.clone), "push", "--quiet", "origin", "dev", "staging", "prod"
        )
        (self.folder / "hub.pub").write_text(
            (await self._fleet("hub", "key", "--state", str(self.state))).text
        )
        log = self._start(
            "hub", "hub", "--repo", str(self.origin), "--state", str(self.state),
            "--listen", "127.0.0.1:0", "--poll", "0.5", "--log-format", "text",
        )  # fmt: skip
        self.hub_url = await _announced(log)

    @property
    def origin(self) -> Path:
        return self.folder / "fleet.git"

    async def close(self) -> None:
        for port in self.ports.values():
            await port.aclose()

    def now(self) -> float:
        return time.monotonic()

    def moment(self, seconds: float) -> datetime:
        return clock.SystemClock().now() + timedelta(seconds=seconds)

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def enroll(self, player: Player) -> str:
        labels = [word for k, v in player.labels.items() for word in ("--label", f"{k}={v}")]
        ended = await self._fleet(
            "agent", "enroll", "--cluster", player.name, "--environment", player.environment,
            "--hub", self.hub_url, "--hub-key", str(self.folder / "hub.pub"),
            "--kubeconfig", str(self.kubeconfigs[player.name]), *labels,
        )  # fmt: skip
        return ended.text

    async def start_agent(self, player: Player) -> None:
        """With the rights of deploy/agent and no others: the token is that of its ServiceAccount."""
        await self._kubectl(player, "apply", "-f", str(AGENT / "namespace.yaml"))
        await self._kubectl(
            player, "apply", "-n", "fleetgate-system", "-f", str(AGENT / "access.yaml")
        )
        token = await self._kubectl(
            player, "create", "token", "agent", "-n", "fleetgate-system", "--duration=24h"
        )
        own = _as_agent(self.kubeconfigs[player.name], token.strip(), self.folder / "agents")
        self._start(
            f"agent-{player.name}",
            "agent",
            "run",
            "--kubeconfig",
            str(own),
            "--log-format",
            "text",
        )

    async def commit(
        self, branch: str, files: Mapping[str, str | None], message: str, author: str
    ) -> str:
        await self._switch(branch)
        for path, text in files.items():
            target = self.clone / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                target.unlink()
            else:
                target.write_text(text)
        await self._git("-C", str(self.clone), "add", "--all")
        await self._git(
            "-C", str(self.clone), "commit", "--quiet", "--author", author, "-m", message
        )
        return await self._push(branch)

    async def read(self, branch: str, path: str) -> str:
        await self._switch(branch)
        return (self.clone / path).read_text()

    async def revert(self, branch: str, author: str) -> str:
        await self._switch(branch)
        await self._git("-C", str(self.clone), "revert", "--no-edit", "HEAD")
        await self._git(
            "-C", str(self.clone), "commit", "--quiet", "--amend", "--no-edit", "--author", author
        )
        return await self._push(branch)

    async def check(self, branch: str) -> Ended:
        await self._switch(branch)
        return await self._fleet("check", str(self.clone), is_fine=(0, 1))

    async def promote(self, source: str, target: str) -> Ended:
        return await self._fleet(
            "promote", source, target, "--dir", str(self.clone), is_fine=(0, 1)
        )

    async def new_key(self, person: str) -> str:
        file = self._key(person)
        file.parent.mkdir(exist_ok=True)
        await self._run(
            ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", person, "-f", str(file)), (0,)
        )
        return file.with_suffix(".pub").read_text().strip()

    def _key(self, person: str) -> Path:
        return self.folder / "keys" / person

    async def sign_trust(self, environment: str, text: str, person: str) -> str:
        file = self.folder / "keys" / f"{environment}.yaml"
        file.write_text(text)
        await self._fleet("trust", "sign", str(file), "--key", str(self._key(person)))
        return file.with_suffix(".sig").read_text()

    async def approve(self, environment: str, person: str) -> Ended:
        return await self._fleet(
            "approve", environment, "--dir", str(self.clone), "--yes",
            "--key", str(self._key(person)), "--hub", self.hub_url,
        )  # fmt: skip

    async def rollback(self, environment: str, reason: str) -> Ended:
        return await self._fleet(
            "rollback", environment, "--reason", reason, "--dir", str(self.clone),
            "--state", str(self.state), is_fine=(0, 1),
        )  # fmt: skip

    async def replay(self, record: str) -> Ended:
        return await self._fleet(
            "audit", "replay", record, "--state", str(self.state), is_fine=(0, 1)
        )

    async def ask(self, command: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return await admin.ask(self.state / "fleet.sock", command, arguments)

    async def live(
        self, player: Player, kind: str, namespace: str, name: str
    ) -> dict[str, Any] | None:
        if player.name not in self.ports:
            found = access.found(self.kubeconfigs[player.name], "")
            self.ports[player.name] = cluster.ApiServer(found)
        resource = _KINDS[kind]
        key = objects.Key(group=resource.group, kind=kind, namespace=namespace, name=name)
        answer = await self.ports[player.name].read(resource, key)
        return dict(answer.live) if answer.live else None

    async def scale(self, player: Player, namespace: str, name: str, replicas: int) -> None:
        await self._kubectl(
            player, "scale", "deployment", name, "-n", namespace, f"--replicas={replicas}"
        )

    async def forbid(self, player: Player, image: str) -> None:
        file = self.folder / "forbidden.yaml"
        file.write_text(_FORBIDDEN.format(image=image))
        await self._kubectl(player, "apply", "-f", str(file))

    def _start(self, name: str, *words: str) -> Path:
        """A long-running command of fleet; its log."""
        log = self.folder / "logs" / f"{name}.log"
        log.parent.mkdir(exist_ok=True)
        environment = {**self.environment, "NO_COLOR": "1"}
        self.children.start(
            processes.Program(name=name, words=(*_FLEET, *words), log=log, environment=environment)
        )
        return log

    async def _switch(self, branch: str) -> None:
        await self._git("-C", str(self.clone), "switch", "--quiet", branch)
        await self._git("-C", str(self.clone), "pull", "--quiet", "--ff-only", "origin", branch)

    async def _push(self, branch: str) -> str:
        await self._git("-C", str(self.clone), "push", "--quiet", "origin", branch)
        return (await self._git("-C", str(self.clone), "rev-parse", "HEAD")).strip()

    async def _kubectl(self, player: Player, *words: str) -> str:
        kubeconfig = ("--kubeconfig", str(self.kubeconfigs[player.name]))
        return (await self._run((str(self.kubectl), *kubeconfig, *words), (0,))).text

    async def _git(self, *words: str) -> str:
        program = shutil.which("git", path=self.environment.get("PATH")) or "git"
        return (await self._run((program, *words), (0,))).text

    async def _fleet(self, *words: str, is_fine: tuple[int, ...] = (0,)) -> Ended:
        return await self._run((*_FLEET, *words), is_fine)

    async def _run(self, words: tuple[str, ...], is_fine: tuple[int, ...]) -> Ended:
        process = await asyncio.create_subprocess_exec(
            *words,
            env={**self.environment, "NO_COLOR": "1"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, said = await process.communicate()
        code = process.returncode or 0
        if code not in is_fine:
            shown = " ".join(words[-6:])
            raise errors.UnreachableError(f"{shown}: {said.decode('utf-8', 'replace').strip()}")
        return Ended(code=code, text=out.decode("utf-8", "replace"))


_FLEET = (sys.executable, "-m", "fleet.cli.main")


@contextlib.asynccontextmanager
async def staged(
    folder: Path,
    kubeconfigs: Mapping[str, Path],
    kubectl: Path,
    environment: Mapping[str, str],
) -> AsyncIterator[Real]:
    folder.mkdir(parents=True, exist_ok=True)
    children = processes.Children(folder / "programs.jsonl")
    stage = Real(
        folder=folder,
        kubeconfigs=kubeconfigs,
        kubectl=kubectl,
        environment=environment,
        children=children,
    )
    try:
        await stage.open()
        yield stage
    finally:
        await stage.close()
        await children.stop()


async def _announced(log: Path) -> str:
    """The URL of the hub, as its first line says it."""
    for _ in range(600):
        for line in log.read_text().splitlines() if log.exists() else ():
            if line.startswith("hub on port "):
                return f"http://127.0.0.1:{line.split()[3].rstrip(',')}"
        await asyncio.sleep(0.1)
    raise errors.UnreachableError(f"the hub does not start: see {log}")


def _as_agent(kubeconfig: Path, token: str, folder: Path) -> Path:
    """The same server, with the agent's token instead of the owner's certificate."""
    folder.mkdir(parents=True, exist_ok=True)
    document = json.loads(kubeconfig.read_text())
    document["users"] = [
        {"name": user["name"], "user": {"token": token}} for user in document["users"]
    ]
    own = folder / kubeconfig.name
    own.touch(mode=0o600)
    own.write_text(json.dumps(document))
    return own
