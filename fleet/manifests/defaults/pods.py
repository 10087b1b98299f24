"""What a Pod gets that a template does not: requests from limits, host ports, links to services.

Source: SetDefaults_Pod and its like in core/v1/defaults.go, core/v1/conversion.go.
"""

from collections.abc import Mapping
from typing import Any


def pod_spec(found: dict[str, Any]) -> None:
    """The account's name under its old name too, whichever of the two was written."""
    account = found.get("serviceAccountName") or found.get("serviceAccount")
    if account:
        found["serviceAccountName"] = found["serviceAccount"] = account


def pod(found: dict[str, Any]) -> None:
    """The spec is still as written here."""
    spec = found.get("spec")
    if not isinstance(spec, Mapping):
        return
    is_on_host = spec.get("hostNetwork") is True
    made = dict(spec)
    for group in ("containers", "initContainers"):
        listed = spec.get(group)
        if isinstance(listed, list):
            made[group] = [_container(each, is_on_host=is_on_host) for each in listed]
    if spec.get("enableServiceLinks") is None:
        made["enableServiceLinks"] = True
    found["spec"] = made


def _container(written: Any, *, is_on_host: bool) -> Any:
    if not isinstance(written, Mapping):
        return written
    made = dict(written)
    resources = written.get("resources")
    limits = resources.get("limits") if isinstance(resources, Mapping) else None
    if isinstance(resources, Mapping) and isinstance(limits, Mapping) and limits:
        requests = resources.get("requests")
        own = requests if isinstance(requests, Mapping) else {}
        made["resources"] = {**resources, "requests": {**limits, **own}}
    if is_on_host and isinstance(written.get("ports"), list):
        made["ports"] = [_on_host(each) for each in written["ports"]]
    return made


def _on_host(port: Any) -> Any:
    if not isinstance(port, Mapping) or port.get("hostPort") or "containerPort" not in port:
        return port
    return {**port, "hostPort": port["containerPort"]}
