"""Kyverno's PolicyExceptions, old and new: objects that some of its policies do not speak of.

An exception that says more than is evaluated here exempts nothing: policies are rather held against too much.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import Field, ValidationError

from fleet.model import findings, json_values
from fleet.policy import criteria, documents, expressions, forms, writings
from fleet.policy.dialects import drafts, kyverno_filters

_NEW, _OLD = "policies.kyverno.io", "kyverno.io"
_READ = {
    _NEW: frozenset({"policyRefs", "matchConditions", "images", "allowedValues", "reportResult"}),
    _OLD: frozenset({"exceptions", "match", "background"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """One exception, with the titles of the policies that it is for."""

    written: writings.Written
    titles: tuple[str, ...]  # patterns
    kinds: tuple[str, ...]  # of the policies; () = any
    exemption: documents.Exemption = field(repr=False)


class _Terms(forms.Form):
    match_conditions: list[forms.MatchCondition] = Field(default=[])
    images: list[str] = Field(default=[])
    allowed_values: list[str] = Field(default=[])


def read(
    written: Iterable[writings.Written],
) -> tuple[list[Granted], list[findings.Finding]]:
    granted: list[Granted] = []
    found: list[findings.Finding] = []
    for each in written:
        wrong = list(_unread(each))
        if wrong:
            found += wrong
            continue
        try:
            made = _new(each) if each.group == _NEW else _old(each)
        except ValidationError as error:
            found += [each.unknown(why, ("spec", *where)) for where, why in writings.faults(error)]
            continue
        granted.append(made)
        found += [each.unknown(c.fault, c.path) for c in made.exemption.conditions if c.fault]
    return granted, found


def _spec(written: writings.Written) -> Mapping[str, Any]:
    spec = written.value.get("spec")
    return spec if isinstance(spec, Mapping) else {}


def _unread(written: writings.Written) -> Iterator[findings.Finding]:
    hint = "nothing is exempt by it; fleet's own waivers have an end"
    for name in _spec(written):
        if name not in _READ[written.group]:
            yield written.warned(
                f"not evaluated: {name} of a PolicyException", ("spec", name), hint
            )
    needed = "policyRefs" if written.group == _NEW else "exceptions"
    if not isinstance(_spec(written).get(needed), list):
        yield written.unknown(f"it names no policies in {needed}", ("spec",))


def _new(written: writings.Written) -> Granted:
    spec = _spec(written)
    form = _Terms.model_validate(
        {
            "matchConditions": drafts.conditions(spec.get("matchConditions")) or [],
            "images": spec.get("images") or [],
            "allowedValues": spec.get("allowedValues") or [],
        }
    )
    references = [each for each in spec["policyRefs"] if isinstance(each, Mapping)]
    plain = expressions.environment(has_params=False, is_kyverno=True)
    return Granted(
        written=written,
        titles=tuple(str(each.get("name")) for each in references),
        kinds=tuple(str(each["kind"]) for each in references if each.get("kind")),
        exemption=documents.Exemption(
            name=written.name,
            criterion=criteria.ALWAYS,
            conditions=documents.conditions(
                form.match_conditions, ("spec", "matchConditions"), plain
            ),
            images=tuple(form.images),
            values=tuple(form.allowed_values),
        ),
    )


def _old(written: writings.Written) -> Granted:
    spec = _spec(written)
    block = kyverno_filters.Block.model_validate(spec.get("match") or {})
    return Granted(
        written=written,
        titles=tuple(_titles(spec["exceptions"])),
        kinds=("ClusterPolicy", "Policy"),
        exemption=documents.Exemption(
            name=written.name, criterion=kyverno_filters.excepted(block)
        ),
    )


def _titles(listed: Iterable[Any]) -> Iterator[str]:
    for each in listed:
        if isinstance(each, Mapping) and isinstance(each.get("ruleNames"), list):
            policy = str(each.get("policyName")).rpartition("/")[2]
            for name in each["ruleNames"]:
                plain = str(name).removeprefix("autogen-cronjob-").removeprefix("autogen-")
                yield f"{policy}/{plain}"


def applied(
    exceptions: Iterable[Granted], translated: drafts.Translated
) -> tuple[documents.Policy, ...]:
    exceptions = tuple(exceptions)
    return tuple(_exempting(each, exceptions) for each in translated.policies)


def _exempting(policy: documents.Policy, exceptions: tuple[Granted, ...]) -> documents.Policy:
    own = [each for each in exceptions if _is_for(each, policy)]
    if not own:
        return policy
    said = sorted(json_values.digest(each.written.value) for each in own)
    return replace(
        policy,
        exemptions=tuple(each.exemption for each in own),
        digest=json_values.digest([policy.digest, said]),
    )


def _is_for(each: Granted, policy: documents.Policy) -> bool:
    kind = policy.name.partition("/")[0]
    return criteria.is_like(each.titles, policy.title) and (not each.kinds or kind in each.kinds)
