"""The shipped policies, each by its own examples: the whole library judges every document."""

from typing import Any

import pytest
import yaml

import libraries
from fleet.manifests import declared, parse
from fleet.model import findings, names, objects
from fleet.policy import policies, portability

EXPECT = "fleetgate.dev/expect"
PREFIX = "fleetgate.dev/"
WORDS = ("title", "category", "severity", "why", "links", "hint")
CATEGORIES = {
    "Best practices", "Networking", "Pod security", "RBAC", "Reliability", "Supply chain",
}  # fmt: skip
# What the standard forbids and an older policy of ours as well.
ALSO = {
    "pod-security-baseline": {"disallow-privileged", "disallow-host-namespaces"},
    "pod-security-restricted": {
        "disallow-privileged", "disallow-host-namespaces", "require-run-as-non-root",
    },
}  # fmt: skip
REFUSING = (findings.Severity.DENY, findings.Severity.UNKNOWN)
SPACES = libraries.namespaces()
RISKY = "restrict-risky-kinds"


def examples(which: str) -> list[Any]:
    return [
        pytest.param(folder, value, source, id=f"{folder}-{path.stem}-{value['metadata']['name']}")
        for folder in libraries.FOLDERS
        for path in sorted((libraries.ROOT / folder / "tests" / which).glob("*.yaml"))
        for value, source in libraries.documents(path)
    ]


@pytest.fixture(scope="module")
def library() -> policies.PolicySet:
    return libraries.library()


def judged(
    library: policies.PolicySet, value: dict[str, Any], source: objects.Source, where: str = "prod"
) -> tuple[findings.Finding, ...]:
    return libraries.judged(library, value, source, where=where, spaces=SPACES)


def enforced(library: policies.PolicySet, policy: str) -> findings.Severity:
    """As the binding of the same name says."""
    (binding,) = (each for each in library.bindings if each.name == policy)
    return binding.severity


def test_the_library_is_sound_and_complete(library: policies.PolicySet) -> None:
    assert library.findings == ()
    assert sorted(library.policies) == list(libraries.FOLDERS)
    assert len(libraries.FOLDERS) >= 31


@pytest.mark.parametrize("version", ["1.31", "1.36"])
def test_no_policy_needs_a_newer_kubernetes(library: policies.PolicySet, version: str) -> None:
    """An API server takes in what the version before its own knew."""
    assert list(portability.check(library, {version: ()})) == []


@pytest.mark.parametrize("folder", libraries.FOLDERS)
def test_each_policy_has_good_and_bad_examples_and_words(
    library: policies.PolicySet, folder: str
) -> None:
    for which in ("good", "bad"):
        found = [p for p in examples(which) if p.values[0] == folder]
        assert len(found) >= 2, f"{which} examples of {folder}"
    assert (libraries.ROOT / folder / "README.md").read_text().startswith(f"# {folder}\n")
    said = library.policies[folder].form.metadata.annotations
    assert {word for word in WORDS if said.get(PREFIX + word, "").strip()} == set(WORDS)
    assert said[PREFIX + "category"] in CATEGORIES
    assert said[PREFIX + "severity"] in findings.LEVELS
    assert all(each.startswith("https://") for each in said[PREFIX + "links"].split())


@pytest.mark.parametrize(("folder", "value", "source"), examples("good"))
def test_good_examples_pass_their_policy_and_no_policy_refuses_them(
    library: policies.PolicySet, folder: str, value: dict[str, Any], source: objects.Source
) -> None:
    found = judged(library, value, source)
    assert [each for each in found if each.rule == folder or each.severity in REFUSING] == []


@pytest.mark.threat(53)
@pytest.mark.parametrize(("folder", "value", "source"), examples("bad"))
def test_bad_examples_are_found_by_their_policy_and_refused_by_no_other(
    library: policies.PolicySet, folder: str, value: dict[str, Any], source: objects.Source
) -> None:
    found = judged(library, value, source)
    own = [each for each in found if each.rule == folder]
    assert {each.severity for each in own} == {enforced(library, folder)}
    expected = value["metadata"]["annotations"][EXPECT]
    assert any(expected in each.message for each in own), [each.message for each in own]
    assert own[0].hint
    assert own[0].level == library.policies[folder].level
    assert own[0].field, "it points at no field"
    others = {each.rule for each in found if each.severity in REFUSING} - {folder}
    assert others <= ALSO.get(folder, set())


def test_replicas_count_in_prod_only(library: policies.PolicySet) -> None:
    path = libraries.ROOT / "require-replicas-in-prod" / "tests" / "bad" / "replicas.yaml"
    for value, source in libraries.documents(path):
        assert "require-replicas-in-prod" in rules(judged(library, value, source, "prod"))
        assert "require-replicas-in-prod" not in rules(judged(library, value, source, "staging"))


def rules(found: tuple[findings.Finding, ...]) -> set[str]:
    return {each.rule for each in found}


class TestLeave:
    """Who may what takes over a cluster is said in the rules, by whole names."""

    def given(self, leave: str) -> policies.PolicySet:
        rules = []
        for each in libraries.rules((RISKY,)):
            value = each.value
            if value["kind"] == "ConfigMap":
                value = {**value, "data": {"leave": leave}}
            rules.append(declared.Rule(value=value, source=each.source))
        return policies.parse(rules)

    def refused(self, leave: str) -> set[str]:
        allowed = self.given(leave)
        return {
            f"{value['kind']}/{value['metadata']['name']}"
            for path in sorted((libraries.ROOT / RISKY / "tests" / "bad").glob("*.yaml"))
            for value, source in libraries.documents(path)
            if libraries.judged(allowed, value, source, spaces={})
        }

    @pytest.mark.threat(15)
    def test_nobody_has_leave_at_first(self) -> None:
        assert len(self.refused("")) == len([p for p in examples("bad") if p.values[0] == RISKY])

    @pytest.mark.threat(15)
    @pytest.mark.parametrize(
        "leave",
        ["*", "ClusterRole/", "Role/binding", "ClusterRole/binding", "Role/other/binding",
         "MutatingWebhookConfiguration/mutat", "# Role/shop/binding", "mutating"],
    )  # fmt: skip
    def test_what_is_not_named_wholly_has_none(self, leave: str) -> None:
        assert self.refused(leave) == self.refused("")

    def test_what_is_named_has(self) -> None:
        named = "Role/shop/binding\n  MutatingWebhookConfiguration/mutating \nClusterRole/kubelets"
        gone = self.refused("") - self.refused(named)
        assert gone == {
            "Role/binding", "MutatingWebhookConfiguration/mutating", "ClusterRole/kubelets",
        }  # fmt: skip

    @pytest.mark.threat(15)
    def test_without_its_parameters_everything_is_refused(self) -> None:
        rules = [e for e in libraries.rules((RISKY,)) if e.value["kind"] != "ConfigMap"]
        good = libraries.ROOT / RISKY / "tests" / "good" / "roles.yaml"
        value, source = next(libraries.documents(good))
        assert findings.refuses(libraries.judged(policies.parse(rules), value, source, spaces={}))


def test_messages_of_hostile_names_stay_short(library: policies.PolicySet) -> None:
    """A thousand containers with long names, each of them wrong."""
    each = {"name": "x" * 63, "image": "web", "securityContext": {"privileged": True}}
    value = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "many", "namespace": "baseline"},
        "spec": {"containers": [each] * 1000},
    }
    parsed = parse.documents(yaml.safe_dump(value).encode(), "many.yaml", names.BlobId("0" * 40))
    source = objects.Source(path="many.yaml", line=1, blob=parsed.blob, index=0)
    found = judged(library, value, source)
    assert {"disallow-privileged", "pod-security-baseline"} <= rules(found)
    assert max(len(each.message) for each in found) < 2000
