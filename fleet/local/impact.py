"""What the rules of a commit would newly refuse or allow in each environment, before anyone merges them.

What runs is judged twice by the one judge: as it stands, and as a commit of the same content with the other rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from fleet.judge import judging
from fleet.local import offline, overlays
from fleet.model import findings, ledger, names
from fleet.policy import impacts

_Impact = impacts.Impact  # inside Report the module's name is a field's
_Change = impacts.Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Of one environment. `note` says what had to be assumed; "" = nothing."""

    environment: names.Environment
    content: names.CommitId
    impacts: tuple[_Impact, ...]
    note: str = ""

    def of(self, change: _Change) -> tuple[_Impact, ...]:
        return tuple(each for each in self.impacts if each.change is change)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """`tips` are the branches that are known here; what has none stands as `otherwise`."""

    rules: names.CommitId
    tips: Mapping[names.Branch, names.CommitId]
    otherwise: names.CommitId
    environment: str = ""  # "" = all


async def of_rules(
    asked: Asked, repository: overlays.Overlaid, tools: judging.Tools
) -> tuple[Report, ...]:
    """`tools` read `repository`. Raises errors.InputError for rules whose fleet.yaml cannot be read."""
    road = await offline.road_of(asked.rules, tools)
    if asked.environment:
        offline.known(asked.environment, road)
    wanted = [s for s in road.steps if asked.environment in ("", s.environment)]
    return tuple([await _report(step, road, asked, repository, tools) for step in wanted])


async def _report(
    step: ledger.Step,
    road: ledger.Road,
    asked: Asked,
    repository: overlays.Overlaid,
    tools: judging.Tools,
) -> Report:
    content = asked.tips.get(step.branch, asked.otherwise)
    note = "" if step.branch in asked.tips else f"there is no branch {step.branch} here"
    made = await repository.make(content, asked.rules, road)
    before = await _found(step, content, tools)
    after = (await offline.check_commit(step.environment, made, None, tools)).findings
    if before is None:
        note = "what is there names no such environment: all of this would be new"
    return Report(
        environment=step.environment,
        content=content,
        impacts=impacts.between(before or (), after),
        note=note,
    )


async def _found(
    step: ledger.Step, content: names.CommitId, tools: judging.Tools
) -> tuple[findings.Finding, ...] | None:
    """By its own rules; None where those know nothing of the environment."""
    own = await judging.road_of(content, tools)
    is_known = not isinstance(own, ledger.Road) or any(
        each.environment == step.environment for each in own.steps
    )
    if not is_known:
        return None
    if not isinstance(own, ledger.Road):
        return own
    return (await offline.check_commit(step.environment, content, None, tools)).findings
