"""Services and EndpointSlices' like. Source: core validateService and its neighbours."""

from collections.abc import Iterable, Mapping
from typing import Any

from fleet.manifests.admission import addresses, faults, labels, rules, texts
from fleet.manifests.admission.tables import Check, Found, Row, row

_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_SOURCE = "core: validateService"


def _type(spec: Mapping[str, Any]) -> str:
    return spec.get("type") or "ClusterIP"


def _is_headless(spec: Mapping[str, Any]) -> bool:
    ips = spec.get("clusterIPs") or [spec.get("clusterIP")]
    return list(ips) == ["None"]


def _ports_needed(spec: Mapping[str, Any]) -> Found:
    if spec.get("ports") or _is_headless(spec) or _type(spec) == "ExternalName":
        return ()
    return (faults.required("", "ports"),)


def _headless(spec: Mapping[str, Any]) -> Found:
    kind = _type(spec)
    if kind not in ("LoadBalancer", "NodePort") or not _is_headless(spec):
        return ()
    said = f"may not be set to 'None' for {kind} services"
    fault = faults.invalid("None", said, "clusterIPs", 0)
    return (faults.written_at(fault, "clusterIP" if spec.get("clusterIP") else "clusterIPs"),)


def _external_name(spec: Mapping[str, Any]) -> Found:
    if _type(spec) != "ExternalName":
        return ()
    name = (spec.get("externalName") or "").removesuffix(".")
    if not name:
        return (faults.required("", "externalName"),)
    return faults.each_invalid(name, texts.subdomain(name), "externalName")


def _names(spec: Mapping[str, Any]) -> Found:
    """Several ports have a name each."""
    ports = spec.get("ports") or ()
    if len(ports) < 2:
        return ()
    found: list[faults.Fault] = []
    seen: set[str] = set()
    for place, each in enumerate(ports):
        name = each.get("name") or ""
        if not name:
            hint = "with several ports each needs a name"
            found.append(faults.required("", "ports", place, "name", hint=hint))
        elif name in seen:
            found.append(faults.duplicate(name, "ports", place, "name"))
        seen.add(name)
    return found


def _numbers(spec: Mapping[str, Any]) -> Found:
    ports = spec.get("ports") or ()
    if len(ports) < 2:
        return ()
    found: list[faults.Fault] = []
    seen: set[tuple[str, str, int]] = set()
    for place, each in enumerate(ports):
        protocol = each.get("protocol") or "TCP"
        node, number = each.get("nodePort") or 0, each.get("port") or 0
        if node and ("node", protocol, node) in seen:
            found.append(faults.duplicate(node, "ports", place, "nodePort"))
        if ("port", protocol, number) in seen:
            shown = {"port": number, "protocol": protocol}
            found.append(faults.duplicate(shown, "ports", place))
        seen |= {("node", protocol, node), ("port", protocol, number)}
    return found


def _node_ports(spec: Mapping[str, Any]) -> Found:
    if _type(spec) != "ClusterIP":
        return ()
    said = "may not be used when `type` is 'ClusterIP'"
    return [
        faults.forbidden(said, "ports", place, "nodePort", hint="remove it, or use type: NodePort")
        for place, each in enumerate(spec.get("ports") or ())
        if each.get("nodePort")
    ]


def _port(written: Mapping[str, Any]) -> Found:
    number = written.get("port") or 0
    if 1 <= number <= 65535:
        return ()
    return (faults.invalid(number, texts.between(1, 65535), "port"),)


def _affinity(spec: Mapping[str, Any]) -> Found:
    kind, config = spec.get("sessionAffinity") or "None", spec.get("sessionAffinityConfig")
    seconds = ((config or {}).get("clientIP") or {}).get("timeoutSeconds")
    if kind != "ClientIP" or seconds is None or 0 < seconds <= 86400:
        return ()
    said = "must be greater than 0 and less than 86400"
    where = ("sessionAffinityConfig", "clientIP", "timeoutSeconds")
    return (faults.invalid(seconds, said, *where),)


_BALANCER_ONLY = ("allocateLoadBalancerNodePorts", "loadBalancerClass")


def _balancer(spec: Mapping[str, Any]) -> Found:
    if _type(spec) == "LoadBalancer":
        name = spec.get("loadBalancerClass") or ""
        return (
            faults.each_invalid(name, texts.label_key(name), "loadBalancerClass") if name else ()
        )
    said = "may only be used when `type` is 'LoadBalancer'"
    found = [faults.forbidden(said, each) for each in _BALANCER_ONLY if spec.get(each) is not None]
    if spec.get("loadBalancerSourceRanges"):
        fault = faults.forbidden(said, "LoadBalancerSourceRanges")
        found.append(faults.written_at(fault, "loadBalancerSourceRanges"))
    return found


def _ranges(check: Check) -> Check:
    def ranges(spec: Mapping[str, Any]) -> Found:
        found: list[faults.Fault] = []
        for place, each in enumerate(spec.get("loadBalancerSourceRanges") or ()):
            more = faults.below(check((each or "").strip()), "LoadBalancerSourceRanges", place)
            found += [faults.written_at(e, "loadBalancerSourceRanges", place) for e in more]
        return found

    return ranges


def _traffic(spec: Mapping[str, Any]) -> Found:
    kind, policy = _type(spec), spec.get("externalTrafficPolicy") or ""
    is_outside = kind in ("NodePort", "LoadBalancer") or (
        kind == "ClusterIP" and spec.get("externalIPs")
    )
    found: list[faults.Fault] = []
    if policy and not is_outside:
        said = "may only be set for externally-accessible services"
        found.append(faults.invalid(policy, said, "externalTrafficPolicy"))
    elif policy and policy not in ("Cluster", "Local"):
        found.append(faults.unsupported(policy, ("Cluster", "Local"), "externalTrafficPolicy"))
    port = spec.get("healthCheckNodePort") or 0
    if port and not (kind == "LoadBalancer" and policy == "Local"):
        said = (
            "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        )
        found.append(faults.invalid(port, said, "healthCheckNodePort"))
    return found


def _cluster_ips(spec: Mapping[str, Any]) -> Found:
    if _type(spec) == "ExternalName":
        return ()
    one, several = spec.get("clusterIP") or "", spec.get("clusterIPs") or []
    if several and not one:
        return ()
    found: list[faults.Fault] = []
    if several and several[0] != one:
        found.append(faults.invalid(several, "first value must match `clusterIP`", "clusterIPs"))
    if len(several) > 1 and several[0] == "None":
        found.append(
            faults.invalid(several, "'None' must be the first and only value", "clusterIPs")
        )
    if len(several) > 2:
        found.append(faults.invalid(several, "may only hold up to 2 values", "clusterIPs"))
    return found


def _given_ips(check: Check) -> Check:
    def ips(spec: Mapping[str, Any]) -> Found:
        if _type(spec) == "ExternalName":
            return ()
        given = spec.get("clusterIPs") or [spec.get("clusterIP") or ""]
        found: list[faults.Fault] = []
        for place, each in enumerate(given):
            if each and each != "None":
                more = faults.below(check(each), "clusterIPs", place)
                written = ("clusterIPs", place) if spec.get("clusterIPs") else ("clusterIP",)
                found += [faults.written_at(e, *written) for e in more]
        return found

    return ips


def _families(written: list[str]) -> Iterable[faults.Fault]:
    seen: set[str] = set()
    for place, each in enumerate(written):
        if each not in ("IPv4", "IPv6"):
            yield faults.unsupported(each, ("IPv4", "IPv6"), place)
        if each in seen:
            yield faults.duplicate(each, place)
        seen.add(each)


ROWS: tuple[Row, ...] = (
    row("spec", _ports_needed, _SOURCE),
    row("spec", _headless, _SOURCE),
    row("spec", _external_name, _SOURCE),
    row("spec", _names, "core: validateServicePort"),
    row("spec", _numbers, _SOURCE),
    row("spec", _node_ports, _SOURCE),
    row("spec", _affinity, "core: validateClientIPAffinityConfig"),
    row("spec", _balancer, "core: validateLoadBalancerClassField"),
    row("spec", _ranges(addresses.sloppy_cidr), _SOURCE, until="1.35"),
    row("spec", _ranges(addresses.cidr), _SOURCE, since="1.36"),
    row("spec", _traffic, "core: validateServiceExternalTrafficPolicy"),
    row("spec", _cluster_ips, "core: ValidateServiceClusterIPsRelatedFields"),
    row(
        "spec",
        _given_ips(addresses.sloppy_ip),
        "core: ValidateServiceClusterIPsRelatedFields",
        until="1.35",
    ),
    row(
        "spec",
        _given_ips(addresses.ip),
        "core: ValidateServiceClusterIPsRelatedFields",
        since="1.36",
    ),
    row("spec.type", rules.among_or_empty(*_TYPES), _SOURCE),
    row("spec.selector", labels.labels, _SOURCE),
    row("spec.ports[]", _port, "core: validateServicePort"),
    row("spec.ports[].name", rules.shaped(texts.label), "core: validateServicePort"),
    row("spec.ports[].protocol", rules.among_or_empty(*_PROTOCOLS), "core: validateServicePort"),
    row(
        "spec.ports[].targetPort",
        lambda value: rules.port(value) if value not in (0, "") else (),
        "core: validateServicePort",
    ),
    row(
        "spec.ports[].appProtocol",
        rules.shaped_strictly(texts.label_key),
        "core: validateServicePort",
    ),
    row("spec.sessionAffinity", rules.among_or_empty("ClientIP", "None"), _SOURCE),
    row("spec.ipFamilies", _families, "core: ValidateServiceClusterIPsRelatedFields"),
    row(
        "spec.ipFamilyPolicy",
        rules.among("PreferDualStack", "RequireDualStack", "SingleStack"),
        "core: ValidateServiceClusterIPsRelatedFields",
    ),
    row(
        "spec.internalTrafficPolicy",
        rules.among("Cluster", "Local"),
        "core: validateServiceInternalTrafficFieldsValue",
    ),
    row(
        "spec.trafficDistribution",
        rules.among("PreferClose", "PreferSameZone", "PreferSameNode"),
        "core: validateServiceTrafficDistribution",
        since="1.34",
    ),
    *addresses.ips("spec.externalIPs[]", _SOURCE),
)
