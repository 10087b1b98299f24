"""Ingresses, IngressClasses, NetworkPolicies. Source: networking validation."""

from collections.abc import Mapping
from typing import Any

from fleet.manifests.admission import addresses, batch, faults, labels, rules, texts
from fleet.manifests.admission.tables import Check, Found, Row, below, row

_PROTOCOLS = ("TCP", "UDP", "SCTP")
_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_SEQUENCES = ("//", "/./", "/../", "%2f", "%2F")
_SUFFIXES = ("/..", "/.")
_CLASS = "kubernetes.io/ingress.class"


def _something(spec: Mapping[str, Any]) -> Found:
    if spec.get("rules") or spec.get("defaultBackend") is not None:
        return ()
    said = "either `defaultBackend` or `rules` must be specified"
    return (faults.invalid(spec.get("rules"), said),)


def _host(written: str) -> Found:
    if not written:
        return ()
    found = []
    if addresses.address(written):
        found.append(faults.invalid(written, "must be a DNS name, not an IP address"))
    return [*found, *faults.each_invalid(written, texts.host(written))]


def _path(written: Mapping[str, Any]) -> Found:
    kind, path = written.get("pathType"), written.get("path") or ""
    if kind is None:
        hint = f"one of {', '.join(_PATH_TYPES)}"
        return (faults.required("pathType must be specified", "pathType", hint=hint),)
    if kind not in _PATH_TYPES:
        return (faults.unsupported(kind, _PATH_TYPES, "pathType"),)
    is_strict = kind != "ImplementationSpecific"
    found = []
    if not path.startswith("/") and (path or is_strict):
        found.append(faults.invalid(path, "must be an absolute path", "path"))
    if is_strict:
        said = [f"must not contain '{each}'" for each in _SEQUENCES if each in path]
        said += [f"cannot end with '{each}'" for each in _SUFFIXES if path.endswith(each)]
        found += faults.each_invalid(path, said, "path")
    return found


def _backend_needed(written: Mapping[str, Any]) -> Found:
    if written.get("backend") is not None:
        return ()
    return (faults.invalid("", "resource or service backend is required", "backend"),)


def _backend(name: texts.Form) -> Check:
    def check(written: Mapping[str, Any]) -> Found:
        service, resource = written.get("service"), written.get("resource")
        if service is not None and resource is not None:
            return (faults.invalid("", "cannot set both resource and service backends"),)
        if service is None and resource is None:
            return (faults.invalid("", "resource or service backend is required"),)
        if service is None:
            return faults.below(rules.needs("kind", "name")(resource or {}), "resource")
        return [*_service_name(service, name), *_service_port(service)]

    return check


def _service_name(service: Mapping[str, Any], form: texts.Form) -> Found:
    name = service.get("name") or ""
    if not name:
        return (faults.required("", "service", "name"),)
    return faults.each_invalid(name, form(name), "service", "name")


def _service_port(service: Mapping[str, Any]) -> Found:
    port = service.get("port") or {}
    name, number = port.get("name") or "", port.get("number") or 0
    if name and number:
        fault = faults.invalid("", "cannot set both port name & port number")
        return (faults.written_at(fault, "service", "port"),)
    if name:
        return faults.each_invalid(name, texts.port_name(name), "service", "port", "name")
    if number:
        problems = texts.port_number(number)
        return faults.each_invalid(number, problems, "service", "port", "number")
    return (faults.written_at(faults.required("port name or number is required"), "service"),)


def _classes(ingress: Mapping[str, Any]) -> Found:
    annotation = (ingress["metadata"].get("annotations") or {}).get(_CLASS)
    named = (ingress.get("spec") or {}).get("ingressClassName")
    if annotation is None or named is None or annotation == named:
        return ()
    said = "must match `ingressClassName` when both are specified"
    fault = faults.invalid(annotation, said, "annotations", _CLASS)
    return (faults.written_at(fault, "metadata", "annotations", _CLASS),)


def _backends(at: str) -> tuple[Row, ...]:
    source = "networking: validateIngressBackend"
    return (
        row(at, _backend(texts.label_1035), source, until="1.35"),
        row(at, _backend(texts.label), source, since="1.36"),
    )


INGRESS: tuple[Row, ...] = (
    row("", _classes, "networking: ValidateIngressCreate"),
    row("spec", _something, "networking: ValidateIngressSpec"),
    row("spec.rules[].host", _host, "networking: validateIngressRules"),
    row("spec.rules[].http", rules.filled("paths"), "networking: validateHTTPIngressRuleValue"),
    row("spec.rules[].http.paths[]", _path, "networking: validateHTTPIngressPath"),
    row("spec.rules[].http.paths[]", _backend_needed, "networking: validateIngressBackend"),
    *_backends("spec.rules[].http.paths[].backend"),
    *_backends("spec.defaultBackend"),
    row("spec.tls[].hosts[]", rules.shaped_strictly(texts.host), "networking: validateIngressTLS"),
    row("spec.tls[].secretName", rules.shaped(texts.subdomain), "networking: validateIngressTLS"),
    row(
        "spec.ingressClassName",
        rules.shaped_strictly(texts.subdomain),
        "networking: ValidateIngressSpec",
    ),
)


def _controller(spec: Mapping[str, Any]) -> Found:
    written = spec.get("controller") or ""
    long = [faults.too_long(250)] if texts.bytes_of(written) > 250 else []
    return faults.below([*long, *batch.domain_path(written)], "controller")


INGRESS_CLASS: tuple[Row, ...] = (
    row("spec", _controller, "networking: validateIngressClassSpec"),
    row(
        "spec.parameters",
        rules.needs("kind", "name"),
        "networking: validateIngressClassParametersReference",
    ),
)


def _peer(written: Mapping[str, Any]) -> Found:
    given = [
        e for e in ("podSelector", "namespaceSelector", "ipBlock") if written.get(e) is not None
    ]
    if not given:
        return (faults.required("must specify a peer"),)
    if len(given) > 1 and "ipBlock" in given:
        return (faults.forbidden("may not specify both ipBlock and another peer"),)
    return ()


def _port(written: Mapping[str, Any]) -> Found:
    port, end = written.get("port"), written.get("endPort")
    if port is None:
        said = "may not be specified when `port` is not specified"
        return (faults.invalid(end, said, "endPort"),) if end is not None else ()
    found = faults.below(rules.port(port), "port")
    if end is None:
        return found
    if not isinstance(port, int):
        said = "may not be specified when `port` is non-numeric"
        return [faults.invalid(end, said, "endPort"), *found]
    if end < port:
        found.append(faults.invalid(port, "must be greater than or equal to `port`", "endPort"))
    return [*found, *faults.each_invalid(end, texts.port_number(end), "endPort")]


def _except(written: Mapping[str, Any]) -> Found:
    around = addresses.network(written.get("cidr") or "")
    found: list[faults.Fault] = []
    for place, each in enumerate(written.get("except") or ()):
        inner = addresses.network(each or "")
        if around is None or inner is None:
            continue
        is_inside = (
            inner.version == around.version
            and inner.network_address in around
            and inner.prefixlen > around.prefixlen
        )
        if not is_inside:
            found.append(
                faults.invalid(each, "must be a strict subset of `cidr`", "except", place)
            )
    return found


def _types(written: list[str]) -> Found:
    if len(written) > 2:
        return (faults.invalid(written, "may not specify more than two policyTypes"),)
    known = ("Ingress", "Egress")
    return [faults.unsupported(e, known, p) for p, e in enumerate(written) if e not in known]


_PEER: tuple[Row, ...] = (
    row("", _peer, "networking: ValidateNetworkPolicyPeer"),
    *below("podSelector", labels.SELECTOR),
    *below("namespaceSelector", labels.SELECTOR),
    row("ipBlock", rules.needs("cidr"), "networking: ValidateIPBlock"),
    row("ipBlock", _except, "networking: ValidateIPBlock"),
    *addresses.cidrs("ipBlock.cidr", "networking: ValidateIPBlock", is_needed=True),
    *addresses.cidrs("ipBlock.except[]", "networking: ValidateIPBlock"),
)
_PORT: tuple[Row, ...] = (
    row("", _port, "networking: ValidateNetworkPolicyPort"),
    row("protocol", rules.among(*_PROTOCOLS), "networking: ValidateNetworkPolicyPort"),
)
NETWORK_POLICY: tuple[Row, ...] = (
    *below("spec.podSelector", labels.SELECTOR),
    *below("spec.ingress[].from[]", _PEER),
    *below("spec.ingress[].ports[]", _PORT),
    *below("spec.egress[].to[]", _PEER),
    *below("spec.egress[].ports[]", _PORT),
    row("spec.policyTypes", _types, "networking: ValidateNetworkPolicySpec"),
)
