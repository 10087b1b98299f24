"""The words that start each program of a lab: tables and paths, nothing runs here.

All of them listen on the loopback only and want a certificate from whoever comes.
"""

from dataclasses import dataclass
from pathlib import Path

from fleet.lab import processes

_SERVICE_NETWORK = "10.96.0.0/16"
# Pods run at once; those labelled for kwok's chaos stages crash.
_STAGES = ("node/fast", "node/heartbeat-with-lease", "pod/fast", "pod/chaos")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the clusters of one lab share."""

    binaries: Path
    folder: Path

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def etcd(self) -> Path:
        return self.folder / "etcd"

    def cluster(self, name: str) -> Path:
        return self.folder / "clusters" / name


def etcd(ground: Ground, port: int) -> processes.Program:
    folder, url = ground.etcd, f"https://127.0.0.1:{port}"
    keys = (f"cert-file={folder}/server.crt", f"key-file={folder}/server.key")
    trust = (f"trusted-ca-file={folder}/ca.crt", "client-cert-auth")
    return _program(
        ground,
        "etcd",
        "etcd",
        "--name=lab",
        f"--data-dir={folder}/data",
        f"--listen-client-urls={url}",
        f"--advertise-client-urls={url}",
        "--listen-peer-urls=https://127.0.0.1:0",
        "--initial-advertise-peer-urls=https://127.0.0.1:0",
        "--initial-cluster=lab=https://127.0.0.1:0",
        *(f"--{word}" for word in (*keys, *trust)),
        *(f"--peer-{word}" for word in (*keys, *trust)),
        "--socket-reuse-port",  # the lab holds the port for it
        "--unsafe-no-fsync",  # nothing of a lab outlives it
        "--log-level=warn",
    )


def api_server(
    ground: Ground, name: str, *, port: int, etcd_port: int, full: bool
) -> processes.Program:
    folder = ground.cluster(name)
    return _program(
        ground,
        api_server_name(name),
        "kube-apiserver",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={port}",
        "--permit-port-sharing",  # the lab holds the port for it
        f"--tls-cert-file={folder}/server.crt",
        f"--tls-private-key-file={folder}/server.key",
        f"--client-ca-file={folder}/ca.crt",
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-signing-key-file={folder}/tokens.key",
        f"--service-account-key-file={folder}/tokens.key",
        f"--service-cluster-ip-range={_SERVICE_NETWORK}",
        "--endpoint-reconciler-type=none",  # no pod could reach it anyway
        "--allow-privileged",
        "--profiling=false",
        *_etcd_words(ground.etcd, etcd_port, name),
        *(() if full else ("--disable-admission-plugins=ServiceAccount",)),
    )


def api_server_name(cluster: str) -> str:
    return f"{cluster}.kube-apiserver"


def workers(ground: Ground, name: str) -> tuple[processes.Program, ...]:
    """What makes Pods of Deployments, gives them a node, and plays that node."""
    kubeconfig = f"--kubeconfig={ground.cluster(name)}/kubeconfig"
    return (
        _program(
            ground,
            f"{name}.kube-controller-manager",
            "kube-controller-manager",
            kubeconfig,
            f"--service-account-private-key-file={ground.cluster(name)}/tokens.key",
            f"--root-ca-file={ground.cluster(name)}/ca.crt",
            "--kube-api-qps=200",
            "--kube-api-burst=400",
            *_ALONE,
        ),
        _program(ground, f"{name}.kube-scheduler", "kube-scheduler", kubeconfig, *_ALONE),
        _program(
            ground,
            f"{name}.kwok",
            "kwok",
            kubeconfig,
            "--manage-all-nodes",
            "--node-lease-duration-seconds=40",
            *_stages(ground),
        ),
    )


_ALONE = ("--leader-elect=false", "--secure-port=0", "--profiling=false")


def _etcd_words(keys: Path, port: int, name: str) -> tuple[str, ...]:
    return (
        f"--etcd-servers=https://127.0.0.1:{port}",
        f"--etcd-prefix=/{name}",
        f"--etcd-cafile={keys}/ca.crt",
        f"--etcd-certfile={keys}/client.crt",
        f"--etcd-keyfile={keys}/client.key",
    )


def _stages(ground: Ground) -> tuple[str, ...]:
    folders = [ground.binaries / "stages" / stage for stage in _STAGES]
    return tuple(
        f"--config={file}" for folder in folders for file in sorted(folder.glob("*.yaml"))
    )


def _program(ground: Ground, name: str, file: str, *words: str) -> processes.Program:
    return processes.Program(
        name=name,
        words=(str(ground.binaries / file), *words),
        log=ground.logs / f"{name}.log",
        environment={"HOME": str(ground.folder), "PATH": "/usr/bin:/bin"},
    )
