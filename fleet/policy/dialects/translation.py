"""All documents of other engines at once: a constraint needs its template, an exception its policy."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from fleet.model import findings
from fleet.policy import documents, writings
from fleet.policy.dialects import (
    drafts,
    gatekeeper,
    kyverno_exceptions,
    kyverno_policies,
    kyverno_rules,
)

_RULES, _POLICIES = "kyverno.io", "policies.kyverno.io"
_TEMPLATES, _CONSTRAINTS = "templates.gatekeeper.sh", "constraints.gatekeeper.sh"
# Their tests, which judge nothing.
_TESTS = frozenset({"cli.kyverno.io", "chainsaw.kyverno.io", "test.gatekeeper.sh"})
_TRANSLATORS: dict[tuple[str, str], Callable[[writings.Written], drafts.Translated]] = {
    (_RULES, "ClusterPolicy"): kyverno_rules.translate,
    (_RULES, "Policy"): kyverno_rules.translate,
    (_POLICIES, "ValidatingPolicy"): kyverno_policies.translate,
    (_POLICIES, "NamespacedValidatingPolicy"): kyverno_policies.translate,
}
# What denies nothing, by its group and the last word of its kind: it is pointed out, and refuses nothing.
_NOT_DENYING = (
    (_POLICIES, "MutatingPolicy"),
    (_POLICIES, "GeneratingPolicy"),
    (_POLICIES, "DeletingPolicy"),
    (_RULES, "CleanupPolicy"),
    (_RULES, "GlobalContextEntry"),
    ("mutations.gatekeeper.sh", ""),
    ("syncset.gatekeeper.sh", ""),
)


def translate(written: Iterable[writings.Written]) -> drafts.Translated:
    listed = [each for each in written if each.group not in _TESTS]
    made = drafts.merged(
        _TRANSLATORS[each.group, each.kind](each)
        for each in listed
        if (each.group, each.kind) in _TRANSLATORS
    )
    exceptions = [each for each in listed if _is_exception(each)]
    granted, refused = kyverno_exceptions.read(exceptions)
    made = replace(made, policies=kyverno_exceptions.applied(granted, made))
    constrained = gatekeeper.translate(
        [each for each in listed if _is_template(each)],
        [each for each in listed if each.group == _CONSTRAINTS],
    )
    others = tuple(_unknown(each) for each in listed if not _is_read(each))
    whole = drafts.merged([made, constrained, drafts.Translated(findings=(*refused, *others))])
    return _once(whole)


def _is_exception(written: writings.Written) -> bool:
    return written.group in (_RULES, _POLICIES) and written.kind == "PolicyException"


def _is_template(written: writings.Written) -> bool:
    return (written.group, written.kind) == (_TEMPLATES, "ConstraintTemplate")


def _is_read(written: writings.Written) -> bool:
    return (
        (written.group, written.kind) in _TRANSLATORS
        or _is_exception(written)
        or _is_template(written)
        or written.group == _CONSTRAINTS
    )


def _unknown(written: writings.Written) -> findings.Finding:
    message = f"not evaluated: {written.version} {written.kind} {written.name}".rstrip()
    for group, kind in _NOT_DENYING:
        if written.group == group and written.kind.endswith(kind):
            hint = "it denies nothing; objects are judged as they are written"
            return written.warned(message, ("kind",), hint)
    hint = "write it as a policy in CEL, or keep it outside the rules"
    return written.unknown(message, ("kind",), hint)


def _once(whole: drafts.Translated) -> drafts.Translated:
    """Two of one name could not be told apart: the first counts, the other is refused."""
    policies = {each.name: each for each in reversed(whole.policies)}
    bindings = {each.name: each for each in reversed(whole.bindings)}
    return drafts.Translated(
        policies=tuple(reversed(policies.values())),
        bindings=tuple(reversed(bindings.values())),
        findings=(*whole.findings, *_twice(whole)),
    )


def _twice(whole: drafts.Translated) -> Iterator[findings.Finding]:
    first: dict[str, documents.Policy] = {}
    for each in whole.policies:
        other = first.setdefault(each.name, each)
        if other is not each:
            message = f"{each.title} is already in {other.source.place}"
            hint = "rename one of them"
            yield writings.unknown(each.title, message, each.source, ("metadata", "name"), hint)
