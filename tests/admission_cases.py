"""The table of `admission.txt`: objects by what is changed of a sound one, with what an API server answers to each.

A case is a line `kind: path = value; ...` and the causes below it, as the server gives them; a case without causes is
accepted, `unreadable` is one that the server refuses before it looks at fields. A cause marked `+` follows from another
one and is the server's alone; one marked `~` has other words in ours. Values that are more than a text or a number, and
very long ones, are left out: the server writes them in the form of its own memory.
"""

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import repositories

TABLE = Path(__file__).parent / "unit" / "manifests" / "admission.txt"
UNREADABLE = "unreadable"
_REMOVED = "<removed>"


@dataclass(frozen=True)
class Case:
    title: str
    body: dict[str, Any]
    answer: tuple[str, ...]  # in order; () = accepted

    @property
    def ours(self) -> list[str]:
        """What we are to say of it."""
        return [each for each in self.answer if not each.startswith("+ ")]

    @property
    def theirs(self) -> list[str]:
        return sorted(each.removeprefix("+ ").removeprefix("~ ") for each in self.answer)

    @property
    def place(self) -> tuple[str, str]:
        return self.body["apiVersion"].rpartition("/")[0], self.body["kind"]


def table() -> list[Case]:
    sound: dict[str, Any] = {}
    head, _, rest = TABLE.read_text().partition("\n=====\n")
    for each in repositories.parsed(head.encode()).documents:
        sound[each.value["kind"]] = each.value
    return [_case(title, answer, sound) for title, answer in _written(rest)]


_NOT_PLAIN = re.compile(r"( value: )(\{.*?\}|\[.*?\]|null)(?=: |$)")
_LONG = re.compile(r'"(.)\1{49,}("|\.\.\.)')
_GENERATED = re.compile(r'"Web-[a-z0-9]{5}"')


def plain(cause: str) -> str:
    """As the table has it."""
    said = _NOT_PLAIN.sub(r"\1...", cause)
    return _GENERATED.sub('"Web-?"', _LONG.sub('"..."', said))


def _written(text: str) -> Iterator[tuple[str, list[str]]]:
    title, answer = "", []
    for line in text.splitlines():
        if line.startswith("    "):
            answer.append(line.strip())
        elif line and not line.startswith("#"):
            if title:
                yield title, answer
            title, answer = line, []
    yield title, answer


def _case(title: str, answer: list[str], sound: dict[str, Any]) -> Case:
    kind, _, changes = title.partition(": ")
    body = copy.deepcopy(sound[kind.split()[0]])
    for change in filter(None, changes.split("; ")):
        path, _, value = change.partition(" = ")
        _change(body, path.split("/"), value)
    return Case(title=title, body=body, answer=tuple(sorted(answer)))


def _change(body: Any, path: list[str], value: str) -> None:
    for step in path[:-1]:
        body = (
            body[int(step)]
            if isinstance(body, list)
            else body.setdefault(step.replace("~", "/"), {})
        )
    last = path[-1].replace("~", "/")
    if value == _REMOVED:
        del body[int(last) if isinstance(body, list) else last]
    elif isinstance(body, list):
        body[int(last) :] = [_value(value)]
    else:
        body[last] = _value(value)


def _value(written: str) -> Any:
    if written.startswith("times "):
        _, count, text = written.split(" ", 2)
        return text * int(count)
    (document,) = repositories.parsed(f"v: {written}\n".encode()).documents
    return document.value["v"]
