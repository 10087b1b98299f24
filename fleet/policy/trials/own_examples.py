"""Our own layout: beside a policy lie `tests/good` and `tests/bad`; the one passes it, the other it denies.

Namespaces that lie in `tests` itself are those that the examples live in.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from fleet.manifests import declared, scopes
from fleet.model import findings
from fleet.policy import documents, policies
from fleet.policy.trials import cases, samples, verdicts

EXPECT = "fleetgate.dev/expect"  # words of the message that a bad example is denied with
_GOOD, _BAD, _AROUND = "tests/good", "tests/bad", "tests"
_Read: TypeAlias = Mapping[str, samples.Read]  # by where they lie
_R = cases.Result
_REFUSING = (_R.FAIL, _R.ERROR)


def folders(files: samples.Files) -> list[str]:
    """Those that have examples."""
    found = set()
    for path in files:
        folder = samples.folder(path)
        for which in (_GOOD, _BAD):
            if f"/{folder}".endswith(f"/{which}"):
                found.add(folder.removesuffix(which).rstrip("/"))
    return sorted(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Example:
    document: declared.Rule
    is_good: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    example: _Example
    said: list[verdicts.Verdict]
    is_object: bool  # else nothing could be said of it


def run(folder: str, files: samples.Files) -> cases.Report:
    judging = policies.parse(samples.read([folder], files).documents)
    read = {
        each: samples.read([samples.joined(folder, each)], files)
        for each in (_AROUND, _GOOD, _BAD)
    }
    known = samples.scopes_of((*read[_GOOD].values, *read[_BAD].values))
    around = samples.Surroundings(namespaces=_namespaces(read[_AROUND]), default_namespace="")
    seen = [_seen(each, judging, around, known) for each in _examples(read)]
    found = [_case(each) for each in seen]
    found += _broken(read)
    if not judging.policies:
        place = findings.Place(path=folder)
        why = "; ".join(each.message for each in judging.findings) or "there is no policy here"
        found = [
            cases.Case(place=place, name=folder, state=cases.State.NOT_EVALUATED, message=why)
        ]
    return cases.Report(cases=tuple(found), rules=tuple(_rules(judging, seen)))


def _namespaces(around: samples.Read) -> dict[str, samples.Document]:
    named = (
        each
        for each in around.values
        if each.get("kind") == "Namespace" and samples.is_object(each)
    )
    return {str(each["metadata"].get("name")): each for each in named}


def _examples(read: _Read) -> Iterator[_Example]:
    for which in (_GOOD, _BAD):
        for each in read[which].documents:
            yield _Example(document=each, is_good=which == _GOOD)


def _broken(read: _Read) -> Iterator[cases.Case]:
    for which, found in read.items():
        for each in found.broken:
            yield cases.Case(
                place=each.place, name=which, state=cases.State.FAILED, message=each.message
            )


def _seen(
    example: _Example,
    judging: policies.PolicySet,
    around: samples.Surroundings,
    known: scopes.Scopes,
) -> _Seen:
    asked = samples.request(example.document.value, around, known)
    if asked is None:
        return _Seen(example=example, said=[], is_object=False)
    every = [verdicts.of(e, judging, asked, known) for e in judging.policies.values()]
    said = [each for each in every if each.result is not _R.NONE]
    return _Seen(example=example, said=said, is_object=True)


def _case(seen: _Seen) -> cases.Case:
    example, said = seen.example, seen.said
    value = example.document.value
    metadata = value.get("metadata")
    name = (
        f"{value.get('kind')} {metadata.get('name')}" if isinstance(metadata, dict) else "example"
    )
    unknown = next((each.unknown for each in said if each.unknown), "")
    messages = [message for each in said for message in each.messages]
    state, why = cases.State.NOT_EVALUATED, unknown
    if not unknown:
        wrong = _wrong(seen, messages)
        state = cases.State.FAILED if wrong else cases.State.PASSED
        why = wrong or "; ".join(messages)
    return cases.Case(
        place=example.document.source.place,
        name=name,
        want="pass" if example.is_good else "fail",
        got=", ".join(sorted({each.result.value for each in said})) or _R.NONE.value,
        state=state,
        message=findings.escaped(why),
    )


def _wrong(seen: _Seen, messages: list[str]) -> str:
    example, said = seen.example, seen.said
    if not seen.is_object:
        return "it is no object that can be read: apiVersion, kind and metadata make one"
    refused = [each for each in said if each.result in _REFUSING]
    if example.is_good:
        return f"a good example is denied: {'; '.join(messages)}" if refused else ""
    if not any(each.result is _R.FAIL for each in refused):
        return "a bad example is not denied"
    expected = _expected(example)
    if expected and not any(expected in each for each in messages):
        return f"expected {expected!r} in: {'; '.join(messages)}"
    return ""


def _expected(example: _Example) -> str:
    metadata = example.document.value.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return str(annotations.get(EXPECT) or "") if isinstance(annotations, dict) else ""


def _rules(judging: policies.PolicySet, seen: list[_Seen]) -> Iterator[cases.Rule]:
    """A good example that the policy does not even speak of is one that it admits."""
    for each in judging.policies.values():
        results = {v.result for one in seen for v in one.said if v.policy.title == each.title}
        passed = any(
            one.example.is_good and one.is_object and not _is_refused(each, one) for one in seen
        )
        yield cases.Rule(
            place=each.source.place,
            title=each.title,
            denies=_R.FAIL in results,
            admits=_R.PASS in results or passed,
        )


def _is_refused(policy: documents.Policy, one: _Seen) -> bool:
    return any(v.policy.title == policy.title and v.result in _REFUSING for v in one.said)
