"""Which earlier release an environment goes back to: the one that is named, or the last one that was good."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from fleet.gate import quarantines
from fleet.hub.desk import releases
from fleet.local import regrafting
from fleet.manifests import layout
from fleet.model import errors, findings, names
from fleet.ports import repository

_SHORTEST = 7  # letters of a commit
_SHOWN = 10  # releases in a refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`running` is the commit in force. `release` 0: no hub was asked, so nobody knows."""

    commit: names.CommitId
    running: names.CommitId
    release: int = 0
    was_healthy: bool = True


async def choose(
    word: str,
    bundles: tuple[str, ...],
    history: releases.History,
    where: layout.Layout,
    git: repository.Repository,
) -> Target:
    """Raises errors.InputError for a release that there is not, errors.RefusedError for one that may not come."""
    base = history.base
    if base is None:
        raise errors.RefusedError(f"nothing runs in {history.environment} yet")
    if word:
        return _target(named(word, history), base)
    async for each in _good(bundles, history, base, where, git):
        return _target(each, base)
    raise errors.RefusedError(
        f"{history.environment} has no earlier release to go back to by itself: {_listed(history)}",
        hint="name one: --to RELEASE",
    )


def named(word: str, history: releases.History) -> releases.Known:
    """By its number, or by the beginning of its commit."""
    found = [each for each in history.releases if _is_meant(word, each)]
    commits = {each.accepted.commit for each in found}
    if not found or len(commits) > 1:
        said = "begins more than one commit" if found else "is no release"
        raise errors.InputError(
            f"{findings.escaped(word)!r} {said} of {history.environment}: {_listed(history)}"
        )
    return _checked(found[-1], history)


def _is_meant(word: str, known: releases.Known) -> bool:
    if word == str(known.accepted.release):
        return True
    return len(word) >= _SHORTEST and known.accepted.commit.startswith(word)


def _checked(known: releases.Known, history: releases.History) -> releases.Known:
    number = known.accepted.release
    if number == history.running:
        return known
    if known.quarantined:
        raise errors.RefusedError(
            f"release {number} of {history.environment} is {known.quarantined}",
            hint=lifting(history.environment, known.accepted.commit),
        )
    return known


def lifting(environment: names.Environment, what: str) -> str:
    return f"who may use the hub's machine may lift it: {quarantines.lifting(environment, what)}"


async def _good(
    bundles: tuple[str, ...],
    history: releases.History,
    base: releases.Known,
    where: layout.Layout,
    git: repository.Repository,
) -> AsyncIterator[releases.Known]:
    """Those that were healthy and are other than what runs, the newest first."""
    here = base.accepted
    for each in reversed(history.releases):
        is_sound = each.healthy is not None and not each.quarantined
        if each.accepted.release >= history.running or not is_sound:
            continue
        if not bundles:
            differs = each.accepted.content != here.content
        else:
            differs = await regrafting.differs(
                each.accepted.commit, here.commit, bundles, where, git
            )
        if differs:
            yield each


def _target(known: releases.Known, base: releases.Known) -> Target:
    return Target(
        commit=known.accepted.commit,
        running=base.accepted.commit,
        release=known.accepted.release,
        was_healthy=known.healthy is not None,
    )


def _listed(history: releases.History) -> str:
    earlier = [e for e in history.releases if e.accepted.release < history.running]
    if not earlier:
        return "it has none before what runs"
    more = len(earlier) - _SHOWN
    shown = [_words(each) for each in reversed(earlier[-_SHOWN:])]
    return "; ".join([*shown, *([f"and {more} earlier ones"] if more > 0 else [])])


def _words(known: releases.Known) -> str:
    standing = known.quarantined or ("was healthy" if known.healthy else "never healthy")
    return f"{known.accepted.release} ({known.accepted.commit[:10]}, {standing})"
