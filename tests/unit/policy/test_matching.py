"""Which objects a policy speaks of."""

from typing import Any

import pytest

import builders
import rulebooks
from fleet.manifests import scopes
from fleet.policy import evaluate

CONFIG = builders.body("web", data={"word": "x"})
DEPLOYMENT = {**builders.body("web", kind="Deployment", spec={}), "apiVersion": "apps/v1"}
NAMESPACE = builders.body("shop", kind="Namespace", namespace="")
ROLE = {
    **builders.body("reader", kind="ClusterRole", namespace=""),
    "apiVersion": "rbac.authorization.k8s.io/v1",
}


def is_judged(body: dict[str, Any], constraints: dict[str, Any], **more: Any) -> bool:
    """By a policy that denies all that it matches."""
    policy = rulebooks.policy("false", matchConstraints=constraints)
    return bool(rulebooks.judge(body, policy, rulebooks.binding(), **more))


@pytest.mark.parametrize(
    ("rule", "judged"),
    [
        ({}, True),
        ({"apiGroups": ["apps"]}, True),
        ({"apiGroups": [""]}, False),
        ({"apiGroups": ["", "apps"]}, True),
        ({"resources": ["deployments"]}, True),
        ({"resources": ["deployment"]}, False),
        ({"resources": ["pods", "deployments"]}, True),
        ({"resources": ["deployments/scale"]}, False),
        ({"resources": ["deployments/*"]}, True),
        ({"resources": ["*/*"]}, True),
        ({"resources": ["*/status"]}, False),
        ({"operations": ["CREATE"]}, True),
        ({"operations": ["*"]}, True),
        ({"operations": ["UPDATE", "DELETE"]}, False),
        ({"resourceNames": ["web", "api"]}, True),
        ({"resourceNames": ["api"]}, False),
        ({"scope": "Namespaced"}, True),
        ({"scope": "Cluster"}, False),
    ],
)
def test_rules_match_as_on_an_api_server(rule: dict[str, Any], judged: bool) -> None:
    assert is_judged(DEPLOYMENT, rulebooks.matching(**rule)) is judged


@pytest.mark.threat(53)
@pytest.mark.parametrize(
    ("policy", "judged"), [(None, True), ("Equivalent", True), ("Exact", False)]
)
def test_another_version_of_a_kind_is_no_way_around(policy: str | None, judged: bool) -> None:
    cron_job = {**builders.body("tick", kind="CronJob", spec={}), "apiVersion": "batch/v1beta1"}
    constraints = rulebooks.matching(
        apiGroups=["batch"], apiVersions=["v1"], resources=["cronjobs"]
    )
    if policy:
        constraints["matchPolicy"] = policy
    assert is_judged(cron_job, constraints) is judged


def test_scope_and_what_lives_outside_namespaces() -> None:
    for body in (NAMESPACE, ROLE):
        assert is_judged(body, rulebooks.matching(scope="Cluster"))
        assert not is_judged(body, rulebooks.matching(scope="Namespaced"))


def test_what_is_excluded_is_not_judged() -> None:
    constraints = {
        **rulebooks.matching(),
        "excludeResourceRules": [{**rulebooks.EVERYTHING, "resourceNames": ["web"]}],
    }
    assert not is_judged(CONFIG, constraints)
    assert is_judged(builders.body("api"), constraints)


def test_custom_resources_are_called_as_their_definition_says() -> None:
    mouse = {**builders.body("jerry", kind="Mouse"), "apiVersion": "example.org/v1"}
    crd = {
        "spec": {
            "group": "example.org",
            "scope": "Namespaced",
            "names": {"kind": "Mouse", "plural": "mice"},
        }
    }
    constraints = rulebooks.matching(resources=["mice"])
    assert is_judged(mouse, constraints, crds=(crd,))
    assert not is_judged(mouse, constraints)


PROD_ONLY = {"matchLabels": {"tier": "prod"}}


@pytest.mark.parametrize(
    ("selector", "namespaces", "judged"),
    [
        (PROD_ONLY, {"shop": {"tier": "prod"}}, True),
        (PROD_ONLY, {"shop": {"tier": "dev"}}, False),
        (PROD_ONLY, {"other": {"tier": "prod"}}, False),
        (PROD_ONLY, {}, False),
        ({"matchLabels": {"kubernetes.io/metadata.name": "shop"}}, {}, True),
        ({"matchLabels": {"kubernetes.io/metadata.name": "shop"}}, {"shop": {}}, True),
        ({"matchLabels": {"kubernetes.io/metadata.name": "web"}}, {"shop": {}}, False),
    ],
)
def test_namespaces_are_selected_by_the_labels_that_the_repository_gives_them(
    selector: dict[str, Any], namespaces: dict[str, dict[str, str]], judged: bool
) -> None:
    constraints = {**rulebooks.matching(), "namespaceSelector": selector}
    assert is_judged(CONFIG, constraints, namespaces=namespaces) is judged


@pytest.mark.threat(53)
def test_a_namespace_cannot_name_itself_otherwise() -> None:
    """The label is the API server's to write, whatever the manifest says."""
    selector = {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}
    constraints = {**rulebooks.matching(), "namespaceSelector": selector}
    labels = {"kubernetes.io/metadata.name": "other"}
    assert is_judged(CONFIG, constraints, namespaces={"shop": labels})


def test_a_namespace_counts_by_its_own_labels_and_cluster_scope_always_counts() -> None:
    constraints = {**rulebooks.matching(), "namespaceSelector": PROD_ONLY}
    assert not is_judged(NAMESPACE, constraints)
    labelled = {**NAMESPACE, "metadata": {"name": "shop", "labels": {"tier": "prod"}}}
    assert is_judged(labelled, constraints)
    assert is_judged(ROLE, constraints)


def test_objects_are_selected_by_their_labels() -> None:
    constraints = {
        **rulebooks.matching(),
        "objectSelector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]},
    }
    assert not is_judged(CONFIG, constraints)
    labelled = {**CONFIG, "metadata": {**CONFIG["metadata"], "labels": {"app": "web"}}}
    assert is_judged(labelled, constraints)


def test_a_binding_narrows_what_its_policy_matches() -> None:
    policy = rulebooks.policy("false")
    narrow = rulebooks.binding(matchResources=rulebooks.matching(resources=["secrets"]))
    assert not rulebooks.judge(CONFIG, policy, narrow)
    assert rulebooks.judge(builders.body("web", kind="Secret"), policy, narrow)


def test_policies_do_not_judge_policies() -> None:
    assert not is_judged(rulebooks.policy("true"), rulebooks.matching())
    assert not is_judged(rulebooks.binding(), rulebooks.matching())


def test_one_set_of_rules_tells_namespaces_apart_whatever_their_labels_hold():
    """In any order, as what was found for one is not what holds for another."""
    constraints = {
        "namespaceSelector": {"matchLabels": {"tier": "1"}},
        "resourceRules": [
            {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}
        ],
    }
    bound = rulebooks.parsed(
        rulebooks.policy("false", matchConstraints=constraints), rulebooks.binding()
    )
    manifest = builders.manifest(document=CONFIG)
    labelled: list[tuple[Any, bool]] = [
        ("1", True),
        (1, False),
        (["1"], False),
        ({"1": "1"}, False),
        ("2", False),
        ("1", True),
    ]
    for tier, judged in labelled:
        scene = evaluate.Scene(namespaces={"shop": {"tier": tier}}, scopes=scopes.scopes([]))
        assert bool(evaluate.evaluate(bound, manifest, scene)) is judged, tier
    bare = evaluate.Scene(namespaces={}, scopes=scopes.scopes([]))
    assert evaluate.evaluate(bound, manifest, bare) == ()


def test_a_namespace_is_told_from_its_neighbours_by_its_own_labels():
    constraints = {
        "namespaceSelector": {"matchLabels": {"tier": "prod"}},
        "resourceRules": [
            {
                "apiGroups": [""],
                "apiVersions": ["*"],
                "operations": ["*"],
                "resources": ["namespaces"],
            }
        ],
    }
    bound = rulebooks.parsed(
        rulebooks.policy("false", matchConstraints=constraints), rulebooks.binding()
    )
    scene = evaluate.Scene(namespaces={}, scopes=scopes.scopes([]))
    for tier in ("dev", "prod", "test", "prod"):
        body = {**NAMESPACE, "metadata": {**NAMESPACE["metadata"], "labels": {"tier": tier}}}
        found = evaluate.evaluate(bound, builders.manifest(document=body), scene)
        assert bool(found) is (tier == "prod")
