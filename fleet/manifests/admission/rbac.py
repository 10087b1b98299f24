"""Roles and bindings. Source: rbac validation."""

from collections.abc import Iterable, Mapping
from typing import Any

from fleet.manifests.admission import faults, labels, rules, texts
from fleet.manifests.admission.tables import Check, Found, Row, below, row

_GROUP = "rbac.authorization.k8s.io"
_KINDS = ("ServiceAccount", "User", "Group")


def _rule(*, is_namespaced: bool) -> Check:
    def check(written: Mapping[str, Any]) -> Found:
        verbs, urls = written.get("verbs"), written.get("nonResourceURLs")
        if verbs and not urls and written.get("apiGroups") and written.get("resources"):
            return ()
        found = []
        if not verbs:
            found.append(faults.required("verbs must contain at least one value", "verbs"))
        more = _urls(written, is_namespaced=is_namespaced) if urls else _resources(written)
        return [*found, *more]

    return check


def _urls(written: Mapping[str, Any], *, is_namespaced: bool) -> Iterable[faults.Fault]:
    urls = written["nonResourceURLs"]
    if is_namespaced:
        said = "namespaced rules cannot apply to non-resource URLs"
        yield faults.invalid(urls, said, "nonResourceURLs")
    if any(written.get(each) for each in ("apiGroups", "resources", "resourceNames")):
        said = "rules cannot apply to both regular resources and non-resource URLs"
        yield faults.invalid(urls, said, "nonResourceURLs")


def _resources(written: Mapping[str, Any]) -> Iterable[faults.Fault]:
    if not written.get("apiGroups"):
        hint = 'apiGroups: [""] is the core group'
        said = "resource rules must supply at least one api group"
        yield faults.required(said, "apiGroups", hint=hint)
    if not written.get("resources"):
        yield faults.required("resource rules must supply at least one resource", "resources")


def _role_ref(*kinds: str) -> Check:
    def check(written: Mapping[str, Any]) -> Found:
        group, kind, name = (written.get(each) or "" for each in ("apiGroup", "kind", "name"))
        found = []
        if group not in (_GROUP, ""):
            found.append(faults.unsupported(group, (_GROUP,), "apiGroup"))
        if kind not in kinds:
            found.append(faults.unsupported(kind, kinds, "kind"))
        if not name:
            found.append(faults.required("", "name"))
        return [*found, *faults.each_invalid(name, texts.path_segment(name), "name")]

    return check


def _subject(*, is_namespaced: bool) -> Check:
    def check(written: Mapping[str, Any]) -> Found:
        kind, name = written.get("kind") or "", written.get("name") or ""
        found = [] if name else [faults.required("", "name")]
        if kind == "ServiceAccount":
            return [*found, *_account(written, name, is_namespaced=is_namespaced)]
        if kind not in _KINDS:
            return [*found, faults.unsupported(kind, _KINDS, "kind")]
        group = written.get("apiGroup") or _GROUP
        if group != _GROUP:
            found.append(faults.unsupported(group, (_GROUP,), "apiGroup"))
        return found

    return check


def _account(
    written: Mapping[str, Any], name: str, *, is_namespaced: bool
) -> Iterable[faults.Fault]:
    if name:
        yield from faults.each_invalid(name, texts.subdomain(name), "name")
    if written.get("apiGroup"):
        yield faults.unsupported(written["apiGroup"], ("",), "apiGroup")
    if not is_namespaced and not written.get("namespace"):
        yield faults.required("", "namespace")


_SOURCE = "rbac: ValidatePolicyRule"
ROLE: tuple[Row, ...] = (row("rules[]", _rule(is_namespaced=True), _SOURCE),)
CLUSTER_ROLE: tuple[Row, ...] = (
    row("rules[]", _rule(is_namespaced=False), _SOURCE),
    row(
        "aggregationRule",
        rules.filled(
            "clusterRoleSelectors",
            "at least one clusterRoleSelector required if aggregationRule is non-nil",
        ),
        "rbac: ValidateClusterRole",
    ),
    *below("aggregationRule.clusterRoleSelectors[]", labels.SELECTOR),
)
ROLE_BINDING: tuple[Row, ...] = (
    row("roleRef", _role_ref("Role", "ClusterRole"), "rbac: ValidateRoleBinding"),
    row("subjects[]", _subject(is_namespaced=True), "rbac: ValidateRoleBindingSubject"),
)
CLUSTER_ROLE_BINDING: tuple[Row, ...] = (
    row("roleRef", _role_ref("ClusterRole"), "rbac: ValidateClusterRoleBinding"),
    row("subjects[]", _subject(is_namespaced=False), "rbac: ValidateRoleBindingSubject"),
)
