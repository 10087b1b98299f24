"""What the findings of rules come to in one environment: enforcement first, then waivers, then the baseline.

Two sides are asked, what is in force and what comes, each about what its own rules found (rule 3). The harder answer
counts, so nothing that loosens helps the commit that brings it. Nothing here is remembered beyond the moment that it is
asked for: a waiver ends by the clock, not by a commit.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from fleet.manifests import declared
from fleet.model import findings, kinds, names, objects
from fleet.policy import gateforms, loosening, waivers

Identity = tuple[str, str, str]  # rule, object, message: of a violation, wherever it stands
BASELINE = "baseline: what runs has it too"
ONLY_WAIVERS = "nothing but waivers changes: what runs has it too"
INSTALLED = "the clusters enforce it themselves: that knows no waiver, no setting and no baseline"
_LATER = "this counts from the next one on"
_HARDEST = list(findings.Severity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two that judge: its settings, its waivers, and which findings its rules have."""

    heard: frozenset[Identity]
    spec: kinds.EnvironmentSpec
    waivers: tuple[waivers.Declared, ...]
    standing: frozenset[Identity] = frozenset()  # what its rules find in what runs, for a baseline


@dataclass(frozen=True, slots=True, kw_only=True)
class Docket:
    """All that decides about findings of rules but the time. The side that comes is first."""

    sides: tuple[Side, ...] = ()
    labels: Mapping[tuple[names.Cluster, str], Mapping[str, str]] = field(default_factory=dict)
    installed: frozenset[str] = frozenset()  # rules that the clusters enforce as they are written
    only_waivers: bool = False  # nothing else differs from what runs

    @property
    def waivers(self) -> tuple[waivers.Declared, ...]:
        return self.sides[0].waivers if self.sides else ()

    @property
    def terms(self) -> tuple[kinds.WaiverTerms, ...]:
        return tuple(each.spec.waivers for each in self.sides)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """`goes_back`: to content that ran here before. What it was waived by then does not block the way back."""

    now: datetime | None  # None = nobody knows, so every waiver has ended
    goes_back: bool = False
    all_out: bool = True  # no cluster waits for the release in force


def identity(found: findings.Finding) -> Identity:
    return found.rule, found.subject, found.message


def phases(docket: Docket, moment: Moment) -> tuple[object, ...]:
    """All that the time changes in an answer: as long as it is the same, so is the answer."""
    now = moment.now
    if now is None:
        return (None,)
    every = [each.document for side in docket.sides for each in side.waivers]
    return (
        moment.goes_back,
        moment.all_out,
        *(
            (waivers.is_ended(each, now), waivers.is_too_far(each, docket.terms, now))
            for each in every
        ),
    )


def settle(
    found: Iterable[findings.Finding], docket: Docket, moment: Moment
) -> tuple[findings.Finding, ...]:
    """Each finding as it counts at this moment; one that counts otherwise in some clusters becomes two."""
    bench = _Bench(docket, moment)
    settled = [part for each in found for part in bench.parts(each)]
    return (*settled, *bench.notes())


class _Bench:
    def __init__(self, docket: Docket, moment: Moment) -> None:
        self._docket, self._moment = docket, moment
        self._sides = [_Asked(side, docket, moment) for side in docket.sides]

    def parts(self, found: findings.Finding) -> Iterator[findings.Finding]:
        asked = [each for each in self._sides if identity(found) in each.side.heard]
        if not asked:
            yield found
            return
        together: dict[findings.Finding, list[names.Cluster]] = {}
        for cluster in self._places(found, asked):
            here = self._hardest(replace(found, clusters=()), cluster, asked)
            together.setdefault(here, []).extend(found.clusters if cluster is None else (cluster,))
        for each, clusters in together.items():
            yield replace(each, clusters=tuple(clusters))

    def _places(
        self, found: findings.Finding, asked: list["_Asked"]
    ) -> tuple[names.Cluster | None, ...]:
        """Clusters are looked at one by one only where a waiver may tell them apart."""
        may_differ = any(each.index.tells_apart(found.rule) for each in asked)
        return found.clusters if found.clusters and may_differ else (None,)

    def _hardest(
        self, found: findings.Finding, cluster: names.Cluster | None, asked: list["_Asked"]
    ) -> findings.Finding:
        answers = [each.answer(found, cluster) for each in asked]
        hardest = min(answers, key=lambda each: (_HARDEST.index(each.severity), _end(each)))
        if self._docket.only_waivers and findings.refuses([hardest]):
            coming = answers[0] if asked[0] is self._sides[0] else hardest
            return self._unmoved(hardest, coming)
        if found.rule in self._docket.installed and _is_milder(hardest, found):
            return replace(found, hint=_joined(INSTALLED, found))
        return _promised(hardest, answers)

    def _unmoved(self, held: findings.Finding, coming: findings.Finding) -> findings.Finding:
        """Of a commit that changes nothing but waivers: it renews one, or delivers nothing, or is held (threat 43)."""
        if coming.severity is findings.Severity.WAIVED:
            return coming
        return passed(held, ONLY_WAIVERS) if self._moment.all_out else held

    def notes(self) -> Iterator[findings.Finding]:
        """About the waivers that come: those that ended, that end too far from now, that waive nothing."""
        now = self._moment.now
        if now is None or not self._sides:
            return
        used = {name for each in self._sides for name in each.used}
        for each in self._docket.waivers:
            limit = waivers.is_too_far(each.document, self._docket.terms, now)
            if waivers.is_ended(each.document, now):
                yield waivers.ended(each)
            elif limit is not None:
                yield waivers.too_far(each, limit)
            elif each.document.metadata.name not in used:
                yield waivers.stale(each)


class _Asked:
    """One side at this moment."""

    def __init__(self, side: Side, docket: Docket, moment: Moment) -> None:
        self.side, self.used = side, set[str]()
        self._docket, self._moment = docket, moment
        terms = docket.terms
        self.index = waivers.Index(e for e in side.waivers if not any(waivers.faults(e, terms)))
        self._enforced = {each.rule: each.enforcement for each in side.spec.policies}

    def answer(self, found: findings.Finding, cluster: names.Cluster | None) -> findings.Finding:
        found = self._enforce(found)
        covering = self._covering(found, cluster) if waivers.is_waivable(found) else []
        self.used |= {each.document.metadata.name for each in covering}
        for each in covering:
            if self._counts(each.document):
                return waivers.covered(found, each)
        if covering and self._moment.now is not None:
            found = waivers.lapsed(found, covering[0])
        is_standing = self.side.spec.baseline and identity(found) in self.side.standing
        return passed(found, BASELINE) if is_standing and findings.refuses([found]) else found

    def _enforce(self, found: findings.Finding) -> findings.Finding:
        """A rule that cannot be evaluated is as hard as one that denies, and becomes no milder by being enforced."""
        wanted = self._enforced.get(found.rule)
        if wanted is None:
            return found
        is_unknown = found.severity is findings.Severity.UNKNOWN
        severity = findings.Severity(wanted.value)
        if is_unknown and severity is findings.Severity.DENY:
            return found
        return replace(found, severity=severity)

    def _covering(
        self, found: findings.Finding, cluster: names.Cluster | None
    ) -> list[waivers.Declared]:
        labels = self._docket.labels
        case = waivers.Case(
            rule=found.rule,
            key=objects.key_in(found.subject),
            path=found.place.path,
            cluster=cluster,
            labels=labels.get((cluster, found.subject), {}) if cluster else {},
        )
        return self.index.covering(case)

    def _counts(self, waiver: kinds.Waiver) -> bool:
        now = self._moment.now
        if now is None or waivers.is_too_far(waiver, self._docket.terms, now) is not None:
            return False
        return self._moment.goes_back or not waivers.is_ended(waiver, now)


def _is_milder(one: findings.Finding, other: findings.Finding) -> bool:
    return _HARDEST.index(one.severity) > _HARDEST.index(other.severity)


def _end(found: findings.Finding) -> float:
    """Of two waivers, one a side, the one that ends first is the one that holds the finding back."""
    waived = found.waived
    return waived.until.timestamp() if waived else 0.0


def _promised(found: findings.Finding, answers: Iterable[findings.Finding]) -> findings.Finding:
    """With the way out, where a waiver that is not in force yet is what is missing."""
    coming = [e.waived for e in answers if e.severity is findings.Severity.WAIVED and e.waived]
    if not coming or not findings.refuses([found]):
        return found
    way = f"waiver {coming[0].waiver} covers it once it is in force: commit it alone first"
    return replace(found, hint=_joined(way, found))


def passed(found: findings.Finding, why: str) -> findings.Finding:
    return replace(found, severity=findings.Severity.WARN, passed=why, hint=_joined(why, found))


def _joined(why: str, found: findings.Finding) -> str:
    return f"{why}; {found.hint}" if found.hint else why


def faults(docket: Docket, known: Iterable[str]) -> Iterator[findings.Finding]:
    """What is wrong with waivers and settings whatever the time is. `known` are the names of rules."""
    for each in docket.waivers:
        yield from waivers.faults(each, docket.terms)
    rules = set(known)
    seen: set[str] = set()
    for setting in docket.sides[0].spec.policies if docket.sides else ():
        if setting.rule in seen or setting.rule in waivers.STRUCTURAL:
            why = "is there twice" if setting.rule in seen else "is enforced as it is"
            yield findings.deny("fleet", _fleet(), f"policies: {setting.rule} {why}")
        elif setting.rule not in rules:
            found = findings.deny("fleet", _fleet(), f"policies: no rule is named {setting.rule}")
            yield replace(found, severity=findings.Severity.WARN)
        seen.add(setting.rule)


def loosenings(before: Side, after: Side) -> Iterator[findings.Finding]:
    """By form: a waiver that is new or another one, a setting that is another one and not harder."""
    known = {each.document.metadata.name: each.document for each in before.waivers}
    for each in after.waivers:
        name = each.document.metadata.name
        if known.get(name) != each.document:
            word = "changed" if name in known else "new"
            yield loosening.told(f"waiver {name} is {word}", each.place, _LATER)
    for message in _settings(before.spec, after.spec):
        yield loosening.told(message, _fleet(), _LATER)


def _settings(before: kinds.EnvironmentSpec, after: kinds.EnvironmentSpec) -> Iterator[str]:
    old = {each.rule: each.enforcement for each in before.policies}
    new = {each.rule: each.enforcement for each in after.policies}
    for rule in sorted({*old, *new}):
        if new.get(rule) not in (old.get(rule), kinds.Enforcement.DENY):
            yield f"the enforcement of {rule} is changed"
    if after.baseline and not before.baseline:
        yield "the baseline is switched on"
    if after.waivers != before.waivers:
        yield "what waivers may say is changed"
    yield from gateforms.loosenings(before, after)


def _fleet() -> findings.Place:
    return findings.Place(path=declared.FLEET_FILE)
