"""Policies alone, on one core: evaluations a second, what the quick way brings, and what compiling costs.

The policies are those of `policies/` on their own examples, and the shared cases of others' libraries on theirs where
they are at hand. An evaluation is one policy on one object: its conditions, variables, validations and messages.
"""

import contextlib
import gc
import itertools
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import results
from fleet import cel
from fleet.manifests import declared, parse, scopes
from fleet.model import json_values, names, objects
from fleet.policy import decisions, documents, evaluate, matching, policies

COMPILED = 324
ROUNDS = 5  # of which the best counts: the machine has other work
_SECONDS = 1.0  # of one round
_ROOT = Path(__file__).resolve().parents[1]
_BLOB = names.BlobId("0" * 40)
_SCOPES = scopes.scopes([])
_EVERYTHING = {
    "apiGroups": ["*"],
    "apiVersions": ["*"],
    "resources": ["*"],
    "operations": ["*"],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    policy: documents.Policy
    scene: Mapping[str, Any]
    params: Mapping[str, Any] | None

    def decide(self) -> None:
        decisions.decide(self.policy, decisions.seen(self.policy, self.scene, self.params))


def run(report: results.Report) -> None:
    section = report.section("policies alone, one core")
    library, examples = _library(), list(_examples("*"))
    foreign = _foreign()
    sets = {"policies/ on its examples": list(_own(library, examples))}
    if foreign:
        sets["the shared cases on their objects"] = list(_cases(foreign))
    for name, cases in sets.items():
        section.row(name, *_decided(cases), *_compared(cases))
    section.row(
        "policies/ on its good examples, matched too", *_judged(library, list(_examples("good")))
    )
    written = [_completed(each["policy"][0], each.get("params")) for each in foreign]
    section.row(*_compiling([*_written(_rules()), *written]))


def _decided(cases: list[_Case]) -> tuple[str, ...]:
    seconds = _best(lambda: [each.decide() for each in cases]) / len(cases)
    return f"{len(cases)} pairs", f"{1 / seconds:,.0f} evaluations/s"


def _compared(cases: list[_Case]) -> tuple[str, ...]:
    """The validations' expressions alone, both ways."""
    pairs = [
        (each.expression.program, case)
        for case in cases
        for each in case.policy.validations
        if each.expression.program is not None
    ]
    quick = _best(lambda: [_evaluated(p.evaluate, case) for p, case in pairs])
    exact = _best(lambda: [_evaluated(p.exactly, case) for p, case in pairs])
    return (f"expressions {exact / quick:.1f}x as fast as exactly",)


def _evaluated(how: Callable[[Mapping[str, Any]], Any], case: _Case) -> None:
    with contextlib.suppress(cel.EvaluationError):
        how(decisions.seen(case.policy, case.scene, case.params))


def _judged(library: policies.PolicySet, examples: list[objects.Manifest]) -> tuple[str, ...]:
    scene = evaluate.Scene(namespaces={}, scopes=_SCOPES)
    count = sum(
        rule.speaks_of(asked)
        for asked in map(_asked, examples)
        for rule in library.index.rules(asked)
    )
    seconds = _best(lambda: [evaluate.evaluate(library, each, scene) for each in examples])
    return f"{len(examples)} objects", f"{count / seconds:,.0f} evaluations/s"


def _compiling(distinct: list[dict[str, Any]]) -> tuple[str, ...]:
    known = {json.dumps(each["spec"], sort_keys=True): each for each in distinct}
    rules = []
    for n, each in enumerate(itertools.islice(itertools.cycle(known.values()), COMPILED)):
        named = {**each, "metadata": {**each["metadata"], "name": f"policy-{n}"}}
        rules.append(_rule(named))
    gc.collect()
    seconds = min(_timed(lambda: _parsed(rules)) for _ in range(ROUNDS))
    return f"compile {COMPILED} policies", f"{len(known)} distinct ones", f"{seconds:.2f} s"


def _parsed(rules: list[declared.Rule]) -> None:
    if len(policies.parse(rules).policies) != len(rules):
        raise SystemExit("a policy could not be read")


def _best(work: Callable[[], object]) -> float:
    """Processor seconds of one run, after enough runs to have everything written."""
    for _ in range(3):
        _timed(work)
    times = max(1, int(_SECONDS / max(_timed(work), 1e-6)))
    return min(_timed(lambda: [work() for _ in range(times)]) / times for _ in range(ROUNDS))


def _timed(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


# What is judged, and by what


def _library() -> policies.PolicySet:
    return policies.for_environment(policies.parse(_rules()), names.Environment("prod"))


def _rules() -> list[declared.Rule]:
    return [
        declared.Rule(value=value, source=source)
        for path in sorted((_ROOT / "policies").glob("*/*.yaml"))
        for value, source in _documents(path)
    ]


def _written(rules: list[declared.Rule]) -> list[dict[str, Any]]:
    return [
        dict(each.value) for each in rules if each.value["kind"] == "ValidatingAdmissionPolicy"
    ]


def _documents(path: Path) -> Iterator[tuple[Any, objects.Source]]:
    shown = str(path.relative_to(_ROOT))
    for each in parse.documents(path.read_bytes(), shown, _BLOB).documents:
        source = objects.Source(path=shown, line=each.line, blob=_BLOB, index=each.index)
        yield each.value, source


def _examples(which: str) -> Iterator[objects.Manifest]:
    for path in sorted((_ROOT / "policies").glob(f"*/tests/{which}/*.yaml")):
        for value, source in _documents(path):
            yield _manifest(value, source)


def _manifest(body: Mapping[str, Any], source: objects.Source) -> objects.Manifest:
    return objects.Manifest(
        key=objects.key_of(body),
        version=str(body["apiVersion"]).rpartition("/")[2],
        body=body,
        digest=json_values.digest(body),
        bundle=names.Bundle("examples"),
        source=source,
    )


def _asked(manifest: objects.Manifest) -> matching.Request:
    return matching.request(manifest, {}, _SCOPES, manifest.body)


def _own(library: policies.PolicySet, examples: list[objects.Manifest]) -> Iterator[_Case]:
    for manifest in examples:
        asked = _asked(manifest)
        scene = decisions.scene(asked)
        for rule in library.index.rules(asked):
            if rule.speaks_of(asked) and rule.policy.param_kind is None:
                yield _Case(policy=rule.policy, scene=scene, params=None)


def _foreign() -> list[dict[str, Any]]:
    shared = Path(os.environ.get("FLEET_SHARED", _ROOT.parent / "shared"))
    path = shared / "conformance" / "policy-cases.jsonl"
    if not path.is_file():
        print(f"no policy cases at {path}: measured without them")
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def _cases(foreign: list[dict[str, Any]]) -> Iterator[_Case]:
    known: dict[str, documents.Policy] = {}
    for each in foreign:
        written, params = each["policy"][0], each.get("params")
        text = json.dumps([written, bool(params)], sort_keys=True)
        if text not in known:
            (known[text],) = policies.parse([_rule(_completed(written, params))]).policies.values()
        rule = _rule(each["object"])
        asked = _asked(_manifest(rule.value, rule.source))
        yield _Case(policy=known[text], scene=decisions.scene(asked), params=params)


def _completed(written: dict[str, Any], params: dict[str, Any] | None) -> dict[str, Any]:
    """With what a case leaves out: what it matches, and the kind of its parameters."""
    spec = {**written["spec"], "matchConstraints": {"resourceRules": [_EVERYTHING]}}
    if params:
        spec["paramKind"] = {key: params[key] for key in ("apiVersion", "kind")}
    return {**written, "spec": spec}


def _rule(value: Mapping[str, Any]) -> declared.Rule:
    return declared.Rule(value=value, source=objects.Source(path="bench.yaml", line=1, blob=_BLOB))
