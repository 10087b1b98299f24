"""The order of objects: what others need comes first, and goes last."""

from collections.abc import Iterable

from fleet.model import objects

CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")
_FIRST = frozenset({CRD, ("", "Namespace")})
_LAST_GROUPS = frozenset({"admissionregistration.k8s.io", "apiregistration.k8s.io"})
_GROUND = frozenset(
    {
        ("", "ConfigMap"),
        ("", "LimitRange"),
        ("", "PersistentVolume"),
        ("", "PersistentVolumeClaim"),
        ("", "ResourceQuota"),
        ("", "Secret"),
        ("", "ServiceAccount"),
        ("rbac.authorization.k8s.io", "ClusterRole"),
        ("rbac.authorization.k8s.io", "Role"),
        ("scheduling.k8s.io", "PriorityClass"),
        ("storage.k8s.io", "StorageClass"),
    }
)
# An API server looks at the role before it lets anyone bind it who may not bind everything.
_BINDINGS = frozenset(
    {
        ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
        ("rbac.authorization.k8s.io", "RoleBinding"),
    }
)


def stage(key: objects.Key) -> int:
    """0: Namespaces and CRDs, waited for; 1, 2: what workloads stand on; 3: all else; 4: what could block the rest."""
    kind = (key.group, key.kind)
    if kind in _FIRST:
        return 0
    if key.group in _LAST_GROUPS:
        return 4
    if kind in _GROUND:
        return 1
    return 2 if kind in _BINDINGS else 3


def ordered(keys: Iterable[objects.Key]) -> list[list[objects.Key]]:
    """The keys by stage, without empty stages."""
    found: dict[int, list[objects.Key]] = {}
    for key in sorted(keys):
        found.setdefault(stage(key), []).append(key)
    return [found[each] for each in sorted(found)]


def reverse(keys: Iterable[objects.Key]) -> list[list[objects.Key]]:
    return [list(reversed(each)) for each in reversed(ordered(keys))]
