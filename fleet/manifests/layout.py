"""Which part of the repository a path belongs to, and the ids of those parts.

An id is a digest over the sorted (path, mode, SHA-256 of the bytes) of a part's files, so it holds against any weakness
of git's own hash and against any way in which the commit came about.
"""

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from fleet.model import json_values, names, snapshots

OWNED = ("clusters/{environment}/**", "environments/{environment}/**", "trust/{environment}/**")
_OWNED_FOLDERS = frozenset({"clusters", "environments", "trust"})
_RULES = re.compile(r"(policies|schemas)/.+|fleet\.yaml\Z")
# Test cases of a policy judge nothing: our own, and those beside Kyverno's policies.
_EXAMPLES = re.compile(r"policies/(?:[^/]+/tests|(?:.+/)?\.(?:kyverno|chainsaw)-test)/.+")
_ANY_ENVIRONMENT = r"[a-z0-9][-a-z0-9]*"


class Part(Enum):
    CONTENT = "content"
    RULES = "rules"
    OWNED = "owned"
    INERT = "inert"  # another environment's owned paths


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The reading of one environment's branch. `owned` are patterns as Road.owned has them."""

    environment: names.Environment
    owned: tuple[str, ...]

    def part(self, path: str) -> Part:
        return _part(self, path)

    def is_shared(self, path: str) -> bool:
        return self.part(path) in (Part.CONTENT, Part.RULES)


@functools.lru_cache(maxsize=100_000)
def _part(where: Layout, path: str) -> Part:
    if any(_pattern(each, where.environment).match(path) for each in where.owned):
        return Part.OWNED
    if path.partition("/")[0] in _OWNED_FOLDERS and path.count("/") > 1:
        return Part.INERT
    if any(_pattern(each, None).match(path) for each in where.owned):
        return Part.INERT
    is_rule = _RULES.match(path) is not None and _EXAMPLES.match(path) is None
    return Part.RULES if is_rule else Part.CONTENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Ids:
    content: names.ContentId
    rules: names.RulesId
    owned: names.OwnedId


def ids(snapshot: snapshots.Snapshot, layout: Layout, digests: Mapping[names.BlobId, str]) -> Ids:
    """`digests` are the SHA-256 of the bytes of every blob that is not inert."""
    listed: dict[Part, list[list[str]]] = {part: [] for part in Part}
    for path, entry in sorted(snapshot.entries.items()):
        part = layout.part(path)
        if part is not Part.INERT:
            listed[part].append([path, f"{entry.mode:o}", digests[entry.blob]])
    return Ids(
        content=names.ContentId(json_values.digest(listed[Part.CONTENT])),
        rules=names.RulesId(json_values.digest(listed[Part.RULES])),
        owned=names.OwnedId(json_values.digest(listed[Part.OWNED])),
    )


def differ(one: snapshots.Snapshot, other: snapshots.Snapshot, layout: Layout) -> tuple[str, ...]:
    """The shared paths in which two commits differ."""
    known = other.entries.get
    changed = [
        path
        for path, entry in one.entries.items()
        if (there := known(path)) is None or there.blob != entry.blob or there.mode != entry.mode
    ]
    new = other.entries.keys() - one.entries.keys()
    return tuple(sorted(path for path in (*changed, *new) if layout.is_shared(path)))


@functools.cache
def _pattern(text: str, environment: str | None) -> re.Pattern[str]:
    """A pattern of owned paths; None stands for every environment."""
    parts = re.split(r"(\*\*|\*|\{environment\})", text.rstrip("/"))
    words = {
        "**": ".*",
        "*": "[^/]*",
        "{environment}": re.escape(environment) if environment else _ANY_ENVIRONMENT,
    }
    inner = "".join(words.get(part, re.escape(part)) for part in parts)
    return re.compile(rf"{inner}(/.*)?\Z", re.DOTALL)


def fits(path: str, patterns: Iterable[str]) -> bool:
    """Whether a path is named by one of these, as `apps/web/**` or `apps/*/values.yaml`."""
    return any(_pattern(each, None).match(path) for each in patterns)
