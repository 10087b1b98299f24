"""The hub's very pipeline on a working tree or a commit, with no hub, no book and no cluster."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fleet.gate import candidates
from fleet.judge import imagined, judging, serving, verdicts
from fleet.local import proofs
from fleet.manifests import scopes
from fleet.model import errors, findings, ledger, names
from fleet.plan import check, rollout, slices
from fleet.policy import coverage, leniency

NO_BOOK = "no book is asked: that upstream accepted this and is healthy is for the hub to say"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one environment's hub would find in a commit, with what had to be assumed of its book.

    `passed` counts the objects in which a rule found nothing, by rule and namespace.
    """

    environment: names.Environment
    judged: judging.Judged
    findings: tuple[findings.Finding, ...]
    passed: Mapping[tuple[str, str], int]
    assumed: tuple[str, ...]


async def road_of(commit: names.CommitId, tools: judging.Tools) -> ledger.Road:
    """Raises errors.InputError where fleet.yaml cannot be read."""
    found = await judging.road_of(commit, tools)
    if isinstance(found, ledger.Road):
        return found
    said = "; ".join(f"{each.place}: {each.message}" for each in found)
    raise errors.InputError(said, hint=next((each.hint for each in found), ""))


async def road_to(
    tips: Mapping[names.Branch, names.CommitId], target: names.Environment, tools: judging.Tools
) -> ledger.Road:
    """As the target's own branch has it, as far as it can be found; else as any branch does."""
    likely = names.Branch(target)
    first = [tips[likely]] if likely in tips else []
    faults: list[findings.Finding] = []
    others: list[ledger.Road] = []
    for commit in dict.fromkeys([*first, *tips.values()]):
        found = await judging.road_of(commit, tools)
        if not isinstance(found, ledger.Road):
            faults += found
        elif target in {step.environment for step in found.steps}:
            return found
        else:
            others.append(found)
    if others:
        known(target, others[0])
    because = f": {faults[0].place}: {faults[0].message}" if faults else ""
    raise errors.InputError(
        f"no branch here has a fleet.yaml that names environment {target}{because}",
        hint="git fetch",
    )


def known(environment: str, road: ledger.Road) -> None:
    """Raises errors.InputError for an environment that is none."""
    if environment not in {step.environment for step in road.steps}:
        named = ", ".join(step.environment for step in road.steps)
        raise errors.InputError(f"fleet.yaml names no environment {environment}: it has {named}")


async def check_commit(
    environment: names.Environment,
    commit: names.CommitId,
    base: names.CommitId | None,
    tools: judging.Tools,
    *,
    counts: bool = True,
    by_own_rules: bool = False,
    held: verdicts.Share | None = None,
) -> Verdict:
    """`base` stands for what runs; without it the commit is held against its own rules alone.

    `counts`: whether anybody asks for `passed`. `by_own_rules`: upstream ran its rules before its content.
    `held`: what the base makes of its clusters by its own fleet.yaml, where that was worked out before.
    """
    road = await road_of(commit, tools)
    known(environment, road)
    running = await _accepted(environment, base, road, tools) if base else None
    judged = await judging.judge(
        judging.Question(
            environment=environment,
            commit=commit,
            road=road,
            base=running,
            upstream=None,
            imagines=True,
            by_own_rules=by_own_rules,
            held=held if base and await judging.road_of(base, tools) == road else None,
        ),
        tools,
    )
    assumed = [NO_BOOK]
    if _is_imagined(judged):
        assumed.append(f"{environment} has no cluster yet: one without labels is imagined")
    if base is None:
        assumed.append(
            "nothing runs yet: neither rules in force nor old objects are known (name a --base)"
        )
    now = tools.clock.now() if tools.clock else None
    settled = leniency.settle(judged.findings, judged.docket, leniency.Moment(now=now))
    registered = () if _is_imagined(judged) else judged.declared.clusters
    unproven = await proofs.check(registered, environment, tools.memo)
    found = (*settled, *unproven, *_planned(judged))
    return Verdict(
        environment=environment,
        judged=judged,
        findings=found,
        passed=passed(judged, found) if counts else {},
        assumed=tuple(assumed),
    )


def passed(
    judged: judging.Judged, found: tuple[findings.Finding, ...]
) -> Mapping[tuple[str, str], int]:
    """By the commit's own rules; what else is in force may have found something, but has passed nothing."""
    return coverage.passed(counted(judged), found)


def counted(judged: judging.Judged) -> coverage.Judged:
    """How many objects each of the commit's own rules looked at."""
    known = kinds_of(judged)
    return coverage.judged(
        judged.manifests, judged.rulebook, judged.question.environment, known, judged.runs
    )


def kinds_of(judged: judging.Judged) -> scopes.Scopes:
    return scopes.scopes(serving.crds_of(judged.declared, judged.manifests))


async def _accepted(
    environment: names.Environment,
    commit: names.CommitId,
    road: ledger.Road,
    tools: judging.Tools,
) -> candidates.Accepted:
    question = judging.Question(
        environment=environment, commit=commit, road=road, base=None, upstream=None
    )
    ids = await judging.ids(question, tools)
    return candidates.unnumbered(commit, ids)


def _planned(judged: judging.Judged) -> tuple[findings.Finding, ...]:
    """What stands against the plan, as far as it can be told without a book."""
    clusters = [each.document for each in judged.declared.clusters]
    plan = rollout.plan(judged.spec, clusters, slices.named_each(judged.manifests), {})
    return check.drawn(plan, spec=judged.spec, clusters=clusters, retired={})


def _is_imagined(judged: judging.Judged) -> bool:
    return imagined.NAME in judged.manifests


def merged(verdicts: tuple[Verdict, ...]) -> tuple[findings.Finding, ...]:
    """The findings of several environments, each once."""
    met: dict[findings.Finding, list[names.Cluster]] = {}
    for verdict in verdicts:
        for each in verdict.findings:
            met.setdefault(replace(each, clusters=()), []).extend(each.clusters)
    found = [replace(each, clusters=tuple(sorted(set(c)))) for each, c in met.items()]
    return tuple(sorted(found, key=lambda each: (each.place, each.rule, each.message)))
