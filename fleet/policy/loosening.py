"""What makes a set of rules looser than another, decided by form and not by proof.

Any change of a policy, a binding or a parameter may let something through. Only added denials cannot: a new policy, a
new binding that denies, and parameters that nothing took before.
"""

from collections.abc import Iterator, Mapping

from fleet.model import findings, names
from fleet.policy import documents, policies

RULE = "loosening"
Digests = Mapping[str, names.Digest]


def told(message: str, place: findings.Place, hint: str) -> findings.Finding:
    """Said and recorded, so that nobody loosens a rule unseen; what is in force still judges this commit."""
    return findings.Finding(
        rule=RULE,
        severity=findings.Severity.AUDIT,
        message=f"{message}: that may let through what is denied today",
        place=place,
        hint=f"what is in force judges this commit too; {hint}",
    )


def loosenings(before: policies.PolicySet, after: policies.PolicySet) -> tuple[str, ...]:
    """Each in words; none = `after` only adds denials."""
    taken = {each.param_kind for each in before.policies.values()}
    return (
        *_gone_or_changed("policy", _policies(before), _policies(after)),
        *_gone_or_changed("binding", _bindings(before), _bindings(after)),
        *_gone_or_changed("parameter", _parameters(before), _parameters(after)),
        *_soft_bindings(before, after),
        *(
            f"parameter {_title(each)} is new to policies that were there"
            for each in after.parameters
            if each.kind in taken and _title(each) not in _parameters(before)
        ),
    )


def _gone_or_changed(what: str, before: Digests, after: Digests) -> Iterator[str]:
    for name, digest in before.items():
        if name not in after:
            yield f"{what} {name} is gone"
        elif after[name] != digest:
            yield f"{what} {name} is changed"


def _soft_bindings(before: policies.PolicySet, after: policies.PolicySet) -> Iterator[str]:
    known = _bindings(before)
    for each in after.bindings:
        if each.name not in known and each.severity is not findings.Severity.DENY:
            yield f"binding {each.name} is new and does not deny"


def _policies(of: policies.PolicySet) -> Digests:
    return {name: each.digest for name, each in of.policies.items()}


def _bindings(of: policies.PolicySet) -> Digests:
    return {each.name: each.digest for each in of.bindings}


def _parameters(of: policies.PolicySet) -> Digests:
    return {_title(each): each.digest for each in of.parameters}


def _title(parameter: documents.Parameter) -> str:
    return f"{parameter.kind[1]} {parameter.namespace}/{parameter.name}"
