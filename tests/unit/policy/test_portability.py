"""A policy that a cluster's own API server would refuse is said, and judges all the same."""

import pytest

import rulebooks
from fleet.model import findings, names
from fleet.policy import policies, portability

ONE, TWO = names.Cluster("old"), names.Cluster("new")
BOUND = policies.for_environment(
    rulebooks.parsed(
        rulebooks.policy("isIP('::1')", "object.a == 1", "sets.contains([1], [1]) && isIP('a')"),
        rulebooks.binding(),
    ),
    names.Environment("dev"),
)


def check(versions: portability.Versions) -> list[findings.Finding]:
    return list(portability.check(BOUND, versions))


def test_an_old_cluster_is_named_with_what_it_does_not_know():
    first, second = check({"1.30": (ONE,), "1.36": (TWO,)})
    assert first.clusters == second.clusters == (ONE,)
    assert first.severity is findings.Severity.WARN
    assert first.field == ("spec", "validations", "0", "expression")
    assert first.message == "Kubernetes 1.30 would refuse this expression: it does not know isIP"
    assert "from 1.31 on" in first.hint


@pytest.mark.parametrize(
    ("version", "said"), [("1.31", ()), ("1.29", ("isIP", "isIP, sets.contains"))]
)
def test_each_expression_is_said_once(version: str, said: tuple[str, ...]):
    found = check({version: (ONE,)})
    assert tuple(each.message.rpartition("know ")[2] for each in found) == said


def test_what_does_not_compile_is_found_elsewhere():
    broken = rulebooks.parsed(rulebooks.policy("("), rulebooks.binding())
    assert list(portability.check(broken, {"1.30": (ONE,)})) == []
    assert [each.severity for each in broken.findings] == [findings.Severity.UNKNOWN]
