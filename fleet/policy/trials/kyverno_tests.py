"""Kyverno's test files (`kyverno-test.yaml`): each result on each of its resources is a case.

As in Kyverno's own command: the policy's match decides and not its action, a rule's autogen counts as the rule, and
resources without a namespace are in `default`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fleet.manifests import declared, scopes
from fleet.model import findings
from fleet.policy import matching, policies
from fleet.policy.trials import cases, samples, verdicts

NAMES = ("kyverno-test.yaml", "kyverno-test.yml")
_GROUP = "cli.kyverno.io"
_OTHER_RESULTS = (
    "patchedResource",
    "patchedResources",
    "generatedResource",
    "cloneSourceResource",
)
_SCORED = "policies.kyverno.io/scored"
_OPERATION = "request.operation"
_R = cases.Result


def is_test(value: samples.Document) -> bool:
    group = str(value.get("apiVersion", "")).partition("/")[0]
    return value.get("kind") == "Test" and group in (_GROUP, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    """All that a test file brings together."""

    place: findings.Place
    judging: policies.PolicySet
    resources: tuple[samples.Document, ...] = field(repr=False)
    scopes: scopes.Scopes
    around: samples.Surroundings
    operations: Mapping[tuple[str, str], str]  # by policy and resource, where the test says so
    missing: str  # files that are not there, in words


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """One entry of `results`, for one resource; no resource = any of the kind."""

    policy: str
    rule: str
    kind: str
    resource: str
    result: str

    @property
    def title(self) -> str:
        return f"{self.policy}/{self.rule}" if self.rule else self.policy

    @property
    def name(self) -> str:
        return " ".join(each for each in (self.title, self.kind, self.resource) if each)


def run(written: declared.Rule, files: samples.Files) -> cases.Report:
    value, folder = written.value, samples.folder(written.source.path)
    bench = _bench(written, folder, files)
    found = list(_misnamed(value, folder, files))
    wrong = samples.no_list(value, "results")
    if wrong:
        found.append(_failed(bench, "results", wrong))
    seen: list[tuple[_Wanted, verdicts.Verdict]] = []
    for n, entry in enumerate(_list(value, "results")):
        place = samples.place(written, ("results", str(n)), files)
        for case, judged in _results(entry, replace(bench, place=place)):
            found.append(case)
            seen += judged
    found += [
        _unevaluated(bench, _named(each), "checks are assertion trees")
        for each in _list(value, "checks")
    ]
    return cases.Report(cases=tuple(found), rules=tuple(_covered(bench, seen)))


def _misnamed(value: samples.Document, folder: str, files: samples.Files) -> Iterator[cases.Case]:
    """Resources that no result can name: what YAML reads as a boolean or a number is no name."""
    paths = (samples.joined(folder, each) for each in _strings(value, "resources"))
    for each in samples.read(paths, files).documents:
        wrong = samples.misnamed(each.value)
        if wrong:
            yield cases.Case(
                place=each.source.place,
                name=findings.escaped(str(each.value.get("kind"))),
                state=cases.State.FAILED,
                message=wrong,
            )


def _list(value: Any, name: str) -> list[Any]:
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, list) else []


def _strings(value: Any, name: str) -> list[str]:
    return [each for each in _list(value, name) if isinstance(each, str)]


def _named(value: Any) -> str:
    return str(value.get("name") or "check") if isinstance(value, Mapping) else "check"


def _bench(written: declared.Rule, folder: str, files: samples.Files) -> _Bench:
    value = written.value

    def read(*names: str) -> samples.Read:
        listed = [each for name in names for each in _strings(value, name)]
        return samples.read((samples.joined(folder, each) for each in listed), files)

    rules, resources = read("policies", "exceptions", "paramResources"), read("resources")
    values, user = _values(value, folder, files), _user(value, folder, files)
    spaces = [*_list(values, "namespaces"), *map(_labelled, _list(values, "namespaceSelector"))]
    absent = (*rules.absent, *resources.absent)
    broken = (*rules.broken, *resources.broken)
    return _Bench(
        place=written.source.place,
        judging=policies.parse(rules.documents),
        resources=tuple(each for each in resources.values if _is_named(each)),
        scopes=samples.scopes_of((*resources.values, *rules.values)),
        around=samples.Surroundings(
            namespaces=_by_name([*resources.values, *spaces]),
            user=user,
            operation=_global(values),
        ),
        operations=dict(_operations(values)),
        missing=", ".join([*absent, *(str(each.place) for each in broken)]),
    )


def _is_named(value: samples.Document) -> bool:
    return samples.is_object(value) and not samples.misnamed(value)


def _file(name: Any, folder: str, files: samples.Files) -> samples.Document:
    if not isinstance(name, str) or not name:
        return {}
    found = samples.read([samples.joined(folder, name)], files).values
    return found[0] if found else {}


def _values(value: samples.Document, folder: str, files: samples.Files) -> samples.Document:
    inline = value.get("values")
    if isinstance(inline, Mapping):
        return inline
    return _file(value.get("variables"), folder, files)


def _user(value: samples.Document, folder: str, files: samples.Files) -> samples.Document | None:
    said = _file(value.get("userinfo"), folder, files).get("userInfo")
    return said if isinstance(said, Mapping) else None


def _labelled(entry: Any) -> samples.Document:
    if not isinstance(entry, Mapping):
        return {}
    return {"kind": "Namespace", "metadata": entry}


def _by_name(values: Iterable[Any]) -> dict[str, samples.Document]:
    found: dict[str, samples.Document] = {}
    for each in values:
        metadata = each.get("metadata") if isinstance(each, Mapping) else None
        if isinstance(metadata, Mapping) and str(each.get("kind")).lower() == "namespace":
            found[str(metadata.get("name"))] = each
    return found


def _global(values: samples.Document) -> str:
    known = values.get("globalValues")
    said = known.get(_OPERATION) if isinstance(known, Mapping) else None
    return said if isinstance(said, str) else matching.CREATE


def _operations(values: samples.Document) -> Iterator[tuple[tuple[str, str], str]]:
    for policy in _list(values, "policies"):
        for each in _list(policy, "resources"):
            known = each.get("values") if isinstance(each, Mapping) else None
            said = known.get(_OPERATION) if isinstance(known, Mapping) else None
            if isinstance(said, str):
                yield (str(policy.get("name")), str(each.get("name"))), said


def _results(
    entry: Any, bench: _Bench
) -> Iterator[tuple[cases.Case, list[tuple[_Wanted, verdicts.Verdict]]]]:
    if not isinstance(entry, Mapping):
        yield _failed(bench, "result", "it is no mapping"), []
        return
    wrong = _no_names(entry.get("resources"))
    if wrong:
        yield _failed(bench, _titled(entry), f"resources: {wrong}"), []
        return
    other = next((name for name in _OTHER_RESULTS if entry.get(name)), "")
    for wanted in _wanted(entry, bench):
        if other:
            yield (
                _unevaluated(bench, wanted.name, f"{other} is of a rule that changes objects"),
                [],
            )
        else:
            yield _case(wanted, bench)


def _no_names(resources: Any) -> str:
    """What is in a list of names and is none, or stands for the list, in words; "" = nothing."""
    if resources is None:
        return ""
    if not isinstance(resources, list):
        return f"{samples.shown(resources)} is no list of names"
    return "; ".join(samples.no_text(each) for each in resources if not isinstance(each, str))


def _titled(entry: Mapping[str, Any]) -> str:
    return "/".join(str(entry[part]) for part in ("policy", "rule") if entry.get(part)) or "result"


def _wanted(entry: Mapping[str, Any], bench: _Bench) -> Iterator[_Wanted]:
    kind = str(entry.get("kind") or "")
    named = [(kind, each) for each in _strings(entry, "resources")] or list(
        _specified(entry, kind)
    )
    if not named and isinstance(entry.get("resource"), str):
        named = [(kind, entry["resource"])]
    for of, resource in named or [(kind, each) for each in _all(kind, bench)]:
        yield _Wanted(
            policy=str(entry.get("policy") or "").rpartition("/")[2],
            rule=str(entry.get("rule") or ""),
            kind=of,
            resource=resource,
            result=str(entry.get("result") or entry.get("status") or ""),
        )


def _specified(entry: Mapping[str, Any], kind: str) -> Iterator[tuple[str, str]]:
    for each in _list(entry, "resourceSpecs"):
        if isinstance(each, Mapping):
            name = "/".join(str(each[part]) for part in ("namespace", "name") if each.get(part))
            yield str(each.get("kind") or kind), name


def _all(kind: str, bench: _Bench) -> list[str]:
    fit = (each for each in bench.resources if kind in ("", each.get("kind")))
    names = (samples.metadata(each) for each in fit)
    return ["/".join(filter(None, (e.get("namespace"), e.get("name")))) for e in names] or ["*"]


def _case(
    wanted: _Wanted, bench: _Bench
) -> tuple[cases.Case, list[tuple[_Wanted, verdicts.Verdict]]]:
    chosen = _policies(wanted, bench)
    if not chosen:
        return _without_policy(wanted, bench), []
    resources = [each for each in bench.resources if _is_meant(each, wanted)]
    if not resources:
        return _without_resource(wanted, bench), []
    judged = [v for each in resources for v in _judged(each, wanted, chosen, bench)]
    unknown = next((each.unknown for each in judged if each.unknown), "")
    if unknown:
        return _unevaluated(bench, wanted.name, unknown), []
    return _compared(wanted, judged, bench), [(wanted, each) for each in judged]


def _judged(
    body: samples.Document,
    wanted: _Wanted,
    chosen: list[str],
    bench: _Bench,
) -> list[verdicts.Verdict]:
    said = bench.operations.get((wanted.policy, str(samples.metadata(body).get("name"))))
    around = replace(bench.around, operation=said) if said else bench.around
    asked = samples.request(body, around, bench.scopes)
    if asked is None:
        return []
    found = [
        verdicts.of(bench.judging.policies[name], bench.judging, asked, bench.scopes)
        for name in chosen
    ]
    return [each for each in found if each.result is not _R.NONE]


def _policies(wanted: _Wanted, bench: _Bench) -> list[str]:
    """By their names in the set; a rule that is not named is any."""
    plain = wanted.rule.removeprefix("autogen-cronjob-").removeprefix("autogen-")
    titles = {wanted.policy, f"{wanted.policy}/{plain}"}
    return [
        name
        for name, each in bench.judging.policies.items()
        if each.title in titles
        or (not wanted.rule and each.title.partition("/")[0] == wanted.policy)
    ]


def _is_meant(body: samples.Document, wanted: _Wanted) -> bool:
    if wanted.kind and body.get("kind") != wanted.kind:
        return False
    metadata = samples.metadata(body)
    namespace, _, name = wanted.resource.rpartition("/")
    is_there = not namespace or (metadata.get("namespace") or "default") == namespace
    return is_there and name in ("*", metadata.get("name"))


def _compared(wanted: _Wanted, judged: list[verdicts.Verdict], bench: _Bench) -> cases.Case:
    results = {_reported(each) for each in judged} or {_R.NONE}
    is_met = all(_meets(each, wanted.result) for each in judged)
    if not judged:  # passed over, which satisfies whoever wants no failure
        is_met = wanted.result in (_R.SKIP.value, _R.PASS.value)
    said = "; ".join(message for each in judged for message in each.messages)
    return cases.Case(
        place=bench.place,
        name=wanted.name,
        want=wanted.result,
        got=", ".join(sorted(each.value for each in results)),
        state=cases.State.PASSED if is_met else cases.State.FAILED,
        message=findings.escaped(said),
    )


def _reported(verdict: verdicts.Verdict) -> cases.Result:
    is_scored = verdict.policy.form.metadata.annotations.get(_SCORED) != "false"
    return _R.WARN if verdict.result is _R.FAIL and not is_scored else verdict.result


def _meets(verdict: verdicts.Verdict, wanted: str) -> bool:
    """An error denies, unless its policy fails open."""
    if verdict.result is _R.ERROR and wanted == _R.FAIL.value:
        return not verdict.policy.fails_open
    return _reported(verdict).value == wanted


def _without_policy(wanted: _Wanted, bench: _Bench) -> cases.Case:
    about = [
        each.message
        for each in bench.judging.findings
        if each.rule.partition("/")[0] == wanted.policy
        and (not wanted.rule or each.rule in (wanted.policy, wanted.title))
    ]
    if about:
        return _unevaluated(bench, wanted.name, "; ".join(about))
    if bench.missing:
        return _unevaluated(bench, wanted.name, f"not to be read: {bench.missing}")
    return _failed(bench, wanted.name, "no policy has this name", wanted.result)


def _without_resource(wanted: _Wanted, bench: _Bench) -> cases.Case:
    if bench.missing:
        return _unevaluated(bench, wanted.name, f"not to be read: {bench.missing}")
    return _failed(bench, wanted.name, "no resource has this kind and name", wanted.result)


def _unevaluated(bench: _Bench, name: str, why: str) -> cases.Case:
    return cases.Case(place=bench.place, name=name, state=cases.State.NOT_EVALUATED, message=why)


def _failed(bench: _Bench, name: str, why: str, want: str = "") -> cases.Case:
    return cases.Case(
        place=bench.place, name=name, want=want, state=cases.State.FAILED, message=why
    )


def _covered(bench: _Bench, seen: list[tuple[_Wanted, verdicts.Verdict]]) -> Iterator[cases.Rule]:
    refusing = (_R.FAIL, _R.ERROR)
    for each in bench.judging.policies.values():
        results = {v.result for _, v in seen if v.policy.title == each.title}
        yield cases.Rule(
            place=each.source.place,
            title=each.title,
            denies=not results.isdisjoint(refusing),
            admits=_R.PASS in results,
        )
