"""The repository of a git host while a push is being received: its own objects, and those that are in quarantine.

What git hands to a hook in its environment is taken by name, and only what says where objects lie.
"""

from collections.abc import Mapping
from pathlib import Path

from fleet.adapters.git import programs, scratch
from fleet.model import names
from fleet.ports import repository

_QUARANTINE = (
    "GIT_QUARANTINE_PATH",  # with it git changes no ref
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
)


class Receiving(scratch.Scratch):
    """Implements the reading half of ports.repository.Repository, and ports.repository.Histories."""

    def __init__(self, folder: Path, given: Mapping[str, str]) -> None:
        """`given` is the environment of the hook."""
        found = {name: given[name] for name in _QUARANTINE if given.get(name)}
        super().__init__(programs.Program(folder=folder, environment=found))

    async def fetch(self) -> repository.Tips:
        """As they are before the push; the default is what HEAD names."""
        asked = "--format=%(objectname) %(refname)", "refs/heads/"
        out = await self._git.run("for-each-ref", *asked)
        branches: dict[names.Branch, names.CommitId] = {}
        for line in out.decode("utf-8", "replace").splitlines():
            commit, _, ref = line.partition(" ")
            branches[names.Branch(ref.removeprefix("refs/heads/"))] = names.CommitId(commit)
        code, head = await self._git.answered("symbolic-ref", "--quiet", "--short", "HEAD")
        default = names.Branch(head.decode("utf-8", "replace").strip()) if code == 0 else None
        return repository.Tips(branches=branches, default=default)
