"""The law of `fleet rollback`: after any history, to any earlier release, in whole or by bundle, it is taken."""

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

import histories
from fleet.local import regrafting
from fleet.manifests import layout
from fleet.model import errors, ledger, names
from fleet.model.ledger import Lineage

pytestmark = pytest.mark.timeout(240, func_only=True)
History = histories.History
WEB, DB, POLICY = histories.WEB, histories.DB, histories.POLICY
WHERE = layout.Layout(environment=names.Environment("staging"), owned=layout.OWNED)
Turn = Callable[[History, str], None]


def change(path: str) -> Turn:
    def turn(here: History, word: str) -> None:
        here.commit("dev", {path: f"{word}\n"})
        here.accept("dev")

    return turn


def unseen(here: History, word: str) -> None:
    here.commit("dev", {WEB: f"unseen {word}\n"})


def carried(here: History, word: str) -> None:
    here.commit("dev", {"clusters/staging/new.yaml": f"{word}\n"})
    here.accept("dev")


def promote(here: History, _: str) -> None:
    here.graft("dev", "staging", "staging", "dev")


def merge(here: History, _: str) -> None:
    here.git("switch", "-q", "staging")
    here.git("merge", "-q", "--no-edit", "-X", "theirs", "dev", fails=True)
    here.git("merge", "--abort", fails=True)


def take(here: History, _: str) -> None:
    here.take("dev", "staging", "apps/web")


def hotfix(here: History, word: str) -> None:
    here.commit("staging", {WEB: f"fixed {word}\n"}, "fix\n\nFleet-Hotfix: it was wrong")


def owned(here: History, word: str) -> None:
    here.commit("staging", {"environments/staging/v.yaml": f"{word}\n"})


def stray(here: History, word: str) -> None:
    here.commit("staging", {DB: f"by hand {word}\n"})


def revert(here: History, _: str) -> None:
    here.git("switch", "-q", "staging")
    here.git("revert", "--no-edit", "-m", "1", "HEAD", fails=True)
    here.git("revert", "--abort", fails=True)


def back(here: History, word: str) -> None:
    rolled_back(here, 1 + int(word) % len(here.accepted["staging"]), ())


TURNS: tuple[Turn, ...] = (
    change(WEB), change(DB), change(POLICY), change("apps/web/more.yaml"), unseen, carried,
    promote, promote, merge, take, hotfix, owned, stray, revert, back,
)  # fmt: skip


def rolled_back(here: History, release: int, bundles: tuple[str, ...]) -> bool:
    """As `fleet rollback` does it. Whether there was anything to take back."""
    tip = here.tip("staging")
    restored: frozenset[str] = frozenset()
    for _ in range(2):
        wanted = regrafting.Wanted(
            subject="Roll back",
            to=here.accepted["staging"][release - 1].commit,
            running=here.accepted["staging"][-1].commit,
            tip=tip,
            bundles=bundles,
            restored=restored,
        )
        try:
            made = asyncio.run(regrafting.regraft(wanted, WHERE, here.reader))  # type: ignore[arg-type]
        except errors.InputError:
            return False
        here.push("staging", made.entries, made.parents, made.message)
        found = here.tell("staging")
        if found.kind is not Lineage.CARRIED:
            return True
        here.git("reset", "-q", "--hard", tip)
        restored = frozenset(found.paths)
    return True


def settle(here: History) -> None:
    """What passes is accepted, as the hub would."""
    if here.gate("staging").state is ledger.GateState.OPEN:
        here.accept("staging")


MOVES = some.lists(some.tuples(some.sampled_from(TURNS), some.booleans()), max_size=9)


@settings(max_examples=20, deadline=None)
@given(MOVES, some.booleans())
def test_every_earlier_release_can_be_gone_back_to(moves: list[tuple[Turn, bool]], whole: bool):
    with tempfile.TemporaryDirectory() as folder:
        here = History(folder=Path(folder), scope=("apps/web/**",))
        for number, (turn, looks) in enumerate(moves):
            turn(here, str(number))
            if looks:  # the hub does not look after each push
                settle(here)
        tip = here.tip("staging")
        for release in range(1, len(here.accepted["staging"]) + 1):
            _check(here, release, () if whole else ("apps/web",))
            here.git("switch", "-q", "staging")
            here.git("reset", "-q", "--hard", tip)


def _check(here: History, release: int, bundles: tuple[str, ...]) -> None:
    base, then = here.accepted["staging"][-1], here.accepted["staging"][release - 1]
    if not rolled_back(here, release, bundles):
        return
    found, made = here.tell("staging"), here.candidate("staging", here.tip("staging"))
    assert made.rules == base.rules
    if made.content == base.content:
        assert found.kind in (Lineage.NOTHING, Lineage.OWNED)
        return
    assert found.kind is Lineage.ROLLBACK
    assert here.gate("staging").state is ledger.GateState.OPEN
    assert bool(bundles) or made.content == then.content
