"""Gatekeeper's `suite.yaml`: a template and a constraint, and what each of some objects should give rise to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import re2  # type: ignore[import-untyped]

from fleet.manifests import declared
from fleet.model import findings
from fleet.policy import decisions, policies
from fleet.policy.trials import cases, samples, verdicts

NAMES = ("suite.yaml", "suite.yml")
_GROUP = "test.gatekeeper.sh"
_R = cases.Result


def is_suite(value: samples.Document) -> bool:
    return (
        value.get("kind") == "Suite"
        and str(value.get("apiVersion", "")).partition("/")[0] == _GROUP
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Test:
    place: findings.Place
    folder: str
    name: str
    judging: policies.PolicySet
    missing: str


def run(written: declared.Rule, files: samples.Files) -> cases.Report:
    place = written.source.place
    if written.value.get("skip") is True:
        skipped = cases.Case(place=place, name="suite", state=cases.State.SKIPPED)
        return cases.Report(cases=(skipped,))
    wrong = samples.no_list(written.value, "tests")
    if wrong:
        failed = cases.Case(place=place, name="suite", state=cases.State.FAILED, message=wrong)
        return cases.Report(cases=(failed,))
    folder = samples.folder(written.source.path)
    return cases.merged(
        _tested(each, samples.place(written, ("tests", str(n)), files), folder, files)
        for n, each in enumerate(_list(written.value, "tests"))
    )


def _list(value: Any, name: str) -> list[Any]:
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, list) else []


def _tested(value: Any, place: findings.Place, folder: str, files: samples.Files) -> cases.Report:
    if not isinstance(value, Mapping):
        wrong = cases.Case(
            place=place, name="test", state=cases.State.FAILED, message="it is no mapping"
        )
        return cases.Report(cases=(wrong,))
    paths = [
        samples.joined(folder, value[name])
        for name in ("template", "constraint")
        if isinstance(value.get(name), str)
    ]
    read = samples.read(paths, files)
    test = _Test(
        place=place,
        folder=folder,
        name=str(value.get("name") or "test"),
        judging=policies.parse(read.documents),
        missing=", ".join([*read.absent, *(str(each.place) for each in read.broken)]),
    )
    if value.get("skip") is True:
        return cases.Report(cases=(_said(test, "", cases.State.SKIPPED),))
    if value.get("invalid") is True:
        return cases.Report(cases=(_invalid(test),))
    odd = samples.no_list(value, "cases")
    if odd:
        return cases.Report(cases=(_said(test, "", cases.State.FAILED, odd),))
    return _cases(test, _list(value, "cases"), files)


def _said(test: _Test, name: str, state: cases.State, message: str = "") -> cases.Case:
    whole = f"{test.name}: {name}" if name else test.name
    return cases.Case(place=test.place, name=whole, state=state, message=findings.escaped(message))


def _invalid(test: _Test) -> cases.Case:
    """What is wrong with a constraint by its schema alone is not looked at."""
    if findings.refuses(test.judging.findings):
        return _said(test, "invalid", cases.State.PASSED)
    message = "whether a constraint fits its template's schema is not looked at"
    return _said(test, "invalid", cases.State.NOT_EVALUATED, message)


def _cases(test: _Test, listed: list[Any], files: samples.Files) -> cases.Report:
    found: list[cases.Case] = []
    results: set[tuple[str, cases.Result]] = set()
    for each in listed:
        name = str(each.get("name") or "case") if isinstance(each, Mapping) else "case"
        case, judged = _case(test, name, each, files)
        found.append(case)
        results |= {(v.policy.title, v.result) for v in judged}
    rules = tuple(
        cases.Rule(
            place=each.source.place,
            title=each.title,
            denies=(each.title, _R.FAIL) in results or (each.title, _R.ERROR) in results,
            admits=(each.title, _R.PASS) in results,
        )
        for each in test.judging.policies.values()
    )
    return cases.Report(cases=tuple(found), rules=rules)


_Answer = tuple[cases.Case, list[verdicts.Verdict]]


def _case(test: _Test, name: str, value: Any, files: samples.Files) -> _Answer:
    if not isinstance(value, Mapping):
        return _said(test, name, cases.State.FAILED, "it is no mapping"), []
    if value.get("skip") is True:
        return _said(test, name, cases.State.SKIPPED), []
    wrong = samples.no_list(value, "assertions")
    if wrong:
        return _said(test, name, cases.State.FAILED, wrong), []
    why = _unknown(test)
    if why:
        return _said(test, name, cases.State.NOT_EVALUATED, why), []
    path = samples.joined(test.folder, str(value.get("object") or ""))
    read = samples.read([path], files)
    around, known = _around(test, value, files), samples.scopes_of(read.values)
    asked = samples.request(read.values[0], around, known) if len(read.values) == 1 else None
    if asked is None:
        state = cases.State.NOT_EVALUATED if read.absent else cases.State.FAILED
        return _said(test, name, state, f"{path} holds no object that can be read"), []
    judged = [
        verdicts.of(each, test.judging, asked, known) for each in test.judging.policies.values()
    ]
    unmet = [w for each in _asserted(value) if (w := _unmet(each, judged))]
    state = cases.State.FAILED if unmet else cases.State.PASSED
    return _said(test, name, state, "; ".join(unmet)), judged


def _unknown(test: _Test) -> str:
    if test.missing:
        return f"not to be read: {test.missing}"
    refusing = [each for each in test.judging.findings if findings.refuses([each])]
    if refusing:
        return "; ".join(dict.fromkeys(each.message for each in refusing))
    return "" if test.judging.policies else "it names no template and constraint"


def _around(test: _Test, value: Mapping[str, Any], files: samples.Files) -> samples.Surroundings:
    """Objects of the inventory count as far as they are Namespaces: no CEL asks for more."""
    paths = [samples.joined(test.folder, str(each)) for each in _list(value, "inventory")]
    spaces = {
        str(each["metadata"].get("name")): each
        for each in samples.read(paths, files).values
        if each.get("kind") == "Namespace" and samples.is_object(each)
    }
    return samples.Surroundings(namespaces=spaces, default_namespace="")


def _asserted(value: Mapping[str, Any]) -> Iterator[Any]:
    """Without any it asserts that there are no violations."""
    yield from _list(value, "assertions") or [{"violations": "no"}]


def _unmet(assertion: Any, judged: list[verdicts.Verdict]) -> str:
    """What is wrong, in words; "" = it holds."""
    if not isinstance(assertion, Mapping):
        return "an assertion is a mapping"
    wanted, pattern = assertion.get("violations", "yes"), assertion.get("message")
    messages = [message for each in judged for message in _violations(each)]
    try:
        fit = [e for e in messages if pattern is None or re2.search(str(pattern), e)]
    except re2.error as error:
        return f"its message is no regular expression: {error}"
    about = "" if pattern is None else f" with {pattern!r}"
    got = f"{len(fit)} violations{about}, of {messages}"
    if isinstance(wanted, int) and not isinstance(wanted, bool):
        return "" if len(fit) == wanted else f"wanted {wanted}, got {got}"
    wants = {"yes": True, "true": True, "no": False, "false": False}.get(str(wanted).lower())
    if wants is None:
        return f"violations is yes, no or a number, not {wanted!r}"
    return "" if wants == bool(fit) else f"wanted {'some' if wants else 'none'}, got {got}"


def _violations(verdict: verdicts.Verdict) -> tuple[str, ...]:
    """An error is a violation, but where the template fails open."""
    if not verdict.policy.fails_open:
        return tuple(each.message for each in verdict.against)
    return tuple(
        each.message for each in verdict.against if each.evaluation is decisions.Evaluation.DENY
    )
