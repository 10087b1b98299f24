"""The plain subset of YAML, read line by line: what nearly every manifest is written in, several times as fast.

It gives exactly what the exact reader in `parse` gives, or None: whatever it is not sure of, every fault too, is left
to that one. A line means the same wherever it stands, so each different line is understood once.
"""

import collections
import itertools
import operator
import re
from typing import Any, TypeAlias

from fleet.manifests import scalars

MAX_BYTES = 1 << 18  # so small a text cannot go over the exact reader's budget of values
_MAX_DEPTH = 90  # below the exact reader's limit
_MAX_DOCUMENTS = 9_000  # below the exact reader's limit
_MAX_KNOWN = 50_000  # understood lines that are kept
_PRINTABLE = bytes(range(0x20, 0x7F)) + b"\n"

# What a line holds: a key (or only an item) with a value; one whose value is made afresh each time, as a pair of the
# type and what it is made from; a key whose value follows; one whose text follows; nothing; the start of a document.
_SCALAR, _FRESH, _OPENED, _LITERAL, _BLANK, _NEXT = range(6)
_NOWHERE = -1

_KEY = re.compile(r'(?:([A-Za-z0-9_][A-Za-z0-9_./-]{0,200})|"([^"\\]{1,200})"):(?: +|\Z)')
_END = r" *(?: #.*)?\Z"
_DOUBLE = re.compile(r'"([^"\\]*)"' + _END)
_SINGLE = re.compile(r"'([^']*)'" + _END)
_EMPTY = re.compile(r"(\{\}|\[\])" + _END)
_WORD = r'"[^"\\]*"|[A-Za-z0-9_/][A-Za-z0-9_./-]*'
_FLOW = re.compile(rf"\[((?:{_WORD})(?:, *(?:{_WORD}))*)\]" + _END)
_WORDS = re.compile(_WORD)
_LITERALS = {"|": "\n", "|-": ""}
_INDICATORS = frozenset("[]{}&*!|>'\"%@`#,?:")

# What it holds, where, its key ("" = none), its value, and where the mapping begins that its dash opens (0 = none).
# Where: twice the column, and one more in a mapping; so that a sequence and the mapping around it may share a column.
_Line: TypeAlias = tuple[int, int, str, Any, int]
_Found: TypeAlias = list[tuple[Any, int, int]]

_known: dict[str, _Line] = {}


class _Unsure(Exception):  # noqa: N818 - never leaves this module
    pass


def documents(data: bytes) -> _Found | None:
    """(value, line, index) of each document that is not empty; None = ask the exact reader."""
    if len(data) > MAX_BYTES or data.translate(None, _PRINTABLE):
        return None
    try:
        return _documents(data.decode("ascii").split("\n"))
    except (_Unsure, IndexError):
        return None


def _documents(lines: list[str]) -> _Found:  # noqa: C901, PLR0912, PLR0915 - one loop: calls would take most of its time
    """Raises IndexError for a line in a column where nothing is open."""
    found: _Found = []
    index, start = -1, 0
    into: Any = None  # the open mapping or sequence; those around it wait in `outer`
    where = below = _NOWHERE
    outer: list[tuple[Any, int]] = []
    pending = ""  # a key of the open mapping whose value has not begun; then `where` is nowhere and `below` waits
    unread = iter(lines)
    recall = _known.get
    for line in unread:
        holds, at, key, value, opens = recall(line) or _understood(line)
        if at != where:
            if holds >= _BLANK:
                if holds == _NEXT:
                    _end(found, outer, into, pending, start, index)
                    into, where, outer, pending, index = None, _NOWHERE, [], "", index + 1
                continue
            if pending:
                if at > below or at == below - 1:
                    outer.append((into, below))
                    inner: Any = {} if at & 1 else []
                    into[pending] = inner
                    into, where = inner, at
                    if len(outer) > _MAX_DEPTH:
                        raise _Unsure
                else:
                    into[pending], where = None, below
                pending = ""
            elif into is None:
                if at != 1 or index > _MAX_DOCUMENTS:
                    raise _Unsure
                into, where, index = {}, 1, max(index, 0)
                start = len(lines) - operator.length_hint(unread)
            while at != where:
                into, where = outer.pop()
        if opens:
            item: dict[str, Any] = {}
            into.append(item)
            outer.append((into, where))
            into, where = item, opens
        elif not key:
            into.append(value if holds == _SCALAR else value[0](value[1]))
            continue
        elif key in into:
            raise _Unsure
        if holds == _SCALAR:
            into[key] = value
        elif holds == _OPENED:
            pending, below, where = key, where, _NOWHERE
        elif holds == _FRESH:
            into[key] = value[0](value[1])
        else:
            number = len(lines) - operator.length_hint(unread)
            into[key], after = _literal(lines, number, where >> 1, value)
            collections.deque(itertools.islice(unread, after - number), maxlen=0)
    _end(found, outer, into, pending, start, index)
    return found


def _end(
    found: _Found, outer: list[tuple[Any, int]], into: Any, pending: str, start: int, index: int
) -> None:
    if pending:
        into[pending] = None
    if into is not None:
        found.append((outer[0][0] if outer else into, start, index))


def _literal(lines: list[str], number: int, column: int, ending: str) -> tuple[str, int]:
    """The text of a block scalar below a key in this column, and the number of the line after it."""
    start = number
    while number < len(lines) and not lines[number]:
        number += 1
    indent = _indent(lines[number]) if number < len(lines) else 0
    if indent <= column or indent == len(lines[number]):
        raise _Unsure
    while number < len(lines) and (_indent(lines[number]) >= indent or not lines[number].strip()):
        number += 1
    if number == len(lines) and lines[-1]:
        raise _Unsure  # the last line has no end that would belong to the text
    text = "\n".join(each[indent:] for each in lines[start:number])
    return text.rstrip("\n") + ending, number


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _understood(line: str) -> _Line:
    """What a line says by itself. Raises _Unsure for all but the plainest."""
    if len(_known) > _MAX_KNOWN:
        _known.clear()
    found = _known[line] = _read(line)
    return found


def _read(line: str) -> _Line:
    body = line.lstrip(" ")
    column = len(line) - len(body)
    if not body or body[0] == "#":
        return _BLANK, _NOWHERE - 1, "", None, 0
    if line == "---":
        return _NEXT, _NOWHERE - 1, "", None, 0
    if not body.startswith("- "):
        return _keyed(body, 2 * column + 1, 0)
    item = body[1:].lstrip(" ")
    if _KEY.match(item):
        return _keyed(item, 2 * column, 2 * (len(line) - len(item)) + 1)
    if not item:
        raise _Unsure
    holds, value = _value(item)
    return holds, 2 * column, "", value, 0


def _keyed(text: str, at: int, opens: int) -> _Line:
    match = _KEY.match(text)
    if match is None:
        raise _Unsure
    key, rest = match[2] or _plain_key(match[1]), text[match.end() :]
    if not rest or rest[0] == "#":
        return _OPENED, at, key, None, opens
    if rest in _LITERALS:
        return _LITERAL, at, key, _LITERALS[rest], opens
    holds, value = _value(rest)
    return holds, at, key, value, opens


def _plain_key(text: str) -> str:
    try:
        return scalars.key(scalars.resolve(text))
    except ValueError as error:
        raise _Unsure from error


def _value(text: str) -> tuple[int, Any]:
    first = text[0]
    if first not in _INDICATORS:
        return _SCALAR, _plain(text)
    if first in "{[":
        return _FRESH, _flow(text)
    form = {'"': _DOUBLE, "'": _SINGLE}.get(first)
    match = form.match(text) if form else None
    if match is None:
        raise _Unsure
    return _SCALAR, match[1]


def _plain(text: str) -> Any:
    text = text.partition(" #")[0].rstrip(" ")
    if ": " in text or text[-1] == ":" or text == "-" or text.startswith("- "):
        raise _Unsure
    try:
        return scalars.resolve(text)
    except ValueError as error:
        raise _Unsure from error


def _flow(text: str) -> tuple[type, Any]:
    match = _EMPTY.match(text)
    if match is not None:
        return (dict, ()) if match[1] == "{}" else (list, ())
    match = _FLOW.match(text)
    if match is None:
        raise _Unsure
    words = _WORDS.findall(match[1])
    return list, tuple(w[1:-1] if w[0] == '"' else _plain(w) for w in words)
