"""The Pod Security Standards: our two policies against Kubernetes' own cases, and against a table of the standard."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

import libraries
from fleet.model import findings, names, objects
from fleet.policy import policies

LABEL = "pod-security.kubernetes.io/"
LEVELS = ("baseline", "restricted")
# Controls of baseline that restricted replaces by stricter ones.
REPLACED = {
    "capabilities_baseline": "capabilities_restricted",
    "hostpathvolumes": "restrictedvolumes",
    "procmount": "procmount_restricted",
    "seccompprofile_baseline": "seccompprofile_restricted",
}
BLOB = names.BlobId("0" * 40)
SOURCE = objects.Source(path="case.yaml", line=1, blob=BLOB, index=0)


@pytest.fixture(scope="module")
def library() -> policies.PolicySet:
    return libraries.library(*(f"pod-security-{level}" for level in LEVELS))


def judged(
    library: policies.PolicySet, value: dict[str, Any], **labels: str
) -> tuple[findings.Finding, ...]:
    """In a Namespace with these levels."""
    value = {**value, "metadata": {**value["metadata"], "namespace": "here"}}
    spaces = {"here": {LABEL + mode: level for mode, level in labels.items()}}
    return libraries.judged(library, value, SOURCE, spaces=spaces)


def controls(found: tuple[findings.Finding, ...]) -> set[str]:
    assert {each.severity for each in found} <= {findings.Severity.DENY}
    return {each.message.partition(":")[0].lower() for each in found}


def numbers(name: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"\d+", name))


def newest(folders: list[Path]) -> Path | None:
    return max(folders, key=lambda each: numbers(each.name), default=None)


def cases() -> Path | None:
    """Where Go keeps the cases of the Pod Security admission that the lab's Kubernetes is built with."""
    modules = Path(os.environ.get("GOMODCACHE") or Path.home() / "go" / "pkg" / "mod")
    found = newest(list((modules / "k8s.io").glob("pod-security-admission@v*")))
    return found / "test" / "testdata" if found else None


class TestKubernetesOwnCases:
    def read(self, level: str, which: str) -> list[tuple[str, dict[str, Any]]]:
        root = cases()
        if root is None or not root.is_dir():
            pytest.skip("k8s.io/pod-security-admission is not in Go's module cache: build the lab")
        folder = newest(list((root / level).glob("v1.*")))
        assert folder is not None
        paths = sorted((folder / which).glob("*.yaml"))
        return [(p.stem, value) for p in paths for value, _ in libraries.documents(p)]

    @pytest.mark.parametrize("level", LEVELS)
    def test_what_passes_there_passes_here(self, library: policies.PolicySet, level: str) -> None:
        found = self.read(level, "pass")
        assert len(found) >= 15
        said = {name: judged(library, value, enforce=level) for name, value in found}
        assert {name: each for name, each in said.items() if each} == {}

    @pytest.mark.parametrize("level", LEVELS)
    def test_what_fails_there_is_denied_here_by_the_same_control(
        self, library: policies.PolicySet, level: str
    ) -> None:
        found = self.read(level, "fail")
        assert len(found) >= 30
        for name, value in found:
            control = name.rstrip("0123456789")
            if level == "restricted":
                control = REPLACED.get(control, control)
            assert control in controls(judged(library, value, enforce=level)), name

    def test_each_control_has_a_case(self, library: policies.PolicySet) -> None:
        for level in LEVELS:
            policy = library.policies[f"pod-security-{level}"]
            written = {
                str(each.message_expression.text).strip().partition(":")[0].strip("'").lower()
                for each in policy.validations
                if each.message_expression is not None
            }
            tried = {name.rstrip("0123456789") for name, _ in self.read(level, "fail")}
            tried = {REPLACED.get(n, n) for n in tried} if level == "restricted" else tried
            assert written == tried


def pod(container: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "pod"},
        "spec": {"containers": [{"name": "web", "image": "web", **container}], **spec},
    }


def context(**fields: Any) -> dict[str, Any]:
    return {"securityContext": fields}


# What a pod says, what baseline says to it, and what restricted adds. No case needs a cache of anything.
TABLE = [
    (pod({}), "", "allowprivilegeescalation capabilities_restricted runasnonroot seccompprofile_restricted"),
    (pod(context(privileged=True)), "privileged", "privileged"),
    (pod(context(privileged=False)), "", ""),
    (pod({}, hostNetwork=True), "hostnamespaces", "hostnamespaces"),
    (pod({}, hostNetwork=False, hostPID=False), "", ""),
    (pod({"ports": [{"containerPort": 1, "hostPort": 0}]}), "", ""),
    (pod({"ports": [{"containerPort": 1, "hostPort": 1}]}), "hostports", "hostports"),
    (pod(context(capabilities={"add": ["MKNOD", "SETPCAP"]})), "", "capabilities_restricted"),
    (pod(context(capabilities={"add": ["NET_RAW"]})), "capabilities_baseline", "capabilities_restricted"),
    (pod(context(capabilities={"add": ["CAP_CHOWN"]})), "capabilities_baseline", "capabilities_restricted"),
    (pod({}, volumes=[{"name": "v", "hostPath": {"path": "/"}}]), "hostpathvolumes", "restrictedvolumes"),
    (pod({}, volumes=[{"name": "v", "nfs": {"server": "a", "path": "/"}}]), "", "restrictedvolumes"),
    (pod({}, volumes=[{"name": "v", "csi": {"driver": "a"}}]), "", ""),
    (pod(context(procMount="Unmasked")), "procmount", "procmount_restricted"),
    (pod(context(procMount="Unmasked"), hostUsers=False), "", "procmount_restricted"),
    (pod({}, securityContext={"sysctls": [{"name": "net.ipv4.tcp_rmem", "value": "1"}]}), "", ""),
    (pod({}, securityContext={"sysctls": [{"name": "net.core.somaxconn", "value": "1"}]}), "sysctls", "sysctls"),
    (pod({}, securityContext={"seLinuxOptions": {"type": "container_engine_t"}}), "", ""),
    (pod(context(seLinuxOptions={"type": "container_share_t"})), "selinuxoptions", "selinuxoptions"),
    (pod(context(seccompProfile={"type": "Unconfined"})), "seccompprofile_baseline", "seccompprofile_restricted"),
    (pod(context(appArmorProfile={"type": "Unconfined"})), "apparmorprofile", "apparmorprofile"),
    (pod(context(windowsOptions={"hostProcess": True})), "windowshostprocess", "windowshostprocess"),
    (pod({"lifecycle": {"preStop": {"tcpSocket": {"host": "a", "port": 1}}}}),
     "hostprobesandhostlifecycle", "hostprobesandhostlifecycle"),
    (pod(context(runAsUser=0)), "", "runasuser"),
    (pod(context(runAsUser=0), hostUsers=False), "", ""),
    (pod(context(runAsNonRoot=False)), "", "runasnonroot"),
]  # fmt: skip
HARDENED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def hardened(value: dict[str, Any]) -> dict[str, Any]:
    """All that restricted asks for, where the case itself says nothing."""
    (container,) = value["spec"]["containers"]
    said = container.get("securityContext", {})
    capabilities = {"capabilities": {"drop": ["ALL"], **said.get("capabilities", {})}}
    full = {**container, "securityContext": {**HARDENED, **said, **capabilities}}
    return {**value, "spec": {**value["spec"], "containers": [full]}}


@pytest.mark.parametrize(("value", "baseline", "restricted"), TABLE)
def test_the_table_of_the_standard(
    library: policies.PolicySet, value: dict[str, Any], baseline: str, restricted: str
) -> None:
    assert controls(judged(library, value, enforce="baseline")) == set(baseline.split())
    is_bare = value == TABLE[0][0]
    shown = value if is_bare else hardened(value)
    assert controls(judged(library, shown, enforce="restricted")) == set(restricted.split())
    assert judged(library, value, enforce="privileged") == ()
    assert judged(library, value) == ()


class TestLevels:
    """As Kubernetes reads a Namespace's labels."""

    BARE = pod({})
    WORST = pod({}, hostNetwork=True)

    @pytest.mark.parametrize("level", ["Restricted", "strict", "", "baseline "])
    def test_what_is_no_level_is_enforced_as_restricted(
        self, library: policies.PolicySet, level: str
    ) -> None:
        assert "runasnonroot" in controls(judged(library, self.BARE, enforce=level))

    @pytest.mark.parametrize("mode", ["warn", "audit"])
    @pytest.mark.parametrize("level", ["Restricted", "strict", "", "privileged"])
    def test_what_is_no_level_warns_of_nothing(
        self, library: policies.PolicySet, mode: str, level: str
    ) -> None:
        assert judged(library, self.WORST, **{mode: level}) == ()

    @pytest.mark.parametrize("level", LEVELS)
    def test_warn_and_audit_only_say_so(self, library: policies.PolicySet, level: str) -> None:
        for mode, severity in (
            ("warn", findings.Severity.WARN),
            ("audit", findings.Severity.AUDIT),
        ):
            found = judged(library, self.WORST, **{mode: level})
            assert {each.severity for each in found} == {severity}
            assert {each.rule for each in found} == {f"pod-security-{level}"}

    def test_each_mode_has_its_own_level(self, library: policies.PolicySet) -> None:
        found = judged(library, self.BARE, enforce="baseline", warn="restricted")
        assert {each.severity for each in found} == {findings.Severity.WARN}
        assert "runAsNonRoot" in " ".join(each.message for each in found)

    def test_whoever_is_enforced_is_not_warned_as_well(self, library: policies.PolicySet) -> None:
        found = judged(library, self.WORST, enforce="restricted", warn="restricted")
        assert {each.severity for each in found} == {findings.Severity.DENY}


class TestWindows:
    FREED = frozenset(
        {"allowprivilegeescalation", "capabilities_restricted", "seccompprofile_restricted"}
    )

    def test_some_controls_do_not_ask_windows(self, library: policies.PolicySet) -> None:
        said = controls(judged(library, pod({}, os={"name": "windows"}), enforce="restricted"))
        assert said == {"runasnonroot"}
        linux = controls(judged(library, pod({}, os={"name": "linux"}), enforce="restricted"))
        assert linux == {"runasnonroot"} | self.FREED

    def test_the_others_do(self, library: policies.PolicySet) -> None:
        value = pod(context(windowsOptions={"hostProcess": True}), os={"name": "windows"})
        assert "windowshostprocess" in controls(judged(library, value, enforce="restricted"))

    def test_a_capability_that_baseline_forbids_is_no_matter_in_restricted(
        self, library: policies.PolicySet
    ) -> None:
        value = hardened(pod(context(capabilities={"add": ["SYS_ADMIN"]}), os={"name": "windows"}))
        assert judged(library, value, enforce="restricted") == ()
        assert judged(library, value, enforce="baseline") != ()


def test_what_both_levels_ask_is_asked_in_the_same_words(library: policies.PolicySet) -> None:
    written = [
        {each.expression.text for each in library.policies[f"pod-security-{level}"].validations}
        for level in LEVELS
    ]
    own = {"capabilities_baseline", "hostPathVolumes", "procMount", "seccompProfile_baseline"}
    assert len(written[0] - written[1]) == len(own)
