"""The `params` of a policy: which of the repository's rule documents a binding hands to it."""

from dataclasses import dataclass

from fleet.manifests import scopes
from fleet.model import kinds
from fleet.policy import documents, matching, policies


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The policy holds for each of `values`, none = it does not speak; a `fault` says why nobody knows."""

    values: tuple[documents.Document | None, ...] = ()
    fault: str = ""


_NO_PARAMS = Found(values=(None,))


def find(
    binding: documents.Binding,
    asked: matching.Request,
    judging: policies.PolicySet,
    known: scopes.Scopes,
) -> Found:
    if binding.given is not None:
        return Found(values=(binding.given,))
    kind = judging.policies[binding.policy].param_kind
    reference = binding.form.spec.param_ref
    if kind is None or reference is None:
        return _NO_PARAMS
    namespace = ""
    if _is_namespaced(kind, known):
        namespace = reference.namespace or asked.key.namespace
        if not namespace:
            return Found(
                fault=f"{kind[1]} has a namespace, which neither paramRef nor object names"
            )
    elif reference.namespace:
        return Found(fault=f"paramRef names a namespace, where {kind[1]} has none")
    values = tuple(
        each.value
        for each in judging.parameters
        if each.kind == kind
        and namespace in ("", each.namespace)
        and (reference.selector is None or kinds.selects(reference.selector, dict(each.labels)))
        and reference.name in ("", each.name)
    )
    if not values and reference.parameter_not_found_action == "Deny":
        where = f" in namespace {namespace}" if namespace else ""
        named = f" {reference.name}" if reference.name else " that the selector selects"
        return Found(fault=f"the rules hold no {kind[1]}{named}{where} for its parameters")
    return Found(values=values)


def _is_namespaced(kind: tuple[str, str], known: scopes.Scopes) -> bool:
    """A kind that nobody describes is taken for namespaced, as most are."""
    return known.is_namespaced(kind[0].rpartition("/")[0], kind[1]) is not False
