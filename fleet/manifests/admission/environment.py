"""Environment variables and where their values come from. Source: core ValidateEnv, ValidateEnvFrom."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from fleet.manifests.admission import faults, quantities, rules, texts
from fleet.manifests.admission.tables import Check, Found, Row, below, row

_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_SUBSCRIPT = re.compile(r"(.*)\['([^']*)'\]")
_KNOWN = frozenset(
    {
        "metadata.annotations",
        "metadata.labels",
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.serviceAccountName",
        "spec.schedulerName",
        "status.phase",
        "status.hostIP",
        "status.hostIPs",
        "status.podIP",
        "status.podIPs",
        "spec.host",
    }
)
_OF_VARIABLES = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
_OF_FILES = (
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
)
_RESOURCES = tuple(
    f"{side}.{name}"
    for side in ("limits", "requests")
    for name in ("cpu", "ephemeral-storage", "memory")
)
_HUGE = ("requests.hugepages-", "limits.hugepages-")
_CPU_DIVISORS = frozenset({"1m", "1"})
_DIVISORS = frozenset(
    {"1", *(f"1{each}" for each in "kMGTPE"), *(f"1{each}i" for each in "KMGTPE")}
)
_LISTED_DIVISORS = "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei"


def field_path(allowed: tuple[str, ...]) -> Check:
    """A part of the Pod that it may be told itself."""

    def check(written: Mapping[str, Any]) -> Found:
        path = written.get("fieldPath") or ""
        if path in allowed:
            return ()
        if not path:
            return (faults.required("", "fieldPath"),)
        subscripted = _SUBSCRIPT.fullmatch(path)
        if subscripted:
            return _subscript(subscripted[1], subscripted[2])
        if path not in _KNOWN:
            said = f"error converting fieldPath: field label not supported: {path}"
            return (faults.invalid(path, said, "fieldPath"),)
        return (faults.unsupported(path, allowed, "fieldPath"),)

    return check


def _subscript(path: str, key: str) -> Found:
    forms = {"metadata.annotations": texts.caseless_key, "metadata.labels": texts.label_key}
    if path in forms:
        value = key.lower() if path == "metadata.annotations" else key
        return faults.each_invalid(value, forms[path](key))
    if path not in _KNOWN:
        said = f"error converting fieldPath: field label does not support subscript: {path}"
        return (faults.invalid(f"{path}['{key}']", said, "fieldPath"),)
    return (faults.invalid(path, "does not support subscript"),)


def resource_field(written: Mapping[str, Any]) -> Found:
    name = written.get("resource") or ""
    if not name:
        return (faults.required("", "resource"),)
    if name not in _RESOURCES and not name.startswith(_HUGE):
        return (faults.unsupported(name, _RESOURCES, "resource"),)
    return _divisor(name, written.get("divisor"))


def resource_field_of_file(written: Mapping[str, Any]) -> Found:
    if not written.get("containerName"):
        return (faults.required("", "containerName"),)
    return resource_field(written)


def _divisor(name: str, written: object) -> Found:
    if written is None or not quantities.parse(written):
        return ()
    shown = quantities.shown(written)
    if name.endswith(".cpu"):
        said = "only divisor's values 1m and 1 are supported with the cpu resource"
        return () if shown in _CPU_DIVISORS else (faults.invalid(name, said, "divisor"),)
    if shown in _DIVISORS:
        return ()
    word = name.partition(".")[2].partition("-")[0]
    word = {"ephemeral": "local ephemeral storage"}.get(word, word)
    said = f"only divisor's values {_LISTED_DIVISORS} are supported with the {word} resource"
    return (faults.invalid(name, said, "divisor"),)


def _variable(written: Mapping[str, Any]) -> Found:
    source = written.get("valueFrom")
    if source is None:
        return ()
    given = sum(source.get(each) is not None for each in _SOURCES)
    if given == 1 and not written.get("value"):
        return ()
    if not given:
        listed = ", ".join(f"`{each}`" for each in _SOURCES[:4])
        said = f"must specify one of: {listed} or `fileKeyRef`"
    elif written.get("value"):
        said = "may not be specified when `value` is not empty"
    else:
        said = "may not have more than one field specified at a time"
    return (faults.invalid("", said, "valueFrom"),)


def _sources(written: list[Mapping[str, Any]]) -> Found:
    found: list[faults.Fault] | tuple[()] = ()
    for place, each in enumerate(written):
        given = (each.get("configMapRef") is not None) + (each.get("secretRef") is not None)
        if given != 1:
            said = (
                "may not have more than one field specified at a time"
                if given
                else "must specify one of: `configMapRef` or `secretRef`"
            )
            found = [*found, faults.written_at(faults.invalid("", said), place)]
    return found


def _key(written: Mapping[str, Any]) -> Found:
    name, key = written.get("name") or "", written.get("key") or ""
    if key and not texts.config_key(key) and not texts.subdomain(name):
        return ()
    return list(_key_faults(name, key))


def _key_faults(name: str, key: str) -> Iterable[faults.Fault]:
    yield from faults.each_invalid(name, texts.subdomain(name), "name")
    if key:
        yield from faults.each_invalid(key, texts.config_key(key), "key")
    else:
        yield faults.required("", "key")


_REFERENCE: tuple[Row, ...] = (
    row("", rules.needs("name"), "core: validateConfigMapEnvSource, validateSecretEnvSource"),
    row(
        "name",
        rules.shaped(texts.subdomain),
        "core: validateConfigMapEnvSource, validateSecretEnvSource",
    ),
)
_DIVISOR = row("divisor", rules.quantity, "apimachinery: Quantity.UnmarshalJSON")
ROWS: tuple[Row, ...] = (
    row("env[]", rules.needs("name"), "core: ValidateEnv"),
    row("env[].name", rules.shaped(texts.strict_variable), "core: ValidateEnv", until="1.31"),
    row("env[].name", rules.shaped(texts.variable), "core: ValidateEnv", since="1.32"),
    row("env[]", _variable, "core: validateEnvVarValueFrom"),
    *below(
        "env[].valueFrom",
        (
            row("fieldRef", field_path(_OF_VARIABLES), "core: validateObjectFieldSelector"),
            row(
                "resourceFieldRef", resource_field, "core: validateContainerResourceFieldSelector"
            ),
            *below("resourceFieldRef", (_DIVISOR,)),
            row("configMapKeyRef", _key, "core: validateConfigMapKeySelector"),
            row("secretKeyRef", _key, "core: validateSecretKeySelector"),
        ),
    ),
    row("envFrom", _sources, "core: ValidateEnvFrom"),
    row(
        "envFrom[].prefix",
        rules.shaped(texts.strict_variable),
        "core: ValidateEnvFrom",
        until="1.31",
    ),
    row("envFrom[].prefix", rules.shaped(texts.variable), "core: ValidateEnvFrom", since="1.32"),
    *below("envFrom[].configMapRef", _REFERENCE),
    *below("envFrom[].secretRef", _REFERENCE),
)
FILES = field_path(_OF_FILES)
