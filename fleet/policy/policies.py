"""From the rule documents of a commit to a set of policies that can judge, with everything that is unsound in them.

What cannot be judged by is a finding: nothing that looks like a policy is passed over in silence.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from pydantic import ValidationError

from fleet.manifests import declared
from fleet.model import findings, json_values, names
from fleet.policy import applying, documents, forms, writings
from fleet.policy.dialects import engines

_SEMANTICS = 4  # in each digest: no verdict is taken over that another evaluator remembered
# Groups whose documents would judge if anyone evaluated them.
_ENGINES = (forms.API_GROUP,)

Form = TypeVar("Form", forms.Policy, forms.Binding)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySet:
    """Policies by name. `digest` names all that they can say, not where it was written."""

    policies: Mapping[str, documents.Policy]
    bindings: tuple[documents.Binding, ...]
    parameters: tuple[documents.Parameter, ...]
    digest: names.Digest
    findings: tuple[findings.Finding, ...]
    index: applying.Index = field(repr=False, compare=False)


def parse(rules: Iterable[declared.Rule]) -> PolicySet:
    reader = _Reader()
    for rule in rules:
        for value, path in _unwrapped(rule.value, ()):
            reader.document(writings.Written(value=value, path=path, source=rule.source))
    return reader.result()


def for_environment(whole: PolicySet, environment: names.Environment) -> PolicySet:
    """What counts there: its bindings, the policies that they name, the parameters those may take."""
    bindings = tuple(
        each
        for each in whole.bindings
        if each.environments is None or environment in each.environments
    )
    bound = {each.policy for each in bindings}
    policies = {name: each for name, each in whole.policies.items() if name in bound}
    kinds = {each.param_kind for each in policies.values()}
    parameters = tuple(each for each in whole.parameters if each.kind in kinds)
    return _set(policies, bindings, parameters)


def _set(
    policies: Mapping[str, documents.Policy],
    bindings: tuple[documents.Binding, ...],
    parameters: tuple[documents.Parameter, ...],
    found: Iterable[findings.Finding] = (),
) -> PolicySet:
    parts = [[each.digest for each in part] for part in (policies.values(), bindings, parameters)]
    return PolicySet(
        policies=policies,
        bindings=bindings,
        parameters=parameters,
        digest=json_values.digest([_SEMANTICS, *map(sorted, parts)]),
        findings=tuple(found),
        index=applying.Index(policies, bindings),
    )


def _unwrapped(
    value: Any, path: documents.Path
) -> Iterator[tuple[documents.Document, documents.Path]]:
    """The documents inside a List, however deep: no policy hides in one."""
    if not isinstance(value, Mapping):
        return
    items = value.get("items")
    if isinstance(items, list) and str(value.get("kind", "")).endswith("List"):
        for index, item in enumerate(items):
            yield from _unwrapped(item, (*path, "items", str(index)))
    else:
        yield value, path


class _Reader:
    """Collects; one document after the other, all findings at once."""

    def __init__(self) -> None:
        self._policies: dict[str, documents.Policy] = {}
        self._bindings: dict[str, documents.Binding] = {}
        self._others: list[documents.Parameter] = []
        self._foreign: list[writings.Written] = []
        self._unsound: set[str] = set()  # names of policies that could not be read
        self._found: list[findings.Finding] = []

    def document(self, written: writings.Written) -> None:
        match written.value.get("kind"):
            case forms.POLICY:
                self._policy(written)
            case forms.BINDING:
                self._binding(written)
            case _:
                self._others.append(documents.parameter(written.value, written.source))
                if engines.is_foreign(written):
                    self._foreign.append(written)

    def result(self) -> PolicySet:
        self._translate()
        bindings = tuple(self._bindings.values())
        provided = {each.policy for each in bindings if each.given is not None}
        kinds = {e.param_kind for e in self._policies.values() if e.name not in provided}
        parameters = tuple(each for each in self._others if each.kind in kinds)
        known = self._policies.keys() | self._unsound
        self._found += [
            *_dangling(bindings, known),
            *_unbound(self._policies.values(), bindings),
            *_twice(parameters),
            *_of_other_engines(each for each in self._others if each.kind not in kinds),
        ]
        return _set(self._policies, bindings, parameters, self._found)

    def _translate(self) -> None:
        """Other dialects say the same in other words: from here on they are policies and bindings like any.

        What a policy takes for its parameters is no policy, as the constraints of those that Gatekeeper writes.
        """
        if not self._foreign:
            return
        from fleet.policy.dialects import (
            translation,
        )  # much, for what most repositories have none of

        taken = {each.param_kind for each in self._policies.values()}
        own = (each for each in self._foreign if (each.version, each.kind) not in taken)
        translated = translation.translate(own)
        self._found += translated.findings
        self._policies |= {each.name: each for each in translated.policies}
        self._bindings |= {each.name: each for each in translated.bindings}

    def _policy(self, written: writings.Written) -> None:
        form = self._read(forms.Policy, written)
        if form is None:
            self._unsound.add(written.name)
            return
        policy = documents.policy(form, written.value, written.source)
        self._found += [
            written.unknown(each.fault, each.path)
            for each in policy.all_expressions()
            if each.fault
        ]
        if policy.level and policy.level not in findings.LEVELS:
            hint = f"it is one of {', '.join(findings.LEVELS)}"
            found = written.unknown(f"severity {policy.level!r} is none", ("metadata",), hint)
            self._found.append(replace(found, severity=findings.Severity.WARN))
        if self._is_new(written, self._policies.get(policy.name)):
            self._policies[policy.name] = policy

    def _binding(self, written: writings.Written) -> None:
        form = self._read(forms.Binding, written)
        if form is None:
            return
        binding = documents.binding(form, written.value, written.source)
        if binding.environments == ():
            path = ("metadata", "annotations", documents.ENVIRONMENTS)
            self._found.append(written.unknown(f"{documents.ENVIRONMENTS} names none", path))
        if self._is_new(written, self._bindings.get(binding.name)):
            self._bindings[binding.name] = binding

    def _read(self, form: type[Form], written: writings.Written) -> Form | None:
        try:
            return form.model_validate(written.value)
        except ValidationError as error:
            self._found += [written.unknown(why, where) for where, why in writings.faults(error)]
            return None

    def _is_new(
        self, written: writings.Written, other: documents.Policy | documents.Binding | None
    ) -> bool:
        if other is None:
            return True
        message = f"{written.name} is already in {other.source.place}"
        self._found.append(written.unknown(message, ("metadata", "name"), "rename one of them"))
        return False


def _dangling(
    bindings: Iterable[documents.Binding], known: Iterable[str]
) -> Iterator[findings.Finding]:
    for each in bindings:
        if each.policy not in known:
            message = f"there is no policy {each.policy!r} for this binding"
            yield writings.unknown(each.name, message, each.source, ("spec", "policyName"))


def _unbound(
    policies: Iterable[documents.Policy], bindings: Iterable[documents.Binding]
) -> Iterator[findings.Finding]:
    bound = {each.policy for each in bindings}
    for each in policies:
        if each.name not in bound:
            hint = f"it judges nothing until a {forms.BINDING} does"
            found = writings.unknown(
                each.name, "no binding names this policy", each.source, (), hint
            )
            yield replace(found, severity=findings.Severity.WARN)


def _twice(parameters: Iterable[documents.Parameter]) -> Iterator[findings.Finding]:
    first: dict[tuple[str, ...], documents.Parameter] = {}
    for each in parameters:
        other = first.setdefault((*each.kind, each.namespace, each.name), each)
        if other is not each:
            message = f"{each.kind[1]} {each.name} is already in {other.source.place}"
            hint = "a policy could take either for its parameters; remove one"
            yield writings.unknown("policy", message, each.source, ("metadata", "name"), hint)


def _of_other_engines(others: Iterable[documents.Parameter]) -> Iterator[findings.Finding]:
    for each in others:
        group, kind = each.kind[0].partition("/")[0], each.kind[1]
        if any(group == engine or group.endswith(f".{engine}") for engine in _ENGINES):
            hint = f"write it as {forms.POLICY}, or keep it outside the rules"
            message = f"fleet does not evaluate {each.kind[0]} {kind}"
            yield writings.unknown(each.name or "policy", message, each.source, ("kind",), hint)
