"""Security contexts of Pods and containers. Source: core ValidateSecurityContext, validatePodSpecSecurityContext."""

import re
from collections.abc import Mapping
from typing import Any

from fleet.manifests.admission import faults, rules
from fleet.manifests.admission.tables import Found, Row, row

_ID = rules.within(0, 2**31 - 1)
_PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
_SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_SYSCTL_WORDS = f"^({_SEGMENT}[\\./])*{_SEGMENT}$"
_SYSCTL = re.compile(rf"({_SEGMENT}[./])*{_SEGMENT}")


def _seccomp(written: Mapping[str, Any]) -> Found:
    kind, profile = written.get("type") or "", written.get("localhostProfile")
    if kind in _PROFILES and (kind == "Localhost") == (profile is not None):
        return faults.below(rules.descending(profile), "localhostProfile") if profile else ()
    if not kind:
        return (faults.required("type is required when seccompProfile is set", "type"),)
    if kind not in _PROFILES:
        return (faults.unsupported(kind, _PROFILES, "type"),)
    if profile is None:
        return (faults.required("must be set when seccomp type is Localhost", "localhostProfile"),)
    said = "can only be set when seccomp type is Localhost"
    return (faults.invalid(dict(written), said, "localhostProfile"),)


def _apparmor(written: Mapping[str, Any]) -> Found:
    kind, profile = written.get("type") or "", written.get("localhostProfile")
    if not kind:
        return (faults.required("type is required when appArmorProfile is set", "type"),)
    if kind not in _PROFILES:
        return (faults.unsupported(kind, _PROFILES, "type"),)
    if kind == "Localhost" and not (profile or "").strip():
        return (
            faults.required("must be set when AppArmor type is Localhost", "localhostProfile"),
        )
    if kind != "Localhost" and profile is not None:
        said = "can only be set when AppArmor type is Localhost"
        return (faults.invalid(profile, said, "localhostProfile"),)
    return ()


def _escalation(written: Mapping[str, Any]) -> Found:
    if written.get("allowPrivilegeEscalation") is not False:
        return ()
    found = []
    if written.get("privileged"):
        said = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
        found.append(faults.invalid(dict(written), said))
    if "CAP_SYS_ADMIN" in ((written.get("capabilities") or {}).get("add") or ()):
        said = (
            "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
        )
        found.append(faults.invalid(dict(written), said))
    return found


def _sysctls(written: list[Mapping[str, Any]]) -> Found:
    found = []
    seen: set[str] = set()
    for place, each in enumerate(written):
        name = each.get("name") or ""
        if not name:
            found.append(faults.required("", place, "name"))
        elif len(name) > 253 or not _SYSCTL.fullmatch(name):
            said = f"must have at most 253 characters and match regex {_SYSCTL_WORDS}"
            found.append(faults.invalid(name, said, place, "name"))
        elif name in seen:
            found.append(faults.duplicate(name, place, "name"))
        seen.add(name)
    return found


_CONTAINER = "core: ValidateSecurityContext"
_POD = "core: validatePodSpecSecurityContext"
CONTAINER: tuple[Row, ...] = (
    row("", _escalation, _CONTAINER),
    row("runAsUser", _ID, _CONTAINER),
    row("runAsGroup", _ID, _CONTAINER),
    row("procMount", rules.among("Default", "Unmasked"), "core: ValidateProcMountType"),
    row("seccompProfile", _seccomp, "core: validateSeccompProfileField"),
    row("appArmorProfile", _apparmor, "core: ValidateAppArmorProfileField"),
)
POD: tuple[Row, ...] = (
    row("runAsUser", _ID, _POD),
    row("runAsGroup", _ID, _POD),
    row("fsGroup", _ID, _POD),
    row("supplementalGroups[]", _ID, _POD),
    row(
        "fsGroupChangePolicy",
        rules.among("Always", "OnRootMismatch"),
        "core: validateFSGroupChangePolicy",
    ),
    row(
        "supplementalGroupsPolicy",
        rules.among("Merge", "Strict"),
        "core: validateSupplementalGroupsPolicy",
    ),
    row("sysctls", _sysctls, "core: validateSysctls"),
    row("seccompProfile", _seccomp, "core: validateSeccompProfileField"),
    row("appArmorProfile", _apparmor, "core: ValidateAppArmorProfileField"),
)
