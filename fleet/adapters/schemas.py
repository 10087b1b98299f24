"""Schemas from the kubernetes-validate package's data files, without importing the package."""

import asyncio
import importlib.metadata
import importlib.util
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fleet.model import errors

_PACKAGE = "kubernetes_validate"
_FOLDER = re.compile(r"v(1\.\d+)\.\d+-local-strict\Z")


class Packaged:
    """Implements ports.schemas.SchemaSource."""

    def __init__(self) -> None:
        spec = importlib.util.find_spec(_PACKAGE)
        if spec is None or spec.origin is None:
            raise errors.BrokenError(f"package {_PACKAGE} is missing", hint="make setup")
        folder = Path(spec.origin).parent / "kubernetes-json-schema"
        found = ((_FOLDER.match(each.name), each) for each in folder.iterdir())
        self._folders = {match[1]: each for match, each in found if match}
        self._read: dict[str, Mapping[str, Any]] = {}

    @property
    def identity(self) -> str:
        return f"kubernetes-validate {importlib.metadata.version('kubernetes-validate')}"

    def versions(self) -> tuple[str, ...]:
        return tuple(sorted(self._folders, key=lambda each: int(each.partition(".")[2])))

    async def definitions(self, version: str) -> Mapping[str, Any] | None:
        if version not in self._folders:
            return None
        if version not in self._read:
            path = self._folders[version] / "_definitions.json"
            self._read[version] = (await asyncio.to_thread(_load, path))["$defs"]
        return self._read[version]


def _load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_bytes())
    return loaded
