"""One cluster of a lab: its keys, its API server, and for a full one the controllers and a played node.

A light cluster has no controllers: Deployments make no Pods, there is no `default` service account, and deleted
Namespaces stay Terminating for ever. It is enough for most tests and ready in three seconds.
"""

import base64
import json
import re
from dataclasses import dataclass
from pathlib import Path

from fleet.lab import api, certificates, processes, programs
from fleet.model import errors

_SECONDS_TO_START = 120.0  # several at once on two busy cores; one alone needs three
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    name: str
    url: str
    kubeconfig: Path  # with the administrator's key in it
    version: str  # as the server says it, "v1.36.3"
    full: bool  # has controllers, a scheduler and a node


def check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise errors.InputError(
            f"{name!r} cannot name a cluster", hint="use small letters, digits and dashes"
        )


async def start(
    ground: programs.Ground,
    name: str,
    server: processes.Program,
    children: processes.Children,
    *,
    url: str,
    full: bool,
) -> Cluster:
    """Raises errors.UnreachableError with the last words of a program that does not start."""
    folder = ground.cluster(name)
    kubeconfig = _write_keys(folder, name, url)
    asked = api.Api(url=url, trust=api.trust(folder))
    await serve(server, children, asked)
    if full:
        await _staff(ground, name, children, asked)
    version = await asked.version()
    return Cluster(name=name, url=url, kubeconfig=kubeconfig, version=version, full=full)


async def serve(server: processes.Program, children: processes.Children, asked: api.Api) -> None:
    await processes.until(asked.is_ready, children.start(server), _SECONDS_TO_START)


async def _staff(
    ground: programs.Ground, name: str, children: processes.Children, asked: api.Api
) -> None:
    staff = [children.start(program) for program in programs.workers(ground, name)]
    await processes.until(asked.has_node, staff[-1], _SECONDS_TO_START)


def _write_keys(folder: Path, name: str, url: str) -> Path:
    """The folder as programs.py names its files; the path of the kubeconfig."""
    folder.mkdir(parents=True)
    authority = certificates.authority(name)
    server = authority.server("kube-apiserver", "kubernetes.default.svc")
    admin = authority.client(f"admin@{name}", group="system:masters")
    (folder / "ca.crt").write_bytes(authority.certificate)
    certificates.write_pair(folder, "server", server)
    certificates.write_pair(folder, "admin", admin)
    certificates.write_secret(folder / "tokens.key", certificates.signing_key())
    content = json.dumps(_kubeconfig(name, url, authority.certificate, admin), indent=2)
    return certificates.write_secret(folder / "kubeconfig", content.encode())


def _kubeconfig(
    name: str, url: str, authority: bytes, admin: certificates.Pair
) -> dict[str, object]:
    """JSON is YAML too, and every reader of kubeconfigs takes it."""
    cluster = {"server": url, "certificate-authority-data": _base64(authority)}
    user = {
        "client-certificate-data": _base64(admin.certificate),
        "client-key-data": _base64(admin.key),
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": f"admin@{name}", "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": f"admin@{name}"}}],
        "current-context": name,
    }


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
