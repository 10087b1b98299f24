"""Lineage over real git: what each way of getting content into an environment is told to be."""

from collections.abc import Callable
from pathlib import Path

import pytest

import histories
from fleet.gate import classes
from fleet.model import ledger
from fleet.model.ledger import Lineage

History = histories.History
WEB, DB, POLICY = histories.WEB, histories.DB, histories.POLICY
MORE = "apps/web/more.yaml"
OWN = "clusters/staging/new.yaml"
FIX = "hotfix\n\nFleet-Hotfix: the port was wrong"


@pytest.fixture
def here(tmp_path: Path) -> History:
    return History(folder=tmp_path, scope=("apps/web/**",))


def new(here: History, text: str = "web 2\n", path: str = WEB) -> None:
    """A change that dev accepts."""
    here.commit("dev", {path: text})
    here.accept("dev")


def merged(here: History) -> None:
    new(here)
    here.merge("dev", "staging")


def fast_forward(here: History) -> None:
    """Staging becomes dev's very commit, which lacks what staging owns."""
    here.merge("staging", "dev", "-s", "ours")
    new(here)
    here.merge("dev", "staging", "--ff-only")


def squashed(here: History) -> None:
    new(here)
    new(here, "db 2\n", DB)
    here.squash("dev", "staging")


def rebased(here: History) -> None:
    new(here)
    here.git("switch", "-q", "staging")
    here.git("cherry-pick", "dev")


def grafted(here: History) -> None:
    new(here)
    here.graft("dev", "staging", "staging", "dev")


def merged_by_request(here: History) -> None:
    """As a forge merges a pull request from a branch of dev."""
    new(here)
    here.git("branch", "request", "dev")
    here.merge("request", "staging", "--no-ff")


def skipping_one(here: History) -> None:
    new(here)
    new(here, "web 3\n")
    here.merge("dev", "staging")


def not_the_newest(here: History) -> None:
    new(here)
    here.git("tag", "soaked", "dev")
    new(here, "web 3\n")
    here.merge("soaked", "staging")


def foxtrot(here: History) -> None:
    """Upstream is the first parent; the tree is right."""
    new(here)
    here.graft("dev", "staging", "dev", "staging")


def octopus(here: History) -> None:
    new(here)
    here.git("switch", "-q", "-c", "side", "staging")
    here.commit("side", {})
    here.graft("dev", "staging", "staging", "dev", "side")


def stray_that_was_reverted(here: History) -> None:
    here.commit("staging", {DB: "stray\n"})
    here.git("revert", "--no-edit", "HEAD")


def stray_reverted_then_promoted(here: History) -> None:
    stray_that_was_reverted(here)
    new(here)
    here.merge("dev", "staging")


def criss_cross(here: History) -> None:
    new(here)
    here.merge("dev", "staging")
    here.accept("staging")
    here.git("switch", "-q", "dev")
    here.git("merge", "-q", "--no-edit", "-s", "ours", "staging")
    new(here, "db 2\n", DB)
    here.graft("dev", "staging", "staging", "dev")


def revert_undone_upstream(here: History) -> None:
    """Brought, promoted, reverted in dev, promoted, brought again."""
    new(here)
    here.merge("dev", "staging")
    here.accept("staging")
    here.git("switch", "-q", "dev")
    here.git("revert", "--no-edit", "HEAD")
    here.accept("dev")
    here.merge("dev", "staging")
    here.accept("staging")
    here.git("switch", "-q", "dev")
    here.git("revert", "--no-edit", "HEAD")
    here.accept("dev")
    here.merge("dev", "staging")


def own_commit_with_promotion(here: History) -> None:
    new(here)
    here.commit("staging", {OWN: "new\n"})
    here.merge("dev", "staging")


def rules_alone(here: History) -> None:
    new(here, "policy 2\n", POLICY)
    here.merge("dev", "staging")


def bundle_alone(here: History) -> None:
    new(here, "db 2\n", DB)
    new(here)
    here.take("dev", "staging", "apps/web")


def bundle_of_an_older_one(here: History) -> None:
    new(here, "db 2\n", DB)
    new(here)
    here.git("tag", "first", "dev")
    new(here, "web 3\n")
    here.take("first", "staging", "apps/web")


def two_bundles(here: History) -> None:
    new(here, "other\n", "apps/else/bundle.yaml")
    new(here)
    new(here, "db 2\n", DB)
    here.take("dev", "staging", "apps/web", "apps/db")


def owned_alone(here: History) -> None:
    here.commit("staging", {OWN: "new\n"})


def owned_by_request(here: History) -> None:
    here.git("switch", "-q", "-c", "side", "staging")
    here.commit("side", {OWN: "new\n"})
    here.merge("side", "staging", "--no-ff")


def nothing(here: History) -> None:
    here.commit("staging", {})


def old_merge(here: History) -> None:
    """What was squashed before is merged now: nothing changes."""
    squashed(here)
    here.accept("staging")
    here.graft("staging", "staging", "staging", "dev")


def inert(here: History) -> None:
    here.commit("staging", {"clusters/prod/other.yaml": "inert here\n"})


def hotfix(here: History) -> None:
    here.commit("staging", {WEB: "web 1.1\n"}, FIX)


def hotfix_again(here: History) -> None:
    hotfix(here)
    here.accept("staging")
    here.commit("staging", {WEB: "web 1.2\n"}, FIX)


def promotion_over_hotfix(here: History) -> None:
    hotfix(here)
    here.accept("staging")
    new(here, "db 2\n", DB)
    here.merge("dev", "staging")


def hotfix_arrives(here: History) -> None:
    hotfix(here)
    here.accept("staging")
    new(here, "web 1.1\n")
    here.merge("dev", "staging")


def hotfix_is_ported(here: History) -> None:
    hotfix(here)
    here.accept("staging")
    new(here, "web 2 with the fix\n")
    here.graft("dev", "staging", "staging", "dev", message=f"Promote\n\nFleet-Ported: {WEB}")


def hotfix_reverted(here: History) -> None:
    hotfix(here)
    here.accept("staging")
    here.git("revert", "--no-edit", "HEAD")


def two_hotfixes_and_a_promotion(here: History) -> None:
    """The commits of both lie below a promotion that keeps them and changes their bundle."""
    hotfix(here)
    here.accept("staging")
    here.commit("staging", {"apps/web/more.yaml": "more 1.1\n"}, FIX)
    here.accept("staging")
    new(here, "extra 1\n", "apps/web/extra.yaml")
    here.merge("dev", "staging")
    here.accept("staging")


def hotfix_dropped_after_a_promotion(here: History) -> None:
    two_hotfixes_and_a_promotion(here)
    here.git("revert", "--no-edit", "HEAD~2")


def hotfixes_dropped_after_a_promotion(here: History) -> None:
    two_hotfixes_and_a_promotion(here)
    here.git("revert", "--no-edit", "HEAD~1", "HEAD~2")


def hotfix_dropped_under_a_change(here: History) -> None:
    hotfix(here)
    here.accept("staging")
    new(here, "web 2\n")
    here.git("switch", "-q", "staging")
    here.git("revert", "--no-edit", "HEAD")


def hotfix_dropped_with_a_reason(here: History) -> None:
    two_hotfixes_and_a_promotion(here)
    here.git("revert", "--no-commit", "HEAD~2")
    here.git("commit", "-q", "-m", FIX)


def rollback(here: History) -> None:
    merged(here)
    here.accept("staging")
    here.git("revert", "--no-edit", "-m", "1", "HEAD")


def rollback_of_a_squash(here: History) -> None:
    squashed(here)
    here.accept("staging")
    here.git("revert", "--no-edit", "HEAD")


def rollback_of_a_bundle(here: History) -> None:
    squashed(here)
    here.accept("staging")
    here.take("staging~1", "staging", "apps/web")


def older_by_request(here: History) -> None:
    new(here)
    here.git("tag", "old", "dev")
    new(here, "web 3\n")
    here.merge("dev", "staging")
    here.accept("staging")
    here.graft("old", "staging", "staging", message="Back\n\nFleet-Older: the new one is slow")


GOOD: dict[Callable[[History], None], Lineage] = {
    merged: Lineage.PROMOTION,
    squashed: Lineage.PROMOTION,
    rebased: Lineage.PROMOTION,
    grafted: Lineage.PROMOTION,
    merged_by_request: Lineage.PROMOTION,
    skipping_one: Lineage.PROMOTION,
    not_the_newest: Lineage.PROMOTION,
    foxtrot: Lineage.PROMOTION,
    octopus: Lineage.PROMOTION,
    criss_cross: Lineage.PROMOTION,
    stray_that_was_reverted: Lineage.NOTHING,
    stray_reverted_then_promoted: Lineage.PROMOTION,
    revert_undone_upstream: Lineage.PROMOTION,
    own_commit_with_promotion: Lineage.PROMOTION,
    rules_alone: Lineage.PROMOTION,
    bundle_alone: Lineage.PARTIAL,
    bundle_of_an_older_one: Lineage.PARTIAL,
    two_bundles: Lineage.PARTIAL,
    owned_alone: Lineage.OWNED,
    owned_by_request: Lineage.OWNED,
    nothing: Lineage.NOTHING,
    old_merge: Lineage.NOTHING,
    inert: Lineage.NOTHING,
    hotfix: Lineage.HOTFIX,
    hotfix_again: Lineage.HOTFIX,
    promotion_over_hotfix: Lineage.PROMOTION,
    hotfix_arrives: Lineage.PROMOTION,
    hotfix_is_ported: Lineage.PROMOTION,
    hotfix_reverted: Lineage.ROLLBACK,
    hotfix_dropped_after_a_promotion: Lineage.PROMOTION,
    hotfixes_dropped_after_a_promotion: Lineage.PROMOTION,
    hotfix_dropped_under_a_change: Lineage.ROLLBACK,
    hotfix_dropped_with_a_reason: Lineage.HOTFIX,
    rollback: Lineage.ROLLBACK,
    rollback_of_a_squash: Lineage.ROLLBACK,
    rollback_of_a_bundle: Lineage.ROLLBACK,
    older_by_request: Lineage.PROMOTION,
}


# What may not go on.


def evil_merge(here: History) -> None:
    new(here)
    here.resolve("dev", "staging", {DB: "slipped in\n"})


def ours(here: History) -> None:
    new(here)
    here.merge("dev", "staging", "-s", "ours")


def conflict_kept_ours(here: History) -> None:
    """Of one file what was here, of another what upstream has."""
    new(here)
    new(here, "more 2\n", MORE)
    here.resolve("dev", "staging", {WEB: histories.START[WEB]})


def conflict_by_hand(here: History) -> None:
    new(here)
    here.resolve("dev", "staging", {WEB: "a bit of both\n"})


def altered_squash(here: History) -> None:
    new(here)
    here.squash("dev", "staging", {DB: "slipped in\n"})


def evil_octopus(here: History) -> None:
    octopus(here)
    here.git("read-tree", "--reset", "-u", "HEAD")
    here.write({DB: "slipped in\n"})
    here.git("commit", "-q", "--amend", "--no-edit")


def direct(here: History) -> None:
    here.commit("staging", {DB: "by hand\n"})


def direct_beside_a_promotion(here: History) -> None:
    new(here)
    here.merge("dev", "staging")
    here.commit("staging", {DB: "by hand\n"})


def direct_rules(here: History) -> None:
    here.commit("staging", {POLICY: "softer\n"})


def fix_without_a_reason(here: History) -> None:
    here.commit("staging", {WEB: "web 1.1\n"})


def fix_out_of_scope(here: History) -> None:
    here.commit("staging", {DB: "db 1.1\n"}, FIX)


def fix_of_rules(here: History) -> None:
    here.commit("staging", {WEB: "web 1.1\n", POLICY: "softer\n"}, FIX)


def part_of_a_bundle(here: History) -> None:
    new(here, "more 2\n", MORE)
    new(here)
    here.take("dev", "staging", WEB)


def lost_revert(here: History) -> None:
    """Staging reverted the merge; dev goes on; a plain merge keeps the revert in silence."""
    merged(here)
    here.accept("staging")
    here.git("revert", "--no-edit", "-m", "1", "HEAD")
    here.accept("staging")
    new(here, "db 2\n", DB)
    here.merge("dev", "staging")


def merged_and_reverted(here: History) -> None:
    merged(here)
    here.git("revert", "--no-edit", "-m", "1", "HEAD")


def part_with_two_parents(here: History) -> None:
    new(here, "db 2\n", DB)
    new(here)
    here.git("switch", "-q", "staging")
    here.git("merge", "-q", "--no-commit", "--no-ff", "dev")
    here.git("checkout", "-q", "HEAD", "--", "apps/db")
    here.git("commit", "-q", "-m", "A part")


def wiped_hotfix(here: History) -> None:
    hotfix(here)
    here.accept("staging")
    new(here, "db 2\n", DB)
    here.graft("dev", "staging", "staging", "dev")


def hotfix_half_dropped(here: History) -> None:
    """One fix is dropped, the other becomes something else, without a word."""
    two_hotfixes_and_a_promotion(here)
    here.git("revert", "--no-edit", "HEAD~2")
    here.commit("staging", {"apps/web/more.yaml": "by hand\n"})


def hotfix_under_a_change(here: History) -> None:
    """Upstream has changed the file meanwhile, and nobody says that the fix is in it."""
    hotfix(here)
    here.accept("staging")
    new(here, "web 2\n")
    here.graft("dev", "staging", "staging", "dev")


def never_accepted(here: History) -> None:
    here.commit("dev", {WEB: "unseen\n"})
    here.git("branch", "unseen", "dev")
    new(here, "web 3\n")
    here.merge("unseen", "staging")


def squash_of_what_was_never_accepted(here: History) -> None:
    here.commit("dev", {WEB: "unseen\n"})
    here.squash("dev", "staging")


def upstream_refused(here: History) -> None:
    here.commit("dev", {WEB: "bad\n"})
    here.undecided["dev"] = ledger.Verdict.REFUSED
    here.merge("dev", "staging")


def older(here: History) -> None:
    """Content that staging never had: it was skipped, and what runs is newer."""
    new(here)
    here.git("tag", "old", "dev")
    new(here, "web 3\n")
    here.merge("dev", "staging")
    here.accept("staging")
    here.take("old", "staging", WEB)


def owned_in_the_merge(here: History) -> None:
    new(here)
    here.resolve("dev", "staging", {OWN: "new\n"})


def owned_in_a_commit_of_upstreams(here: History) -> None:
    here.commit("dev", {OWN: "new\n"})
    new(here)
    here.merge("dev", "staging")


def owned_in_a_commit_that_was_rebased(here: History) -> None:
    here.commit("dev", {OWN: "new\n"})
    new(here)
    here.git("switch", "-q", "staging")
    here.git("cherry-pick", "dev~1", "dev")


def owned_in_a_squash(here: History) -> None:
    new(here)
    here.squash("dev", "staging", {OWN: "new\n"})


BAD: dict[Callable[[History], None], Lineage] = {
    fast_forward: Lineage.CARRIED,
    evil_merge: Lineage.ALTERED,
    ours: Lineage.ALTERED,
    conflict_kept_ours: Lineage.ALTERED,
    conflict_by_hand: Lineage.ALTERED,
    altered_squash: Lineage.ALTERED,
    evil_octopus: Lineage.ALTERED,
    direct: Lineage.DIRECT,
    direct_beside_a_promotion: Lineage.DIRECT,
    direct_rules: Lineage.DIRECT,
    fix_without_a_reason: Lineage.DIRECT,
    fix_out_of_scope: Lineage.DIRECT,
    fix_of_rules: Lineage.DIRECT,
    part_of_a_bundle: Lineage.ALTERED,
    lost_revert: Lineage.INCOMPLETE,
    merged_and_reverted: Lineage.INCOMPLETE,
    part_with_two_parents: Lineage.INCOMPLETE,
    wiped_hotfix: Lineage.INCOMPLETE,
    hotfix_under_a_change: Lineage.INCOMPLETE,
    hotfix_half_dropped: Lineage.DIRECT,
    never_accepted: Lineage.UNACCEPTED,
    squash_of_what_was_never_accepted: Lineage.UNACCEPTED,
    upstream_refused: Lineage.UNACCEPTED,
    older: Lineage.OLDER,
    owned_in_the_merge: Lineage.CARRIED,
    owned_in_a_commit_of_upstreams: Lineage.CARRIED,
    owned_in_a_commit_that_was_rebased: Lineage.CARRIED,
    owned_in_a_squash: Lineage.CARRIED,
}


OPEN_HOTFIX = frozenset({wiped_hotfix, hotfix_under_a_change, hotfix_half_dropped})


def named(table: dict[Callable[[History], None], Lineage]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("build", "kind"), table.items(), ids=[each.__name__ for each in table]
    )


@named(GOOD)
def test_what_may_go_on(here: History, build: Callable[[History], None], kind: Lineage):
    build(here)
    assert here.tell("staging").kind is kind
    assert here.gate("staging").state is ledger.GateState.OPEN


@named(GOOD)
def test_without_a_book_nothing_is_refused_that_may_go_on(
    here: History, build: Callable[[History], None], kind: Lineage
):
    build(here)
    assert here.by_branches("staging").kind is kind


@named(BAD)
def test_without_a_book_it_is_refused_as_well(
    here: History, build: Callable[[History], None], kind: Lineage
):
    """But for what upstream has on its branch and did not accept."""
    build(here)
    only_booked = {never_accepted, upstream_refused, squash_of_what_was_never_accepted}
    expected = Lineage.PROMOTION if build in only_booked else kind
    assert here.by_branches("staging").kind is expected


@pytest.mark.threat(29)
@pytest.mark.threat(30)
@named(BAD)
def test_what_is_refused(here: History, build: Callable[[History], None], kind: Lineage):
    build(here)
    found = here.gate("staging")
    assert here.tell("staging").kind is kind
    assert found.state is ledger.GateState.REFUSED
    assert "{" not in found.reason + found.hint
    assert found.hint


@named({build: kind for build, kind in BAD.items() if build not in OPEN_HOTFIX})
def test_a_promotion_on_top_mends_whatever_it_was(
    here: History, build: Callable[[History], None], kind: Lineage
):
    """The exact tree passes whatever the branch went through; an open hotfix is ported or dropped first."""
    build(here)
    here.undecided.clear()
    new(here, "newest\n")
    if kind is Lineage.CARRIED:
        here.git("switch", "-q", "staging")
        here.git("checkout", "-q", here.accepted["staging"][-1].commit, "--", "clusters")
        here.git("rm", "-q", "--ignore-unmatch", OWN)
        here.git("commit", "-q", "-m", "own paths as they were")
    here.graft("dev", "staging", "staging", "dev")
    assert here.tell("staging").kind is Lineage.PROMOTION


# What is held, and what other environments say.


@pytest.mark.threat(23)
@pytest.mark.parametrize("how", ["reset", "orphan"])
def test_a_rewritten_branch_holds(here: History, how: str):
    merged(here)
    here.accept("staging")
    if how == "reset":
        here.git("reset", "-q", "--hard", "HEAD~1")
    else:
        here.git("switch", "-q", "--orphan", "again")
        here.git("checkout", "-q", "staging", "--", ".")
        here.git("commit", "-q", "-m", "again")
        here.git("branch", "-f", "staging", "again")
    assert here.tell("staging").kind is Lineage.REWRITE
    assert here.gate("staging").state is ledger.GateState.WAITING


@pytest.mark.threat(23)
def test_a_rewritten_branch_that_was_let_in_is_told_by_its_content(here: History):
    new(here)
    here.graft("dev", "staging", "dev")
    here.rebaseline("staging")
    assert here.tell("staging").kind is Lineage.PROMOTION


def reset(here: History) -> None:
    merged(here)
    here.accept("staging")
    here.git("reset", "-q", "--hard", "HEAD~1")


def reset_of_what_is_owned(here: History) -> None:
    owned_alone(here)
    here.accept("staging")
    here.git("reset", "-q", "--hard", "HEAD~1")


def orphan(here: History) -> None:
    here.git("switch", "-q", "--orphan", "again")
    here.git("checkout", "-q", "staging", "--", ".")
    here.git("commit", "-q", "-m", "again")
    here.git("branch", "-f", "staging", "again")


def orphan_with_an_owned_change(here: History) -> None:
    orphan(here)
    here.commit("staging", {OWN: "new\n"})


def amended(here: History) -> None:
    merged(here)
    here.accept("staging")
    here.git("commit", "-q", "--amend", "-m", "with other words")


def amended_under_a_promotion(here: History) -> None:
    amended(here)
    new(here, "web 3\n")
    here.merge("dev", "staging")


def amended_with_a_hotfix(here: History) -> None:
    amended(here)
    here.commit("staging", {WEB: "web 2.1\n"}, FIX)


def amended_evilly(here: History) -> None:
    amended(here)
    here.write({DB: "slipped in\n"})
    here.git("commit", "-q", "--amend", "--no-edit")


def rules_reset(here: History) -> None:
    rules_alone(here)
    here.accept("staging")
    here.git("reset", "-q", "--hard", "HEAD~1")


def moved_to_dev(here: History) -> None:
    """Staging lacks what it owns, and has what dev owns."""
    new(here)
    here.git("branch", "-f", "staging", "dev")


LET_IN: dict[Callable[[History], None], Lineage] = {
    reset: Lineage.ROLLBACK,
    reset_of_what_is_owned: Lineage.OWNED,
    orphan: Lineage.NOTHING,
    orphan_with_an_owned_change: Lineage.OWNED,
    amended: Lineage.NOTHING,
    amended_under_a_promotion: Lineage.PROMOTION,
    amended_with_a_hotfix: Lineage.HOTFIX,
    amended_evilly: Lineage.ALTERED,
    rules_reset: Lineage.OLDER,
    moved_to_dev: Lineage.CARRIED,
}


@pytest.mark.threat(23)
@named(LET_IN)
def test_a_rewritten_branch_holds_until_it_is_let_in_and_then_its_content_tells(
    here: History, build: Callable[[History], None], kind: Lineage
):
    build(here)
    assert here.tell("staging").kind is Lineage.REWRITE
    here.rebaseline("staging")
    assert here.tell("staging").kind is kind
    here.commit("staging", {})
    assert here.tell("staging").kind is Lineage.REWRITE


def test_content_on_which_upstream_has_not_decided_waits(here: History):
    here.commit("dev", {WEB: "web 2\n"})
    here.undecided["dev"] = ledger.Verdict.WAITING
    here.merge("dev", "staging")
    assert here.tell("staging").kind is Lineage.UNDECIDED
    assert here.gate("staging").state is ledger.GateState.WAITING


def test_an_environment_cannot_be_skipped(here: History):
    new(here)
    here.graft("dev", "prod", "prod", "dev")
    found = here.gate("prod")
    assert here.tell("prod").kind is Lineage.UNACCEPTED
    assert "dev did" in found.reason


def test_the_last_environment_takes_what_the_one_before_it_accepted(here: History):
    merged(here)
    here.accept("staging")
    here.merge("staging", "prod")
    assert here.tell("prod").kind is Lineage.PROMOTION


def test_the_first_environment_takes_everything(here: History):
    here.commit("dev", {WEB: "web 2\n", POLICY: "policy 2\n"})
    assert here.tell("dev").kind is Lineage.ENTRY


def test_going_back_where_changes_enter_is_a_rollback_only_when_it_says_so(here: History):
    new(here)
    here.git("revert", "--no-edit", "HEAD")
    assert here.tell("dev").kind is Lineage.ENTRY
    declared = f"Back\n\nFleet-Rollback: {here.accepted['dev'][0].commit}"
    here.git("commit", "-q", "--amend", "-m", declared)
    assert here.tell("dev").kind is Lineage.ROLLBACK


# What is remembered.


def test_a_hotfix_is_remembered_with_what_it_was_based_on(here: History):
    hotfix(here)
    (found,) = here.tell("staging").hotfixes
    assert (found.path, found.reason) == (WEB, "the port was wrong")
    assert found.based_on != found.fixed


@pytest.mark.parametrize(
    ("build", "left"),
    [
        (promotion_over_hotfix, 1),
        (hotfix_arrives, 0),
        (hotfix_is_ported, 0),
        (hotfix_reverted, 0),
        (hotfix_dropped_after_a_promotion, 1),
        (hotfixes_dropped_after_a_promotion, 0),
    ],
)
def test_how_long_a_hotfix_is_open(here: History, build: Callable[[History], None], left: int):
    build(here)
    assert len(here.tell("staging").hotfixes) == left


def test_a_hotfix_to_a_form_that_upstream_had_once_is_closed_by_nothing(here: History):
    new(here, "web 2\n")
    new(here, "web 3\n")
    here.merge("dev", "staging")
    here.accept("staging")
    here.commit("staging", {WEB: "web 2\n"}, FIX)
    here.accept("staging")
    here.commit("staging", {}, "nothing")
    found = here.tell("staging")
    assert (found.kind, [each.path for each in found.hotfixes]) == (Lineage.NOTHING, [WEB])


def test_a_rollback_names_the_release_and_takes_its_hotfixes_back(here: History):
    hotfix(here)
    here.accept("staging")
    new(here, "db 2\n", DB)
    here.merge("dev", "staging")
    here.accept("staging")
    here.git("revert", "--no-edit", "-m", "1", "HEAD")
    found = here.tell("staging")
    assert (found.kind, found.back_to) == (Lineage.ROLLBACK, 2)
    assert [each.path for each in found.hotfixes] == [WEB]


@pytest.mark.threat(33)
def test_dates_and_names_of_people_decide_nothing(here: History):
    merged(here)
    before = here.tell("staging")
    here.git(
        "commit", "-q", "--amend", "--no-edit", "--date=1999-01-01T00:00:00Z",
        "--author=Eve <eve@example.com>",
    )  # fmt: skip
    assert here.tell("staging") == before


@pytest.mark.threat(28)
def test_replaced_objects_are_not_believed(here: History):
    evil_merge(here)
    here.git("replace", "staging", "dev")
    assert here.tell("staging").kind is Lineage.ALTERED


@pytest.mark.threat(27)
def test_a_history_that_is_cut_off_says_nothing(here: History):
    merged(here)
    (here.folder / ".git" / "shallow").write_text(f"{here.tip('staging')}\n")
    with pytest.raises(Exception, match="cut off"):
        here.tell("staging")


def test_every_class_is_in_the_table_and_was_met():
    met = {*GOOD.values(), *BAD.values()}
    elsewhere = {Lineage.REWRITE, Lineage.UNDECIDED, Lineage.ENTRY}
    never_here = {Lineage.BASELINE, Lineage.UNADOPTED}
    assert met | elsewhere | never_here == set(Lineage) == set(classes.CLASSES)
