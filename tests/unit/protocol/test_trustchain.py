"""The chain of trust files: each follows from the one before it, or nothing that comes after counts."""

from dataclasses import replace
from typing import Any

import pytest

import approvers
import builders
import repositories
from approvers import ADA, BERT, CARA, MALLORY
from fleet.judge import trusts
from fleet.manifests import declared
from fleet.model import approving, errors, names
from fleet.protocol import sshsig, trustchain

DEV = names.Environment("dev")
FIRST = approvers.trust()
SECOND = approvers.trust(
    2,
    people={"ada": [ADA.line], "bert": [BERT.line], "cara": [CARA.line]},
    groups={"owners": ["bert", "cara"], "releasers": ["ada"]},
    owners={"group": "owners", "threshold": 2},
)
THIRD = approvers.trust(3, signers=(BERT, CARA))


def fault(*files: approving.TrustFile) -> str:
    _, found = trustchain.examine(files, "dev")
    return f"{found.version}: {found.message}" if found else ""


def test_each_version_is_signed_by_the_owners_of_the_one_before():
    links, found = trustchain.examine((FIRST, SECOND, THIRD), "dev")
    assert found is None
    assert [each.anchor.version for each in links] == [1, 2, 3]
    assert "1 of 2 owners of version 2" in fault(
        FIRST, SECOND, approvers.trust(3, signers=(BERT,))
    )
    assert "0 of 2 owners of version 2" in fault(FIRST, SECOND, approvers.trust(3, signers=(ADA,)))


ODD_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
PEOPLE = {"ada": [ADA.line], "bert": [BERT.line]}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "threshold 0": ({"owners": {"group": "owners", "threshold": 0}}, "greater than or equal to 1"),
    "count 0": ({"approvals": [{"group": "releasers", "count": 0}]}, "greater than or equal to 1"),
    "a key twice": ({"people": {"ada": [ADA.line, ADA.line + " again"]}}, "listed twice"),
    "a key of two": ({"people": {"ada": [ADA.line], "bert": [f"{ADA.line} b"]}}, "listed twice"),
    "unknown type": ({"people": {**PEOPLE, "x": ["ssh-dss AAAA"]}}, "should match pattern"),
    "low order": ({"people": {**PEOPLE, "x": [ODD_KEY]}}, "low order"),
    "no key": ({"people": {"ada": []}}, "at least 1 item"),
    "another environment": ({"environment": "prod"}, "for environment prod"),
    "another version": ({"version": 2}, "says that it is version 2"),
    "nobody": ({"groups": {"owners": ["ada"], "releasers": ["zoe"]}}, "none of its people"),
    "somebody twice": ({"groups": {"owners": ["ada", "ada"], "releasers": ["bert"]}}, "twice"),
    "too few owners": ({"owners": {"group": "owners", "threshold": 2}}, "fewer than 2"),
    "no such group": ({"approvals": [{"group": "nobodies", "count": 1}]}, "fewer than 1"),
    "an unknown field": ({"allow": "all"}, "not permitted"),
    "no end": ({"expires": None}, "a moment is written"),
}


@pytest.mark.threat(64)
@pytest.mark.parametrize("case", REFUSED)
def test_what_could_trust_somebody_by_mistake_is_refused(case: str):
    spec, words = REFUSED[case]
    assert words in fault(approvers.trust(**spec))


TWO = {"owners": ["ada", "bert"], "releasers": ["ada"]}
BOTH_OWN = {"group": "owners", "threshold": 2}
TWISTED = {
    "no YAML": approvers.trust(document="{"),
    "two documents": approvers.trust(document=FIRST.text + "---\n" + FIRST.text),
    "duplicate keys": approvers.trust(document=FIRST.text.replace('"kind"', '"kind": "Trust", "kind"')),
    "huge": approvers.trust(document=FIRST.text + "#" * trustchain.MAX_TEXT),
    "unsigned": approving.TrustFile(text=FIRST.text, signatures=""),
    "signed by nobody known": approvers.trust(signers=(ADA, MALLORY)),
    "signed twice by one of two": approvers.trust(signers=(ADA, ADA), groups=TWO, owners=BOTH_OWN),
    "another text": approving.TrustFile(text=FIRST.text + " ", signatures=FIRST.signatures),
    "another namespace": approving.TrustFile(text=FIRST.text, signatures=ADA.sign(FIRST.text.encode(), sshsig.RELEASE)),
    "half a surrogate": approving.TrustFile(text="\ud800", signatures=FIRST.signatures),
}  # fmt: skip


@pytest.mark.threat(64)
@pytest.mark.parametrize("case", TWISTED)
def test_what_is_not_signed_whole_is_refused(case: str):
    assert fault(TWISTED[case])


def test_a_chain_that_no_dispatch_could_carry_is_refused():
    assert "more than" in fault(*([FIRST] * 300))


def follow(*files: approving.TrustFile, **more: Any) -> trustchain.Link | None:
    return trustchain.follow(files, "dev", **more)


@pytest.mark.threat(64)
def test_an_agent_goes_forward_only_and_from_where_it_was_told_to_begin():
    one, two = (link.anchor for link in trustchain.examine((FIRST, SECOND), "dev")[0])
    assert follow() is None
    for files, held, pinned in (
        ((FIRST,), None, one.digest),
        ((FIRST, SECOND), one, one.digest),
        ((FIRST, SECOND), two, ""),
    ):
        link = follow(*files, held=held, pinned=pinned)
        assert link is not None
        assert link.anchor.version == len(files)
    other = approvers.trust(
        signers=(MALLORY,), people={"ada": [MALLORY.line], "bert": [BERT.line]}
    )
    again = approvers.trust(2)  # another version 2, which the owner signed too
    for files, more, words in (
        ((), {"held": one}, "carries no trust file"),
        ((), {"pinned": one.digest}, "carries no trust file"),
        ((FIRST,), {"held": two}, "does not follow from version 2"),
        ((FIRST, again), {"held": two}, "does not follow from version 2"),
        ((other,), {"held": one}, "does not follow from version 1"),
        ((other,), {"pinned": one.digest}, "enrolled with"),
        ((SECOND,), {}, "says that it is version 2"),
    ):
        with pytest.raises(errors.RefusedError, match=words):
            follow(*files, **more)


def in_files(*files: approving.TrustFile) -> dict[str, bytes]:
    return {
        f"trust/dev/{number}.{ending}": text.encode()
        for number, each in enumerate(files, start=1)
        for ending, text in (("yaml", each.text), ("sig", each.signatures))
    }


def test_files_of_a_commit_are_read_as_a_chain():
    chain, found = trusts.read(in_files(FIRST, SECOND), DEV)
    assert (chain, found) == ((FIRST, SECOND), ())
    assert trusts.read({}, DEV) == ((), ())


@pytest.mark.threat(64)
@pytest.mark.parametrize(
    ("change", "place", "words"),
    [
        ({"trust/dev/1.sig": None}, "trust/dev/1.sig", "not there"),
        ({"trust/dev/1.yaml": None, "trust/dev/1.sig": None}, "trust/dev/1.yaml", "not there"),
        ({"trust/dev/note.txt": b"x"}, "trust/dev/note.txt", "no trust file"),
        ({"trust/dev/01.yaml": b"x"}, "trust/dev/01.yaml", "no trust file"),
        ({"trust/dev/2.yaml": b"\xff"}, "trust/dev/2.yaml", "no trust file"),
        ({"trust/dev/2.sig": b"x"}, "trust/dev/2.sig:1", "not armored"),
        ({"trust/dev/2.yaml": b"a: 1"}, "trust/dev/2.yaml:1", ""),
    ],
)
def test_a_gap_or_a_stray_file_is_found_at_its_place(
    change: dict[str, bytes | None], place: str, words: str
):
    files = {k: v for k, v in {**in_files(FIRST, SECOND), **change}.items() if v is not None}
    chain, (found, *_) = trusts.read(files, DEV)
    assert chain == ()
    assert str(found.place) == place
    assert words in found.message


@pytest.mark.threat(64)
def test_what_is_in_force_is_never_rewritten():
    def said(*files: approving.TrustFile) -> declared.Declared:
        blank = repositories.read({"fleet.yaml": repositories.FLEET})
        return replace(blank, trust=files)

    assert trusts.unfollowed(said(FIRST), said(FIRST, SECOND), DEV) == []
    assert trusts.unfollowed(said(), said(FIRST), DEV) == []
    for coming, words in ((said(), "is gone"), (said(THIRD), "was changed")):
        (found,) = trusts.unfollowed(said(FIRST), coming, DEV)
        assert words in found.message
        assert found.place.path == "trust/dev/1.yaml"


def test_the_end_of_a_trust_file_is_a_moment_with_a_zone():
    (link,) = trustchain.examine((FIRST,), "dev")[0]
    assert link.spec.expires > builders.NOW
