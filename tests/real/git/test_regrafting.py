"""What `fleet rollback` makes is what the hub takes for a rollback, whatever happened on the branch before."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import histories
from fleet.local import grafting, regrafting
from fleet.manifests import layout
from fleet.model import errors, ledger, names
from fleet.model.ledger import Lineage

History = histories.History
WEB, DB, POLICY = histories.WEB, histories.DB, histories.POLICY
OWN = "clusters/staging/new.yaml"
FIX = "hotfix\n\nFleet-Hotfix: the port was wrong"


@pytest.fixture
def here(tmp_path: Path) -> History:
    """Staging has run three contents: web 1, web 2, and web 2 with db 2."""
    found = History(folder=tmp_path, scope=("apps/web/**",))
    for path, text in ((WEB, "web 2\n"), (DB, "db 2\n")):
        promoted(found, path, text)
    return found


def promoted(here: History, path: str, text: str) -> None:
    here.commit("dev", {path: text})
    here.accept("dev")
    here.graft("dev", "staging", "staging", "dev")
    here.accept("staging")


def rolled_back(
    here: History,
    release: int,
    *bundles: str,
    environment: str = "staging",
    restored: frozenset[str] = frozenset(),
) -> None:
    """Made as `fleet rollback` makes it, and pushed."""
    accepted = here.accepted[environment]
    wanted = regrafting.Wanted(
        subject="Roll back",
        to=accepted[release - 1].commit,
        running=accepted[-1].commit,
        tip=here.tip(environment),
        bundles=bundles,
        restored=restored,
    )
    where = layout.Layout(environment=names.Environment(environment), owned=layout.OWNED)
    made = asyncio.run(regrafting.regraft(wanted, where, here.reader))  # type: ignore[arg-type]
    here.push(environment, made.entries, made.parents, made.message)


def is_back(here: History, release: int, environment: str = "staging") -> None:
    """It is told to be a rollback, with that content and with the rules that ran; nothing else has moved."""
    found = here.tell(environment)
    made = here.candidate(environment, here.tip(environment))
    base = here.accepted[environment][-1]
    assert found.kind is Lineage.ROLLBACK
    assert here.gate(environment).state is ledger.GateState.OPEN
    assert made.content == here.accepted[environment][release - 1].content
    assert (made.rules, made.owned) == (base.rules, base.owned)
    assert len(here.git("rev-list", "--parents", "-1", environment).split()) == 2


@pytest.mark.parametrize("release", [1, 2])
def test_an_earlier_release(here: History, release: int):
    rolled_back(here, release)
    is_back(here, release)
    assert here.tell("staging").back_to == release


@pytest.mark.threat(38)
def test_rules_stay_where_they_are(here: History):
    promoted(here, POLICY, "policy 2\n")
    rolled_back(here, 1)
    is_back(here, 1)
    assert here.git("show", f"staging:{POLICY}") == "policy 2"


def test_what_the_environment_owns_stays(here: History):
    here.commit("staging", {OWN: "new\n"})
    here.accept("staging")
    rolled_back(here, 1)
    is_back(here, 1)
    assert here.git("show", f"staging:{OWN}") == "new"


def test_an_owned_change_that_waits_on_the_branch_stays(here: History):
    here.commit("staging", {OWN: "new\n"})
    rolled_back(here, 1)
    assert here.tell("staging").kind is Lineage.ROLLBACK
    assert here.git("show", f"staging:{OWN}") == "new"


def test_twice(here: History):
    rolled_back(here, 2)
    here.accept("staging")
    rolled_back(here, 1)
    is_back(here, 1)


def test_a_rollback_of_a_rollback(here: History):
    rolled_back(here, 1)
    here.accept("staging")
    rolled_back(here, 3)
    is_back(here, 3)


def test_a_hotfix_goes_and_comes_with_the_release_that_had_it(here: History):
    here.commit("staging", {WEB: "web 2.1\n"}, FIX)
    here.accept("staging")
    rolled_back(here, 3)
    is_back(here, 3)
    assert here.tell("staging").hotfixes == ()
    here.accept("staging")
    rolled_back(here, 4)
    is_back(here, 4)
    assert [each.path for each in here.tell("staging").hotfixes] == [WEB]


def test_upstream_has_gone_back_too(here: History):
    """Its content is then upstream's newest as well; it is a rollback all the same, since it says so."""
    rolled_back(here, 1, environment="dev")
    here.accept("dev")
    rolled_back(here, 1)
    is_back(here, 1)


def test_a_bundle(here: History):
    promoted(here, WEB, "web 3\n")
    rolled_back(here, 1, "apps/web")
    found = here.tell("staging")
    assert (found.kind, found.back_to, found.paths) == (Lineage.ROLLBACK, 1, ("apps/web",))
    assert here.git("show", f"staging:{DB}") == "db 2"
    assert here.git("show", f"staging:{WEB}").startswith("web 1")


def test_a_bundle_of_long_ago(here: History):
    """Further back than the hub would look by itself: the message names it."""
    for number in range(3, 12):
        promoted(here, WEB, f"web {number}\n")
    rolled_back(here, 1, "apps/web")
    found = here.tell("staging")
    assert (found.kind, found.back_to) == (Lineage.ROLLBACK, 1)


def test_a_bundle_that_upstream_has_taken_back_too(here: History):
    promoted(here, WEB, "web 3\n")
    rolled_back(here, 1, "apps/web", environment="dev")
    here.accept("dev")
    rolled_back(here, 1, "apps/web")
    assert here.tell("staging").kind is Lineage.ROLLBACK


def test_a_bundle_beside_an_open_hotfix_of_another(here: History):
    here.commit("staging", {WEB: "web 2.1\n"}, FIX)
    here.accept("staging")
    rolled_back(here, 2, "apps/db")
    found = here.tell("staging")
    assert (found.kind, [each.path for each in found.hotfixes]) == (Lineage.ROLLBACK, [WEB])


def test_a_bundle_that_was_not_there_yet(here: History):
    here.commit("dev", {"apps/late/bundle.yaml": "bundle\n", "apps/late/a.yaml": "a\n"})
    here.accept("dev")
    here.graft("dev", "staging", "staging", "dev")
    here.accept("staging")
    rolled_back(here, 3, "apps/late")
    is_back(here, 3)


def waiting_merge(here: History) -> None:
    here.commit("dev", {WEB: "web 3\n"})
    here.accept("dev")
    here.merge("dev", "staging")


def evil_merge(here: History) -> None:
    here.commit("dev", {WEB: "web 3\n"})
    here.accept("dev")
    here.resolve("dev", "staging", {DB: "slipped in\n"})


def stray(here: History) -> None:
    here.commit("staging", {DB: "by hand\n"})


def stray_rules(here: History) -> None:
    here.commit("staging", {POLICY: "softer\n"})


def never_accepted(here: History) -> None:
    here.commit("dev", {WEB: "unseen\n"})
    here.merge("dev", "staging")


def revert_by_hand(here: History) -> None:
    here.git("switch", "-q", "staging")
    here.git("revert", "--no-edit", "-m", "1", "HEAD")


ON_TOP_OF = [waiting_merge, evil_merge, stray, stray_rules, never_accepted, revert_by_hand]


@pytest.mark.threat(29)
@pytest.mark.parametrize("build", ON_TOP_OF, ids=[each.__name__ for each in ON_TOP_OF])
@pytest.mark.parametrize("bundle", ["", "apps/web"])
def test_on_top_of_whatever_waits_there(
    here: History, build: Callable[[History], None], bundle: str
):
    build(here)
    rolled_back(here, 1, *filter(None, [bundle]))
    found = here.tell("staging")
    assert (found.kind, found.back_to) == (Lineage.ROLLBACK, 1)
    here.accept("staging")
    here.commit("dev", {WEB: "newest\n"})
    here.accept("dev")
    here.graft("dev", "staging", "staging", "dev")
    assert here.tell("staging").kind is Lineage.PROMOTION


def test_owned_paths_that_a_waiting_merge_carries_do_not_slip_in(here: History):
    here.commit("dev", {OWN: "new\n"})
    here.accept("dev")
    here.commit("dev", {WEB: "web 3\n"})
    here.accept("dev")
    here.merge("dev", "staging")
    tip = here.tip("staging")
    rolled_back(here, 1)
    found = here.tell("staging")
    assert (found.kind, found.paths) == (Lineage.CARRIED, (OWN,))
    here.git("reset", "-q", "--hard", tip)
    rolled_back(here, 1, restored=frozenset(found.paths))
    is_back(here, 1)


def test_what_comes_of_upstreams_after_it_was_declared_is_no_rollback(here: History):
    rolled_back(here, 1)
    here.commit("dev", {WEB: "web 3\n"})
    here.accept("dev")
    here.merge("dev", "staging", "-s", "ours")
    assert here.tell("staging").kind is not Lineage.ROLLBACK


def test_a_merge_that_says_it_is_one_is_none(here: History):
    here.commit("dev", {WEB: "web 3\n"})
    here.accept("dev")
    back = here.accepted["staging"][0].commit
    here.graft(back, "staging", "staging", "dev", message=f"Back\n\nFleet-Rollback: {back}")
    assert here.tell("staging").kind is not Lineage.ROLLBACK


def test_something_else_beside_it_is_no_rollback(here: History):
    rolled_back(here, 1)
    here.commit("staging", {DB: "slipped in\n"})
    assert here.tell("staging").kind is Lineage.DIRECT


def test_where_changes_enter(here: History):
    rolled_back(here, 1, environment="dev")
    is_back(here, 1, environment="dev")


def test_a_bundle_where_changes_enter(here: History):
    rolled_back(here, 2, "apps/db", environment="dev")
    assert here.tell("dev").kind is Lineage.ROLLBACK


def fallen_back(here: History) -> None:
    """The hub has taken a promotion back by itself; the branch still has it."""
    before = here.accepted["staging"][-1]
    promoted(here, WEB, "web 3\n")
    here.accepted["staging"].append(replace(before, release=5))


def test_a_branch_goes_back_to_what_runs_after_the_hub_did_by_itself(here: History):
    fallen_back(here)
    rolled_back(here, 5)
    found = here.tell("staging")
    assert found.kind is Lineage.NOTHING
    here.accept("staging")
    here.commit("dev", {WEB: "web 4\n"})
    here.accept("dev")
    here.graft("dev", "staging", "staging", "dev")
    assert here.tell("staging").kind is Lineage.PROMOTION


def test_further_back_than_the_hub_did_by_itself(here: History):
    fallen_back(here)
    rolled_back(here, 1)
    is_back(here, 1)


def test_back_to_what_runs_where_an_earlier_release_and_upstream_have_the_same(here: History):
    """A hotfix, a change of owned paths, the same fix upstream, and something that waits on the branch."""
    here.commit("staging", {WEB: "web 2.1\n"}, FIX)
    here.accept("staging")
    here.commit("staging", {"environments/staging/v.yaml": "a: 1\n"})
    here.accept("staging")
    for path, text in ((WEB, "web 2.1\n"), (DB, "db 3\n")):
        here.commit("dev", {path: text})
        here.accept("dev")
    here.graft("dev", "staging", "staging", "dev")
    rolled_back(here, 5)
    found = here.tell("staging")
    assert (found.kind, [each.path for each in found.hotfixes]) == (Lineage.NOTHING, [WEB])


def promotes(here: History) -> None:
    """As `fleet promote` makes it of what upstream has accepted since."""
    here.commit("dev", {DB: "db 3\n"})
    here.accept("dev")
    where = layout.Layout(environment=names.Environment("staging"), owned=layout.OWNED)
    wanted = grafting.Wanted(subject="Promote")
    tips = here.tip("dev"), here.tip("staging")
    made = asyncio.run(grafting.graft(wanted, *tips, where, here.reader))  # type: ignore[arg-type]
    assert made is not None
    here.push("staging", made.entries, made.parents, made.message)


def reopened(here: History, number: int) -> None:
    """Gone back to before a hotfix, and then to that with so many hotfixes, one upon another."""
    for text in ("web 2.1\n", "web 2.2\n"):
        here.commit("staging", {WEB: text}, FIX)
        here.accept("staging")
    for release in (3, 3 + number):
        rolled_back(here, release)
        is_back(here, release)
        here.accept("staging")


@pytest.mark.parametrize("number", [1, 2])
def test_a_hotfix_that_a_rollback_has_opened_again_is_kept_by_promotions(
    here: History, number: int
):
    reopened(here, number)
    promotes(here)
    found = here.tell("staging")
    assert (found.kind, [each.path for each in found.hotfixes]) == (Lineage.PROMOTION, [WEB])
    assert here.by_branches("staging").found.hotfixes[0].based_on == found.hotfixes[0].based_on


def test_a_hotfix_on_top_of_one_that_was_opened_again_is_kept_as_one(here: History):
    reopened(here, 1)
    here.commit("staging", {WEB: "web 2.3\n"}, FIX)
    here.accept("staging")
    promotes(here)
    found = here.tell("staging")
    assert (found.kind, [each.path for each in found.hotfixes]) == (Lineage.PROMOTION, [WEB])


def test_a_hotfix_that_was_taken_back_is_kept_by_none(here: History):
    here.commit("staging", {WEB: "web 2.1\n"}, FIX)
    here.accept("staging")
    rolled_back(here, 3)
    here.accept("staging")
    promotes(here)
    found = here.tell("staging")
    assert (found.kind, found.hotfixes) == (Lineage.PROMOTION, ())


def test_a_revert_of_what_the_hub_took_back_is_no_way_to_keep_it(here: History):
    fallen_back(here)
    here.git("switch", "-q", "staging")
    here.git("revert", "--no-edit", "-m", "1", "HEAD")
    assert here.tell("staging").kind is Lineage.INCOMPLETE
    running = here.accepted["staging"][-1].commit
    assert f"fleet rollback staging --to {running[:10]} " in here.gate("staging").hint


def test_what_runs_already_is_said(here: History):
    with pytest.raises(errors.InputError, match="already"):
        rolled_back(here, 3)
    with pytest.raises(errors.InputError, match="apps/web"):
        rolled_back(here, 2, "apps/web")


@pytest.mark.parametrize("folder", ["apps", "apps/we", "nowhere", "", "/"])
def test_what_is_no_bundle_is_said(here: History, folder: str):
    with pytest.raises(errors.InputError, match="no bundle"):
        rolled_back(here, 1, folder)
