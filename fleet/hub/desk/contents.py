"""Which content somebody means: by its id, or by a commit as one environment reads it."""

import re

from fleet.hub import facts, state
from fleet.judge import judging
from fleet.manifests import layout
from fleet.model import errors, findings, names

_CONTENT = re.compile(r"sha256:[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_WHOLE = (40, 64)


async def resolve(environment: names.Environment, word: str, hub: state.Hub) -> names.ContentId:
    """Raises errors.InputError for what the hub has not seen."""
    if _CONTENT.fullmatch(word):
        return _seen(names.ContentId(word), hub)
    return (await ids(environment, await commit(word, hub), hub)).content


async def commit(word: str, hub: state.Hub) -> names.CommitId:
    """The whole id, of one that is decided on or written in full."""
    if not _COMMIT.fullmatch(word):
        raise errors.InputError(f"{findings.escaped(word)!r} is no content id and no commit")
    found = {each for each, _ in _decided(hub) if each.startswith(word)}
    if len(found) > 1:
        raise errors.InputError(f"{word} begins more than one commit: write more of it")
    if not found and len(word) not in _WHOLE:
        raise errors.InputError(f"the hub has not decided on {word}: write the whole commit id")
    return found.pop() if found else names.CommitId(word)


def _seen(content: names.ContentId, hub: state.Hub) -> names.ContentId:
    if content not in {each for _, each in _decided(hub)}:
        raise errors.InputError(
            f"the hub has not seen {content}",
            hint="it knows what is or was at the tip of an environment's branch",
        )
    return content


def _decided(hub: state.Hub) -> list[tuple[names.CommitId, names.ContentId]]:
    """All commits that are accepted or at a tip, with their content."""
    book = hub.ledger
    tips = [each.decision for each in book.environments.values() if each.decision]
    return [
        *((each.commit, each.content) for each in book.releases.values()),
        *((each.commit, each.content) for each in tips),
    ]


async def ids(environment: names.Environment, asked: names.CommitId, hub: state.Hub) -> layout.Ids:
    question = judging.Question(
        environment=environment, commit=asked, road=facts.road(hub), base=None, upstream=None
    )
    try:
        return await judging.ids(question, hub.tools)
    except errors.FleetError:
        hub.fetch_now = True
        hub.wake.set()
        raise errors.InputError(
            f"the hub does not have {asked[:10]} yet", hint="push it, and say this again"
        ) from None
