"""Which other objects an object names, by tables of places."""

from collections.abc import Callable, Iterator, Mapping

from fleet.model import objects
from fleet.policy.relations import reading

_RBAC = "rbac.authorization.k8s.io"
# What every cluster has without anybody's manifest.
_BUILT_IN = frozenset({"cluster-admin", "admin", "edit", "view"})
_EVERYWHERE = frozenset(
    {("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt"), ("Service", "kubernetes")}
)
_SYSTEM = "system:"
_SYSTEM_NAMESPACE = "kube-"


Found = Iterator[objects.Reference]


def of(manifest: objects.Manifest) -> Found:
    """Those to what a cluster does not have by itself, each at its field."""
    rule = _RULES.get(reading.kind_of(manifest))
    found = [*rule(manifest)] if rule else []
    pod = reading.pod(manifest)
    if pod:
        found += _of_pod(*pod, manifest.key.namespace)
    return (each for each in found if not _is_everywhere(each.target))


def _is_everywhere(target: objects.Key) -> bool:
    if target.kind == "ClusterRole":
        return target.name in _BUILT_IN or target.name.startswith(_SYSTEM)
    if target.namespace.startswith(_SYSTEM_NAMESPACE):
        return True
    return (target.kind, target.name) in _EVERYWHERE


def _to(
    kind: str, namespace: str, name: str, field: reading.Path, detail: str = "", group: str = ""
) -> Found:
    if name:
        key = objects.Key(group=group, kind=kind, namespace=namespace, name=name)
        yield objects.Reference(target=key, field=field, detail=detail)


def _of_pod(where: reading.Path, pod: reading.Part, namespace: str) -> Found:
    spec, here = reading.part(pod, "spec"), (*where, "spec")
    account = reading.text(spec, "serviceAccountName") or reading.text(spec, "serviceAccount")
    yield from _to("ServiceAccount", namespace, account, (*here, "serviceAccountName"))
    for path, secret in reading.each(spec, "imagePullSecrets"):
        name = reading.text(secret, "name")
        yield from _to("Secret", namespace, name, (*here, *path, "name"))
    for path, volume in reading.each(spec, "volumes"):
        yield from _of_volume((*here, *path), volume, namespace)
    for part in ("initContainers", "containers"):
        for path, container in reading.each(spec, part):
            yield from _of_container((*here, *path), container, namespace)


# The source of a volume, the field with the name, the kind.
_VOLUMES = (
    ("configMap", "name", "ConfigMap"),
    ("secret", "secretName", "Secret"),
    ("persistentVolumeClaim", "claimName", "PersistentVolumeClaim"),
)
_PROJECTED = (("configMap", "name", "ConfigMap"), ("secret", "name", "Secret"))


def _of_volume(where: reading.Path, volume: reading.Part, namespace: str) -> Found:
    yield from _of_sources(where, volume, namespace, _VOLUMES)
    for path, source in reading.each(volume, "projected", "sources"):
        yield from _of_sources((*where, *path), source, namespace, _PROJECTED)


def _of_sources(
    where: reading.Path,
    written: reading.Part,
    namespace: str,
    table: tuple[tuple[str, str, str], ...],
) -> Found:
    for source, field, kind in table:
        inner = written.get(source)
        if isinstance(inner, Mapping) and inner.get("optional") is not True:
            yield from _to(kind, namespace, reading.text(inner, field), (*where, source, field))


_KEYS = (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret"))
_WHOLE = (("configMapRef", "name", "ConfigMap"), ("secretRef", "name", "Secret"))


def _of_container(where: reading.Path, container: reading.Part, namespace: str) -> Found:
    for path, variable in reading.each(container, "env"):
        source = variable.get("valueFrom")
        for field, kind in _KEYS if isinstance(source, Mapping) else ():
            inner = reading.part(source, field)
            if inner and inner.get("optional") is not True:
                place = (*where, *path, "valueFrom", field, "name")
                name, key = reading.text(inner, "name"), reading.text(inner, "key")
                yield from _to(kind, namespace, name, place, key)
    for path, source in reading.each(container, "envFrom"):
        yield from _of_sources((*where, *path), source, namespace, _WHOLE)


def _of_role_binding(manifest: objects.Manifest) -> Found:
    namespace, body = manifest.key.namespace, reading.body(manifest)
    kind, name = reading.text(body, "roleRef", "kind"), reading.text(body, "roleRef", "name")
    place = ("roleRef", "name")
    if kind == "Role":
        yield from _to("Role", namespace, name, place, group=_RBAC)
    elif kind == "ClusterRole":
        yield from _to("ClusterRole", "", name, place, group=_RBAC)
    for path, subject in reading.each(body, "subjects"):
        if subject.get("kind") == "ServiceAccount":
            account = reading.text(subject, "name")
            there = reading.text(subject, "namespace") or namespace
            if there:
                yield from _to("ServiceAccount", there, account, (*path, "name"))


def _of_ingress(manifest: objects.Manifest) -> Found:
    spec, namespace = reading.part(reading.body(manifest), "spec"), manifest.key.namespace
    yield from _of_backend(
        reading.part(spec, "defaultBackend"), ("spec", "defaultBackend"), namespace
    )
    for path, rule in reading.each(spec, "rules"):
        for inner, one in reading.each(rule, "http", "paths"):
            where = ("spec", *path, *inner, "backend")
            yield from _of_backend(reading.part(one, "backend"), where, namespace)
    if not any(each.startswith("cert-manager.io/") for each in _annotations(manifest)):
        for path, tls in reading.each(spec, "tls"):
            name = reading.text(tls, "secretName")
            yield from _to("Secret", namespace, name, ("spec", *path, "secretName"))


def _annotations(manifest: objects.Manifest) -> reading.Part:
    return reading.part(reading.body(manifest), "metadata", "annotations")


def _of_backend(backend: reading.Part, where: reading.Path, namespace: str) -> Found:
    service = reading.part(backend, "service")
    port = reading.part(service, "port")
    wanted = port.get("name") or port.get("number") or ""
    name = reading.text(service, "name")
    yield from _to("Service", namespace, name, (*where, "service", "name"), str(wanted))


def _of_stateful_set(manifest: objects.Manifest) -> Found:
    name = reading.text(reading.body(manifest), "spec", "serviceName")
    yield from _to("Service", manifest.key.namespace, name, ("spec", "serviceName"))


def _of_autoscaler(manifest: objects.Manifest) -> Found:
    target = reading.part(reading.body(manifest), "spec", "scaleTargetRef")
    kind, name = reading.text(target, "kind"), reading.text(target, "name")
    group = reading.text(target, "apiVersion").rpartition("/")[0]
    place = ("spec", "scaleTargetRef", "name")
    yield from _to(kind, manifest.key.namespace, name, place, group=group)


_RULES: Mapping[tuple[str, str], Callable[[objects.Manifest], Found]] = {
    ("apps", "StatefulSet"): _of_stateful_set,
    ("autoscaling", "HorizontalPodAutoscaler"): _of_autoscaler,
    ("networking.k8s.io", "Ingress"): _of_ingress,
    (_RBAC, "ClusterRoleBinding"): _of_role_binding,
    (_RBAC, "RoleBinding"): _of_role_binding,
}
