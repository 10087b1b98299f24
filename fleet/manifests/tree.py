"""A commit's listing, judged by names, modes and sizes before any file is read (threats 1-6, 31, 32)."""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fleet.model import findings, snapshots

_MODES = {
    snapshots.SYMLINK: ("a symbolic link", "commit a copy of the file instead"),
    snapshots.SUBMODULE: ("a submodule", "commit the files instead"),
}
# What file systems of Windows and macOS take for ".git".
_GIT_NAMES = frozenset({".git", "git~1", ".gitmodules"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Of one commit; sizes in bytes."""

    files: int = 200_000
    file_size: int = 8 << 20
    total_size: int = 512 << 20
    depth: int = 32
    path_length: int = 1024


def check(snapshot: snapshots.Snapshot, limits: Limits = Limits()) -> tuple[findings.Finding, ...]:
    entries = snapshot.entries
    if len(entries) > limits.files:
        return (_deny("", f"{len(entries)} files; at most {limits.files} are read"),)
    found = [finding for entry in entries.values() for finding in _entry(entry, limits)]
    total = sum(entry.size for entry in entries.values())
    if total > limits.total_size:
        found.append(_deny("", f"{total} bytes; at most {limits.total_size} are read"))
    return (*found, *_twins(entries))


def _entry(entry: snapshots.Entry, limits: Limits) -> Iterator[findings.Finding]:
    fault = _odd(entry.path, limits)
    if fault:
        yield _deny(entry.path, fault, "rename it")
    if entry.mode in _MODES:
        what, hint = _MODES[entry.mode]
        yield _deny(entry.path, f"{what}, which fleet does not follow", hint)
    elif entry.mode not in (snapshots.FILE, snapshots.EXECUTABLE):
        yield _deny(entry.path, f"file mode {entry.mode:o} is unknown")
    if entry.size > limits.file_size:
        yield _deny(entry.path, f"{entry.size} bytes; at most {limits.file_size} are read")


def _odd(path: str, limits: Limits) -> str:
    """What is wrong with a path as a name, in words; "" = nothing."""
    parts = path.split("/")
    if any("\udc80" <= c <= "\udcff" for c in path):
        return "its name is not UTF-8"
    if not path.isprintable():
        return "its name has characters that cannot be seen"
    if "\\" in path or path.startswith("/") or any(part in ("", ".", "..") for part in parts):
        return "its name leads elsewhere"
    if any(part.lower().rstrip(". ") in _GIT_NAMES for part in parts):
        return "its name is one that git keeps for itself"
    if len(parts) > limits.depth or len(path) > limits.path_length:
        return "its path is too long or too deep"
    return ""


def _twins(entries: Mapping[str, snapshots.Entry]) -> Iterator[findings.Finding]:
    """Paths that some file systems cannot tell apart."""
    first: dict[str, str] = {}
    for path in entries:
        folded = unicodedata.normalize("NFC", path).casefold()
        other = first.setdefault(folded, path)
        if other != path:
            yield _deny(
                path, f"equal to {findings.escaped(other)} but for case or accents", "rename one"
            )


def _deny(path: str, message: str, hint: str = "") -> findings.Finding:
    return findings.deny("tree", findings.Place(path=path or "."), message, hint=hint)
