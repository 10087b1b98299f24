"""PersistentVolumeClaims, by themselves and inside other kinds. Source: core ValidatePersistentVolumeClaimSpec."""

from collections.abc import Mapping
from typing import Any

from fleet.manifests.admission import faults, labels, quantities, rules, texts
from fleet.manifests.admission.tables import Found, Row, below, row

_SOURCE = "core: ValidatePersistentVolumeClaimSpec"
_ALONE = "ReadWriteOncePod"
_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", _ALONE)
VOLUME_MODES = ("Block", "Filesystem")


def access_modes(written: list[str]) -> Found:
    found = [
        faults.written_at(faults.unsupported(e, _MODES), p)
        for p, e in enumerate(written)
        if e not in _MODES
    ]
    if _ALONE in written and any(each in _MODES and each != _ALONE for each in written):
        found.append(faults.forbidden("may not use ReadWriteOncePod with other access modes"))
    return found


def _modes_needed(spec: Mapping[str, Any]) -> Found:
    if spec.get("accessModes"):
        return ()
    hint = f"one of {', '.join(_MODES)}"
    return (faults.required("at least 1 access mode is required", "accessModes", hint=hint),)


def _storage(spec: Mapping[str, Any]) -> Found:
    requests = (spec.get("resources") or {}).get("requests") or {}
    asked = requests.get("storage")
    if asked is not None and (quantities.parse(asked) or 0) > 0:
        return ()
    where = ("resources", faults.Key("storage"))
    if asked is None:
        return (faults.required("", *where, hint="spec.resources.requests.storage"),)
    if quantities.parse(asked) is None:
        return faults.below(rules.quantity(asked), "resources", "requests", "storage")
    fault = faults.invalid(quantities.shown(asked), rules.NOT_POSITIVE, *where)
    return (faults.written_at(fault, "resources", "requests", "storage"),)


def _data_source(written: Mapping[str, Any]) -> Found:
    found = list(rules.needs("name", "kind")(written))
    if not written.get("apiGroup") and written.get("kind") not in (
        "PersistentVolumeClaim",
        None,
        "",
    ):
        said = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
        found.append(faults.invalid(written.get("kind"), said))
    return found


SPEC: tuple[Row, ...] = (
    row("", _modes_needed, _SOURCE),
    row("", _storage, _SOURCE),
    row("accessModes", access_modes, _SOURCE),
    *below("selector", labels.SELECTOR),
    row("storageClassName", rules.shaped(texts.subdomain), _SOURCE),
    row("volumeMode", rules.among_or_empty(*VOLUME_MODES), _SOURCE),
    row("dataSourceRef", _data_source, "core: validateDataSourceRef"),
)
