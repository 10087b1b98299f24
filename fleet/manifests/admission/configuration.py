"""ConfigMaps and Secrets. No value of a Secret is repeated. Source: core ValidateConfigMap, ValidateSecret."""

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fleet.manifests.admission import faults, texts
from fleet.manifests.admission.tables import Found, Row, row

_LIMIT = 1 << 20
_ACCOUNT = "kubernetes.io/service-account.name"
_REDACTED = "<secret contents redacted>"


def _keys(written: Mapping[str, Any]) -> Found:
    found: list[faults.Fault] | tuple[()] = ()
    for key in written:
        problems = texts.config_key(key)
        if problems:
            found = [*found, *faults.each_invalid(key, problems, faults.Key(key))]
    return found


def _decoded(text: str) -> bytes | None:
    """As Go reads base64: line breaks are no matter, everything else must fit."""
    try:
        return base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError):
        return None


def _encoded(written: Mapping[str, str]) -> Found:
    hint = "stringData takes it as it is"
    return [
        faults.Fault(
            path=(faults.Key(key),),
            reason=faults.Reason.INVALID,
            detail="must be valid base64",
            hint=hint,
        )
        for key, value in written.items()
        if value and _decoded(value) is None
    ]


def _size(value: str | None) -> int:
    return len(_decoded(value or "") or b"")


def _config_map(written: Mapping[str, Any]) -> Found:
    data, binary = written.get("data") or {}, written.get("binaryData") or {}
    said = "duplicate of key present in binaryData"
    found = [faults.invalid(e, said, "data", faults.Key(e)) for e in data if e in binary]
    size = sum(texts.bytes_of(each or "") for each in data.values())
    if size + sum(map(_size, binary.values())) > _LIMIT:
        fault = faults.too_long(_LIMIT, faults.Key(""), hint="a ConfigMap holds 1 MiB at most")
        found.append(faults.written_at(fault, "data" if data else "binaryData"))
    return found


def _secret_data(written: Mapping[str, Any]) -> dict[str, bytes]:
    """With stringData over data, as the API server lays them."""
    data = {key: _decoded(each or "") or b"" for key, each in (written.get("data") or {}).items()}
    plain = written.get("stringData") or {}
    return data | {
        key: (each or "").encode("utf-8", "surrogatepass") for key, each in plain.items()
    }


def _secret(written: Mapping[str, Any]) -> Found:
    data = _secret_data(written)
    found: list[faults.Fault] = []
    for key in written.get("stringData") or {}:
        more = faults.each_invalid(key, texts.config_key(key), "data", faults.Key(key))
        found += [faults.written_at(each, "stringData", key) for each in more]
    if sum(map(len, data.values())) > _LIMIT:
        found.append(faults.too_long(_LIMIT, "data", hint="a Secret holds 1 MiB at most"))
    return [*found, *_typed(written, data)]


def _typed(written: Mapping[str, Any], data: Mapping[str, bytes]) -> Iterable[faults.Fault]:
    rule = _TYPES.get(written.get("type") or "Opaque")
    found = rule(data) if rule else ()
    where = next((each for each in ("stringData", "data") if written.get(each)), "type")
    yield from (faults.written_at(each, where) for each in found)
    if written.get("type") == "kubernetes.io/service-account-token":
        annotations = written["metadata"].get("annotations") or {}
        if not annotations.get(_ACCOUNT):
            yield faults.required("", "metadata", "annotations", faults.Key(_ACCOUNT))


def _all_of(*keys: str) -> Callable[[Mapping[str, bytes]], Found]:
    def rule(data: Mapping[str, bytes]) -> Found:
        return [faults.required("", "data", faults.Key(each)) for each in keys if each not in data]

    return rule


def _some_of(*keys: str) -> Callable[[Mapping[str, bytes]], Found]:
    needed = _all_of(*keys)
    return lambda data: () if any(each in data for each in keys) else needed(data)


def _json_of(key: str) -> Callable[[Mapping[str, bytes]], Found]:
    def rule(data: Mapping[str, bytes]) -> Found:
        if key not in data:
            return (faults.required("", "data", faults.Key(key)),)
        if _is_object(data[key]):
            return ()
        return (faults.invalid(_REDACTED, "must be a JSON object", "data", faults.Key(key)),)

    return rule


def _is_object(data: bytes) -> bool:
    try:
        return isinstance(json.loads(data), (dict, type(None)))
    except (ValueError, RecursionError):
        return False


def _key_needed(data: Mapping[str, bytes]) -> Found:
    key = "ssh-privatekey"
    return () if data.get(key) else (faults.required("", "data", faults.Key(key)),)


_TYPES: Mapping[str, Callable[[Mapping[str, bytes]], Found]] = {
    "kubernetes.io/basic-auth": _some_of("username", "password"),
    "kubernetes.io/dockercfg": _json_of(".dockercfg"),
    "kubernetes.io/dockerconfigjson": _json_of(".dockerconfigjson"),
    "kubernetes.io/ssh-auth": _key_needed,
    "kubernetes.io/tls": _all_of("tls.crt", "tls.key"),
}
CONFIG_MAP: tuple[Row, ...] = (
    row("", _config_map, "core: ValidateConfigMap"),
    row("data", _keys, "core: ValidateConfigMap"),
    row("binaryData", _keys, "core: ValidateConfigMap"),
    row("binaryData", _encoded, "encoding/base64, as the document is read"),
)
SECRET: tuple[Row, ...] = (
    row("", _secret, "core: ValidateSecret"),
    row("data", _keys, "core: ValidateSecret"),
    row("data", _encoded, "encoding/base64, as the document is read"),
)
