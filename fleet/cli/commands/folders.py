"""`fleet check PATH... --policies DIR`: manifests from wherever they lie, without a fleet repository."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from fleet.adapters.git import loose, working
from fleet.cli import wiring
from fleet.local import folders, offline
from fleet.model import errors
from fleet.ports import telemetry

_MANIFESTS = (".yaml", ".yml", ".json")
_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_STDIN = Path("-")
_MOST = 64 << 20  # bytes of standard input


async def check(
    paths: Sequence[Path],
    policies: Sequence[Path],
    *,
    here: Path,
    version: str,
    environment: str,
    kustomize: Path | None,
    watched: telemetry.Telemetry,
) -> tuple[offline.Verdict, ...]:
    here = here.resolve()
    rules = await rules_in(policies)
    manifests: dict[str, Path | bytes] = {}
    for path in paths:
        found = await _files(path, here)
        manifests |= _less_rules(found, path.resolve(), rules.values(), policies)
    if not any(name.endswith(_MANIFESTS) for name in manifests):
        raise _nothing(paths, policies)
    source = loose.Loose(here, manifests, rules)
    is_needed = any(name.rpartition("/")[2] in _KUSTOMIZATIONS for name in manifests)
    tools = wiring.judge(source, kustomize, needs_kustomize=is_needed, watched=watched)
    asked = folders.Asked(
        commit=working.TREE, rules=source.rules, version=version, environment=environment
    )
    return await folders.check(asked, tools)


def _nothing(paths: Sequence[Path], policies: Iterable[Path]) -> errors.InputError:
    judging = [each.resolve() for each in policies]
    is_below = any(path.resolve().is_relative_to(each) for path in paths for each in judging)
    hint = "files that --policies names judge and are not judged, unless one is named by itself"
    said = f"there is no manifest in {', '.join(map(str, paths))}"
    return errors.InputError(said, hint=hint if is_below else "")


def _less_rules(
    files: Mapping[str, Path | bytes], asked: Path, rules: Iterable[Path], policies: Iterable[Path]
) -> dict[str, Path | bytes]:
    """What judges is not judged, nor are the examples beside it, unless they were asked for themselves."""
    if asked.is_file():
        return dict(files)
    judging = {each.resolve() for each in rules}
    folders = [each.resolve() for each in policies]
    inner = [each for each in folders if each != asked and each.is_relative_to(asked)]
    return {
        name: file
        for name, file in files.items()
        if isinstance(file, bytes)
        or not (file.resolve() in judging or any(file.resolve().is_relative_to(e) for e in inner))
    }


async def _files(path: Path, here: Path) -> dict[str, Path | bytes]:
    if path == _STDIN:
        return {"stdin.yaml": _stdin()}
    if not path.exists():
        raise errors.InputError(f"there is no {path}")
    listed = await _listed(path)
    has_kustomize = any(each.name in _KUSTOMIZATIONS for each in listed)
    return {
        _shown(each, here): each
        for each in listed
        if path.is_file() or has_kustomize or each.suffix in _MANIFESTS
    }


async def _listed(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return [path / each for each in await working.WorkTree(path).paths()]


def _shown(file: Path, here: Path) -> str:
    found = file.absolute()
    if not found.is_relative_to(here):
        raise errors.InputError(
            f"{file} lies outside of {here}", hint="name one folder, or files below this one"
        )
    return found.relative_to(here).as_posix()


def _stdin() -> bytes:
    data = sys.stdin.buffer.read(_MOST + 1)
    if len(data) > _MOST:
        raise errors.InputError(f"more than {_MOST} bytes on standard input")
    return data


async def rules_in(policies: Iterable[Path]) -> dict[str, Path]:
    """The policies' files; what lies in a folder `tests` are examples."""
    found = {}
    for path in policies:
        if not path.exists():
            raise errors.InputError(f"there is no {path}", hint="--policies DIR")
        for file in await _listed(path):
            inner = file.relative_to(path).parts[:-1] if path.is_dir() else ()
            if file.suffix in _MANIFESTS and "tests" not in inner:
                found[_name(file)] = file
    if not found:
        raise errors.InputError(f"there is no policy in {', '.join(map(str, policies))}")
    return found


def _name(file: Path) -> str:
    """As it was written, if that leads nowhere else."""
    return file.as_posix().removeprefix("./")
