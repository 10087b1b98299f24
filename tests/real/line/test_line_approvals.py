"""Approvals as a team has them: real keys by ssh-keygen, commits signed by git, the commands that people type."""

import os
import pwd
import shutil
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pysequoia
import pytest

import lines
from commands import Ended, fleet
from fleet.model import ledger, names

pytestmark = pytest.mark.timeout(180, func_only=True)
TRUST = """apiVersion: fleetgate.dev/v1alpha1
kind: Trust
metadata: {{name: dev}}
spec:
  environment: dev
  version: 1
  expires: 2999-01-01
  people:
    ada: ["{ada}"]
    bert: ["{bert}"]
  groups: {{owners: [ada], releasers: [ada, bert]}}
  owners: {{group: owners, threshold: 1}}
  approvals: [{{group: releasers}}]
"""


def key_of(folder: Path, person: str, kind: str) -> Path:
    file = folder / person
    words = ("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", person, "-f", file)
    subprocess.run([*map(str, words)], check=True)  # noqa: S603 - the real one
    return file


class Team:
    def __init__(self, line: lines.Line) -> None:
        self.line = line
        self.ada = key_of(line.folder, "ada", "ed25519")
        self.bert = key_of(line.folder, "bert", "ecdsa")

    def public(self, key: Path) -> str:
        return key.with_suffix(".pub").read_text().strip()

    def signs_commits(self, key: Path | None) -> None:
        run = self.line.git.run
        run("config", "commit.gpgsign", "true" if key else "false")
        if key is not None:
            run("config", "gpg.format", "ssh")
            run("config", "user.signingkey", str(key))

    async def approve(self, key: Path, *words: str | Path) -> Ended:
        to = words or ("--hub", self.line.url)
        return await fleet(
            "approve", "dev", "--dir", self.line.git.folder, "--key", key, "--yes", *to
        )

    async def waits(
        self, tip: names.CommitId, words: str, gate: str = "approvals"
    ) -> ledger.GateResult:
        """Until the gate says so of this commit."""

        def found() -> ledger.GateResult | None:
            decision = self.line.decision()
            gates = decision.gates if decision and decision.commit == tip else ()
            told = (each for each in gates if each.gate == gate and words in each.reason)
            return next(told, None)

        return await self.line.until(words, found)


async def introduced(line: lines.Line) -> Team:
    """A cluster that runs, and a trust file that Ada signed and committed, which waits for somebody else."""
    await line.open("dev")
    await line.join("dev-1")
    await line.healthy(line.git.tip("dev"))
    return await trusting(line)


async def trusting(line: lines.Line) -> Team:
    team = Team(line)
    text = TRUST.format(ada=team.public(team.ada), bert=team.public(team.bert))
    line.git.write({"trust/dev/1.yaml": text})
    file = line.git.folder / "trust/dev/1.yaml"
    signed = await fleet("trust", "sign", file, "--key", team.ada)
    assert signed.code == 0, signed.said
    shown = await fleet("trust", "show", "dev", "--dir", line.git.folder)
    assert "each release: 1 of releasers" in shown.out
    team.signs_commits(team.ada)
    return team


@pytest.mark.threat(34)
@pytest.mark.threat(40)
@pytest.mark.threat(42)
async def test_nothing_comes_without_a_second_person(line: lines.Line):
    team = await introduced(line)
    tip = line.commit()
    gate = await team.waits(tip, "0 of 1 people of releasers approved this")
    assert gate.hint.startswith(f"fleet approve dev {tip} --running ")
    assert (await team.approve(team.ada)).code == 0
    await team.waits(tip, "(ada made the change)")
    ended = await team.approve(team.bert)
    assert ended.code == 0, ended.said
    await line.healthy(tip)
    held = line.stations["dev-1"].agent.held
    assert held is not None
    assert held.trust is not None
    assert held.trust.version == 1


async def test_an_approval_goes_by_hand_too_and_is_for_one_content_alone(line: lines.Line):
    team = await introduced(line)
    tip = line.commit()
    await team.waits(tip, "0 of 1")
    await team.approve(team.bert)
    await line.healthy(tip)
    tip = line.commit(line.app(a="two"))
    await team.waits(tip, "approval is of another")
    out = line.folder / "approval.json"
    ended = await team.approve(team.bert, "--out", out)
    assert "  ~ " in ended.out, ended.out + ended.said
    handed = await fleet("hub", "approve", out, "--state", line.state.root)
    assert handed.code == 0, handed.said
    await line.healthy(tip)
    assert await line.stations["dev-1"].word(line.namespace, "a")() == "two"


@pytest.mark.threat(23)
@pytest.mark.threat(41)
async def test_a_rewritten_history_is_let_in_and_agreed_to_anew(line: lines.Line):
    team, tip, again = await rewritten(line)
    words = ("hub", "rebaseline", "dev", again, "--state", line.state.root)
    assert (await fleet(*words)).code == 2
    done = await fleet(*words, "--reason", "a password", "--by", "cara")
    assert (done.code, done.said) == (0, "")
    assert f"dev: {again[:10]} may follow {tip[:10]}" in done.out
    twice = await fleet(*words, "--reason", "a password", "--by", "cara")
    assert (twice.code, "let in already, by cara" in twice.said) == (1, True)
    await line.stop_hub()
    await line.start_hub()
    # What Bert said of this very content before does not count.
    await team.waits(again, "0 of 1 people of releasers approved this")
    found = await line.decided(again)
    said = " ".join(each.reason for each in found.gates)
    assert f"cara (as {pwd.getpwuid(os.getuid()).pw_name}) let this in: a password" in said
    ended = await team.approve(team.bert)
    assert ended.code == 0, ended.said
    accepted = await line.judged(again, "accepted")
    assert accepted.lineage is ledger.Lineage.NOTHING


async def rewritten(line: lines.Line) -> tuple[Team, names.CommitId, names.CommitId]:
    """What Bert approved and runs, and what its branch was rewritten to."""
    await line.open("dev")
    await line.judged(line.git.tip("dev"), "accepted")
    team = await trusting(line)
    tip = line.commit()
    await team.waits(tip, "0 of 1")
    await team.approve(team.bert)
    await line.judged(tip, "accepted")
    line.git.run("commit", "--quiet", "--amend", "-m", "without the password")
    again = line.push("dev", force=True)
    held = await line.judged(again, "waiting")
    assert held.lineage is ledger.Lineage.REWRITE
    return team, tip, again


@pytest.mark.threat(68)
async def test_a_cluster_leaves_only_as_people_have_seen_it(line: lines.Line):
    team = await introduced(line)
    await line.join("dev-2")
    tip = line.git.tip("dev")
    await team.waits(tip, "0 of 1")
    await team.approve(team.bert)
    await line.healthy(tip)
    tip = line.commit({"clusters/dev/dev-2.yaml": None})
    gate = await team.waits(tip, "approval is of another owned, slices root")
    assert gate.hint.endswith(" --leaving dev-2=orphan")
    ended = await team.approve(team.bert)
    assert "dev-2: leaves (orphan)" in ended.out
    await line.healthy(tip)
    await line.until("dev-2 has left", lambda: line.rows.clusters[names.Cluster("dev-2")].retired)


async def test_an_unsigned_change_and_a_strangers_word_wait(line: lines.Line):
    team = await introduced(line)
    team.signs_commits(None)
    tip = line.commit(line.app(a="three"))
    await team.waits(tip, "is not signed")
    ended = await team.approve(key_of(line.folder, "mallory", "ed25519"))
    assert ended.code == 1
    assert "nobody's key in dev" in ended.said
    await team.approve(team.bert)
    await line.quiet()
    assert await line.stations["dev-1"].word(line.namespace, "a")() == "hello"


@pytest.mark.threat(40)
async def test_the_signatures_of_commits_are_asked_by_the_keys_in_force(line: lines.Line):
    team = await introduced(line)
    asks = lines.fleet_yaml("dev") + "    gates: {signatures: {group: releasers}}\n"
    line.git.write({"fleet.yaml": asks})
    tip = line.commit()
    found = await team.waits(tip, "signed by releasers: ", "signatures")
    assert found.state is ledger.GateState.OPEN
    await team.approve(team.bert)
    await line.healthy(tip)
    team.signs_commits(key_of(line.folder, "mallory", "ed25519"))
    tip = line.commit(line.app(a="four"))
    found = await team.waits(tip, f"not signed by anybody of releasers: {tip[:10]}", "signatures")
    assert found.state is ledger.GateState.REFUSED
    await line.quiet()
    assert await line.stations["dev-1"].word(line.namespace, "a")() == "hello"


STAND_IN = """#!{python}
import sys, pysequoia
key = pysequoia.Tsk.from_file({key!r})
made = pysequoia.sign(key.signer(), sys.stdin.buffer.read(), mode=pysequoia.SignatureMode.DETACHED)
sys.stdout.buffer.write(made)
print("[GNUPG:] SIG_CREATED D 22 8 00 0 0", file=sys.stderr)
"""


def pgp_key(folder: Path, program: str) -> tuple[str, dict[str, str]]:
    """Ada's public key, and how git is told to sign with it."""
    if program == "gpg":
        gpg = shutil.which("gpg") or pytest.skip("gpg is not here")
        home = folder / "gnupg"
        home.mkdir(mode=0o700)
        words = [gpg, "--homedir", str(home), "--batch", "--passphrase", ""]
        user = "Ada <ada@example.com>"
        made = ["--quick-gen-key", user, "ed25519", "sign", "never"]
        subprocess.run([*words, *made], check=True, capture_output=True)  # noqa: S603 - the real one
        text = subprocess.run(  # noqa: S603
            [*words, "--armor", "--export", user], check=True, capture_output=True, text=True
        ).stdout
        wrapped = folder / "gpg.sh"
        wrapped.write_text(f'#!/bin/sh\nexec {gpg} --homedir {home} "$@"\n')
    else:
        key = pysequoia.Tsk.generate("Ada <ada@example.com>")
        (folder / "ada.pgp").write_bytes(bytes(key))
        text, wrapped = str(key.extract_certificate()), folder / "gpg.py"
        wrapped.write_text(STAND_IN.format(python=sys.executable, key=str(folder / "ada.pgp")))
    wrapped.chmod(0o700)
    return text, {"gpg.format": "openpgp", "gpg.program": str(wrapped), "user.signingkey": "ada"}


@pytest.mark.threat(34)
@pytest.mark.parametrize("program", ["gpg", "sequoia"])
async def test_a_commit_may_be_signed_with_openpgp(line: lines.Line, program: str):
    await line.open("dev")
    await line.join("dev-1")
    team = Team(line)
    certificate, settings = pgp_key(line.folder, program)
    text = TRUST.format(ada=team.public(team.ada), bert=team.public(team.bert))
    text += "  pgp:\n    ada:\n      - |\n" + textwrap.indent(certificate, " " * 8)
    line.git.write({"trust/dev/1.yaml": text})
    signed = await fleet("trust", "sign", line.git.folder / "trust/dev/1.yaml", "--key", team.ada)
    assert signed.code == 0, signed.said
    shown = await fleet("trust", "show", "dev", "--dir", line.git.folder)
    assert "OpenPGP, for commits" in shown.out, shown.said
    line.git.run("config", "commit.gpgsign", "true")
    for name, value in settings.items():
        line.git.run("config", name, value)
    tip = line.commit()
    await team.waits(tip, "0 of 1")
    await team.approve(team.ada)
    await team.waits(tip, "(ada made the change)")
    await team.approve(team.bert)
    await line.healthy(tip)


@pytest.mark.threat(54)
async def test_two_people_pass_a_freeze_together(line: lines.Line):
    team = await introduced(line)
    freeze = (
        "{name: freeze, effect: deny, timeZone: Etc/UTC, start: '2020-01-01T00:00', duration: 31d,"
        " recurrence: 'FREQ=DAILY'}"
    )
    settings = f"{lines.fleet_yaml('dev')}    gates:\n      breakGlass: {{group: releasers, longest: 1h}}\n"
    line.git.write({"fleet.yaml": settings})
    tip = line.commit()
    await team.waits(tip, "0 of 1")
    await team.approve(team.bert)
    await line.healthy(tip)
    line.git.write({"fleet.yaml": f"{settings}      windows: [{freeze}]\n"})
    tip = line.commit(line.app(a="five"))
    await team.waits(tip, "closed by freeze", "windows")
    await team.approve(team.bert)
    until = (datetime.now(UTC) + timedelta(minutes=10)).isoformat()
    for key, to in (
        (team.ada, ("--hub", line.url)),
        (team.bert, ("--out", line.folder / "glass")),
    ):
        ended = await fleet(
            "break-glass", "dev", "--reason", "it burns", "--until", until, "--key", key, *to
        )
        assert ended.code == 0, ended.said
    await team.waits(tip, "closed by freeze", "windows")
    handed = await fleet("hub", "approve", line.folder / "glass", "--state", line.state.root)
    assert "break-glass of bert is in the book" in handed.out, handed.said
    await line.healthy(tip)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("approve", "dev"), "--hub URL or --out FILE"),
        (("approve", "dev", "--out", "x", "--leaving", "a=b"), "is not CLUSTER=orphan or prune"),
        (("trust", "show", "../.."), "no environment's name"),
        (("trust", "show", "dev"), "there is no"),
        (("trust", "sign", "1.yaml", "--key", "k"), "cannot read 1.yaml"),
        (("hub", "approve", "nothing"), "cannot read nothing"),
        (
            ("break-glass", "dev", "--reason", "x", "--until", "soon", "--out", "x"),
            "a moment with its zone",
        ),
        (
            ("break-glass", "dev", "--reason", "x", "--until", "2999-01-01T00:00:00Z"),
            "--hub URL or --out FILE",
        ),
    ],
)
async def test_what_is_asked_wrongly_is_told_in_words(
    tmp_path: Path, words: tuple[str, ...], said: str
):
    ended = await fleet(*words, at=tmp_path)
    assert ended.code == 2
    assert said in ended.said
