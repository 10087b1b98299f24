"""What an agent makes of the log that it is shown, case by case."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

import builders
from fleet.audit import chain, drafts, records, tree, witness
from fleet.model import errors, json_values
from fleet.protocol import checkpoints, keys

HUB = builders.HUB
Outcome = witness.Outcome


class Log:
    """The chain and its tree, with a recovery at the end if `epoch` says so."""

    def __init__(self, length: int, salt: str = "", epoch: int = 1) -> None:
        self.epoch = epoch
        self.records: list[records.Record] = []
        self.nodes: dict[tree.Place, bytes] = {}
        for number in range(length):
            self.add(records.Draft(
                kind=records.Kind.WAVE, subject="dev", at=builders.NOW, body={"n": f"{salt}{number}"}
            ))  # fmt: skip

    def add(self, draft: records.Draft) -> None:
        head = chain.head_of(self.records[-1]) if self.records else chain.START
        record = chain.link(draft, head)
        leaf = tree.leaf(record.hash)
        self.nodes.update(tree.grown(len(self.records), leaf, self.nodes.__getitem__))
        self.records.append(record)

    def recover(self, epoch: int) -> int:
        self.add(drafts.recovery(reason="old", echoes=(), epoch=epoch, lost={}, at=builders.NOW))
        self.epoch = epoch
        return len(self.records) - 1

    def at(self, size: int | None = None) -> checkpoints.Checkpoint:
        size = len(self.records) if size is None else size
        root = tree.root(size, self.nodes.__getitem__)
        return checkpoints.Checkpoint(epoch=self.epoch, size=size, root=root)

    def note(self, size: int | None = None) -> str:
        return checkpoints.sign(self.at(size), HUB)

    def proof(self, index: int) -> witness.Proof:
        path = tree.inclusion(index, len(self.records), self.nodes.__getitem__)
        return witness.Proof(record=chain.as_json(self.records[index]), path=path)

    def shown(self, since: int = 0, began: int | None = None) -> witness.Shown:
        size = len(self.records)
        proof = () if since > size else tree.consistency(since, size, self.nodes.__getitem__)
        return witness.Shown(
            checkpoint=self.note(),
            proof=proof,
            began=None if began is None else self.proof(began),
        )


def weighed(seen: str, shown: witness.Shown) -> Outcome:
    return witness.weigh(seen, shown, HUB.public).outcome


def test_the_first_log_that_is_shown_is_taken():
    assert weighed("", Log(5).shown()) is Outcome.GOES_ON


@given(old=some.integers(0, 20), more=some.integers(0, 20))
def test_what_goes_on_goes_on(old: int, more: int):
    log = Log(old + more)
    assert weighed(log.note(old), log.shown(old)) is Outcome.GOES_ON


@pytest.mark.threat(66)
@given(old=some.integers(1, 20), more=some.integers(0, 20))
def test_another_log_is_a_fork(old: int, more: int):
    seen, other = Log(old), Log(old + more, "other ")
    assert weighed(seen.note(), other.shown(old)) is Outcome.FORKED


def test_no_proof_is_no_proof():
    log = Log(9)
    assert weighed(log.note(4), replace(log.shown(4), proof=())) is Outcome.FORKED


@pytest.mark.threat(99)
def test_a_shorter_log_went_back():
    log = Log(9)
    assert weighed(log.note(), Log(8).shown()) is Outcome.BACK


def test_an_older_epoch_went_back():
    log = Log(9)
    before = log.shown()
    log.recover(2)
    assert weighed(log.note(), before) is Outcome.BACK


def test_a_recovery_that_the_log_records_is_no_alarm():
    lost, restored = Log(9), Log(5)
    restored.add(records.Draft(kind=records.Kind.HOLD, subject="x", at=builders.NOW, body={}))
    began = restored.recover(2)
    found = witness.weigh(lost.note(), restored.shown(9, began), HUB.public)
    assert (found.outcome, found.is_alarming) == (Outcome.ANEW, False)
    assert "epoch 1, 9 records" in found.reason
    # Whoever had seen no more than what was restored lost nothing.
    assert weighed(lost.note(4), restored.shown(4, began)) is Outcome.GOES_ON


@pytest.mark.threat(66)
@pytest.mark.parametrize("spoil", ["none", "another record", "another epoch", "no path", "forged"])
def test_a_new_epoch_must_show_its_recovery(spoil: str):
    lost, restored = Log(9), Log(5)
    began = restored.recover(2)
    shown = restored.shown(9, began)
    assert shown.began is not None
    record = dict(shown.began.record)
    spoiled: dict[str, Any] = {
        "none": None,
        "another record": restored.proof(2),
        "another epoch": replace(
            shown.began, record={**record, "body": {**record["body"], "epoch": 3}}
        ),
        "no path": replace(shown.began, path=()),
        "forged": replace(shown.began, record={**record, "index": 2}),
    }
    assert weighed(lost.note(), replace(shown, began=spoiled[spoil])) is Outcome.FORKED


def test_another_hub_proves_nothing_of_this_one():
    other = checkpoints.sign(Log(3).at(), keys.generate())
    with pytest.raises(errors.RefusedError):
        witness.weigh("", witness.Shown(checkpoint=other), HUB.public)


def test_two_witnesses_are_held_against_each_other():
    log, other = Log(9), Log(9, "other ")
    proof = tree.consistency(4, 9, log.nodes.__getitem__)
    assert witness.compare(log.at(4), log.at(), None) is None
    for pair in ((log.at(4), log.at()), (log.at(), log.at(4))):
        assert witness.compare(*pair, proof) == witness.Found(outcome=Outcome.GOES_ON)
    same_size = witness.compare(log.at(), other.at(), None)
    assert same_size is not None
    assert same_size.is_alarming
    forked = witness.compare(log.at(4), other.at(), proof)
    assert forked is not None
    assert forked.outcome is Outcome.FORKED


def test_another_epoch_is_another_history_unless_it_shows_its_recovery():
    before, log = Log(9, "lost "), Log(6)
    old, began = before.at(), log.proof(log.recover(2))
    new = log.at()
    told = [witness.compare(old, new, (), each) for each in (began, None)]
    assert [each and each.outcome for each in told] == [Outcome.ANEW, Outcome.FORKED]


def test_what_is_shown_is_written_and_read():
    log = Log(9)
    began = log.recover(2)
    for shown in (log.shown(3, began), log.shown(3)):
        document = json_values.decode(json_values.encode(witness.encode(shown)))
        assert witness.decode(document) == shown
        assert witness.decode({**document, "more": 1}) == shown, "a newer hub may say more"


@pytest.mark.threat(65)
@pytest.mark.parametrize(
    "document",
    [
        None, [], "x", {}, {"checkpoint": 1, "proof": [], "began": None},
        {"checkpoint": "x", "proof": ["!"], "began": None},
        {"checkpoint": "x", "proof": ["AAAA"], "began": None},
        {"checkpoint": "x", "proof": [1], "began": None},
        {"checkpoint": "x", "proof": ["A" * 43 + "="] * 200, "began": None},
        {"checkpoint": "x", "proof": [], "began": {}},
        {"checkpoint": "x", "proof": [], "began": {"record": [], "path": []}},
    ],
)  # fmt: skip
def test_what_shows_no_log_is_told_in_words(document: object):
    with pytest.raises(errors.InputError):
        witness.decode(document)


@pytest.mark.parametrize("index", ["0", None, True, -1, 2**80, 1.5])
def test_a_record_with_an_odd_index_is_in_no_log(index: Any):
    log = Log(3)
    found = log.proof(0)
    odd = {**found.record, "index": index}
    proof = replace(found, record={**odd, "hash": chain.hash_of_json(odd)})
    assert not witness.is_in(log.at(), proof)
