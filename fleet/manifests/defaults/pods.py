"""What a Pod gets that a template does not: requests from limits, host ports, links to services.

Source: SetDefaults_Pod and its like in core/v1/defaults.go, core/v1/conversion.go.
"""

from collections.abc import Mapping
from typing import Any

from fleet.manifests.defaults import quantities

_COMMON = (
    "cpu",
    "memory",
)  # of the resources that a Pod may have as a whole, those that can be overcommitted


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
    _of_the_whole(made)
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


def _of_the_whole(spec: dict[str, Any]) -> None:
    """Requests of the Pod itself, where it has limits: what its containers request together, else its limits."""
    resources = spec.get("resources")
    limits = resources.get("limits") if isinstance(resources, Mapping) else None
    if not isinstance(resources, Mapping) or not isinstance(limits, Mapping) or not limits:
        return
    written = resources.get("requests")
    requests = dict(written) if isinstance(written, Mapping) else {}
    for name in _COMMON:
        together = None if name in requests else _together(spec, name)
        if together is not None:
            requests[name] = together
    for name, limit in limits.items():
        if name in _COMMON or name.startswith("hugepages-"):
            requests.setdefault(name, limit)
    if requests:
        spec["resources"] = {**resources, "requests": requests}


def _together(spec: Mapping[str, Any], name: str) -> str | None:
    """Of all containers at once, or of one that comes before them if that is more; None where none requests any."""
    beside = [each for each in _requested(spec, "initContainers", name) if each[1]]
    most = quantities.total([*(each for each, _ in beside), *_amounts(spec, "containers", name)])
    running: list[Any] = []
    for amount, stays in _requested(spec, "initContainers", name):
        peak = quantities.total([*running, amount])
        most = peak if most is None or peak is None else quantities.larger(most, peak)
        running += [amount] if stays else []
    return most


def _amounts(spec: Mapping[str, Any], group: str, name: str) -> list[Any]:
    return [amount for amount, _ in _requested(spec, group, name)]


def _requested(spec: Mapping[str, Any], group: str, name: str) -> list[tuple[Any, bool]]:
    """What each container requests, and whether it goes on beside those that come after it."""
    found = []
    listed = spec.get(group)
    for each in listed if isinstance(listed, list) else ():
        resources = each.get("resources") if isinstance(each, Mapping) else None
        requests = resources.get("requests") if isinstance(resources, Mapping) else None
        if isinstance(requests, Mapping) and requests.get(name) is not None:
            found.append((requests[name], each.get("restartPolicy") == "Always"))
    return found


def _on_host(port: Any) -> Any:
    if not isinstance(port, Mapping) or port.get("hostPort") or "containerPort" not in port:
        return port
    return {**port, "hostPort": port["containerPort"]}
