"""Why a policy says what it says: of each part its result, and where it decided."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

import builders
import rulebooks
from fleet.cel import parser
from fleet.manifests import scopes
from fleet.model import names, objects
from fleet.policy import blame, evaluate, excerpts, explaining, policies, spans, wordings

PASSWORD = "correct horse battery staple"  # noqa: S105 - made up
CONTAINERS = [{"name": "web", "image": "web"}, {"name": "db", "image": "db:1"}]
POD = builders.manifest(document=rulebooks.pod(containers=CONTAINERS))


def secret(**values: str) -> objects.Manifest:
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": "n"},
        "stringData": values,
    }
    return builders.manifest(document=body)


def explained(
    manifest: objects.Manifest, *rules: dict[str, Any], labels: dict[str, str] | None = None
) -> explaining.Explained:
    bound = policies.for_environment(rulebooks.parsed(*rules), names.Environment("prod"))
    (policy,) = bound.policies.values()
    scene = evaluate.Scene(
        namespaces={manifest.key.namespace: labels or {}}, scopes=scopes.scopes(())
    )
    return explaining.explained(policy, bound, manifest, scene)


def heard(manifest: objects.Manifest, policy: dict[str, Any]) -> explaining.Hearing:
    (found,) = explained(manifest, policy, rulebooks.binding()).hearings
    return found


def results(steps: tuple[explaining.Step, ...]) -> list[tuple[str, str]]:
    return [(each.name, each.result) for each in steps]


def test_each_part_has_its_result():
    found = heard(
        POD,
        rulebooks.policy(
            "variables.bad.size() == 0",
            "object.kind == 'Pod'",
            "object.spec.nothing == 1",
            matchConditions=[{"name": "is-pod", "expression": "object.kind == 'Pod'"}],
            variables=[
                {
                    "name": "bad",
                    "expression": "object.spec.containers.filter(c, !c.image.contains(':'))",
                },
                {"name": "broken", "expression": "object.spec.nothing"},
            ],
        ),
    )
    assert found.outcome is explaining.Outcome.ERROR
    assert results(found.conditions) == [("is-pod", "true")]
    assert results(found.variables) == [("bad", "value"), ("broken", "error")]
    assert found.variables[0].value == '[{"name": "web", "image": "web"}]'
    assert results(found.validations) == [("0", "false"), ("1", "true"), ("2", "error")]
    decided = found.validations[0].guilt
    assert decided == blame.Guilt(
        path=("spec", "containers", "0", "image"),
        text="c.image.contains(':')",
        at=35,
        variable="bad",
    )
    assert "no such key: nothing" in found.validations[2].message


def test_what_is_not_spoken_of_is_not_asked():
    silent = rulebooks.policy(
        "false", matchConditions=[{"name": "never", "expression": "object.kind == 'Job'"}]
    )
    found = heard(POD, silent)
    assert found.outcome is explaining.Outcome.SILENT
    assert results(found.conditions) == [("never", "false")]
    assert results(found.validations) == [("0", "not asked")]
    broken = rulebooks.policy(
        "false", matchConditions=[{"name": "broken", "expression": "object.nothing == 1"}]
    )
    found = heard(POD, broken)
    assert found.outcome is explaining.Outcome.ERROR
    assert results(found.validations) == [("0", "not asked")]
    assert "no such key: nothing" in found.validations[0].message


def test_each_criterion_is_asked_by_itself():
    policy = rulebooks.policy(
        "true",
        matchConstraints={
            **rulebooks.matching(apiGroups=[""], resources=["pods"]),
            "excludeResourceRules": [{**rulebooks.EVERYTHING, "resourceNames": ["other"]}],
            "namespaceSelector": {"matchLabels": {"team": "a"}},
            "objectSelector": {"matchExpressions": [{"key": "x", "operator": "DoesNotExist"}]},
        },
    )
    found = explained(POD, policy, rulebooks.binding())
    assert found.outcome is explaining.Outcome.UNMATCHED
    assert [(each.words, each.holds) for each in found.criteria] == [
        ("CREATE, UPDATE of pods in core", True),
        ("not CREATE, UPDATE of anything in any group named other", True),
        ("namespaces with team=a", False),
        ("objects with !x", True),
    ]
    matched = explained(POD, policy, rulebooks.binding(), labels={"team": "a"})
    assert matched.outcome is explaining.Outcome.ADMITS


def test_a_binding_that_selects_something_else_is_told_apart():
    elsewhere = rulebooks.binding(
        matchResources={"objectSelector": {"matchLabels": {"absent": "x"}}}
    )
    found = explained(POD, rulebooks.policy("false"), elsewhere)
    assert found.outcome is explaining.Outcome.UNBOUND
    assert [each.holds for each in found.hearings[0].criteria] == [False]


@pytest.mark.threat(20)
@pytest.mark.parametrize(
    "expression",
    [
        "object.stringData",
        "object.stringData.password + 'x'",
        "bytes(object.stringData.password)",
        "[object.stringData.password.split('')]",
        "[[object.stringData.password.substring(3, 20)]]",
        "{object.stringData.password: 1}",
    ],
)
def test_no_value_of_a_secret_is_shown(expression: str):
    policy = rulebooks.policy(
        {"expression": "false", "messageExpression": "'it is ' + object.stringData.password"},
        variables=[{"name": "shown", "expression": expression}],
    )
    found = heard(secret(password=PASSWORD), policy)
    said = repr([found.variables[0].value, found.validations[0].message])
    assert PASSWORD[:8] not in said
    assert PASSWORD[3:20] not in said
    assert found.outcome is explaining.Outcome.DENIES


@pytest.mark.threat(20)
def test_where_a_value_is_cut_off_none_of_a_secret_is_left():
    """Neither in front of the cut nor behind quotes that are written otherwise."""
    value = ('"\\\n' + PASSWORD) * 400
    found = excerpts.excerpt({"a": value, "b": value[5:40]}, secret(password=value))
    assert "horse" not in found
    assert len(found) < 2 * excerpts.SHOWN


def test_huge_values_are_read_no_further_than_they_are_shown():
    class Counted(list[int]):
        asked = 0

        def __iter__(self) -> Iterator[int]:
            for each in super().__iter__():
                Counted.asked += 1
                yield each

    found = excerpts.excerpt(Counted(range(1_000_000)), POD)
    assert found.startswith("[0, 1, 2")
    assert found.endswith("...")
    assert Counted.asked < 1000
    deep: Any = []
    for _ in range(50_000):
        deep = [deep]
    assert excerpts.excerpt(deep, POD).endswith("...")
    assert len(excerpts.excerpt("x" * 10_000_000, POD)) < 2 * excerpts.SHOWN


@pytest.mark.parametrize(
    ("expression", "part", "at"),
    [
        ("object.kind == 'Pod' && object.metadata.name == 'api'", "object.metadata.name == 'api'", 25),
        ("!has(object.spec.containers)", "has(object.spec.containers)", 2),
        ("size(object.spec.containers) < 2", "size(object.spec.containers) < 2", 1),
        ("object.spec.containers.all(c, c.image.contains(':'))", "c.image.contains(':')", 31),
        ("object.spec.containers.exists(c, c.name == 'x')", "object.spec.containers.exists(c, c.name == 'x')", 1),
        ("object.spec\n  .containers[1]\n  .name == 'x'", "object.spec\n  .containers[1]\n  .name == 'x'", 1),
    ],
)  # fmt: skip
def test_the_part_that_decided_is_named(expression: str, part: str, at: int):
    (step,) = heard(POD, rulebooks.policy(expression)).validations
    assert (step.result, step.guilt.text, step.guilt.at) == ("false", part, at)


@given(some.sampled_from(["a.b", "a == 1", "f(a)", "a.f(1)", "a[0]", "!a", "has(a.b)", "a ? b : c",
                          "[1, a]", "{'a': 1}", "a.all(x, x > 1)", "-a", "a in b", "'x y'"]),
       some.sampled_from(["{}", "{} && z", "z || {}", " {}  ", "({})", "z.filter(q, {})"]))  # fmt: skip
def test_a_span_is_where_the_piece_was_written(piece: str, around: str):
    """Of the whole expression, and never something that reads otherwise."""
    text = around.format(piece)
    node = parser.parse(text)
    found = spans.span(text, node)
    if found is not None:
        begin, end = found
        assert parser.parse(" " * begin + text[begin:end]) == node


def test_words_of_other_dialects_are_never_missing():
    rules = rulebooks.parsed(
        {
            "apiVersion": "kyverno.io/v1",
            "kind": "ClusterPolicy",
            "metadata": {"name": "p"},
            "spec": {
                "rules": [
                    {
                        "name": "r",
                        "match": {"any": [{"resources": {"kinds": ["Service"]}}]},
                        "exclude": {"any": [{"resources": {"namespaces": ["kube-*"]}}]},
                        "validate": {"cel": {"expressions": [{"expression": "false"}]}},
                    }
                ]
            },
        }
    )
    (policy,) = rules.policies.values()
    *_, last = wordings.parts(policy.form.spec.match_constraints, policy.criterion)
    assert "Service" in last.words
    assert "not" in last.words
    assert "kube-*" in last.words
