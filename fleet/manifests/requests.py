"""Kinds of Kubernetes that are asked for or told, and never kept: no cluster can be made to hold one of them.

An Event is kept for an hour, under two groups at once; whoever writes one down wants something else.
"""

_REQUESTS = {
    "": frozenset({"Binding", "ComponentStatus", "DeleteOptions", "Event", "RangeAllocation", "Status"}),
    "admission.k8s.io": frozenset({"AdmissionReview"}),
    "apiextensions.k8s.io": frozenset({"ConversionReview"}),
    "authentication.k8s.io": frozenset({"SelfSubjectReview", "TokenRequest", "TokenReview"}),
    "authorization.k8s.io": frozenset(
        {
            "LocalSubjectAccessReview",
            "SelfSubjectAccessReview",
            "SelfSubjectRulesReview",
            "SubjectAccessReview",
        }
    ),
    "autoscaling": frozenset({"Scale"}),
    "events.k8s.io": frozenset({"Event"}),
    "imagepolicy.k8s.io": frozenset({"ImageReview"}),
    "policy": frozenset({"Eviction"}),
}  # fmt: skip


def is_request(group: str, kind: str) -> bool:
    return kind in _REQUESTS.get(group, frozenset())
