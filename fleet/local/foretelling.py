"""What lineage will tell of a commit that is not pushed yet: in a clone, by the releases that the hub knows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fleet.gate import candidates, lineage, told
from fleet.hub.desk import releases
from fleet.judge import judging, roads
from fleet.manifests import layout
from fleet.model import ledger, names


@dataclass(frozen=True, slots=True, kw_only=True)
class Foretold:
    candidate: candidates.Candidate
    facts: candidates.Facts
    told: told.Told

    @property
    def gate(self) -> ledger.GateResult:
        return lineage.gate(self.candidate, self.facts, self.told)


async def foretell(
    commit: names.CommitId,
    history: releases.History,
    road: ledger.Road,
    tips: Mapping[names.Branch, names.CommitId],
    tools: judging.Tools,
) -> Foretold:
    git = tools.repository
    question = judging.Question(
        environment=history.environment, commit=commit, road=road, base=None, upstream=None
    )
    ids = await judging.ids(question, tools)
    candidate = candidates.Candidate(
        environment=history.environment,
        commit=commit,
        content=ids.content,
        rules=ids.rules,
        owned=ids.owned,
    )
    known = _facts(history, road, tips)
    upstream = await roads.with_branch(known.upstream, git)
    way = await roads.way(candidate, known, upstream, await git.snapshot(commit), git)
    facts = replace(known, upstream=upstream, way=way)
    return Foretold(candidate=candidate, facts=facts, told=lineage.tell(candidate, facts))


def _facts(
    history: releases.History,
    road: ledger.Road,
    tips: Mapping[names.Branch, names.CommitId],
) -> candidates.Facts:
    base = history.base
    return candidates.Facts(
        now=history.releases[-1].at,
        layout=layout.Layout(environment=history.environment, owned=road.owned),
        base=base.accepted if base else None,
        own=tuple(each.accepted for each in history.releases),
        upstream=_upstream(history, road, tips),
        findings=(),
        sides=(),
    )


def _upstream(
    history: releases.History,
    road: ledger.Road,
    tips: Mapping[names.Branch, names.CommitId],
) -> candidates.Upstream | None:
    if not history.upstream:
        return None
    return candidates.Upstream(
        environment=history.upstream,
        accepted=history.above,
        undecided=None,
        tip=tips.get(road.branch(history.upstream)),
    )
