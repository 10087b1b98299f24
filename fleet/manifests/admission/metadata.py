"""Names, labels, annotations and owners of every object. Source: apimachinery pkg/api/validation/objectmeta.go."""

from collections.abc import Iterable, Mapping
from typing import Any

from fleet.manifests.admission import faults, labels, texts
from fleet.manifests.admission.tables import Check, Found, Row, row

_SOURCE = "apimachinery: ValidateObjectMeta"
_FINALIZERS = frozenset({"kubernetes", "orphan", "foregroundDeletion"})


def _masked(prefix: str) -> str:
    """As a name would begin: a dash at its end will not be the name's end."""
    return f"{prefix[:-2]}a" if len(prefix) > 1 and prefix.endswith("-") else prefix


def _name(form: texts.Form) -> Check:
    def check(metadata: Mapping[str, Any]) -> Found:
        name, prefix = metadata.get("name") or "", metadata.get("generateName") or ""
        problems = form(name) if name else ()
        if not problems and not prefix and name:
            return ()
        found = (
            faults.each_invalid(prefix, form(_masked(prefix)), "generateName") if prefix else []
        )
        if not name and not prefix:
            found.append(faults.required("name or generateName is required", "name"))
        return [*found, *faults.each_invalid(name, problems, "name")]

    return check


def _owners(written: list[Mapping[str, Any]]) -> Found:
    """The API server names the list, not the reference in it."""
    found: list[faults.Fault] = []
    for place, each in enumerate(written):
        for field in ("apiVersion", "kind", "name", "uid"):
            if not each.get(field):
                said = (
                    "version must not be empty" if field == "apiVersion" else "must not be empty"
                )
                fault = faults.invalid(each.get(field) or "", said, field)
                found.append(faults.written_at(fault, place, field))
    leading = [f"{e.get('kind')}/{e.get('name')}" for e in written if e.get("controller")]
    for other in leading[1:]:
        said = (
            "Only one reference can have Controller set to true. "
            f'Found "true" in references for {leading[0]} and {other}'
        )
        found.append(faults.invalid(written, said))
    return found


def _finalizers(written: list[str]) -> Found:
    return [fault for place, each in enumerate(written) for fault in _finalizer(each or "", place)]


def _finalizer(name: str, place: int) -> Iterable[faults.Fault]:
    for each in texts.label_key(name):
        yield faults.written_at(faults.invalid(name, each), place)
    if "/" not in name and name not in _FINALIZERS:
        said = "name is neither a standard finalizer name nor is it fully qualified"
        yield faults.invalid(name, said, place)


def rows(name: texts.Form) -> tuple[Row, ...]:
    """Of an object whose name has this form."""
    return (
        row("metadata", _name(name), _SOURCE),
        row("metadata.labels", labels.labels, "apimachinery: ValidateLabels"),
        row("metadata.annotations", labels.annotations, "apimachinery: ValidateAnnotations"),
        row("metadata.ownerReferences", _owners, "apimachinery: ValidateOwnerReferences"),
        row("metadata.finalizers", _finalizers, "apimachinery: ValidateFinalizerName"),
    )


def untyped(metadata: Mapping[str, Any]) -> list[faults.Fault]:
    """What of an object without a schema for its metadata cannot even be read."""
    found = []
    for field in ("labels", "annotations"):
        written = metadata.get(field)
        if written is None:
            continue
        if not isinstance(written, Mapping):
            found.append(faults.invalid(written, "must be of type object", "metadata", field))
            continue
        for key, value in written.items():
            if value is not None and not isinstance(value, str):
                said = "must be of type string"
                found.append(faults.invalid(value, said, "metadata", field, key))
    return found
