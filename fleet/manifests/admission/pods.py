"""Pods and the templates that other kinds make them from. Source: core ValidatePodSpec, ValidatePodTemplateSpec."""

from collections.abc import Iterable, Mapping
from typing import Any

from fleet.manifests.admission import (
    addresses,
    environment,
    faults,
    labels,
    mounts,
    probes,
    resources,
    rules,
    scheduling,
    security,
    texts,
    volumes,
)
from fleet.manifests.admission.tables import Check, Found, Row, below, compiled, row

_PROTOCOLS = ("SCTP", "TCP", "UDP")
_RESTART = ("Always", "OnFailure", "Never")
_RESTART_OF_ONE = ("Always", "Never", "OnFailure")
_DNS = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_LISTS = ("containers", "initContainers")
_COMMON = "core: validateContainerCommon"
_PORTS = "core: validateContainerPorts"
_SPEC = "core: ValidatePodSpec"


def _ports(written: list[Mapping[str, Any]]) -> Found:
    if len(written) < 2:
        return ()
    named = [each.get("name") or "" for each in written]
    given = [each for each in named if each]
    return list(_twice(named)) if len(set(given)) != len(given) else ()


def _twice(named: list[str]) -> Iterable[faults.Fault]:
    seen: set[str] = set()
    for place, name in enumerate(named):
        if name in seen:
            yield faults.duplicate(name, place, "name", hint="ports are named once in a container")
        elif name and not texts.port_name(name):
            seen.add(name)


def _port(written: Mapping[str, Any]) -> Found:
    number, outside = written.get("containerPort") or 0, written.get("hostPort") or 0
    if 1 <= number <= 65535 and 0 <= outside <= 65535:
        return ()
    said = texts.between(1, 65535)
    found = [] if number else [faults.required("", "containerPort")]
    if number and not 1 <= number <= 65535:
        found.append(faults.invalid(number, said, "containerPort"))
    if outside and not 1 <= outside <= 65535:
        found.append(faults.invalid(outside, said, "hostPort"))
    return found


def _policies(written: list[Mapping[str, Any]]) -> Found:
    """How a resize of each resource is done; once for each."""
    seen: set[str] = set()
    found: list[faults.Fault] = []
    for place, each in enumerate(written):
        name = each.get("resourceName") or ""
        if name in seen:
            found.append(faults.duplicate(name, place))
        seen.add(name)
        if name not in ("cpu", "memory"):
            found.append(faults.unsupported(name, ("cpu", "memory")))
        if each.get("restartPolicy") not in ("NotRequired", "RestartContainer"):
            known = ("NotRequired", "RestartContainer")
            found.append(faults.unsupported(each.get("restartPolicy") or "", known))
    return found


def _own_restart(written: str) -> Found:
    del written
    return (faults.forbidden("may not be set for non-init containers"),)


def _rules_need_policy(container: Mapping[str, Any]) -> Found:
    if not container.get("restartPolicyRules") or container.get("restartPolicy"):
        return ()
    said = "must specify restartPolicy when restart rules are used"
    return (faults.required(said, "restartPolicy"),)


_CONTAINER: tuple[Row, ...] = (
    row("", rules.needs("name", "image"), _COMMON),
    row("name", rules.shaped(texts.label), _COMMON),
    row(
        "terminationMessagePolicy",
        rules.among_or_empty("File", "FallbackToLogsOnError"),
        _COMMON,
    ),
    row(
        "imagePullPolicy",
        rules.among_or_empty("Always", "IfNotPresent", "Never"),
        "core: validatePullPolicy",
    ),
    row("ports", _ports, _PORTS),
    row("ports[]", _port, _PORTS),
    row("ports[].name", rules.shaped(texts.port_name), _PORTS),
    row("ports[].protocol", rules.among_or_empty(*_PROTOCOLS), _PORTS),
    row("resizePolicy", _policies, "core: validateResizePolicy"),
    row("", _rules_need_policy, "core: validateContainerRestartPolicy", since="1.35"),
    *environment.ROWS,
    *mounts.ROWS,
    *below("resources", resources.CONTAINER),
    *below("securityContext", security.CONTAINER),
)
_REGULAR: tuple[Row, ...] = (
    *_CONTAINER,
    *probes.ROWS,
    row("restartPolicy", _own_restart, "core: validateContainers", until="1.34"),
    row(
        "restartPolicy",
        rules.among(*_RESTART_OF_ONE),
        "core: validateContainerRestartPolicy",
        since="1.35",
    ),
)


def _only_sidecars(container: Mapping[str, Any]) -> Found:
    if container.get("restartPolicy") == "Always":
        return ()
    said = "may not be set for init containers without restartPolicy=Always"
    return [
        faults.forbidden(said, each) for each in probes.FIELDS if container.get(each) is not None
    ]


_PROBED = compiled(probes.ROWS)


def _sidecar(container: Mapping[str, Any]) -> Found:
    """One that goes on beside the containers is probed as they are."""
    return _PROBED(container) if container.get("restartPolicy") == "Always" else ()


_INIT: tuple[Row, ...] = (
    *_CONTAINER,
    row("", _sidecar, "core: validateInitContainers"),
    row("", _only_sidecars, "core: validateInitContainers"),
    row(
        "restartPolicy",
        rules.among("Always"),
        "core: validateInitContainerRestartPolicy",
        until="1.34",
    ),
    row(
        "restartPolicy",
        rules.among(*_RESTART_OF_ONE),
        "core: validateInitContainerRestartPolicy",
        since="1.35",
    ),
)


def _names(spec: Mapping[str, Any]) -> Found:
    """No name twice among containers and init containers."""
    inits = spec.get("initContainers")
    if not inits and len(spec.get("containers") or ()) < 2:
        return ()
    seen: set[str] = set()
    found: list[faults.Fault] = []
    for part in _LISTS:
        for place, each in enumerate(spec.get(part) or ()):
            name = each.get("name") or ""
            if name and name in seen:
                found.append(faults.duplicate(name, part, place, "name"))
            seen.add(name)
    return found


def _host_ports(spec: Mapping[str, Any]) -> Found:
    """One port of the node for one container; with hostNetwork it is the container's own."""
    found: list[faults.Fault] = []
    seen: set[str] = set()
    for place, each in enumerate(spec.get("containers") or ()):
        for index, port in enumerate(each.get("ports") or ()):
            outside = port.get("hostPort")
            if not outside:
                continue
            where = ("containers", place, "ports", index, "hostPort")
            named = f"{port.get('protocol') or 'TCP'}/{port.get('hostIP') or ''}/{outside}"
            if named in seen:
                found.append(faults.duplicate(named, *where))
            seen.add(named)
            if spec.get("hostNetwork") and outside != port.get("containerPort"):
                said = "must match `containerPort` when `hostNetwork` is true"
                found.append(faults.invalid(outside, said, *where))
    return found


def _sleeps(spec: Mapping[str, Any]) -> Found:
    grace = spec.get("terminationGracePeriodSeconds")
    found: list[faults.Fault] = []
    for part in _LISTS:
        for place, each in enumerate(spec.get(part) or ()):
            if each.get("lifecycle"):
                more = _slept(each["lifecycle"], 30 if grace is None else grace)
                found += faults.below(more, part, place, "lifecycle")
    return found


def _slept(lifecycle: Mapping[str, Any], grace: int) -> Iterable[faults.Fault]:
    for when in ("postStart", "preStop"):
        sleep = (lifecycle.get(when) or {}).get("sleep")
        if sleep is not None and not 0 <= (sleep.get("seconds") or 0) <= grace:
            said = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
            yield faults.invalid(sleep.get("seconds"), said, when, "sleep")


def _unmasked(spec: Mapping[str, Any]) -> Found:
    """The host's /proc as it is, only for users that are not the host's."""
    if spec.get("hostUsers") is False:
        return ()
    said = "`hostUsers` must be false to use `Unmasked`"
    return [
        faults.invalid("Unmasked", said, part, place, "securityContext", "procMount")
        for part in _LISTS
        for place, each in enumerate(spec.get(part) or ())
        if (each.get("securityContext") or {}).get("procMount") == "Unmasked"
    ]


def _dns(spec: Mapping[str, Any]) -> Found:
    policy, config = spec.get("dnsPolicy"), spec.get("dnsConfig")
    if policy == "None" and config is None:
        return (faults.required("must provide `dnsConfig` when `dnsPolicy` is None", "dnsConfig"),)
    if policy == "None" and not (config or {}).get("nameservers"):
        said = "must provide at least one DNS nameserver when `dnsPolicy` is None"
        return (faults.required(said, "dnsConfig", "nameservers"),)
    return ()


def _at_most(limit: int, what: str) -> Check:
    def check(written: list[str]) -> Found:
        if len(written) <= limit:
            return ()
        return (faults.invalid(written, f"must not have more than {limit} {what}"),)

    return check


def _search(written: str) -> Found:
    if written == ".":
        return ()
    name = written.removesuffix(".")
    return faults.each_invalid(name, texts.underscored_subdomain(name))


def _hosts(spec: Mapping[str, Any]) -> Found:
    if not (spec.get("hostPID") and spec.get("shareProcessNamespace")):
        return ()
    said = "ShareProcessNamespace and HostPID cannot both be enabled"
    fault = faults.invalid(True, said, "securityContext", "shareProcessNamespace")
    return (faults.written_at(fault, "shareProcessNamespace"),)


def _gates(written: list[Mapping[str, Any]]) -> Found:
    found: list[faults.Fault] = []
    seen: set[str] = set()
    for place, each in enumerate(written):
        name = each.get("name") or ""
        found += faults.each_invalid(name, texts.label_key(name), place)
        if name in seen:
            found.append(faults.duplicate(name, place))
        seen.add(name)
    return found


def _condition(written: Mapping[str, Any]) -> Found:
    name = written.get("conditionType") or ""
    return faults.each_invalid(name, texts.label_key(name), "conditionType")


SPEC: tuple[Row, ...] = (
    row("", rules.filled("containers"), "core: validateContainers"),
    row("", _names, "core: validateContainers, validateInitContainers"),
    row("", _host_ports, "core: checkHostPortConflicts, validatePodHostNetworkDeps"),
    row("", _sleeps, "core: validateSleepAction", since="1.33"),
    row("", _dns, "core: validatePodDNSConfig"),
    row("", _unmasked, "core: ValidateSecurityContext", since="1.33"),
    row("", _hosts, "core: validatePodSpecSecurityContext"),
    *below("containers[]", _REGULAR),
    *below("initContainers[]", _INIT),
    *volumes.ROWS,
    *scheduling.ROWS,
    *below("securityContext", security.POD),
    *below("overhead", resources.OVERHEAD),
    row("restartPolicy", rules.among_or_empty(*_RESTART), "core: validateRestartPolicy"),
    row("dnsPolicy", rules.among_or_empty(*_DNS), "core: validateDNSPolicy"),
    row("dnsConfig.nameservers", _at_most(3, "nameservers"), "core: validatePodDNSConfig"),
    *addresses.ips("dnsConfig.nameservers[]", "core: validatePodDNSConfig"),
    row("dnsConfig.searches", _at_most(32, "search paths"), "core: validatePodDNSConfig"),
    row("dnsConfig.searches[]", _search, "core: validatePodDNSConfig"),
    row("serviceAccountName", rules.shaped(texts.subdomain), _SPEC),
    row("nodeName", rules.shaped(texts.subdomain), _SPEC),
    row("hostname", rules.shaped(texts.label), _SPEC),
    row("subdomain", rules.shaped(texts.label), _SPEC),
    row("priorityClassName", rules.shaped(texts.subdomain), _SPEC),
    row(
        "runtimeClassName",
        rules.shaped_strictly(texts.subdomain),
        "core: ValidateRuntimeClassName",
    ),
    row("activeDeadlineSeconds", rules.within(1, 2**31 - 1), _SPEC),
    row(
        "preemptionPolicy",
        rules.among("PreemptLowerPriority", "Never"),
        "core: ValidatePreemptionPolicy",
    ),
    *addresses.ips("hostAliases[].ip", "core: ValidateHostAliases"),
    row(
        "hostAliases[].hostnames[]",
        rules.shaped_strictly(texts.subdomain),
        "core: ValidateHostAliases",
    ),
    row("readinessGates[]", _condition, "core: validateReadinessGates"),
    row("schedulingGates", _gates, "core: validateSchedulingGates"),
    row("os.name", rules.among("linux", "windows"), "core: validateOS"),
)


def _mounted(spec: Mapping[str, Any]) -> Found:
    return [fault for part in _LISTS for fault in mounts.mounted(spec, part)]


MOUNTED = row("", _mounted, "core: IsMatchedVolume")


def _no_ephemeral(template: Mapping[str, Any]) -> Found:
    if not (template.get("spec") or {}).get("ephemeralContainers"):
        return ()
    said = "ephemeral containers not allowed in pod template"
    return (faults.forbidden(said, "spec", "ephemeralContainers"),)


def _template_labels(metadata: Mapping[str, Any]) -> Found:
    """The API server leaves out `metadata` in what it says of these."""
    found = [
        *(("labels", each) for each in labels.labels(metadata.get("labels") or {})),
        *(("annotations", each) for each in labels.annotations(metadata.get("annotations") or {})),
    ]
    if not found:
        return ()
    return [_without_metadata(part, each) for part, each in found]


def _without_metadata(part: str, fault: faults.Fault) -> faults.Fault:
    moved = faults.below([fault], part)[0]
    return faults.written_at(moved, "metadata", *(moved.written or (part,)))


def _metadata(template: Mapping[str, Any]) -> Found:
    return _template_labels(template.get("metadata") or {})


# A template without its volumes' mounts: a StatefulSet has claims that are volumes too.
TEMPLATE: tuple[Row, ...] = (
    row("", _metadata, "core: ValidatePodTemplateSpec"),
    row("", _no_ephemeral, "core: ValidatePodTemplateSpec"),
    *below("spec", SPEC),
)
