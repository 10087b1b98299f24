"""The audit log as people ask it from the command line: a real hub over real git, its book on disk, no cluster."""

import gzip
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

import lines
import repositories
from commands import Ended, fleet
from fleet.cli import documents
from fleet.model import names
from fleet.protocol import checkpoints, enrolment, keys

pytestmark = pytest.mark.timeout(180, func_only=True)
KUSTOMIZED = {
    "apps/made/bundle.yaml": repositories.bundle_text("made"),
    "apps/made/kustomization.yaml": "resources: [map.yaml]\nnamePrefix: pre-\n",
    "apps/made/map.yaml": repositories.config_map("made", "default", "well"),
}
OTHER_CLOCK = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "7"}


def cluster_document() -> str:
    made = enrolment.document(
        cluster=names.Cluster("dev-1"),
        environment=names.Environment("dev"),
        uid="uid",
        kubernetes_version="1.36",
        labels={},
        key=keys.generate(),
    )
    return documents.cluster_yaml(dict(made))


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[lines.Line]:
    """Release 1 is out, the tip is refused."""
    made = lines.Line(folder=tmp_path, ground=lambda _: [], namespace="n-1")
    files = {"clusters/dev/dev-1.yaml": cluster_document(), **KUSTOMIZED}
    try:
        await made.open(files=files)
        await made.judged(made.git.tip(), "accepted")
        await made.judged(made.commit(made.app(a="fine")), "accepted")
        await made.judged(made.commit(made.app(a="rude")), "refused")
        yield made
    finally:
        await made.close()


async def decisions(line: lines.Line) -> list[str]:
    found = await line.ask("audit decisions")
    return [str(each["index"]) for each in found["decisions"]]


async def replay(line: lines.Line, index: str, *words: str, **environment: str) -> Ended:
    state = ("--state", str(line.state.root))
    return await fleet("audit", "replay", index, *state, *words, **environment)


@pytest.mark.threat(47)
async def test_every_decision_is_made_again_by_another_process_in_another_place(line: lines.Line):
    for index in await decisions(line):
        ended = await replay(line, index, **OTHER_CLOCK)
        assert (ended.code, ended.said) == (0, ""), ended.out + ended.said
        assert "byte for byte" in ended.out


async def test_an_exported_log_and_a_clone_are_enough(line: lines.Line, tmp_path: Path):
    log, key = tmp_path / "log.jsonl.gz", tmp_path / "hub.pub"
    state = ("--state", line.state.root)
    key.write_text((await fleet("hub", "key", *state)).out)
    assert (await fleet("audit", "export", "--out", log, *state)).code == 0
    every = await decisions(line)
    await line.stop_hub()
    for index in every:
        ended = await fleet("audit", "replay", index, "--log", log, "--repo", line.git.folder)
        assert (ended.code, ended.said) == (0, ""), ended.out + ended.said
    verified = await fleet("audit", "verify", "--log", log, "--hub-key", key)
    assert verified.code == 0, verified.said
    # Somebody rewrites a refusal in it, and links the chain anew up to nothing.
    parts = gzip.decompress(log.read_bytes()).replace(
        b'"verdict":"refused"', b'"verdict":"waiting"'
    )
    log.write_bytes(gzip.compress(parts))
    spoiled = await fleet("audit", "verify", "--log", log, "--hub-key", key)
    assert spoiled.code == 1
    assert "is not what its hash says" in spoiled.said
    again = await fleet("audit", "replay", every[-1], "--log", log, "--repo", line.git.folder)
    assert again.code == 2
    assert "the log does not hold" in again.said


async def test_what_differs_is_named(line: lines.Line, tmp_path: Path):
    other = tmp_path / "kustomize"
    other.write_text("#!/bin/sh\necho 'apiVersion: v1'\n")
    other.chmod(0o755)
    index = (await decisions(line))[0]
    ended = await replay(line, index, "--kustomize", str(other), "-o", "json")
    assert ended.code == 1
    assert f"record {index} comes out otherwise" in ended.said
    found = ended.json
    sides = {each["what"]: each["side"] for each in found["differences"]}
    assert sides["inputs.versions.renderer"] == "input"
    assert {name for name, side in sides.items() if side == "output"} >= {"verdict", "findings"}
    told = await replay(line, index, "--kustomize", str(other))
    assert "input inputs.versions.renderer: recorded" in told.out
    assert 'output verdict: recorded "accepted", now "refused"' in told.out


async def test_what_cannot_be_made_again_is_no_fault_of_the_decision(
    line: lines.Line, tmp_path: Path
):
    index = (await decisions(line))[-1]
    empty = repositories.Git(tmp_path / "elsewhere")
    missing = await replay(line, index, "--repo", str(empty.folder))
    assert missing.code == 3
    assert "git cannot tell what was decided on" in missing.said
    with closing(sqlite3.connect(line.state.book)) as book, book:
        book.execute("DELETE FROM facts")
    gone = await replay(line, index)
    assert gone.code == 3
    assert "are no longer kept" in gone.said


async def test_damaged_facts_are_not_believed(line: lines.Line):
    index = (await decisions(line))[-1]
    with closing(sqlite3.connect(line.state.book)) as book, book:
        book.execute("UPDATE facts SET data = x'00'")
    ended = await replay(line, index)
    assert ended.code == 2
    assert "are damaged" in ended.said


WRONG = [
    (("replay", "0"), "record 0 is no decision"),
    (("replay", "999"), "there is no record '999'"),
    (("replay", "1", "--log", "missing"), "--repo"),
    (("replay", "1", "--log", "HERE", "--repo", "."), "is no exported log"),
    (("prove", "999"), "there is no record '999'"),
    (("verify", "--checkpoint", "HERE"), "no checkpoint"),
    (("verify", "--proof", "HERE"), "is nothing that `fleet audit prove` printed"),
    (("compare", "HERE", "HERE"), "no checkpoint"),
    (("checkpoints", "--cluster", "dev-1"), "no agent of a cluster 'dev-1' has cosigned"),
]


async def test_what_is_used_wrongly_is_told_in_words(line: lines.Line, tmp_path: Path):
    here = tmp_path / "here.txt"
    here.write_text("nothing of the kind\n")
    for words, told in WRONG:
        given = [str(here) if each == "HERE" else each for each in words]
        ended = await fleet("audit", *given, "--state", line.state.root)
        assert ended.code == 2, (words, ended.out + ended.said)
        assert told in ended.said, words


@pytest.mark.threat(105)
async def test_a_checkpoint_kept_elsewhere_outlives_a_database_that_was_rewritten(
    line: lines.Line, tmp_path: Path
):
    state, kept = ("--state", line.state.root), tmp_path / "checkpoint.txt"
    assert (await fleet("audit", "checkpoints", "--out", kept, *state)).code == 0
    fine = await fleet("audit", "verify", "--checkpoint", kept, *state)
    assert (fine.code, fine.said) == (0, "")
    await line.stop_hub()
    line.lose_book()
    await line.start_hub()
    await line.judged(line.git.tip(), "refused")
    lost = await fleet("audit", "verify", "--checkpoint", kept, *state)
    assert lost.code == 1
    assert "is longer than the" in lost.said


async def test_a_proof_needs_nothing_but_the_hub_s_key(line: lines.Line, tmp_path: Path):
    state, proof = ("--state", line.state.root), tmp_path / "proof.json"
    index = (await decisions(line))[0]
    printed = await fleet("audit", "prove", index, *state)
    proof.write_text(printed.out)
    key = tmp_path / "hub.pub"
    key.write_text((await fleet("hub", "key", *state)).out)
    await line.stop_hub()
    verified = await fleet("audit", "verify", "--proof", proof, "--hub-key", key)
    assert (verified.code, verified.said) == (0, "")
    said = json.loads(printed.out)
    said["record"]["body"]["verdict"] = "refused"
    proof.write_text(json.dumps(said))
    forged = await fleet("audit", "verify", "--proof", proof, "--hub-key", key)
    assert forged.code == 1
    assert "the record is not in the log" in forged.said


@pytest.mark.threat(66)
async def test_two_checkpoints_are_held_against_each_other(line: lines.Line, tmp_path: Path):
    state = ("--state", line.state.root)
    older, newer, forged = (tmp_path / each for each in ("older", "newer", "forged"))
    older.write_text((await line.ask("audit checkpoints"))["checkpoint"])
    await line.judged(line.commit(line.app(a="better")), "accepted")
    newer.write_text((await line.ask("audit checkpoints"))["checkpoint"])
    fine = await fleet("audit", "compare", newer, older, *state)
    assert fine.code == 0, fine.said
    assert "one history" in fine.out
    key = line.hub.key
    seen = checkpoints.read(older.read_text(), key.public)
    other = checkpoints.Checkpoint(epoch=seen.epoch, size=seen.size, root=bytes(32))
    forged.write_text(checkpoints.sign(other, key))
    for pair in ((forged, older), (newer, forged)):
        found = await fleet("audit", "compare", *pair, *state)
        assert found.code == 1
        assert "two histories" in found.said


async def test_a_book_of_an_earlier_version_is_completed_and_goes_on(line: lines.Line):
    """Neither nodes nor facts are there; its decisions have no inputs to be made again from."""
    before = await line.ask("audit verify")
    await line.stop_hub()
    with closing(sqlite3.connect(line.state.book)) as book, book:
        book.execute("DROP TABLE nodes")
        book.execute("DROP TABLE facts")
    await line.start_hub()
    await line.judged(line.commit(line.app(a="better")), "accepted")
    found = await line.ask("audit checkpoints")
    after = await line.ask("audit verify", checkpoint=found["checkpoint"])
    assert after["fault"] == ""
    assert after["records"] > before["records"]
    assert (await replay(line, (await decisions(line))[-1])).code == 0
