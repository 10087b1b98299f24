"""All functions of the language, by name: what the checker chooses from and the evaluator calls."""

from collections.abc import Iterable, Mapping

from fleet.cel.library import (
    authorizer,
    conversions,
    formats,
    images,
    lists,
    networks,
    operators,
    optionals,
    quantities,
    regexes,
    specified,
    strings,
    times,
    urls,
    versions,
)
from fleet.cel.overloads import Overload


def _by_name(rows: Iterable[Overload]) -> Mapping[str, tuple[Overload, ...]]:
    found: dict[str, tuple[Overload, ...]] = {}
    for row in rows:
        found[row.name] = (*found.get(row.name, ()), row)
    return found


OVERLOADS: Mapping[str, tuple[Overload, ...]] = _by_name(
    (
        *operators.OVERLOADS,
        *conversions.OVERLOADS,
        *times.OVERLOADS,
        *strings.OVERLOADS,
        *lists.OVERLOADS,
        *optionals.OVERLOADS,
        *regexes.OVERLOADS,
        *urls.OVERLOADS,
        *quantities.OVERLOADS,
        *networks.OVERLOADS,
        *formats.OVERLOADS,
        *versions.OVERLOADS,
        *authorizer.OVERLOADS,
    )
)


def _with(
    known: Mapping[str, tuple[Overload, ...]], rows: Iterable[Overload]
) -> Mapping[str, tuple[Overload, ...]]:
    """`rows` besides, and in place of those for the same arguments."""
    found = dict(known)
    for row in rows:
        others = [each for each in found[row.name] if each.arguments != row.arguments]
        found[row.name] = (*others, row)
    return found


SPECIFIED = _with(OVERLOADS, specified.OVERLOADS)
# With what Kyverno adds to it.
OF_KYVERNO: Mapping[str, tuple[Overload, ...]] = {**OVERLOADS, **_by_name(images.OVERLOADS)}
