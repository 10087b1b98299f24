"""StorageClasses and PersistentVolumes. Source: storage and core validation."""

from collections.abc import Mapping
from typing import Any

from fleet.manifests.admission import claims, faults, quantities, rules, scheduling, texts, volumes
from fleet.manifests.admission.tables import Found, Row, below, row

_RECLAIM = ("Delete", "Recycle", "Retain")
_PARAMETERS, _PARAMETER_BYTES = 512, 256 << 10
SOURCES = (
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "glusterfs",
    "flocker",
    "nfs",
    "rbd",
    "quobyte",
    "cephfs",
    "iscsi",
    "cinder",
    "fc",
    "flexVolume",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "scaleIO",
    "local",
    "storageos",
    "csi",
)


def _provisioner(written: Mapping[str, Any]) -> Found:
    name = written.get("provisioner") or ""
    if not name:
        return (faults.required("", "provisioner"),)
    return faults.each_invalid(name.lower(), texts.caseless_key(name), "provisioner")


def _parameters(written: Mapping[str, str]) -> Found:
    if len(written) > _PARAMETERS:
        return (faults.too_long(_PARAMETERS),)
    size = sum(texts.bytes_of(k) + texts.bytes_of(v or "") for k, v in written.items())
    found = [faults.too_long(_PARAMETER_BYTES)] if size > _PARAMETER_BYTES else []
    if "" in written:
        found.append(faults.invalid("", "field can not be empty."))
    return found


CLASS: tuple[Row, ...] = (
    row("", _provisioner, "storage: validateProvisioner"),
    row("parameters", _parameters, "storage: validateParameters"),
    row(
        "reclaimPolicy", rules.among_or_empty("Delete", "Retain"), "storage: validateReclaimPolicy"
    ),
    row(
        "volumeBindingMode",
        rules.among("Immediate", "WaitForFirstConsumer"),
        "storage: validateVolumeBindingMode",
    ),
)


def _source(spec: Mapping[str, Any]) -> Found:
    given = [each for each in SOURCES if spec.get(each) is not None]
    if not given:
        return (faults.required("must specify a volume type"),)
    said = "may not specify more than 1 volume type"
    return [faults.forbidden(said, each) for each in given[1:]]


def _capacity(spec: Mapping[str, Any]) -> Found:
    capacity = spec.get("capacity") or {}
    found = [] if capacity else [faults.required("", "capacity")]
    if list(capacity) != ["storage"]:
        found.append(faults.unsupported(dict(capacity), ("storage",), "capacity"))
    for name, value in capacity.items():
        found += faults.below(_positive(value), "capacity", faults.Key(name))
    return found


def _positive(value: object) -> Found:
    amount = quantities.parse(value)
    if amount is None:
        return rules.quantity(value)
    below_zero = []
    if amount < 0:
        said = "must be a valid resource quantity"
        below_zero = [faults.invalid(quantities.whole(amount), said)]
    return [*below_zero, *rules.quantity_positive(value)]


def _local(spec: Mapping[str, Any]) -> Found:
    """A volume of one node says which node that is."""
    found = []
    if spec.get("local") is not None and spec.get("nodeAffinity") is None:
        found.append(faults.required("Local volume requires node affinity", "nodeAffinity"))
    path = (spec.get("hostPath") or {}).get("path") or ""
    if path == "/" and spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        said = "may not be 'recycle' for a hostPath mount of '/'"
        found.append(faults.forbidden(said, "persistentVolumeReclaimPolicy"))
    return found


def _affinity(written: Mapping[str, Any]) -> Found:
    if written.get("required") is not None:
        return ()
    return (faults.required("must specify required node constraints", "required"),)


VOLUME: tuple[Row, ...] = (
    row("spec", rules.filled("accessModes"), "core: ValidatePersistentVolumeSpec"),
    row("spec", _capacity, "core: ValidatePersistentVolumeSpec"),
    row("spec", _source, "core: ValidatePersistentVolumeSpec"),
    row("spec", _local, "core: ValidatePersistentVolumeSpec"),
    row("spec.accessModes", claims.access_modes, "core: ValidatePersistentVolumeSpec"),
    row(
        "spec.persistentVolumeReclaimPolicy",
        rules.among_or_empty(*_RECLAIM),
        "core: ValidatePersistentVolumeSpec",
    ),
    row(
        "spec.storageClassName",
        rules.shaped(texts.subdomain),
        "core: ValidatePersistentVolumeSpec",
    ),
    row(
        "spec.volumeMode",
        rules.among_or_empty(*claims.VOLUME_MODES),
        "core: ValidatePersistentVolumeSpec",
    ),
    row("spec.hostPath", volumes.host_path, "core: validateHostPathVolumeSource"),
    row("spec.nfs", rules.needs("server", "path"), "core: validateNFSVolumeSource"),
    row(
        "spec.csi",
        rules.needs("driver", "volumeHandle"),
        "core: validateCSIPersistentVolumeSource",
    ),
    row("spec.nodeAffinity", _affinity, "core: validateVolumeNodeAffinity"),
    *below("spec.nodeAffinity.required", scheduling.NODES),
)
CLAIM: tuple[Row, ...] = below("spec", claims.SPEC)
