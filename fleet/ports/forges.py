"""A forge that shows beside a commit what was found out about it."""

from dataclasses import dataclass, field
from enum import Enum

from fleet.model import names


class Forge(Enum):
    GITHUB = "github"
    GITLAB = "gitlab"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """`base` is that of the API, "" = the public one; `project` is OWNER/NAME, for GitLab a path or a number."""

    forge: Forge
    project: str
    token: str = field(repr=False)
    base: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    commit: names.CommitId
    is_good: bool
    context: str
    description: str
