"""Waivers, enforcement and baseline on real commits: what loosens counts once it is in force, and ends by the clock."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

import repositories
import rulebooks
from fleet.adapters import schemas
from fleet.judge import judging
from fleet.local import offline
from fleet.model import findings, names

SOURCE = schemas.Packaged()
DEV = names.Environment("dev")
BEFORE = datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)
END = datetime(2026, 2, 1, tzinfo=UTC)
WAIVER = "environments/dev/waivers/legacy.yaml"
RULE = "policies/rule/policy.yaml"
APP = "apps/web/a.yaml"
GOOD = repositories.config_map()
BAD = GOOD.replace("word:", "password:")
FLEET = repositories.FLEET.replace("- name: dev", "- name: dev\n    SETTINGS", 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """A clock that stands."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(f"nobody waits {seconds} s here")


def rules(
    *actions: str,
    message: str = "a password in a ConfigMap",
    field: str = "password",
    **annotations: str,
) -> str:
    expression = f"object.kind != 'ConfigMap' || !('{field}' in object.data)"
    policy = rulebooks.policy(
        {"expression": expression, "message": message}, annotations=annotations
    )
    return "\n---\n".join(map(json.dumps, (policy, rulebooks.binding("rule", *actions))))


def settings(text: str) -> str:
    return FLEET.replace("SETTINGS", text)


def app(repository_of: Any, files: Mapping[str, str] | None = None) -> Any:
    """A repository whose one object breaks its one rule, unless `files` say otherwise."""
    return repository_of(
        {
            "apps/web/bundle.yaml": repositories.bundle_text(),
            APP: BAD,
            RULE: rules(),
            **(files or {}),
        }
    )


async def found(
    reader: Any, base: names.CommitId | None = None, now: datetime | None = BEFORE
) -> tuple[findings.Finding, ...]:
    tools = judging.Tools(
        repository=reader.local,
        schemas=SOURCE,
        memo=reader.memo,
        kustomize=None,
        clock=Stopped(at=now) if now else None,
    )
    verdict = await offline.check_commit(DEV, reader.git.tip(), base, tools)
    return tuple(each for each in verdict.findings if each.rule != "registration")


async def told(reader: Any, *args: Any, **more: Any) -> set[str]:
    return {f"{each.rule} {each.severity.value}" for each in await found(reader, *args, **more)}


async def test_at_the_very_first_an_environments_own_waivers_count(repository_of: Any):
    reader = app(repository_of, {WAIVER: repositories.waiver_text()})
    (waived,) = await found(reader)
    assert (waived.rule, waived.severity) == ("rule", findings.Severity.WAIVED)
    assert str(waived.place).startswith(f"{APP}:")
    assert waived.waived == findings.Waived(
        waiver="legacy",
        owner="team-shop",
        reason="moves out in spring",
        ticket="OPS-1",
        until=END,
        place=findings.Place(path=WAIVER, line=1),
        otherwise=findings.Severity.DENY,
    )
    assert "until 2026-02-01" in waived.hint
    assert not findings.refuses([waived])


async def test_the_finding_comes_back_on_the_day_without_any_commit(repository_of: Any):
    reader = app(repository_of, {WAIVER: repositories.waiver_text()})
    assert await told(reader, now=BEFORE) == {"rule waived"}
    back = await found(reader, now=END)
    assert {f"{e.rule} {e.severity.value}" for e in back} == {"rule deny", "waiver warn"}
    (denied,) = [each for each in back if each.rule == "rule"]
    assert "its waiver legacy ended 2026-02-01" in denied.hint


async def test_without_a_clock_no_waiver_counts(repository_of: Any):
    reader = app(repository_of, {WAIVER: repositories.waiver_text()})
    assert await told(reader, now=None) == {"rule deny"}


@pytest.mark.threat(36)
async def test_a_waiver_does_not_help_the_commit_that_brings_it_and_the_need(repository_of: Any):
    reader = app(repository_of, {APP: GOOD})
    base = reader.git.tip()
    reader.git.commit({APP: BAD, WAIVER: repositories.waiver_text()})
    assert await told(reader, base) == {"rule deny", "loosening audit"}


async def test_a_waiver_alone_is_accepted_first_and_the_next_commit_profits(repository_of: Any):
    reader = app(repository_of, {APP: GOOD})
    base = reader.git.tip()
    reader.git.commit({WAIVER: repositories.waiver_text()})
    assert await told(reader, base) == {"loosening audit", "waiver warn"}  # nothing to waive yet
    base = reader.git.tip()
    reader.git.commit({APP: BAD})
    assert await told(reader, base) == {"rule waived"}


async def test_a_waiver_that_ended_is_renewed_by_a_commit_of_its_own(repository_of: Any):
    """Else nobody could: what runs breaks the rule, and whatever is committed would too."""
    reader = app(repository_of, {WAIVER: repositories.waiver_text()})
    base = reader.git.tip()
    reader.git.commit({"apps/web/b.yaml": repositories.config_map("other")})
    assert await told(reader, base, END) == {"rule deny", "waiver warn"}
    reader.git.run("reset", "--quiet", "--hard", base)
    reader.git.commit({WAIVER: repositories.waiver_text(expires="2026-06-01")})
    renewed = await found(reader, base, END)
    assert not findings.refuses(renewed)
    assert [e.severity.value for e in renewed if e.rule == "rule"] == ["waived"]
    base = reader.git.tip()
    reader.git.commit({"apps/web/b.yaml": repositories.config_map("other")})
    assert await told(reader, base, END) == {"rule waived"}


async def test_a_commit_that_only_takes_a_waiver_away_delivers_nothing(repository_of: Any):
    reader = app(repository_of, {WAIVER: repositories.waiver_text()})
    base = reader.git.tip()
    reader.git.commit({WAIVER: None})
    (still,) = await found(reader, base)
    assert (still.severity, still.passed[:26]) == (
        findings.Severity.WARN,
        "nothing but waivers change",
    )
    base = reader.git.tip()
    reader.git.commit({"apps/web/b.yaml": repositories.config_map("other")})
    assert await told(reader, base) == {"rule deny"}


@pytest.mark.parametrize(
    "beside",
    [
        {APP: BAD.replace("'hello'", "'other'")},
        {"environments/dev/values.yaml": "a: b\n"},
        {"clusters/dev/2.yaml": repositories.cluster_text("dev-2")},
        {WAIVER: repositories.waiver_text(expires="2026-06-01") + "---\nkind: ConfigMap\n"},
    ],
)
async def test_a_renewal_brings_nothing_else(beside: dict[str, str], repository_of: Any):
    reader = app(repository_of, {WAIVER: repositories.waiver_text()})
    base = reader.git.tip()
    reader.git.commit({WAIVER: repositories.waiver_text(expires="2026-06-01"), **beside})
    assert "rule deny" in await told(reader, base, END)


async def test_a_longer_end_counts_from_the_next_commit_on(repository_of: Any):
    reader = app(repository_of, {WAIVER: repositories.waiver_text()})
    base = reader.git.tip()
    longer = repositories.waiver_text(expires="2026-06-01")
    reader.git.commit({WAIVER: longer, APP: BAD.replace("'hello'", "'other'")})
    (waived,) = [e for e in await found(reader, base) if e.rule == "rule"]
    assert waived.waived is not None
    assert waived.waived.until == END
    assert "rule deny" in await told(reader, base, END)


async def test_a_waiver_that_goes_counts_no_more_at_once(repository_of: Any):
    reader = app(repository_of, {WAIVER: repositories.waiver_text()})
    base = reader.git.tip()
    reader.git.commit({WAIVER: None, APP: BAD.replace("'hello'", "'other'")})
    assert await told(reader, base) == {"rule deny"}


async def test_a_new_rule_may_come_with_the_waivers_that_it_needs(repository_of: Any):
    """What is in force has nothing against it, so nothing is loosened."""
    reader = repository_of({"apps/web/bundle.yaml": repositories.bundle_text(), APP: BAD})
    base = reader.git.tip()
    reader.git.commit({RULE: rules(), WAIVER: repositories.waiver_text()})
    assert await told(reader, base) == {"rule waived", "loosening audit"}


async def test_a_rule_that_goes_may_take_its_waiver_along(repository_of: Any):
    reader = app(repository_of, {WAIVER: repositories.waiver_text()})
    base = reader.git.tip()
    reader.git.commit({RULE: None, WAIVER: None})
    assert await told(reader, base) == {"rule waived", "loosening audit"}


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    ("spoiled", "message"),
    [
        ({"expires": None}, "spec.expires: field required"),
        ({"expires": "9999-12-31"}, "too far from now"),
        ({"expires": "never"}, "spec.expires: a moment is written as"),
        ({"rules": ["*"]}, "* is no rule's name"),
        ({"rules": []}, "spec.rules: list should have at least 1 item"),
        ({"objects": []}, "spec.objects: list should have at least 1 item"),
        ({"objects": [{}]}, "it names no object"),
        ({"objects": [{"kind": "ConfigMap"}]}, "it names no object"),
        ({"objects": [{"path": "**"}]}, "it names no object"),
        ({"objects": [{"labels": {}}]}, "it names no object"),
        ({"owner": "mallory"}, "mallory may not own a waiver here"),
        ({"owner": "team\u2010shop"}, "spec.owner: string should match pattern"),
        ({"owner": None}, "spec.owner: field required"),
        ({"reason": " "}, "spec.reason: string should match pattern"),
        ({"ticket": None}, "spec.ticket: field required"),
        ({"rules": ["schema"]}, "schema cannot be waived"),
    ],
)
async def test_a_waiver_that_is_unsound_is_refused_and_waives_nothing(
    spoiled: dict[str, Any], message: str, repository_of: Any
):
    fleet = settings("waivers: {owners: [team-shop]}")
    reader = app(repository_of, {"fleet.yaml": fleet, WAIVER: repositories.waiver_text(**spoiled)})
    seen = await found(reader)
    assert [e for e in seen if e.rule == "rule" and e.severity is findings.Severity.DENY]
    refusing = [each for each in seen if each.rule in ("waiver", "fleet")]
    assert message in refusing[0].message
    assert str(refusing[0].place).startswith(f"{WAIVER}:")
    assert findings.refuses(refusing)


@pytest.mark.threat(39)
async def test_two_waivers_that_would_cover_it_together_cover_nothing(repository_of: Any):
    right_rule = repositories.waiver_text("one", objects=[{"name": "another"}])
    right_object = repositories.waiver_text("two", rules=["other-rule"])
    reader = app(repository_of, {WAIVER: f"{right_rule}---\n{right_object}"})
    assert await told(reader) == {"rule deny", "waiver warn"}


async def test_wildcards_count_where_the_environment_allows_them(repository_of: Any):
    wide = repositories.waiver_text(rules=["*"], objects=[{"kind": "ConfigMap"}])
    reader = app(
        repository_of, {"fleet.yaml": settings("waivers: {wildcards: true}"), WAIVER: wide}
    )
    assert await told(reader) == {"rule waived"}


async def test_a_waiver_for_one_cluster_leaves_the_others(repository_of: Any):
    one = [{"name": "web", "clusters": ["dev-2"]}]
    reader = app(
        repository_of,
        {
            "clusters/dev/2.yaml": repositories.cluster_text("dev-2"),
            WAIVER: repositories.waiver_text(objects=one),
        },
    )
    seen = {each.clusters: each.severity.value for each in await found(reader)}
    assert seen == {("dev-1",): "deny", ("dev-2",): "waived"}


@pytest.mark.parametrize(("label", "severity"), [("shop", "waived"), ("bank", "deny")])
async def test_a_waiver_may_select_by_labels(label: str, severity: str, repository_of: Any):
    labelled = BAD.replace("{name: web,", f"{{labels: {{team: {label}}}, name: web,")
    entry = {"labels": {"matchLabels": {"team": "shop"}}}
    reader = app(repository_of, {APP: labelled, WAIVER: repositories.waiver_text(objects=[entry])})
    assert f"rule {severity}" in await told(reader)


async def test_a_waiver_that_has_nothing_to_waive_is_a_warning_at_its_line(repository_of: Any):
    reader = app(repository_of, {APP: GOOD, WAIVER: "\n" + repositories.waiver_text()})
    (stale,) = await found(reader)
    assert (stale.severity, str(stale.place)) == (findings.Severity.WARN, f"{WAIVER}:2")
    assert stale.message == "waiver legacy has nothing to waive"


async def test_a_waiver_of_another_environment_is_ignored(repository_of: Any):
    reader = app(repository_of, {"environments/prod/w.yaml": repositories.waiver_text()})
    assert await told(reader) == {"rule deny"}


async def test_a_waiver_on_a_shared_path_is_refused(repository_of: Any):
    reader = app(repository_of, {"policies/w.yaml": repositories.waiver_text()})
    seen = [each.message for each in await found(reader)]
    assert "a Waiver of this branch belongs into environments/dev/" in seen


@pytest.mark.parametrize(
    ("binding", "enforcement", "severity"),
    [
        ("Deny", "warn", "warn"),
        ("Deny", "audit", "audit"),
        ("Warn", "deny", "deny"),
        ("Audit", "deny", "deny"),
    ],
)
async def test_an_environment_says_how_hard_a_rule_is(
    binding: str, enforcement: str, severity: str, repository_of: Any
):
    fleet = settings(f"policies: [{{rule: rule, enforcement: {enforcement}}}]")
    reader = app(repository_of, {"fleet.yaml": fleet, RULE: rules(binding)})
    assert await told(reader) == {f"rule {severity}"}


@pytest.mark.threat(36)
async def test_a_softer_enforcement_counts_from_the_next_commit_on(repository_of: Any):
    reader = app(repository_of, {APP: GOOD})
    base = reader.git.tip()
    softer = settings("policies: [{rule: rule, enforcement: warn}]")
    reader.git.commit({"fleet.yaml": softer, APP: BAD})
    assert await told(reader, base) == {"rule deny", "loosening audit"}
    reader.git.commit({APP: GOOD})
    base = reader.git.tip()
    reader.git.commit({APP: BAD})
    assert await told(reader, base) == {"rule warn"}


@pytest.mark.parametrize(
    ("text", "message", "refused"),
    [
        ("[{rule: rul, enforcement: warn}]", "no rule is named rul", False),
        ("[{rule: schema, enforcement: warn}]", "schema is enforced as it is", True),
        (
            "[{rule: rule, enforcement: deny}, {rule: rule, enforcement: warn}]",
            "rule is there twice",
            True,
        ),
    ],
)
async def test_settings_that_mean_nothing_are_said(
    text: str, message: str, refused: bool, repository_of: Any
):
    reader = app(repository_of, {"fleet.yaml": settings(f"policies: {text}"), APP: GOOD})
    (odd,) = [each for each in await found(reader) if each.rule == "fleet"]
    assert message in odd.message
    assert findings.refuses([odd]) is refused


async def test_with_a_baseline_only_new_violations_block(repository_of: Any):
    reader = app(repository_of, {"fleet.yaml": settings("baseline: true")})
    base = reader.git.tip()
    reader.git.commit({"apps/web/b.yaml": repositories.config_map("other")})
    (passed,) = await found(reader, base)
    assert (passed.severity, passed.passed) == (
        findings.Severity.WARN,
        "baseline: what runs has it too",
    )
    reader.git.commit({"apps/web/b.yaml": BAD.replace("name: web", "name: other")})
    seen = {each.subject: each.severity.value for each in await found(reader, base)}
    assert seen == {"ConfigMap shop/web": "warn", "ConfigMap shop/other": "deny"}


async def test_a_baseline_holds_for_a_cluster_that_comes(repository_of: Any):
    reader = app(
        repository_of, {"fleet.yaml": settings("baseline: true"), "clusters/dev/1.yaml": ""}
    )
    base = reader.git.tip()
    reader.git.commit({"clusters/dev/2.yaml": repositories.cluster_text("dev-2")})
    assert await told(reader, base) == {"rule warn"}


async def test_a_baseline_does_not_pass_another_violation_of_the_same_object(repository_of: Any):
    reader = app(repository_of, {"fleet.yaml": settings("baseline: true")})
    base = reader.git.tip()
    reader.git.commit({RULE: rules(message="still a password")})
    assert await told(reader, base) == {"rule warn", "loosening audit"}  # said in other words
    both = BAD.replace("'hello'", "'hello', token: x")
    reader.git.commit({RULE: rules(field="token"), APP: both})
    assert "rule deny" in await told(reader, base)


@pytest.mark.threat(36)
async def test_a_baseline_does_not_help_the_commit_that_switches_it_on(repository_of: Any):
    reader = app(repository_of)
    base = reader.git.tip()
    reader.git.commit({"fleet.yaml": settings("baseline: true")})
    assert "rule deny" in await told(reader, base)


async def test_a_finding_says_how_bad_its_policy_thinks_it_is(repository_of: Any):
    reader = app(repository_of, {RULE: rules(**{"fleetgate.dev/severity": "high"})})
    assert [each.level for each in await found(reader)] == ["high"]
    reader.git.commit({RULE: rules(**{"fleetgate.dev/severity": "hgih"})})
    odd = [each for each in await found(reader) if each.severity is findings.Severity.WARN]
    assert odd[0].message == "severity 'hgih' is none"


SERVICE = """apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: none}, ports: [{port: 80}]}
"""


async def test_relations_are_rules_like_any_other(repository_of: Any):
    reader = app(repository_of, {APP: SERVICE})
    (warned,) = await found(reader)
    assert warned.severity is findings.Severity.WARN
    harder = settings(f"policies: [{{rule: {warned.rule}, enforcement: deny}}]")
    reader.git.commit({"fleet.yaml": harder})
    assert await told(reader) == {f"{warned.rule} deny"}
    one = repositories.waiver_text(
        rules=[warned.rule], objects=[{"kind": "Service", "name": "web"}]
    )
    reader.git.commit({WAIVER: one})
    assert await told(reader) == {f"{warned.rule} waived"}
