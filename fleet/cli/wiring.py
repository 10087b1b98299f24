"""Which adapter stands behind which port, for each of the commands."""

import asyncio
import contextlib
import fcntl
import importlib.metadata
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import fleet
from fleet.adapters import clock, schemas
from fleet.adapters.git import mirror, working
from fleet.adapters.render import kustomize
from fleet.adapters.store import book, memo
from fleet.cli import output, settings
from fleet.hub import judging, loop, state
from fleet.lab import binaries
from fleet.model import errors
from fleet.ports import renderer, telemetry
from fleet.protocol import keys

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


def hub_key(folder: StateFolder) -> keys.SigningKey:
    """The hub's key, made at the first call."""
    folder.make()
    if not folder.key.exists():
        fresh = folder.key.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_bytes(keys.generate().pem())
        with fresh.open("rb") as written:
            os.fsync(written.fileno())
        fresh.rename(folder.key)
    return keys.from_pem(folder.key.read_bytes())


def renderer_of(program: Path | None) -> renderer.Renderer | None:
    """The real kustomize: the one that is named, else our own build of it; None where neither can be had."""
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
    files = Path(fleet.__file__).parent.rglob("*.py")
    newest = max(file.stat().st_mtime_ns for file in files)
    return f"{version()}-{newest}"


def version() -> str:
    return importlib.metadata.version("fleetgate")


def memo_of_checks() -> memo.Memo:
    """Kept for the next check where that can be: a home that is read-only costs time only."""
    folder = settings.read().cache
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "check.sqlite" if os.access(folder, os.W_OK) else Path(":memory:")
    return memo.Memo(kept, edition=edition())


def checking(folder: Path, program: Path | None, *, needs_kustomize: bool) -> judging.Tools:
    """The judge over a working tree and its repository."""
    return judging.Tools(
        repository=working.WorkTree(folder),
        schemas=schemas.Packaged(),
        memo=memo_of_checks(),
        kustomize=renderer_of(program) if needs_kustomize or program else None,
        clock=clock.SystemClock(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HubOptions:
    repo: str
    folder: StateFolder
    access: mirror.Access
    kustomize: Path | None
    hub: state.Settings


@contextlib.asynccontextmanager
async def hub(options: HubOptions, watched: telemetry.Telemetry) -> AsyncIterator[state.Hub]:
    """With its book read, so that it may be asked at once."""
    with options.folder.locked():
        source = mirror.Mirror(options.repo, options.folder.mirror, options.access)
        remembered = memo.Memo(options.folder.memo, edition=edition())
        kept = book.Book(options.folder.book)
        tools = judging.Tools(
            repository=source,
            schemas=schemas.Packaged(),
            memo=remembered,
            kustomize=await asyncio.to_thread(renderer_of, options.kustomize),
            telemetry=watched,
            aside=asyncio.to_thread,
        )
        try:
            made = state.Hub(
                tools=tools,
                repository=source,
                book=kept,
                clock=clock.SystemClock(),
                telemetry=watched,
                key=hub_key(options.folder),
                session=secrets.token_urlsafe(16),
                settings=options.hub,
            )
            await loop.start(made)
            yield made
        finally:
            kept.close()
            remembered.close()
