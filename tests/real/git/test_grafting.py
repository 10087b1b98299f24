"""What `fleet promote` makes is what the hub lets through, whatever is open on the target."""

import asyncio
from pathlib import Path

import pytest

import histories
from fleet.local import grafting
from fleet.manifests import layout
from fleet.model import errors, names
from fleet.model.ledger import Lineage

WEB, DB = histories.WEB, histories.DB
FIX = "hotfix\n\nFleet-Hotfix: the port was wrong"
WHERE = layout.Layout(environment=names.Environment("staging"), owned=layout.OWNED)


@pytest.fixture
def here(tmp_path: Path) -> histories.History:
    return histories.History(folder=tmp_path, scope=("apps/web/**",))


def promoted(here: histories.History, **wanted: object) -> grafting.Graft | None:
    """Made as `fleet promote` makes it, and pushed."""
    asked = grafting.Wanted(subject="Promote", **wanted)  # type: ignore[arg-type]
    made = asyncio.run(
        grafting.graft(asked, here.tip("dev"), here.tip("staging"), WHERE, here.reader)  # type: ignore[arg-type]
    )
    if made is not None:
        here.push("staging", made.entries, made.parents, made.message)
    return made


def upstream(here: histories.History, path: str, text: str) -> None:
    here.commit("dev", {path: text})
    here.accept("dev")


def test_everything(here: histories.History):
    upstream(here, WEB, "web 2\n")
    assert promoted(here)
    assert here.tell("staging").kind is Lineage.PROMOTION
    here.accept("staging")
    assert promoted(here) is None


def test_a_bundle(here: histories.History):
    upstream(here, DB, "db 2\n")
    upstream(here, WEB, "web 2\n")
    made = promoted(here, bundles=("apps/web",))
    assert made is not None
    assert len(made.parents) == 1
    assert here.tell("staging").kind is Lineage.PARTIAL
    here.accept("staging")
    assert promoted(here)
    assert here.tell("staging").kind is Lineage.PROMOTION


@pytest.mark.parametrize("folder", ["apps", "apps/we", "nowhere", ""])
def test_what_is_no_bundle_is_said(here: histories.History, folder: str):
    with pytest.raises(errors.InputError, match="no bundle"):
        promoted(here, bundles=(folder,))


def test_an_open_hotfix_is_kept(here: histories.History):
    here.commit("staging", {WEB: "web 1.1\n"}, FIX)
    here.accept("staging")
    upstream(here, DB, "db 2\n")
    assert promoted(here)
    found = here.tell("staging")
    assert (found.kind, [each.path for each in found.hotfixes]) == (Lineage.PROMOTION, [WEB])
    here.accept("staging")
    upstream(here, DB, "db 3\n")
    assert promoted(here)
    assert [each.path for each in here.tell("staging").hotfixes] == [WEB]


def test_a_hotfix_that_was_dropped_after_a_promotion_stops_no_other(here: histories.History):
    fix = here.commit("staging", {WEB: "web 1.1\n"}, FIX)
    here.accept("staging")
    upstream(here, "apps/web/more.yaml", "more 2\n")
    assert promoted(here)
    here.accept("staging")
    here.git("revert", "--no-edit", fix)
    assert "drops the hotfix of apps/web/web.yaml" in here.gate("staging").reason
    here.accept("staging")
    assert promoted(here) is None
    upstream(here, DB, "db 2\n")
    assert promoted(here)
    assert here.tell("staging").kind is Lineage.PROMOTION


def test_a_hotfix_that_upstream_has_closes(here: histories.History):
    here.commit("staging", {WEB: "web 1.1\n"}, FIX)
    here.accept("staging")
    upstream(here, WEB, "web 1.1\n")
    upstream(here, DB, "db 2\n")
    assert promoted(here)
    assert here.tell("staging").hotfixes == ()


def test_a_fix_in_another_form_is_taken_only_when_somebody_says_so(here: histories.History):
    here.commit("staging", {WEB: "web 1.1\n"}, FIX)
    here.accept("staging")
    upstream(here, WEB, "web 2 with the fix\n")
    assert promoted(here)
    assert here.tell("staging").kind is Lineage.INCOMPLETE
    here.git("reset", "-q", "--hard", here.accepted["staging"][-1].commit)
    assert promoted(here, ported=(WEB,))
    found = here.tell("staging")
    assert (found.kind, found.hotfixes) == (Lineage.PROMOTION, ())
