"""The authorizer: typed as Kubernetes types it, and asked in vain, since nobody's rights are known before a cluster is.

Source: k8s.io/apiserver pkg/cel/library/authz.go. Every answer is an error, which `||` and `&&` absorb as any other.
"""

from typing import Any, NoReturn

from fleet.cel import types, values
from fleet.cel.faults import EvaluationError
from fleet.cel.overloads import method

_PATH = types.Type("kubernetes.authorization.PathCheck")
_GROUP = types.Type("kubernetes.authorization.GroupCheck")
_RESOURCE = types.Type("kubernetes.authorization.ResourceCheck")
_DECISION = types.Type("kubernetes.authorization.Decision")
AUTHORIZER = types.object_of("kubernetes.authorization.Authorizer", {"requestResource": _RESOURCE})
NOBODY = values.Unknown(
    AUTHORIZER.name, "the authorizer is not evaluable here: no cluster is asked"
)


def _unanswered(*_: Any) -> NoReturn:
    raise EvaluationError(NOBODY.reason)


_S = types.STRING
_SIGNATURES = (
    ("path", (AUTHORIZER, _S), _PATH),
    ("group", (AUTHORIZER, _S), _GROUP),
    ("serviceAccount", (AUTHORIZER, _S, _S), AUTHORIZER),
    ("resource", (_GROUP, _S), _RESOURCE),
    ("subresource", (_RESOURCE, _S), _RESOURCE),
    ("namespace", (_RESOURCE, _S), _RESOURCE),
    ("name", (_RESOURCE, _S), _RESOURCE),
    ("check", (_PATH, _S), _DECISION),
    ("check", (_RESOURCE, _S), _DECISION),
    ("errored", (_DECISION,), types.BOOL),
    ("error", (_DECISION,), _S),
    ("allowed", (_DECISION,), types.BOOL),
    ("reason", (_DECISION,), _S),
)
_SELECTORS = (
    ("fieldSelector", (_RESOURCE, _S), _RESOURCE),
    ("labelSelector", (_RESOURCE, _S), _RESOURCE),
)

SELECTORS = tuple(method(name, given, made, _unanswered) for name, given, made in _SELECTORS)
OVERLOADS = (
    *(method(name, given, made, _unanswered) for name, given, made in _SIGNATURES),
    *SELECTORS,
)
