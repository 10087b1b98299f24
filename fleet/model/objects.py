"""Kubernetes objects as the repository wants them: who they are, what they say, where they were written."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from fleet.model import findings, json_values, names


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Key:
    """Who an object is inside one cluster. The version is left out: two versions of a kind are one object."""

    group: str  # "" for the core group
    kind: str
    namespace: str  # "" for cluster-scoped objects
    name: str

    def __str__(self) -> str:
        kind = f"{self.kind}.{self.group}" if self.group else self.kind
        return f"{kind} {self.namespace}/{self.name}" if self.namespace else f"{kind} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a document was written, enough to find the line of any of its fields again.

    `blob` and `index` name the document inside its file; `rendered` says that a renderer stood between, so that
    lines point at the document which the object most probably came from.
    """

    path: str
    line: int
    blob: names.BlobId
    index: int = 0
    rendered: bool = False

    @property
    def place(self) -> findings.Place:
        return findings.Place(path=self.path, line=self.line)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """From a field of one object to another one; `detail` is a part that it must have: a key of its data, a port."""

    target: Key
    field: tuple[str, ...]
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One object of one bundle. `body` is the parsed document and is never changed by anyone.

    Of an object that was known before, `body` is read when somebody asks; until then there is a sketch of it, and
    all that it refers to.
    """

    key: Key
    version: str
    body: json_values.JsonObject = field(repr=False, compare=False)
    digest: names.Digest  # of the canonical body
    bundle: names.Bundle
    source: Source
    takeover: bool = False  # live objects that the agent did not create may be taken over
    sketch: json_values.JsonObject | None = field(default=None, repr=False, compare=False)
    read: Callable[[], json_values.JsonObject] | None = field(
        default=None, repr=False, compare=False
    )
    refers: tuple[Reference, ...] | None = field(default=None, repr=False, compare=False)
    piece: str = field(default="", repr=False, compare=False)  # with whose objects it was kept

    def __getattr__(self, name: str) -> Any:
        """Python asks for what is not there: a body that has not been read. It is not held either."""
        if name != "body" or self.read is None:
            raise AttributeError(name)
        return self.read()

    @property
    def api_version(self) -> str:
        return f"{self.key.group}/{self.version}" if self.key.group else self.version


def unread(**known: Any) -> Manifest:
    """A manifest without its body: `read` says where that comes from."""
    found = object.__new__(Manifest)
    for name, value in {"refers": None, "piece": "", **known}.items():
        object.__setattr__(found, name, value)
    return found


def held(manifest: Manifest) -> Manifest:
    """With its body, for whoever asks for it more than once."""
    return manifest if manifest.read is None else replace(manifest, body=manifest.body, read=None)


def key_in(text: str) -> Key:
    """The key that `str` made this text of; kinds hold no dot, namespaces and names no slash."""
    kind, _, name = text.partition(" ")
    kind, _, group = kind.partition(".")
    namespace, _, name = name.rpartition("/")
    return Key(group=group, kind=kind, namespace=namespace, name=name)


def key_of(body: json_values.JsonObject) -> Key:
    """Of a document that has apiVersion, kind and metadata.name."""
    metadata = body["metadata"]
    return Key(
        group=body["apiVersion"].rpartition("/")[0],
        kind=body["kind"],
        namespace=metadata.get("namespace") or "",
        name=metadata["name"],
    )
