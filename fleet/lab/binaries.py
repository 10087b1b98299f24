"""The lab's programs, built once from Go modules into the cache folder: before any cluster starts.

A folder of programs is named by the digest of all that it was built from, and appears whole or not at all.
"""

import contextlib
import hashlib
import platform
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fleet.lab import locks, progress, toolchain
from fleet.model import errors

KUBERNETES_VERSION = "v1.36.3"
KUSTOMIZE_VERSION = "v5.7.1"

_BUILD = Path(__file__).parent / "build"
_KWOK = "sigs.k8s.io/kwok"
_FETCHED = re.compile(r"^go: downloading ", re.MULTILINE)
_COMPILED = re.compile(r"^[a-z][\w.\-/]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recipe:
    title: str
    folder: Path  # with go.mod and go.sum
    stamps: tuple[str, ...]  # what the linker writes into the programs

    @property
    def flags(self) -> tuple[str, ...]:
        stamped = " ".join(f"-X {stamp}" for stamp in self.stamps)
        return ("-trimpath", "-ldflags", f"-s -w {stamped}")

    @property
    def digest(self) -> str:
        parts = [(self.folder / name).read_bytes() for name in ("go.mod", "go.sum")]
        built_for = f"{platform.system()} {platform.machine()} {' '.join(self.flags)}"
        return hashlib.sha256(b"\0".join([*parts, built_for.encode()])).hexdigest()[:16]


_MAJOR, _MINOR, _ = KUBERNETES_VERSION.removeprefix("v").split(".")
_KUBERNETES = _Recipe(
    title=f"Kubernetes {KUBERNETES_VERSION}",
    folder=_BUILD,
    stamps=(
        f"k8s.io/component-base/version.gitVersion={KUBERNETES_VERSION}",
        f"k8s.io/component-base/version.gitMajor={_MAJOR}",
        f"k8s.io/component-base/version.gitMinor={_MINOR}",
        f"k8s.io/client-go/pkg/version.gitVersion={KUBERNETES_VERSION}",
    ),
)
_KUSTOMIZE = _Recipe(
    title=f"kustomize {KUSTOMIZE_VERSION}",
    folder=_BUILD / "kustomize",
    stamps=(f"sigs.k8s.io/kustomize/api/provenance.version={KUSTOMIZE_VERSION}",),
)


def ensure(cache: Path, say: progress.Say, *, environment: Mapping[str, str]) -> Path:
    """The folder with kube-apiserver, etcd and the rest, kustomize too, and kwok's `stages/`.

    Raises errors.UnreachableError where what is missing cannot be fetched.
    """
    cache = cache.absolute()
    place = cache / "lab" / f"{_KUBERNETES.digest}-{_KUSTOMIZE.digest}"
    with _once(place, say) as is_missing:
        if is_missing:
            say("builds Kubernetes from Go modules: about six minutes on two cores, only once")
            kustomize = ensure_kustomize(cache, say, environment=environment)
            with _built(_KUBERNETES, place, cache, say, environment) as (out, go):
                (out / "server").rename(out / "etcd")
                shutil.copy2(kustomize, out / "kustomize")
                _copy_stages(out / "stages", go)
    return place


def ensure_kustomize(cache: Path, say: progress.Say, *, environment: Mapping[str, str]) -> Path:
    """The kustomize program alone, for those that need no cluster: seconds instead of minutes."""
    cache = cache.absolute()
    place = cache / "kustomize" / _KUSTOMIZE.digest
    with _once(place, say) as is_missing:
        if is_missing:
            with _built(_KUSTOMIZE, place, cache, say, environment):
                pass
    return place / "kustomize"


@contextlib.contextmanager
def _once(place: Path, say: progress.Say) -> Iterator[bool]:
    """Whether the caller is the one that has to build; others wait here until it has."""
    if place.exists():
        yield False
        return
    lock = place.parent / ".lock"
    with locks.held(lock, lambda: say("another process builds it; waiting for it")):
        yield not place.exists()


@contextlib.contextmanager
def _built(
    recipe: _Recipe,
    place: Path,
    cache: Path,
    say: progress.Say,
    environment: Mapping[str, str],
) -> Iterator[tuple[Path, toolchain.Go]]:
    """The programs in a folder that takes its place when the caller has finished with it."""
    began = time.monotonic()
    for left_over in place.parent.glob(".build-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    go = toolchain.find(cache, say, environment)
    with tempfile.TemporaryDirectory(prefix=".build-", dir=place.parent) as folder:
        out = Path(folder) / "programs"
        out.mkdir()
        total = _fetch_modules(recipe, place.parent, go, say)
        _compile(recipe, out, go, total, say)
        yield out, go
        out.rename(place)
    say(f"{recipe.title} is built, in {progress.duration(time.monotonic() - began)}")


def _fetch_modules(recipe: _Recipe, work: Path, go: toolchain.Go, say: progress.Say) -> int:
    """How many packages there are to compile; listing them fetches every module they need."""
    log = work / "modules.log"
    code = progress.run(
        (str(go.program), "list", "-deps", "tool"),
        folder=recipe.folder,
        environment=go.environment,
        log=log,
        describe=lambda said: f"fetched {len(_FETCHED.findall(said))} Go modules",
        say=say,
    )
    if code != 0:
        raise errors.UnreachableError(
            f"{recipe.title} cannot be built here, its modules cannot be fetched:"
            f" {progress.last_words(log)}",
            hint=toolchain.SIMULATED,
        )
    return len(_COMPILED.findall(log.read_text(errors="replace")))


def _compile(recipe: _Recipe, out: Path, go: toolchain.Go, total: int, say: progress.Say) -> None:
    log = out.parent.parent / "compile.log"
    code = progress.run(
        (str(go.program), "build", "-v", *recipe.flags, "-o", f"{out}/", "tool"),
        folder=recipe.folder,
        environment=go.environment,
        log=log,
        describe=_compiled_of(total),
        say=say,
    )
    if code != 0:
        raise errors.InputError(
            f"{recipe.title} did not build: {progress.last_words(log)}",
            hint=f"the compiler's words are in {log}; {toolchain.SIMULATED}",
        )


def _compiled_of(total: int) -> Callable[[str], str]:
    return lambda said: f"compiled {len(_COMPILED.findall(said))} of {total} packages"


def _copy_stages(target: Path, go: toolchain.Go) -> None:
    """How kwok plays nodes and pods, from its module's own folder."""
    answer = subprocess.run(  # noqa: S603 - the go that just built
        [str(go.program), "list", "-m", "-f", "{{.Dir}}", _KWOK],
        cwd=_BUILD,
        env=dict(go.environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    source = Path(answer.stdout.strip()) / "kustomize" / "stage"
    for stage in source.rglob("*.yaml"):
        if stage.name != "kustomization.yaml" and "testdata" not in stage.parts:
            copy = target / stage.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(stage, copy)
