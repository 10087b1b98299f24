"""Where reports go: `-o FORMAT[=FILE]`, several at once, at most one of them on standard output."""

import contextlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fleet.audit.reports import github, junit, policyreports, results, sarif
from fleet.cli import output
from fleet.model import errors, findings

Writer = Callable[[results.Report], Iterator[str]]

TEXT, JSON = "text", "json"
_WRITERS: Mapping[str, Writer] = {
    "sarif": sarif.write,
    "junit": junit.write,
    "github": github.write,
    "openreports": lambda report: policyreports.write(report, policyreports.OPENREPORTS),
    "policyreport": lambda report: policyreports.write(report, policyreports.WGPOLICY),
}
FORMATS = (TEXT, JSON, *_WRITERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    form: str
    file: Path | None  # None = standard output


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What the formats are made of; those that only the command line has come ready made."""

    report: results.Report
    text: Callable[[output.Sink], None]
    json: Callable[[], object]


def targets(words: Iterable[str]) -> tuple[Target, ...]:
    """Raises errors.InputError before any work is done, for whatever cannot be written in the end."""
    found = [_target(each) for each in words] or [Target(form=TEXT, file=None)]
    places = [each.file and each.file.resolve() for each in found]
    if places.count(None) > 1:
        raise errors.InputError(
            "two formats on standard output", hint="give all but one a file: -o sarif=check.sarif"
        )
    for each in found:
        if places.count(each.file and each.file.resolve()) > 1:
            raise errors.InputError(f"two formats go to {each.file}")
    return tuple(found)


def _target(word: str) -> Target:
    form, equals, file = word.partition("=")
    if form not in FORMATS:
        raise errors.InputError(
            f"there is no format {findings.escaped(form)!r}", hint=f"one of {', '.join(FORMATS)}"
        )
    if equals and not file:
        raise errors.InputError(f"-o {form}= names no file", hint=f"-o {form}=FILE")
    path = Path(file) if equals else None
    if path and (path.is_dir() or not path.parent.is_dir()):
        raise errors.InputError(
            f"cannot write {path}", hint="name a file in a folder that is there"
        )
    return Target(form=form, file=path)


def write(wanted: Iterable[Target], contents: Contents) -> None:
    for each in wanted:
        if each.file is None:
            _write(each.form, contents, output.Sink.standard())
        else:
            with _whole(each.file) as opened:
                _write(each.form, contents, output.Sink(stream=opened))


def _write(form: str, contents: Contents, sink: output.Sink) -> None:
    if form == TEXT:
        contents.text(sink)
    elif form == JSON:
        sink.parts([f"{output.as_text(contents.json())}\n"])
    else:
        sink.parts(_WRITERS[form](contents.report))


@contextlib.contextmanager
def _whole(file: Path) -> Iterator[IO[str]]:
    """A reader meets the last report or this one, never half of it; what is no plain file is written to as it is."""
    if file.exists() and not file.is_file():
        with file.open("w", encoding="utf-8") as opened:
            yield opened
        return
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=file.parent, prefix=f".{file.name}.", delete=False
    ) as fresh:
        beside = Path(fresh.name)
        try:
            yield fresh
        except BaseException:
            beside.unlink()
            raise
    beside.chmod(file.stat().st_mode & 0o777 if file.exists() else 0o644)
    beside.rename(file)
