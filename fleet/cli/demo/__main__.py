"""`make demo`: sets up what is missing, tells the story, sums it up, cleans up after itself."""

import asyncio
import contextlib
import logging
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from fleet.cli import output, settings
from fleet.cli.demo import cast, keeping, story
from fleet.model import errors


def main(words: Sequence[str]) -> int:
    try:
        if "--down" in words:
            output.say("ended" if keeping.end() else "no demo was running")
            return 0
        if "--keep" in words and "--simulated" not in words:
            return keeping.tell()
        is_simulated, keep = "--simulated" in words, "--supervise" in words
        return _simulated() if is_simulated else asyncio.run(_real(keep=keep))
    except errors.FleetError as error:
        output.fault(error)
        return 2
    except (KeyboardInterrupt, asyncio.CancelledError):
        output.say("stopped; everything is cleaned up")
        return 130


async def _real(*, keep: bool) -> int:
    from fleet.cli.demo import real
    from fleet.lab import binaries, lab

    began = time.monotonic()
    found = settings.read()
    output.say("fleet: the whole line on four real Kubernetes control planes", "bold")
    built = await asyncio.to_thread(
        binaries.ensure, found.cache, _progress, environment=found.environment
    )
    _end_by(signal.SIGTERM)
    async with _folder() as folder:
        names = [player.name for player in cast.PLAYERS]
        started = time.monotonic()
        async with await lab.up(names, folder / "lab", built, full=True, say=_progress) as running:
            kubeconfigs = {each.name: each.kubeconfig for each in running.running}
            version = running.running[0].version
            took = time.monotonic() - started
            output.say(
                f"{len(names)} control planes of Kubernetes {version} run: {took:.1f} s", "green"
            )
            async with real.staged(
                folder, kubeconfigs, built / "kubectl", found.environment
            ) as stage:
                output.say(f"this world: {stage.kind}")
                figures = await story.tell(stage)
                _sum_up(figures, time.monotonic() - began)
                if keep:
                    await _kept(stage, built / "kubectl")
    return 0


def _end_by(number: signal.Signals) -> None:
    """Like ctrl-C, so that it cleans up."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)


def _simulated() -> int:
    from fleet.cli.demo import simulated
    from fleet.simulation import clock

    logging.disable(
        logging.WARNING
    )  # an agent that is refused before it is registered belongs to the story
    began = time.monotonic()
    output.say(
        "fleet: the whole line, SIMULATED: no real cluster, no real git, time runs as fast as it can",
        "bold",
    )
    asyncio.run(simulated.prepare())
    _sum_up(clock.run(simulated.tell()), time.monotonic() - began)
    output.say(
        "this was simulated; the times above are the simulated world's. For real ones: make demo"
    )
    return 0


def _sum_up(figures: list[tuple[str, float]], took: float) -> None:
    output.say()
    output.say("Summary", "bold")
    output.table(("WHAT", "SECONDS"), ((what, f"{seconds:.2f}") for what, seconds in figures))
    output.say(f"everything held; {took:.0f} s in all", "bold green")


async def _kept(stage: "real.Real", kubectl: Path) -> None:  # type: ignore[name-defined]  # noqa: F821
    """Until somebody ends it."""
    output.say()
    output.say("To try:", "bold")
    for name, path in stage.kubeconfigs.items():
        output.say(f"  {kubectl} --kubeconfig {path} -n hello get all   # {name}")
    fleet = Path(sys.executable).with_name("fleet")
    output.say(f"  {fleet} status --state {stage.state} --watch")
    output.say(f"  {fleet} audit decisions --state {stage.state}")
    output.say(
        f"  cd {stage.clone}   # change something on dev, commit, git push; then {fleet} promote dev staging"
    )
    keeping.silence()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()


@contextlib.asynccontextmanager
async def _folder() -> AsyncIterator[Path]:
    """A folder of its own, gone at the end unless the story failed, so that its logs can be read."""
    folder = Path(tempfile.mkdtemp(prefix="fleet-demo-"))
    try:
        yield folder
    except errors.FleetError:
        output.say(f"logs are kept in {folder}", "yellow")
        raise
    except BaseException:
        _remove(folder)
        raise
    _remove(folder)


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def _progress(text: str) -> None:
    output.say(f"   {text}", "dim")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
