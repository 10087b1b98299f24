"""What becomes of custom resources that are there when their CRD changes: said of each such release (threat 16).

Its scope, the version that is stored, what converts between versions and whom that asks, versions that are not served
any more: a schema alone does not show any of it, and none of it can be seen in a single object.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fleet.policy.relations import reading

Document = Mapping[str, Any]
CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")
_HINTS = {
    "scope": "an API server refuses that of a kind that has objects: make another kind, or remove this one first",
    "versions": "objects that are stored in it cannot be read any more; store them again in another version first",
    "conversion": "each read of a custom resource may ask it; make sure that it is there before this release",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    message: str
    field: tuple[str, ...]

    @property
    def hint(self) -> str:
        return _HINTS.get(self.field[-1], "look at what stores and reads its objects")


def name(value: Document) -> str:
    return reading.text(value, "metadata", "name")


def between(before: Document, after: Document) -> Iterator[Swap]:
    """What is malformed in either is the schema's finding."""
    yield from _word("scope", _scope(before), _scope(after))
    kind = ("spec", "names", "kind")
    yield from _word("kind", reading.text(before, *kind), reading.text(after, *kind), kind)
    stored, comes = _stored(before), _stored(after)
    yield from _word("stored version", stored, comes, ("spec", "versions"))
    gone = sorted(_served(before) - _served(after))
    if gone:
        said = f"the CRD {name(after)} serves {', '.join(gone)} no longer"
        yield Swap(message=said, field=("spec", "versions"))
    yield from _conversion(before, after)


def _word(
    what: str, before: str, after: str, field: tuple[str, ...] = ("spec", "scope")
) -> Iterator[Swap]:
    if before != after:
        said = f"the {what} of a CRD in force changes from {before or 'none'} to {after or 'none'}"
        yield Swap(message=said, field=field)


def _conversion(before: Document, after: Document) -> Iterator[Swap]:
    was, comes = (_converted(each) for each in (before, after))
    if was != comes:
        words = [reading.text(each, "strategy") or "None" for each in (was, comes)]
        kept = "what its webhook is" if words[0] == words[1] else f"{words[0]} to {words[1]}"
        said = f"the conversion of a CRD in force changes: {kept}"
        yield Swap(message=said, field=("spec", "conversion"))


def _scope(crd: Document) -> str:
    return reading.text(crd, "spec", "scope")


def _stored(crd: Document) -> str:
    listed = [each for _, each in reading.each(crd, "spec", "versions")]
    return ", ".join(str(each.get("name")) for each in listed if each.get("storage") is True)


def _served(crd: Document) -> set[str]:
    listed = [each for _, each in reading.each(crd, "spec", "versions")]
    return {str(each.get("name")) for each in listed if each.get("served") is True}


def _converted(crd: Document) -> dict[str, Any]:
    """The strategy None may be written or not."""
    written = dict(reading.part(crd, "spec", "conversion"))
    return {} if written.get("strategy") == "None" else written
