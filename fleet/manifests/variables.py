"""Substitution in parsed documents: ${name}, ${name:-default}, $$ for a dollar (threat 12).

Only scalars that were parsed as strings change, and they stay strings: no value can add a key, a line or a document.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fleet.model import kinds, names

# Neither part runs over another "${": no text of many openings takes quadratic time.
_FORM = re.compile(r"\$\$|\$\{([^}:$]*)(:-((?:[^}$]|\$(?!\{))*))?\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-/]*\Z")
CLUSTER_PREFIX = "cluster."


@dataclass(slots=True, kw_only=True)
class Substitution:
    """One bundle for one cluster. `used` tells whether another cluster could get something else."""

    values: Mapping[str, str]
    used: set[str] = field(default_factory=set)
    missing: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def document(self, value: Any, where: tuple[str, ...] = ()) -> Any:
        """The document with every variable replaced; what is missing is noted with its place."""
        if isinstance(value, str):
            return _FORM.sub(lambda match: self._replaced(match, where), value)
        if isinstance(value, Mapping):
            return {key: self.document(each, (*where, key)) for key, each in value.items()}
        if isinstance(value, list):
            return [self.document(each, (*where, str(i))) for i, each in enumerate(value)]
        return value

    def _replaced(self, match: re.Match[str], where: tuple[str, ...]) -> str:
        if match[0] == "$$":
            return "$"
        name = match[1]
        self.used.add(name)
        if name in self.values:
            return self.values[name]
        if match[2] is not None:
            return match[3]
        self.missing.append((name if _NAME.match(name) else f"{name} (no name)", where))
        return match[0]


def asked(value: Any) -> Iterator[str]:
    """The names of all variables in a document's texts, whether or not they have a value."""
    if isinstance(value, str):
        yield from (match[1] for match in _FORM.finditer(value) if match[0] != "$$")
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from asked(each)
    elif isinstance(value, list):
        for each in value:
            yield from asked(each)


def of_cluster(environment: names.Environment, cluster: kinds.Cluster) -> dict[str, str]:
    """What every bundle may ask of a cluster, before its own variables."""
    metadata = cluster.metadata
    labels = {f"cluster.labels.{key}": value for key, value in metadata.labels.items()}
    return {"environment": environment, "cluster.name": metadata.name, **labels}
