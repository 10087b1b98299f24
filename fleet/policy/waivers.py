"""Waivers: which of them are sound, and which of them covers one finding.

The law: each is looked at alone. A finding is covered where one entry of one sound waiver says all that it takes;
what two of them say together covers nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fleet.manifests import declared
from fleet.model import findings, kinds, names, objects

RULE = "waiver"
Declared = declared.Declaration[kinds.Waiver]

# Findings that no waiver covers, with the reason: what they are about cannot be read, cut, sent or answered for.
STRUCTURAL: Mapping[str, str] = {
    "tree": "a tree that is refused is not read",
    "yaml": "what cannot be read cannot be judged",
    "json": "what cannot be read cannot be judged",
    "fleet": "fleet's own documents say who answers for what",
    "bundle": "what is not rendered cannot be sent",
    "kustomize": "what is not rendered cannot be sent",
    "variables": "what is not rendered cannot be sent",
    "manifest": "no API server takes it",
    "schema": "no API server takes it",
    "plan": "an unsound plan sends other things than were judged",
    "ownership": "an object has one owner",
    "registration": "a cluster has one key",
    "deletion-guard": "deletions are allowed by a Permit",
    "install": "an agent that is refused what it keeps cannot be mended from here",
    "trust": "who approves is said by signed files, and by nothing else",
    "policy": "rules that cannot be read judge nothing",
    "loosening": "it is a note, it denies nothing",
    RULE: "a waiver does not waive what is wrong with waivers",
}
_WAIVABLE = (findings.Severity.DENY, findings.Severity.WARN)  # unknown is never a pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One finding in one cluster, as a waiver looks at it."""

    rule: str
    key: objects.Key
    path: str
    cluster: names.Cluster | None  # None = whatever cluster
    labels: Mapping[str, str]


def faults(written: Declared, terms: Sequence[kinds.WaiverTerms]) -> Iterator[findings.Finding]:
    """What is wrong with a waiver whatever the time is, under the settings in force and those that come."""
    spec = written.document.spec
    for n, rule in enumerate(spec.rules):
        if rule in STRUCTURAL:
            message = f"{rule} cannot be waived: {STRUCTURAL[rule]}"
            yield _fault(written, message, ("spec", "rules", str(n)))
    if not all(each.wildcards for each in terms):
        yield from _wildcards(written)
    for each in terms:
        if each.owners and spec.owner not in each.owners:
            message = f"{spec.owner} may not own a waiver here"
            hint = f"the environment's waivers.owners are {', '.join(each.owners[:10])}"
            yield _fault(written, message, ("spec", "owner"), hint)
            break


def _wildcards(written: Declared) -> Iterator[findings.Finding]:
    hint = "or let the environment allow it in fleet.yaml: waivers: {wildcards: true}"
    for n, rule in enumerate(written.document.spec.rules):
        if "*" in rule:
            message = f"{rule} is no rule's name: name each rule that is waived"
            yield _fault(written, message, ("spec", "rules", str(n)), hint)
    for n, entry in enumerate(written.document.spec.objects):
        if not _is_narrow(entry):
            message = "it names no object: say name, namespace, labels, or a path below apps/"
            yield _fault(written, message, ("spec", "objects", str(n)), hint)


def _is_narrow(entry: kinds.WaivedObjects) -> bool:
    """Whether an entry could not be meant for everything, by its form: a kind or a cluster alone is not enough."""
    labels = entry.labels or kinds.Selector()
    positive = (kinds.Operator.IN, kinds.Operator.EXISTS)
    return any(
        (
            _names_something(entry.name),
            _names_something(entry.namespace),
            bool(entry.path) and _is_below(entry.path or ""),
            bool(labels.match_labels),
            any(each.operator in positive for each in labels.match_expressions),
        )
    )


def _names_something(pattern: str | None) -> bool:
    return bool(pattern) and not (pattern or "").startswith("*")


def _is_below(pattern: str) -> bool:
    """A file, or something inside a folder: what stands before the first star leads below the top."""
    fixed, star, _ = pattern.partition("*")
    return not star or bool(fixed.partition("/")[2])


def is_ended(waiver: kinds.Waiver, now: datetime) -> bool:
    return waiver.spec.expires <= now


def is_too_far(
    waiver: kinds.Waiver, terms: Sequence[kinds.WaiverTerms], now: datetime
) -> int | None:
    """The limit in days that its end is beyond; None = it is within."""
    limit = min(each.max_days for each in terms)
    return limit if waiver.spec.expires - now > timedelta(days=limit) else None


class Index:
    """Waivers by what they name, so that ten thousand of them cost a finding nothing."""

    def __init__(self, waivers: Iterable[Declared]) -> None:
        self._exact: dict[tuple[str, str], dict[str, Declared]] = {}
        self._others: dict[str, dict[str, Declared]] = {}
        self._wild: dict[str, Declared] = {}
        self._apart: set[str] = set()  # rules whose waivers may speak of some clusters only
        for each in waivers:
            self._add(each)

    def _add(self, written: Declared) -> None:
        name, spec = written.document.metadata.name, written.document.spec
        if any(entry.clusters or entry.labels for entry in spec.objects):
            self._apart |= set(spec.rules)
        for rule in spec.rules:
            if "*" in rule:
                self._wild[name] = written
                continue
            for entry in spec.objects:
                exact = entry.name if entry.name and "*" not in entry.name else None
                if exact is None:
                    self._others.setdefault(rule, {})[name] = written
                else:
                    self._exact.setdefault((rule, exact), {})[name] = written

    def tells_apart(self, rule: str) -> bool:
        """Whether clusters must be asked about one by one."""
        return bool(self._wild) or rule in self._apart

    def covering(self, case: Case) -> list[Declared]:
        """Each waiver that alone covers the case, whenever it ends; the one that ends last first."""
        listed = {
            **self._exact.get((case.rule, case.key.name), {}),
            **self._others.get(case.rule, {}),
            **self._wild,
        }
        found = [each for each in listed.values() if covers(each.document, case)]
        return sorted(found, key=lambda each: each.document.spec.expires, reverse=True)


def covers(waiver: kinds.Waiver, case: Case) -> bool:
    spec = waiver.spec
    is_named = any(fits(rule, case.rule) for rule in spec.rules)
    return is_named and any(_is_meant(entry, case) for entry in spec.objects)


def is_waivable(found: findings.Finding) -> bool:
    return bool(found.subject) and found.severity in _WAIVABLE and found.rule not in STRUCTURAL


def _is_meant(entry: kinds.WaivedObjects, case: Case) -> bool:
    key = case.key
    return (
        entry.group in (None, key.group)
        and entry.kind in (None, key.kind)
        and (entry.namespace is None or fits(entry.namespace, key.namespace))
        and (entry.name is None or fits(entry.name, key.name))
        and (entry.path is None or _leads_to(entry.path, case.path))
        and (entry.clusters is None or case.cluster in entry.clusters)
        and (entry.labels is None or kinds.selects(entry.labels, dict(case.labels)))
    )


def fits(pattern: str, text: str) -> bool:
    """With stars for any letters. Words are looked for from the left, so no text makes it slow."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == text
    *middle, last = rest
    at = len(first)
    for word in middle:
        found = text.find(word, at)
        if found < 0:
            return False
        at = found + len(word)
    return text.startswith(first) and text.endswith(last) and len(text) - len(last) >= at


def _leads_to(pattern: str, path: str) -> bool:
    """Folder by folder; `**` stands for any number of them."""
    steps = pattern.split("/")
    reached = _beyond({0}, steps)
    for folder in path.split("/"):
        reached = _beyond(
            {
                n if steps[n] == "**" else n + 1
                for n in reached
                if n < len(steps) and (steps[n] == "**" or fits(steps[n], folder))
            },
            steps,
        )
    return len(steps) in reached


def _beyond(reached: set[int], steps: Sequence[str]) -> set[int]:
    """With every place that is reached where `**` stands for no folder at all."""
    for n, step in enumerate(steps):
        if n in reached and step == "**":
            reached.add(n + 1)
    return reached


def covered(found: findings.Finding, by: Declared) -> findings.Finding:
    """What becomes of a finding: it stays, says who answers for it, and refuses nothing."""
    with_waiver = replace(found, waived=_waived(found, by), severity=findings.Severity.WAIVED)
    return replace(with_waiver, hint=_said(by))


def lapsed(found: findings.Finding, by: Declared) -> findings.Finding:
    """A finding that came back."""
    ended = f"its waiver {by.document.metadata.name} ended {_day(by)}"
    return replace(
        found,
        waived=_waived(found, by),
        hint=f"{found.hint}; {ended}" if found.hint else ended,
    )


def reopened(found: findings.Finding) -> findings.Finding:
    """As `lapsed`, of a finding that was recorded while it was waived."""
    waived = found.waived
    if waived is None:
        return found
    hint = f"its waiver {waived.waiver} ended {waived.until.isoformat()}"
    return replace(found, severity=waived.otherwise, hint=hint)


def _waived(found: findings.Finding, by: Declared) -> findings.Waived:
    spec = by.document.spec
    return findings.Waived(
        waiver=by.document.metadata.name,
        owner=spec.owner,
        reason=findings.escaped(spec.reason),
        ticket=findings.escaped(spec.ticket),
        until=spec.expires,
        place=by.place,
        otherwise=found.severity,
    )


def _said(by: Declared) -> str:
    spec = by.document.spec
    return findings.escaped(
        f"waived until {_day(by)} by {by.document.metadata.name} of {spec.owner}"
        f" ({spec.ticket}): {spec.reason}"
    )


def _day(by: Declared) -> str:
    return by.document.spec.expires.isoformat()


def ended(written: Declared) -> findings.Finding:
    name = written.document.metadata.name
    return _note(written, f"waiver {name} ended {_day(written)}", "delete it")


def stale(written: Declared) -> findings.Finding:
    name = written.document.metadata.name
    return _note(
        written, f"waiver {name} has nothing to waive", "delete it, or mend what it names"
    )


def too_far(written: Declared, limit: int) -> findings.Finding:
    message = f"waiver {written.document.metadata.name} ends {_day(written)}"
    hint = f"an end is at most {limit} days away here"
    return _fault(written, f"{message}, too far from now", (), hint)


def _fault(
    written: Declared, message: str, field: tuple[str, ...], hint: str = ""
) -> findings.Finding:
    return findings.Finding(
        rule=RULE,
        severity=findings.Severity.DENY,
        message=findings.escaped(message),
        place=written.place,
        hint=findings.escaped(hint),
        field=field,
    )


def _note(written: Declared, message: str, hint: str) -> findings.Finding:
    return replace(_fault(written, message, (), hint), severity=findings.Severity.WARN)
