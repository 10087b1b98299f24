"""A push as the git host receives it: what the hub would refuse by content alone is refused before it is there.

Only branches of environments are looked at, every one of them, and every reason is said. What cannot be judged is
refused (rule 6). It is the earlier, friendlier copy: the hub judges again, by its book.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from fleet.judge import judging
from fleet.local import bookless, weighing
from fleet.manifests import layout
from fleet.model import errors, findings, ledger, names
from fleet.ports import repository

_BRANCHES = "refs/heads/"
_MEND = (
    "what would be deleted cannot be told: take the hook away for the push that mends the branch"
)
_Histories = repository.Histories  # inside Desk the module's name is a field's
_Repository = repository.Repository


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """One line of a push; None = there is no such ref before, or after."""

    ref: str
    old: names.CommitId | None
    new: names.CommitId | None

    @property
    def branch(self) -> names.Branch | None:
        is_branch = self.ref.startswith(_BRANCHES)
        return names.Branch(self.ref.removeprefix(_BRANCHES)) if is_branch else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    ref: str
    reason: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """`tips` are the branches before the push. `tools` read `repository`."""

    tips: repository.Tips
    repository: _Repository = field(repr=False)
    histories: _Histories = field(repr=False)
    tools: judging.Tools = field(repr=False)


def updates(lines: Iterable[str]) -> tuple[Update, ...]:
    """As git gives them to the hook: `OLD NEW REF`. Raises errors.InputError for anything else."""
    return tuple(_update(line) for line in lines)


def _update(line: str) -> Update:
    old, _, rest = line.partition(" ")
    new, _, ref = rest.partition(" ")
    if not (names.is_commit_id(old) and names.is_commit_id(new) and ref.startswith("refs/")):
        raise errors.InputError(
            f"this is no line of a push: {findings.escaped(line[:200])}",
            hint="git runs this as its pre-receive hook",
        )
    return Update(ref=ref, old=_id(old), new=_id(new))


def _id(text: str) -> names.CommitId | None:
    return names.CommitId(text) if text.strip("0") else None


async def refusals(pushed: Sequence[Update], desk: Desk) -> tuple[Refusal, ...]:
    road = await _road(pushed, desk)
    environments = {step.branch: step.environment for step in road.steps}
    found: list[Refusal] = []
    for each in pushed:
        environment = environments.get(each.branch) if each.branch else None
        if environment is not None:
            found += await _of_one(each, environment, road, pushed, desk)
    return tuple(found)


async def _road(pushed: Sequence[Update], desk: Desk) -> ledger.Road:
    """What the last environment on it says before the push; of a new repository what the push brings."""
    before = desk.tips.branches
    default = desk.tips.default
    first = [before[default]] if default and default in before else []
    known = await _first_road([*first, *before.values()], desk)
    if known is None and not before:
        known = await _first_road([each.new for each in pushed if each.new], desk)
    if known is None:
        raise errors.InputError(
            "no branch here has a fleet.yaml that can be read, so nothing can be judged",
            hint="push a fleet.yaml that `fleet check` reads, or take the hook away",
        )
    last = before.get(known.steps[-1].branch)
    return (await _first_road([last], desk) if last else None) or known


async def _first_road(commits: Iterable[names.CommitId], desk: Desk) -> ledger.Road | None:
    for commit in dict.fromkeys(commits):
        found = await judging.road_of(commit, desk.tools)
        if isinstance(found, ledger.Road):
            return found
    return None


async def _of_one(
    update: Update,
    environment: names.Environment,
    road: ledger.Road,
    pushed: Sequence[Update],
    desk: Desk,
) -> list[Refusal]:
    new, old = update.new, update.old
    if new is None:
        hint = "its clusters would stay as they are, and nothing new would reach them"
        return [_refusal(update, f"the branch of environment {environment} would be gone", hint)]
    try:
        if old is not None and not await desk.repository.is_ancestor(old, new):
            why = f"the branch of environment {environment} would be rewritten"
            return [_refusal(update, why, f"push a commit that contains {old[:10]}")]
        weighed = await weighing.weigh(
            new,
            layout.Layout(environment=environment, owned=road.owned),
            _branches(old, environment, road, pushed, desk),
            bookless.Library(
                source=desk.repository, histories=desk.histories, memo=desk.tools.memo
            ),
            desk.tools,
        )
    except errors.FleetError as error:
        return [_refusal(update, f"it cannot be judged: {error}", error.hint)]
    denied = [each for each in weighed.findings if findings.refuses([each])]
    return [
        *(
            [_refusal(update, f"it cannot be judged: {weighed.unread}", _MEND)]
            if weighed.unread
            else []
        ),
        *(_refusal(update, f"{e.gate}: {e.reason}", e.hint) for e in weighed.refusing),
        *(_of_finding(update, each) for each in denied),
    ]


def _branches(
    old: names.CommitId | None,
    environment: names.Environment,
    road: ledger.Road,
    pushed: Sequence[Update],
    desk: Desk,
) -> bookless.Branches:
    """One push may move two environments: upstream is taken to be where the push leaves it (threat 26)."""
    after: dict[names.Branch, names.CommitId | None] = dict(desk.tips.branches)
    after |= {each.branch: each.new for each in pushed if each.branch}
    upstream = road.before(environment)
    above = after.get(road.branch(upstream)) if upstream else None
    return bookless.Branches(running=old, upstream=upstream, above=above)


def _of_finding(update: Update, found: findings.Finding) -> Refusal:
    clusters = f" ({', '.join(found.clusters[:5])})" if found.clusters else ""
    reason = f"{found.place}: {found.severity.value} {found.rule}: {found.message}{clusters}"
    return _refusal(update, reason, found.hint)


def _refusal(update: Update, reason: str, hint: str = "") -> Refusal:
    return Refusal(ref=update.ref, reason=reason, hint=hint)
