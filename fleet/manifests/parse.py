"""YAML and JSON texts as values, exactly as Kubernetes reads them: the only door to the YAML library.

Values are shared where the text uses an alias, so nobody changes them. Positions are not kept: `locate` reads the text
again when a finding asks for one, and thousands of files without findings pay nothing.
"""

import functools
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from fleet.manifests import lines, scalars
from fleet.model import findings, json_values, names

MAX_DEPTH = 100
MAX_NODES = 1_000_000  # of one file, aliases counted as often as they are used
_PER_NODE = 100  # characters of a text that count as one more value: long texts can be repeated by aliases too
MAX_DOCUMENTS = 10_000

_MERGE = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document of a file. `index` counts from 0 and counts empty documents too."""

    value: Any = field(repr=False)
    line: int
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    path: str
    blob: names.BlobId
    documents: tuple[Document, ...]  # without empty ones
    findings: tuple[findings.Finding, ...]
    is_plain: bool = False  # read again as fast as anything that is kept


class _Refused(Exception):  # noqa: N818 - becomes a finding before anyone sees it
    def __init__(self, message: str, mark: Any, hint: str = "") -> None:
        super().__init__(message)
        self.mark, self.hint = mark, hint


def documents(data: bytes, path: str, blob: names.BlobId) -> Parsed:
    """All documents of a text, or the finding that says where it stops being one."""
    if path.endswith(".json"):
        return _json(data, path, blob)
    plain = lines.documents(data)
    if plain is None:
        return exact(data, path, blob)
    found = tuple(Document(value=v, line=line, index=index) for v, line, index in plain)
    return Parsed(path=path, blob=blob, documents=found, findings=(), is_plain=True)


def exact(data: bytes, path: str, blob: names.BlobId) -> Parsed:
    """YAML by the YAML library: the authority, which `lines` spares the plainest texts."""
    found: list[Document] = []
    try:
        found.extend(_Builder(data).documents())
    except (_Refused, yaml.YAMLError, UnicodeDecodeError) as error:
        return Parsed(path=path, blob=blob, documents=(), findings=(_finding(error, path),))
    return Parsed(path=path, blob=blob, documents=tuple(found), findings=())


def kept(parsed: Parsed, most: int) -> bytes | None:
    """The documents as bytes for `restored`; None for what has findings, is plain or takes more than `most` bytes."""
    if parsed.findings or parsed.is_plain:
        return None
    listed = [[each.line, each.index, each.value] for each in parsed.documents]
    data = json_values.encode(listed)
    return data if len(data) <= most else None


def restored(data: bytes, path: str, blob: names.BlobId) -> Parsed:
    """What `kept` was given, without reading the text again."""
    documents = tuple(
        Document(value=value, line=line, index=index)
        for line, index, value in json_values.decode(data)
    )
    return Parsed(path=path, blob=blob, documents=documents, findings=())


def locate(data: bytes, path: str, line: int, where: Sequence[str]) -> findings.Place:
    """The place of a field of the document that begins in `line`: of its value, or of the nearest parent there."""
    node = _composed(data).get(line)
    if node is None:
        return findings.Place(path=path, line=line)
    for step in where:
        inner = _step(node, step)
        if inner is None:
            break
        node = inner
    return _place(path, node.start_mark)


@functools.lru_cache(maxsize=64)
def _composed(data: bytes) -> dict[int, Any]:
    """Node trees by the line that a document begins in. Only texts that `documents` has accepted come here, so depth
    and size are bounded.
    """
    try:
        found = yaml.compose_all(data.replace(b"\t", b" "), Loader=yaml.CSafeLoader)
        return {node.start_mark.line + 1: node for node in found}
    except yaml.YAMLError:
        return {}


def _step(node: Any, step: str) -> Any:
    if isinstance(node, yaml.SequenceNode):
        place = int(step) if step.isdigit() else -1
        return node.value[place] if 0 <= place < len(node.value) else None
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    return None


def _json(data: bytes, path: str, blob: names.BlobId) -> Parsed:
    try:
        value = json_values.decode(data)
        if _is_deep(value, MAX_DEPTH):
            raise ValueError(f"nested deeper than {MAX_DEPTH}")
    except (ValueError, RecursionError) as error:
        found = _json_fault(error, data, path)
        return Parsed(path=path, blob=blob, documents=(), findings=(found,))
    line = data[: len(data) - len(data.lstrip())].count(b"\n") + 1
    document = Document(value=value, line=line, index=0)
    return Parsed(path=path, blob=blob, documents=(document,), findings=())


def _is_deep(value: Any, depth: int) -> bool:
    if not isinstance(value, (dict, list)):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return depth == 0 or any(_is_deep(each, depth - 1) for each in inner)


def _json_fault(error: Exception, data: bytes, path: str) -> findings.Finding:
    """JSON is YAML as well: our own builder knows the lines of what the JSON library only names."""
    if not hasattr(error, "lineno"):
        try:
            deque(_Builder(data).documents(), maxlen=0)
        except _Refused as refused:
            return _finding(refused, path)
        except (yaml.YAMLError, UnicodeDecodeError):
            pass  # then the JSON library has the better words
    place = findings.Place(path=path, line=getattr(error, "lineno", 0))
    return findings.deny("json", place, f"not JSON: {getattr(error, 'msg', error)}")


def _finding(error: Exception, path: str) -> findings.Finding:
    if isinstance(error, _Refused):
        return findings.deny("yaml", _place(path, error.mark), str(error), hint=error.hint)
    if isinstance(error, yaml.MarkedYAMLError):
        place = _place(path, error.problem_mark or error.context_mark)
        return findings.deny("yaml", place, str(error.problem or error.context))
    if isinstance(error, UnicodeDecodeError):
        return findings.deny("yaml", findings.Place(path=path), "not UTF-8 text")
    return findings.deny("yaml", findings.Place(path=path), str(error).partition("\n")[0])


def _place(path: str, mark: Any) -> findings.Place:
    if mark is None:
        return findings.Place(path=path)
    return findings.Place(path=path, line=mark.line + 1, column=mark.column + 1)


class _Builder:
    """Values from the C parser's events, within a budget that an alias cannot get around (threat 7)."""

    def __init__(self, data: bytes) -> None:
        self._events: Iterator[Any] = yaml.parse(data, Loader=yaml.CSafeLoader)
        self._anchors: dict[str, tuple[Any, int, int]] = {}  # value, its nodes, its height
        self._nodes = 0
        self._deepest = 0

    def documents(self) -> Iterator[Document]:
        index = -1
        for event in self._events:
            if not isinstance(event, yaml.DocumentStartEvent):
                continue
            index += 1
            if index >= MAX_DOCUMENTS:
                raise _Refused(f"more than {MAX_DOCUMENTS} documents in a file", event.start_mark)
            self._anchors.clear()
            first = next(self._events)
            value = self._value(first, 0)
            if value is not None:
                yield Document(value=value, line=first.start_mark.line + 1, index=index)

    def _value(self, event: Any, depth: int) -> Any:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        if event.anchor is None:
            return self._fresh(event, depth)
        nodes, deepest = self._nodes, self._deepest
        self._deepest = depth
        value = self._fresh(event, depth)
        self._anchors[event.anchor] = value, self._nodes - nodes, self._deepest - depth
        self._deepest = max(self._deepest, deepest)
        return value

    def _fresh(self, event: Any, depth: int) -> Any:
        if isinstance(event, yaml.ScalarEvent):
            self._spend(1 + len(event.value) // _PER_NODE, event)
            return self._scalar(event)
        self._spend(1, event)
        self._descend(depth + 1, event)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(event, depth + 1)
        return self._sequence(depth + 1)

    def _descend(self, depth: int, event: Any) -> None:
        if depth > MAX_DEPTH:
            raise _Refused(f"nested deeper than {MAX_DEPTH}", event.start_mark)
        self._deepest = max(self._deepest, depth)

    def _spend(self, nodes: int, event: Any) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise _Refused(f"more than {MAX_NODES} values, aliases expanded", event.start_mark)

    def _alias(self, event: Any, depth: int) -> Any:
        if event.anchor not in self._anchors:
            raise _Refused(f"alias *{event.anchor} has no anchor before it", event.start_mark)
        value, nodes, height = self._anchors[event.anchor]
        self._spend(nodes, event)
        self._descend(depth + height, event)
        return value

    def _scalar(self, event: Any) -> Any:
        try:
            if event.tag is None:
                return scalars.resolve(event.value) if event.implicit[0] else event.value
            return event.value if event.tag == "!" else scalars.tagged(event.tag, event.value)
        except ValueError as error:
            raise _Refused(str(error), event.start_mark) from error

    def _sequence(self, depth: int) -> list[Any]:
        found = []
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            found.append(self._value(event, depth))
        return found

    def _mapping(self, start: Any, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        first: dict[str, int] = {}
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._key(event, depth)
            value = self._value(next(self._events), depth)
            if key is _MERGE:
                found |= _merged(value, start)
            elif key in first:
                raise _duplicate(key, first[key], event.start_mark)
            else:
                found[key], first[key] = value, event.start_mark.line + 1
        return found

    def _key(self, event: Any, depth: int) -> Any:
        if isinstance(event, yaml.ScalarEvent) and event.value == "<<" and event.implicit[0]:
            return _MERGE
        try:
            return scalars.key(self._value(event, depth))
        except ValueError as error:
            raise _Refused(str(error), event.start_mark) from error


def _duplicate(key: str, line: int, mark: Any) -> _Refused:
    message = f'key "{findings.escaped(key)}" is here again: first in line {line}'
    return _Refused(message, mark, "remove one of them; Kubernetes would take the last silently")


def _merged(value: Any, start: Any) -> dict[str, Any]:
    """What a merge key brings. As in Kubernetes it replaces what stands before it; what stands after it wins."""
    found: dict[str, Any] = {}
    for source in value if isinstance(value, list) else [value]:
        if not isinstance(source, Mapping):
            raise _Refused("only mappings can be merged", start.start_mark)
        found = {**source, **found}
    return found
