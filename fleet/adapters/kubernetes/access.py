"""Which API server is meant: the one that is named, else the pod's own, else that of the user's kubeconfig."""

from pathlib import Path

from fleet.adapters.kubernetes import credentials, trust
from fleet.model import errors

POD = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_IN_CLUSTER = "https://kubernetes.default.svc"


def found(kubeconfig: Path | None, context: str = "") -> credentials.Access:
    """Raises errors.InputError in words for what is missing or cannot be used."""
    if kubeconfig is None and not context and (POD / "token").is_file():
        return in_cluster(POD)
    from fleet.adapters.kubernetes import kubeconfigs  # a pod has no use for a YAML parser

    return kubeconfigs.read(kubeconfig or Path.home() / ".kube" / "config", context)


def in_cluster(folder: Path, server: str = _IN_CLUSTER) -> credentials.Access:
    """By the ServiceAccount whose token and authority are in the folder."""
    authority = folder / "ca.crt"
    try:
        pem = authority.read_bytes()
    except OSError as error:
        raise errors.InputError(f"cannot read the cluster's authority: {error}") from None
    return credentials.Access(
        server=server,
        tls=trust.believing(pem, where=str(authority)),
        bearer=credentials.FromFile(folder / "token"),
    )
