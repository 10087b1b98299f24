"""Messages and rows as JSON and back: equal after the way there and back, and strict at every single place."""

import copy
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic.alias_generators import to_camel

import approvers
import builders
from fleet.audit import chain, records
from fleet.model import (
    approving,
    changes,
    errors,
    findings,
    health,
    json_values,
    kinds,
    ledger,
    messages,
    names,
    observed,
    pacing,
)
from fleet.model import permits as allowed
from fleet.protocol import approvals, encoding

PERMIT = builders.permit(
    delete=[{"cluster": "*", "kind": "Namespace", "name": "shop"}], maxDeletedShare=0.9
)
DRAFT = records.Draft(
    kind=records.Kind.WAVE, subject="dev", at=builders.NOW, body={"wave": 1, "clusters": ["a"]}
)
FINDING = builders.finding(
    hint="pin it",
    subject="Deployment.apps shop/web",
    clusters=(names.Cluster("dev-1"),),
    field=("spec", "replicas"),
)
DISPATCH = builders.dispatch(permits=(PERMIT,), retire=kinds.OnRemoval.PRUNE, trace="00-ab-cd-01")
REPORT = builders.report(
    outcomes=(
        builders.outcome(),
        changes.Outcome(key=builders.key(), result=changes.Result.FAILED, message="denied"),
    ),
    repairs=(builders.outcome(state=health.Health.UNKNOWN),),
    health=health.Health.IN_PROGRESS,
)
DECISION = builders.decision(
    findings=(FINDING, builders.finding()), slices_root=builders.digest("r")
)

SIGNED = approvers.ADA.says(approvers.SUBJECT)
SAMPLES: dict[str, Any] = {
    "statement": builders.statement(root=builders.digest("root")),
    "dispatch": builders.dispatch(),
    "dispatch in full": DISPATCH,
    "poll": builders.poll(),
    "poll with echo": builders.poll(echo=builders.envelope(DISPATCH)),
    "fetch": builders.fetch(),
    "report": builders.report(),
    "report in full": REPORT,
    "seal": ledger.Seal(schema=1),
    "seal in full": ledger.Seal(schema=1, road=builders.road(), held="the book is old"),
    "environment": builders.environment_state(),
    "environment in full": builders.environment_state(
        release=3, wave=2, decision=DECISION, hold="rewritten", floor=1
    ),
    "release": builders.release(),
    "release in full": builders.release(
        retired={names.Cluster("gone"): kinds.OnRemoval.ORPHAN},
        permits=(PERMIT,),
        healthy=builders.later(60),
        trace="00-ab-cd-01",
    ),
    "cluster": builders.cluster_state(),
    "cluster in full": builders.cluster_state(
        labels={"region": "eu"},
        dispatch=DISPATCH,
        envelope=builders.envelope(DISPATCH),
        report=REPORT,
        reported=builders.NOW,
        retire=kinds.OnRemoval.ORPHAN,
        retired=True,
    ),
    "violation": builders.violation(),
    "violation that ended": builders.violation(FINDING, until=builders.later(60)),
    "approval": ledger.Approval(
        environment=names.Environment("dev"),
        signed=SIGNED,
        voice=approvals.opened(SIGNED, builders.NOW),
    ),
    "release with consent": builders.release(
        trust=(approvers.trust(),),
        consent=approving.Consent(
            subject=approvers.SUBJECT,
            wanted=(approving.Wanted(group="g", count=2, people={"key": "ada"}),),
            signers=(approving.Signer(commit=builders.commit(), key="key"),),
        ),
    ),
    "dispatch with approvals": builders.dispatch(approvals=(SIGNED,), trust=(approvers.trust(),)),
    "soak": builders.soak(),
    "soak in full": builders.soak(
        running=builders.interval(), longest=builders.interval(-9000, -5000), is_sick=True
    ),
    "status": builders.status(),
    "quarantine": builders.quarantine(lifted=builders.later(60)),
    "cosigned": observed.Cosigned(
        environment=names.Environment("dev"),
        cluster=names.Cluster("dev-1"),
        note="origin\n1\n",
        size=1,
        epoch=1,
        at=builders.NOW,
    ),
    "broken glass": builders.break_glass(),
    "rebaseline": builders.rebaseline(),
    "halt": pacing.Halt(
        act=pacing.Act.PAUSE, environment="dev", reason="why", by="ada", at=builders.NOW
    ),
    "decision": DECISION,
    "draft": DRAFT,
    "record": chain.link(DRAFT, chain.START),
    "head": chain.START,
}
every_sample = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES.keys())


@every_sample
def test_what_was_written_is_read(sample: Any):
    assert encoding.decode(type(sample), encoding.encode(sample)) == sample


@every_sample
def test_there_is_one_spelling(sample: Any):
    data = encoding.encode(sample)
    assert encoding.encode(encoding.decode(type(sample), data)) == data
    assert json_values.encode(json_values.decode(data)) == data


def test_every_row_of_the_book_has_a_sample():
    sampled = {type(sample) for sample in SAMPLES.values()}
    assert set(typing.get_args(ledger.Row)) <= sampled


def test_the_spelling_of_a_message():
    """Other programs read it: a change here is a new version of the format."""
    written = json_values.decode(encoding.encode(builders.report()))
    assert written == {
        "cluster": "dev-1",
        "environment": "dev",
        "uid": builders.UID,
        "number": 1,
        "era": 1,
        "sequence": 5,
        "slice": builders.digest("dev-1"),
        "release": 7,
        "at": "2026-03-01T12:00:00+00:00",
        "health": "Current",
        "applied": True,
        "outcomes": [
            {
                "key": {"group": "", "kind": "ConfigMap", "namespace": "shop", "name": "web"},
                "result": "created",
                "message": "",
                "assessed": {"health": "Current", "reason": ""},
            }
        ],
        "objects": 1,
        "kubernetes": "v1.36.3",
        "retired": False,
        "stale": False,
        "repairs": [],
        "trace": "",
    }


Path = tuple[str | int, ...]


def places(kind: Any, value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every place of a JSON document with its type, found by the types alone."""
    yield path, kind
    kind = plain(kind)
    if value is None:
        return
    if is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        for each in fields(kind):
            name = to_camel(each.name)
            yield from places(hints[each.name], value[name], (*path, name))
    elif typing.get_origin(kind) is tuple:
        for number, each in enumerate(value):
            yield from places(typing.get_args(kind)[0], each, (*path, number))
    elif is_mapping(kind) and typing.get_args(kind)[1] is not Any:
        for name, each in value.items():
            yield from places(typing.get_args(kind)[1], each, (*path, name))


def plain(kind: Any) -> Any:
    while isinstance(kind, typing.NewType):
        kind = kind.__supertype__
    if is_optional(kind):
        return plain(typing.get_args(kind)[0])
    return kind


def is_optional(kind: Any) -> bool:
    return isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union


def is_mapping(kind: Any) -> bool:
    origin = typing.get_origin(kind)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def wrong(kind: Any) -> list[Any]:
    """JSON values that do not fit the type, however near they come."""
    absent = [] if is_optional(kind) else [None]
    found = plain(kind)
    if typing.get_origin(found) is tuple:
        return [*absent, {}, "", 1, "a"]
    if is_mapping(found):
        return [*absent, [], "", 1]
    if typing.get_origin(found) is typing.Literal:
        return [*absent, {}, "", 1, "nonsense"]
    if is_dataclass(found):
        return [*absent, {}, [], "", 1, {"unknown": 1}]
    if issubclass(found, datetime):
        return [*absent, 0, "", "yesterday", "2026-03-01T12:00:00", "2026-03-01", {}]
    if issubclass(found, Enum):
        return [*absent, 0, "", "nonsense", True, []]
    near: dict[type, list[Any]] = {
        str: [0, True, [], {}],
        int: ["1", True, 1.0, [], {}],
        float: ["1", True, [], {}],
        bool: [0, 1, "true", [], {}],
    }
    return [*absent, *near[found]]


def changed(document: Any, path: Path, value: Any) -> Any:
    spoiled = copy.deepcopy(document)
    inner = spoiled
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return spoiled


@pytest.mark.threat(65)
@every_sample
def test_no_place_takes_a_value_of_another_type(sample: Any):
    kind, document = type(sample), encoding.as_json(sample)
    tried = 0
    for path, expected in places(kind, document):
        for value in wrong(expected) if path else ():
            with pytest.raises(errors.InputError):
                encoding.from_json(kind, changed(document, path, value))
            tried += 1
    assert tried > 0


def camel(name: str) -> str:
    first, *more = name.split("_")
    return first + "".join(map(str.title, more))


@pytest.mark.threat(65)
@every_sample
def test_no_object_lacks_a_field_or_has_one_more(sample: Any):
    kind, document = type(sample), encoding.as_json(sample)
    for path, expected in places(kind, document):
        found = document
        for step in path:
            found = found[step]
        if not is_dataclass(plain(expected)) or found is None:
            continue
        later = {camel(f.name) for f in fields(plain(expected)) if f.metadata == findings.LATER}
        variants = [
            {**found, "unknown": None},
            *(
                {k: v for k, v in found.items() if k != gone}
                for gone in found
                if gone not in later
            ),
        ]
        for variant in variants:
            with pytest.raises(errors.InputError):
                encoding.from_json(kind, changed(document, path, variant) if path else variant)


def test_a_row_of_an_older_book_lacks_what_came_later():
    violation = builders.violation(builders.finding())
    document = encoding.as_json(violation)
    old = {k: v for k, v in document["finding"].items() if k not in ("level", "waived", "passed")}
    assert encoding.from_json(ledger.Violation, {**document, "finding": old}) == violation


@pytest.mark.threat(65)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("unknown", 1),
        ("kind", "Bundle"),
        ("apiVersion", "v1"),
        ("spec", {}),
        ("spec", {"reason": "a", "expires": "2026-03-01T12:00:00"}),
        ("spec", {"reason": "a", "expires": "2026-03-01T12:00:00Z", "max_deleted_share": 1}),
        ("spec", {"reason": "a", "expires": "2026-03-01T12:00:00Z", "maxDeletedShare": 2}),
    ],
)
def test_permits_in_messages_are_as_strict_as_in_files(name: str, value: Any):
    permit = {**encoding.as_json(PERMIT), name: value}
    with pytest.raises(errors.InputError):
        encoding.from_json(allowed.Permit, permit)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b'"report"', b"\xff", b"[" * 100_000])
def test_other_bytes_are_no_message(data: bytes):
    with pytest.raises(errors.InputError):
        encoding.decode(messages.Report, data)


def test_duplicate_keys_are_refused():
    data = encoding.encode(builders.fetch())
    with pytest.raises(errors.InputError, match="duplicate"):
        encoding.decode(messages.Fetch, data.replace(b"{", b'{"uid":"another",', 1))


def test_whole_numbers_may_stand_for_floats():
    document = {**encoding.as_json(builders.dispatch()), "maxDeletedShare": 1}
    share = encoding.from_json(messages.Dispatch, document).max_deleted_share
    assert (share, type(share)) == (1.0, float)


def test_times_keep_their_moment_in_any_zone():
    document = {**encoding.as_json(builders.report()), "at": "2026-03-01T14:00:00+02:00"}
    assert encoding.from_json(messages.Report, document).at == builders.NOW


TEXT = some.text(some.characters(exclude_categories=()))
FINDINGS = some.builds(
    findings.Finding,
    rule=TEXT,
    severity=some.sampled_from(findings.Severity),
    message=TEXT,
    place=some.builds(findings.Place, path=TEXT, line=some.integers(0), column=some.integers(0)),
    hint=TEXT,
    subject=TEXT,
    clusters=some.lists(TEXT.map(names.Cluster)).map(tuple),
    field=some.lists(TEXT).map(tuple),
    level=TEXT,
    waived=some.none()
    | some.builds(
        findings.Waived,
        waiver=TEXT,
        owner=TEXT,
        reason=TEXT,
        ticket=TEXT,
        until=some.datetimes(timezones=some.just(UTC)),
        place=some.builds(findings.Place, path=TEXT),
        otherwise=some.sampled_from(findings.Severity),
    ),
    passed=TEXT,
)


@given(FINDINGS, TEXT, some.datetimes(timezones=some.just(UTC)))
def test_any_text_and_time_survives(finding: findings.Finding, author: str, since: datetime):
    violation = builders.violation(finding, author=author, since=since)
    assert encoding.decode(ledger.Violation, encoding.encode(violation)) == violation


JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
    max_leaves=10,
)


@given(JSON, some.sampled_from(sorted(SAMPLES)), some.data())
def test_any_json_at_any_place_is_a_value_or_an_input_error(
    value: Any, name: str, data: some.DataObject
):
    kind, document = type(SAMPLES[name]), encoding.as_json(SAMPLES[name])
    path = data.draw(some.sampled_from([path for path, _ in places(kind, document)]))
    spoiled = changed(document, path, value) if path else value
    try:
        read = encoding.from_json(kind, spoiled)
    except errors.InputError:
        return
    assert isinstance(read, kind)
