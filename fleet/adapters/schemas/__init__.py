"""JSON Schemas of Kubernetes' own kinds: they come with fleet; versions newer than it with an extra."""

import asyncio
import functools
import hashlib
import importlib.metadata
import importlib.util
import json
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fleet.model import errors

SHIPPED = tuple(f"1.{minor}" for minor in range(25, 38))
FOLDER = Path(__file__).parent / "data"
PACKAGE = "kubernetes_validate"  # what they are made from; fleetgate[all-schemas] brings the versions that came later
_VERSION = re.compile(r"v(1\.\d+)\.\d+-local-strict\Z")


class Packaged:
    """Implements ports.schemas.SchemaSource."""

    def __init__(self, *, folder: Path = FOLDER) -> None:
        self._shipped = {each: folder / f"{each}.zz" for each in SHIPPED}
        self._read: dict[str, Mapping[str, Any]] = {}

    @functools.cached_property
    def identity(self) -> str:
        """By what is in the files: a file that differs gives other verdicts."""
        total = hashlib.sha256()
        for path in self._shipped.values():
            total.update(_bytes(path))
        beside = f" and {PACKAGE} {importlib.metadata.version(PACKAGE)}" if self._extra else ""
        return f"kubernetes {SHIPPED[0]} to {SHIPPED[-1]} {total.hexdigest()}{beside}"

    def versions(self) -> tuple[str, ...]:
        known = {*self._shipped, *self._extra}
        return tuple(sorted(known, key=lambda each: int(each.partition(".")[2])))

    async def definitions(self, version: str) -> Mapping[str, Any] | None:
        if version not in self._read:
            path = self._shipped.get(version) or self._extra.get(version)
            if path is None:
                return None
            self._read[version] = await asyncio.to_thread(_definitions, path)
        return self._read[version]

    @functools.cached_property
    def _extra(self) -> Mapping[str, Path]:
        return {v: path for v, path in installed().items() if v not in self._shipped}


def installed() -> Mapping[str, Path]:
    """The definitions of each version in the package, if it is here; it is not imported."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        return {}
    folder = Path(spec.origin).parent / "kubernetes-json-schema"
    found = ((_VERSION.match(each.name), each) for each in folder.iterdir())
    return {match[1]: each / "_definitions.json" for match, each in found if match}


def _definitions(path: Path) -> Mapping[str, Any]:
    data = _bytes(path)
    try:
        loaded: dict[str, Any] = json.loads(
            zlib.decompress(data) if path.suffix == ".zz" else data
        )
    except (zlib.error, ValueError) as error:
        raise errors.BrokenError(f"{path} is damaged", hint="install fleetgate again") from error
    return loaded["$defs"] if path.suffix == ".json" else loaded


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise errors.BrokenError(f"{path} is missing", hint="install fleetgate again") from error
