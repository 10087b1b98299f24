"""References to objects, keys and ports that the revision does not have."""

import difflib
from collections.abc import Iterable, Iterator

from fleet.model import findings, objects
from fleet.policy.relations import reading, saying
from fleet.policy.relations.index import Index

_OUTSIDE = "nothing to do if it lives in the cluster outside git"
_CLOSE = 1000  # names that are compared for a hint


def check(index: Index) -> Iterator[findings.Finding]:
    for each in index.manifests:
        wrong = [one for one in index.references(each) if not index.is_sound(one, _is_sound)]
        said: set[tuple[objects.Key, str]] = set()
        for reference in wrong:
            if (reference.target, reference.detail) in said:
                continue
            said.add((reference.target, reference.detail))
            yield _judged(each, reference, index)


def _is_sound(reference: objects.Reference, index: Index) -> bool:
    there = index.objects.get(reference.target)
    if there is None:
        return index.has(reference.target)
    parts = _parts(there) if reference.detail else None
    return parts is None or reference.detail in parts


def _judged(
    manifest: objects.Manifest, reference: objects.Reference, index: Index
) -> findings.Finding:
    """Of a reference that is not sound."""
    target = reference.target
    there = index.objects.get(target)
    if there is None:
        return _missing(manifest, reference, index)
    parts = _parts(there) or frozenset()
    what = "port" if target.kind == "Service" else "key"
    known = ", ".join(sorted(parts)[:10]) or "none"
    return saying.warning(
        "reference",
        manifest,
        f"{target} ({there.source.place}) has no {what} {reference.detail}",
        hint=f"it has {known}",
        field=(*reference.field[:-1], what),
    )


def _missing(
    manifest: objects.Manifest, reference: objects.Reference, index: Index
) -> findings.Finding:
    target = reference.target
    close = difflib.get_close_matches(target.name, _names(index, target), n=1)
    return saying.warning(
        "reference",
        manifest,
        f"{target} is not in this revision",
        hint=f"did you mean {close[0]}? Else {_OUTSIDE}" if close else _OUTSIDE,
        field=reference.field,
    )


def _names(index: Index, target: objects.Key) -> Iterable[str]:
    return index.names(target)[:_CLOSE]


def _parts(target: objects.Manifest) -> frozenset[str] | None:
    """Keys or ports that it has; None where that cannot be told. Of a Secret's values nothing is read."""
    body = reading.body(target)
    match reading.kind_of(target):
        case ("", "ConfigMap"):
            return frozenset({*reading.part(body, "data"), *reading.part(body, "binaryData")})
        case ("", "Secret"):
            return frozenset({*reading.part(body, "data"), *reading.part(body, "stringData")})
        case ("", "Service") if reading.text(body, "spec", "type") != "ExternalName":
            ports = [each for _, each in reading.each(body, "spec", "ports")]
            named = {str(each[f]) for each in ports for f in ("name", "port") if each.get(f)}
            return frozenset(named)
        case _:
            return None
