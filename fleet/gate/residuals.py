"""Why a path differs from upstream, by content alone: by the forms that it had in accepted releases, here and there.

docs/promotion.md is drawn from the table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum


class Residual(Enum):
    BEHIND = "behind"
    AHEAD = "ahead"
    HOTFIX = "hotfix"
    REVERTED = "reverted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Class:
    """`mend` is filled in with {here} and {upstream}."""

    meaning: str
    mend: str


RESIDUALS: Mapping[Residual, Class] = {
    Residual.BEHIND: Class(
        meaning="upstream has a newer form, which this environment never had",
        mend="fleet promote {upstream} {here}",
    ),
    Residual.AHEAD: Class(
        meaning="upstream has gone back to an older form than this environment has",
        mend="fleet promote {upstream} {here} goes back as well",
    ),
    Residual.HOTFIX: Class(
        meaning="an open hotfix: promotions keep it until upstream has it",
        mend="port it upstream",
    ),
    Residual.REVERTED: Class(
        meaning="this environment had upstream's form, and went back from it",
        mend="fleet promote {upstream} {here}, once its quarantine is lifted",
    ),
    Residual.UNKNOWN: Class(
        meaning="a form that no release of upstream's is known to have had",
        mend="fleet promote {upstream} {here} makes it upstream's",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """The forms of one path; "" = no such file. `own` and `upstream` are those of releases, oldest first."""

    here: str
    above: str
    own: Sequence[str]
    upstream: Sequence[str]
    fixed: str | None = None  # by a hotfix that is open


def classify(path: Path) -> Residual:
    """Of one whose form here is another than upstream's."""
    if path.fixed == path.here:
        return Residual.HOTFIX
    had_it = path.above in path.own
    if path.here not in path.upstream:
        return Residual.REVERTED if had_it and path.here in path.own[:-1] else Residual.UNKNOWN
    if _first(path.here, path) > _first(path.above, path):
        return Residual.AHEAD
    return Residual.REVERTED if had_it else Residual.BEHIND


def _first(form: str, path: Path) -> int:
    """When upstream had it first; one that is not among its releases came after all of them."""
    return path.upstream.index(form) if form in path.upstream else len(path.upstream)
