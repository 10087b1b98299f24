"""Programs that turn a folder into manifests: kustomize, later helm."""

from collections.abc import Mapping
from typing import Protocol

from fleet.model import findings


class Renderer(Protocol):
    @property
    def identity(self) -> str:
        """Program, version and digest, as "kustomize v5.7.1 sha256:..."; goes into the decision."""

    async def render(
        self, files: Mapping[str, bytes], folder: str
    ) -> bytes | tuple[findings.Finding, ...]:
        """The YAML stream that the program prints for `folder` of an export that holds `files` (by path) alone."""
