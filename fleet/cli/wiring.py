"""Which adapter stands behind which port, for each of the commands."""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import fleet
from fleet.adapters import clock, forks, schemas
from fleet.adapters.git import fixed, working
from fleet.adapters.store import memo
from fleet.cli import editions, output, settings
from fleet.judge import judging
from fleet.model import errors
from fleet.ports import renderer, repository, telemetry

KUSTOMIZE_VERSION = "v5.7.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateFolder:
    """What a hub keeps on disk. Everything but `memo` and `mirror` must be in a backup."""

    root: Path

    @property
    def key(self) -> Path:
        return self.root / "hub.key"

    @property
    def book(self) -> Path:
        return self.root / "book.sqlite"

    @property
    def memo(self) -> Path:
        return self.root / "memo.sqlite"

    @property
    def mirror(self) -> Path:
        return self.root / "mirror.git"

    @property
    def socket(self) -> Path:
        return self.root / "fleet.sock"

    def make(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """One hub at a time. Raises errors.RefusedError while another one runs."""
        self.make()
        with (self.root / "lock").open("w") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise errors.RefusedError(f"another hub works in {self.root}") from error
            yield


def renderer_of(program: Path | None) -> renderer.Renderer | None:
    """The real kustomize: the one that is named, else our own build of it; None where neither can be had."""
    from fleet.adapters.render import kustomize
    from fleet.lab import binaries

    if program is not None:
        return kustomize.Kustomize(program.resolve(), KUSTOMIZE_VERSION)
    found = settings.read()
    try:
        built = binaries.ensure_kustomize(found.cache, _progress, environment=found.environment)
    except errors.UnreachableError as error:
        said = f"bundles that need kustomize are refused, since there is none: {error}"
        output.fault(errors.UnreachableError(said, hint="name one: --kustomize PATH"))
        return None
    return kustomize.Kustomize(built, KUSTOMIZE_VERSION)


def _progress(text: str) -> None:
    output.console(is_error=True).print(text, style="dim")


def edition() -> str:
    """Of this program: another one's verdicts are not believed, not even those of the same version edited."""
    newest = max(seen.st_mtime_ns for name, seen in editions.files() if name.endswith(".py"))
    return f"{version()}-{newest}"


def version() -> str:
    import importlib.metadata

    return importlib.metadata.version("fleetgate")


def versions() -> dict[str, str]:
    """Of what judges here, with digests: the program's own files by name and bytes, and git."""
    total = hashlib.sha256()
    root = Path(fleet.__file__).parent
    for name, _ in editions.files():
        data = hashlib.sha256(Path(name).read_bytes()).hexdigest()
        total.update(f"{Path(name).relative_to(root).as_posix()} {data}\n".encode())
    return {"fleet": f"{version()} sha256:{total.hexdigest()}", "git": fixed.identity()}


def memo_of_checks() -> memo.Memo:
    """Kept for the next check where that can be: a home that is read-only costs time only."""
    folder = settings.read().cache
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "check.sqlite" if os.access(folder, os.W_OK) else Path(":memory:")
    return memo.Memo(kept, edition=edition())


def checking(
    folder: Path,
    program: Path | None,
    *,
    needs_kustomize: bool,
    watched: telemetry.Telemetry = telemetry.NOBODY,
) -> judging.Tools:
    """The judge over a working tree and its repository."""
    tree = working.WorkTree(folder)
    return judge(tree, program, needs_kustomize=needs_kustomize, watched=watched)


def judge(
    source: repository.Repository,
    program: Path | None,
    *,
    needs_kustomize: bool,
    watched: telemetry.Telemetry = telemetry.NOBODY,
) -> judging.Tools:
    return judging.Tools(
        repository=source,
        schemas=schemas.Packaged(),
        memo=memo_of_checks(),
        kustomize=renderer_of(program) if needs_kustomize or program else None,
        clock=clock.SystemClock(),
        telemetry=watched,
        crew=forks.Forks(),
        near=source if isinstance(source, working.WorkTree) else None,
    )
