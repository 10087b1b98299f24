"""Why something is not in an environment yet: what it waits for, until when, and who can act."""

from collections.abc import Iterable, Mapping
from typing import Any

from fleet.audit import drafts
from fleet.gate import candidates, quarantines
from fleet.hub import asking, evidence, facts, rollouts, state
from fleet.hub.desk import contents, prospects
from fleet.manifests import layout
from fleet.model import errors, ledger, names


async def explain(hub: state.Hub, arguments: Mapping[str, Any]) -> dict[str, Any]:
    environment = asking.environment(str(arguments.get("environment", "")), hub)
    word = str(arguments.get("commit") or "")
    here = hub.ledger.environments.get(environment)
    decision = here.decision if here else None
    commit = await contents.commit(word, hub) if word else decision.commit if decision else None
    if commit is None:
        raise errors.InputError(f"{environment} has no commit that the hub has looked at yet")
    if decision is not None and decision.commit == commit:
        return _answer(
            environment, commit, decision.content, _of_tip(decision, hub), decision.gates
        )
    found = await contents.ids(environment, commit, hub)
    runs = _runs(environment, found, hub)
    if runs is not None:
        return _answer(environment, commit, found.content, runs, ())
    candidate = candidates.Candidate(
        environment=environment,
        commit=commit,
        content=found.content,
        rules=found.rules,
        owned=found.owned,
    )
    gates = await prospects.of(candidate, hub)
    ran = _ran(environment, found, hub)
    held = next((each for each in gates if each.gate == quarantines.GATE), None)
    if ran is not None and held is None:
        return _answer(environment, commit, found.content, ran, ())
    standing = _held(ran or _elsewhere(environment, commit, hub), held)
    return _answer(environment, commit, found.content, standing, gates)


Standing = tuple[str, str, str]  # a word, what it means, and the next step


def _of_tip(decision: ledger.Decision, hub: state.Hub) -> Standing:
    release = hub.ledger.in_force(decision.environment)
    if decision.verdict is not ledger.Verdict.ACCEPTED or release is None:
        told = f"it is at the tip of {decision.environment}'s branch, and {decision.verdict.value}"
        return decision.verdict.value, told, ""
    here = hub.ledger.environments[decision.environment]
    out = f"release {release.number}, wave {here.wave} of {len(release.waves)}"
    held = rollouts.stopped(release, hub) if here.wave < len(release.waves) else ""
    return "accepted", f"{out}; no further wave opens: {held}" if held else out, ""


def _runs(environment: names.Environment, found: layout.Ids, hub: state.Hub) -> Standing | None:
    running = hub.ledger.in_force(environment)
    if running is None or (running.content, running.rules) != (found.content, found.rules):
        return None
    told = f"this is what {environment} runs, as release {running.number}"
    row = evidence.quarantined(environment, found.content, hub)
    if row is None or row.lifted is not None:
        return "accepted", told, ""
    lift = quarantines.lifting(environment, row.content)
    return "accepted", f"{told}; quarantined {quarantines.told_of(row)}", lift


def _ran(environment: names.Environment, found: layout.Ids, hub: state.Hub) -> Standing | None:
    numbers = [
        number
        for (name, number), each in hub.ledger.releases.items()
        if name == environment and (each.content, each.rules) == (found.content, found.rules)
    ]
    if not numbers:
        return None
    return "replaced", f"it ran in {environment} as release {max(numbers)}, and was replaced", ""


def _held(standing: Standing, held: ledger.GateResult | None) -> Standing:
    """With how it may come, or come again."""
    _, told, _ = standing
    return ("quarantined", f"{told}; {held.reason}", held.hint) if held else standing


def _elsewhere(environment: names.Environment, commit: names.CommitId, hub: state.Hub) -> Standing:
    upstream = facts.road(hub).before(environment)
    told = f"it is not what the tip of {environment}'s branch holds"
    hint = f"fleet promote {upstream} {environment} --commit {commit[:10]}" if upstream else ""
    return "not there", told, hint


def _answer(
    environment: names.Environment,
    commit: names.CommitId,
    content: names.ContentId,
    standing: Standing,
    results: Iterable[ledger.GateResult],
) -> dict[str, Any]:
    word, told, hint = standing
    return {
        "environment": environment,
        "commit": commit,
        "content": content,
        "standing": word,
        "told": told,
        "hint": hint,
        "gates": [drafts.gate(each) for each in results],
    }
