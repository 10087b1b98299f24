"""What passed is counted: by the rules that look at an object, each object once, less those with findings."""

from typing import Any

import builders
import rulebooks
from fleet.manifests import scopes
from fleet.model import names, objects
from fleet.policy import coverage

DEV = names.Environment("dev")
KNOWN = scopes.scopes([])


def manifest(name: str, **fields: Any) -> objects.Manifest:
    return builders.manifest(name, document=builders.body(name, **fields))


def counted(
    shares: dict[str, tuple[objects.Manifest, ...]], *documents: dict[str, Any]
) -> dict[tuple[str, str], int]:
    manifests = {names.Cluster(name): share for name, share in shares.items()}
    return dict(coverage.judged(manifests, rulebooks.parsed(*documents), DEV, KNOWN, {}))


def test_an_object_counts_once_on_however_many_clusters():
    both = (manifest("a"), manifest("b"))
    other = (manifest("a", data={"word": "other"}), manifest("c", namespace="blog"))
    found = counted({"dev-1": both, "dev-2": both, "dev-3": other})
    assert found == {("schema", "shop"): 2, ("schema", "blog"): 1}


def test_a_rule_counts_what_it_selects_alone():
    share = (
        manifest("a"),
        builders.manifest("b", document={**builders.body("b"), "kind": "Secret"}),
        manifest("c", namespace="blog"),
    )
    documents = (
        rulebooks.policy(
            "true", name="secrets", matchConstraints=rulebooks.matching(resources=["secrets"])
        ),
        rulebooks.binding("secrets"),
        rulebooks.policy(
            "true", name="named", matchConstraints=rulebooks.matching(resourceNames=["a"])
        ),
        rulebooks.binding("named"),
        rulebooks.policy("true", name="unbound"),
        rulebooks.policy("true", name="elsewhere"),
        rulebooks.binding("elsewhere", environments="prod"),
        rulebooks.policy("true", name="blog"),
        rulebooks.binding(
            "blog",
            matchResources={
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "blog"}}
            },
        ),
    )
    assert counted({"dev-1": share}, *documents) == {
        ("schema", "shop"): 2,
        ("schema", "blog"): 1,
        ("secrets", "shop"): 1,
        ("named", "shop"): 1,
        ("blog", "blog"): 1,
    }


def test_labels_tell_objects_apart_where_a_rule_asks_for_them():
    labelled = builders.body("b")
    labelled["metadata"]["labels"] = {"tier": "gold"}
    odd = builders.body("c")
    odd["metadata"]["labels"] = ["tier"]
    share = (
        manifest("a"),
        builders.manifest("b", document=labelled),
        builders.manifest("c", document=odd),
    )
    gold = {**rulebooks.matching(), "objectSelector": {"matchLabels": {"tier": "gold"}}}
    documents = (
        rulebooks.policy("true", name="gold", matchConstraints=gold),
        rulebooks.binding("gold"),
    )
    assert counted({"dev-1": share}, *documents)["gold", "shop"] == 1


def test_what_has_findings_has_not_passed():
    looked = coverage.Judged({("r", "shop"): 3, ("r", ""): 1, ("s", "shop"): 1})
    found = [
        builders.finding("r", "one", subject="ConfigMap shop/a"),
        builders.finding("r", "two", subject="ConfigMap shop/a"),
        builders.finding("r", subject="Namespace shop"),
        builders.finding("gone", subject="ConfigMap shop/a"),
        builders.finding("s"),
    ]
    assert coverage.passed(looked, found) == {("r", "shop"): 2, ("s", "shop"): 1}
