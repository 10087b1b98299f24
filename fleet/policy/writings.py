"""A rule document as it was written: what it says, where, and how to point at a part of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from fleet.model import findings, objects

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A document, alone in its file's document or at a path inside a List."""

    value: Mapping[str, Any] = field(repr=False)
    path: Path
    source: objects.Source

    @property
    def metadata(self) -> Mapping[str, Any]:
        metadata = self.value.get("metadata")
        return metadata if isinstance(metadata, Mapping) else {}

    @property
    def name(self) -> str:
        name = self.metadata.get("name")
        return findings.escaped(name) if isinstance(name, str) else ""

    @property
    def version(self) -> str:
        version = self.value.get("apiVersion")
        return version if isinstance(version, str) else ""

    @property
    def group(self) -> str:
        return self.version.partition("/")[0]

    @property
    def kind(self) -> str:
        kind = self.value.get("kind")
        return kind if isinstance(kind, str) else ""

    @property
    def annotations(self) -> dict[str, str]:
        """Those that are texts; what else there is can be no word to us."""
        return texts(self.metadata.get("annotations"))

    def unknown(
        self, message: str, path: Path, hint: str = "", rule: str = ""
    ) -> findings.Finding:
        """Something here is not evaluated; that is never a pass."""
        return unknown(
            rule or self.name or "policy", message, self.source, (*self.path, *path), hint
        )

    def warned(self, message: str, path: Path, hint: str = "", rule: str = "") -> findings.Finding:
        """Something here is worth knowing, and denies nothing."""
        found = self.unknown(message, path, hint, rule)
        return replace(found, severity=findings.Severity.WARN)


def texts(value: Any) -> dict[str, str]:
    """The entries of a mapping that are texts; none of anything else."""
    if not isinstance(value, Mapping):
        return {}
    return {key: each for key, each in value.items() if isinstance(each, str)}


def unknown(
    rule: str, message: str, source: objects.Source, path: Path, hint: str = ""
) -> findings.Finding:
    return findings.Finding(
        rule=findings.escaped(rule),
        severity=findings.Severity.UNKNOWN,
        message=findings.escaped(message),
        place=source.place,
        hint=hint,
        field=path,
    )


def faults(error: ValidationError) -> list[tuple[Path, str]]:
    """What a form refuses: where in the form, and why in words."""
    return [(tuple(map(str, each["loc"])), _fault(each)) for each in error.errors()]


def _fault(error: ErrorDetails) -> str:
    where = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        return f"{where} is no field of Kubernetes 1.36"
    said = error["msg"].removeprefix("Value error, ")
    return f"{where}: {said[0].lower()}{said[1:]}" if where else said
