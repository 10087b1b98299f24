"""What a decision was made from: digests in its record, and the facts themselves, from which it is made again.

Git has the text, so of it only commits are kept; accepted commits are in earlier records, so of them only numbers.
Everything else that gates looked at is kept as it was. Equal grounds are equal bytes.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum

from fleet.gate import candidates
from fleet.model import json_values, kinds, ledger, names
from fleet.plan import surroundings
from fleet.protocol import encoding

Resolve = Callable[[names.Environment, int], candidates.Accepted]


class How(Enum):
    GATES = "gates"
    BACK = "back"  # to an earlier release, because a rollout failed
    DECREE = "decree"


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Accepted releases that were known, in the order in which they were looked at."""

    base: int = 0  # 0 = none
    own: tuple[int, ...] = ()
    upstream: tuple[int, ...] = ()
    skipped: Mapping[names.Environment, tuple[int, ...]] = field(default_factory=dict)
    order: tuple[names.Environment, ...] = ()  # of `skipped`


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """What an accepted decision was given beside its verdict. No root: the one of the plan."""

    release: int = 0
    slices_root: names.Root | None = None
    clusters: tuple[names.Cluster, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    how: How
    back_to: int = 0
    ran: Mapping[names.Cluster, names.SliceDigest] = field(
        default_factory=dict
    )  # with the release that a rollback goes back to
    candidate: candidates.Candidate
    road: ledger.Road
    base: int  # what the judge held the commit against
    upstream: candidates.Upstream | None  # likewise, without what it accepted
    known: Numbers  # of `upstream`
    facts: candidates.Facts | None  # None: nobody asked a gate
    told: Numbers = field(default_factory=Numbers)  # of `facts`
    around: surroundings.Surroundings
    drawn: datetime  # when the plan was found to stand so
    numbered: Numbered


def kept(
    *,
    how: How,
    back_to: int,
    ran: Mapping[names.Cluster, names.SliceDigest],
    candidate: candidates.Candidate,
    road: ledger.Road,
    base: candidates.Accepted | None,
    upstream: candidates.Upstream | None,
    facts: candidates.Facts | None,
    around: surroundings.Surroundings,
    drawn: datetime,
    numbered: Numbered,
) -> Grounds:
    return Grounds(
        how=how,
        back_to=back_to,
        ran=ran,
        candidate=candidate,
        road=road,
        base=base.release if base else 0,
        upstream=bare(upstream),
        known=_numbers(None, (), upstream),
        facts=_bare_facts(facts) if facts else None,
        told=_numbers(facts.base, facts.own, facts.upstream) if facts else Numbers(),
        around=around,
        drawn=drawn,
        numbered=numbered,
    )


def encode(grounds: Grounds) -> bytes:
    return encoding.encode(grounds)


def decode(data: bytes) -> Grounds:
    """Raises errors.InputError for what another version kept otherwise."""
    return encoding.decode(Grounds, data)


def upstream_of(
    upstream: candidates.Upstream | None, known: Numbers, resolve: Resolve
) -> candidates.Upstream | None:
    """With what it accepted."""
    if upstream is None:
        return None
    return replace(
        upstream,
        accepted=tuple(resolve(upstream.environment, each) for each in known.upstream),
        skipped=tuple(
            (where, resolve(where, each)) for where in known.order for each in known.skipped[where]
        ),
    )


def facts_of(grounds: Grounds, resolve: Resolve) -> candidates.Facts | None:
    """As the gates had them, but for what the judge and git say: findings, settings, trees."""
    facts, told, here = grounds.facts, grounds.told, grounds.candidate.environment
    if facts is None:
        return None
    return replace(
        facts,
        base=resolve(here, told.base) if told.base else None,
        own=tuple(resolve(here, each) for each in told.own),
        upstream=upstream_of(facts.upstream, told, resolve),
    )


def inputs(
    digest: names.Digest,
    *,
    base: names.CommitId | None,
    policies: names.Digest,
    specs: Iterable[kinds.EnvironmentSpec],
    versions: Mapping[str, str],
) -> json_values.JsonObject:
    """What a decision's record says of its inputs, beside commit, content, rules and owned paths.

    `settings` are those of both sides by which gates were asked: in force, and the candidate's own.
    """
    return {
        "base": base,
        "facts": digest,
        "policies": policies,
        "settings": [settings(each) for each in specs],
        "versions": dict(sorted(versions.items())),
    }


def settings(spec: kinds.EnvironmentSpec) -> names.Digest:
    return json_values.digest(spec.model_dump(mode="json", by_alias=True))


def accepted_in(body: json_values.JsonObject) -> candidates.Accepted | None:
    """What a decision's record accepted; None for any other verdict."""
    if body.get("verdict") != ledger.Verdict.ACCEPTED.value:
        return None
    return candidates.Accepted(
        release=body["release"],
        commit=body["commit"],
        content=body["content"],
        rules=body["rules"],
        owned=body["owned"],
        source=body.get("source", 0),
        hotfixes=tuple(_hotfix(each) for each in body.get("hotfixes", ())),
    )


def bare(upstream: candidates.Upstream | None) -> candidates.Upstream | None:
    return replace(upstream, accepted=(), skipped=()) if upstream else None


def _bare_facts(facts: candidates.Facts) -> candidates.Facts:
    return replace(
        facts,
        base=None,
        own=(),
        upstream=bare(facts.upstream),
        findings=(),
        sides=(),
        way=replace(facts.way, trees={}),
    )


def _numbers(
    base: candidates.Accepted | None,
    own: Iterable[candidates.Accepted],
    upstream: candidates.Upstream | None,
) -> Numbers:
    skipped: dict[names.Environment, list[int]] = {}
    for where, each in upstream.skipped if upstream else ():
        skipped.setdefault(where, []).append(each.release)
    return Numbers(
        base=base.release if base else 0,
        own=tuple(each.release for each in own),
        upstream=tuple(each.release for each in upstream.accepted) if upstream else (),
        skipped={where: tuple(found) for where, found in skipped.items()},
        order=tuple(skipped),
    )


def _hotfix(said: json_values.JsonObject) -> ledger.Hotfix:
    found: ledger.Hotfix = encoding.from_json(
        ledger.Hotfix,
        {**said, "basedOn": said.get("basedOn", ""), "fixed": said.get("fixed", "")},
    )
    return found
