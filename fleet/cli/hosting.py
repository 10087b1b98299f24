"""The hub put together: which adapter stands behind which of its ports."""

import asyncio
import contextlib
import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from fleet.adapters import clock, schemas
from fleet.adapters.git import mirror
from fleet.adapters.http import prometheus
from fleet.adapters.store import book, memo
from fleet.cli import wiring
from fleet.hub import loop, state
from fleet.judge import judging
from fleet.ports import telemetry
from fleet.protocol import keys


def hub_key(folder: wiring.StateFolder) -> keys.SigningKey:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class HubOptions:
    repo: str
    folder: wiring.StateFolder
    access: mirror.Access
    kustomize: Path | None
    hub: state.Settings


@contextlib.asynccontextmanager
async def hub(options: HubOptions, watched: telemetry.Telemetry) -> AsyncIterator[state.Hub]:
    """With its book read, so that it may be asked at once."""
    with options.folder.locked():
        source = mirror.Mirror(options.repo, options.folder.mirror, options.access)
        remembered = memo.Memo(options.folder.memo, edition=wiring.edition())
        kept = book.Book(options.folder.book)
        tools = judging.Tools(
            repository=source,
            schemas=schemas.Packaged(),
            memo=remembered,
            kustomize=await asyncio.to_thread(wiring.renderer_of, options.kustomize),
            telemetry=watched,
            aside=asyncio.to_thread,
            versions=await asyncio.to_thread(wiring.versions),
        )
        asked = prometheus.Prometheus()
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
                metrics=asked,
            )
            await loop.start(made)
            yield made
        finally:
            await asked.close()
            kept.close()
            remembered.close()
