"""Each cluster fits exactly one declared wave, or the configuration is refused.

What is in force places clusters by the first wave that fits while a better fleet.yaml is on its way, so a fleet whose
waves no longer fit can always be mended by a commit.
"""

from collections.abc import Iterator, Mapping, Sequence

from fleet.model import findings, kinds, names

RULE = "waves"


def check(
    fleet: kinds.Fleet,
    environment: names.Environment,
    clusters: Sequence[kinds.Cluster],
    place: findings.Place,
) -> tuple[findings.Finding, ...]:
    declared = fleet.spec.environments
    number = next((n for n, each in enumerate(declared) if each.name == environment), None)
    waves = declared[number].waves if number is not None else []
    if not waves:
        return ()
    fitting = {
        names.Cluster(each.metadata.name): _fitting(waves, each.metadata.labels)
        for each in sorted(clusters, key=lambda each: each.metadata.name)
    }
    field = ("spec", "environments", str(number), "waves")
    return (
        *_in_none(environment, fitting, place, field),
        *_in_several(waves, fitting, place, field),
    )


def _fitting(waves: Sequence[kinds.Wave], labels: dict[str, str]) -> tuple[int, ...]:
    """The waves that fit; the last one's empty selector means those whom no other fits."""
    found = tuple(n for n, each in enumerate(waves) if kinds.selects(each.selector, labels))
    is_caught = len(found) > 1 and found[-1] == len(waves) - 1 and _is_empty(waves[-1].selector)
    return found[:-1] if is_caught else found


def _is_empty(selector: kinds.Selector) -> bool:
    return not selector.match_labels and not selector.match_expressions


def _in_none(
    environment: names.Environment,
    fitting: Mapping[names.Cluster, tuple[int, ...]],
    place: findings.Place,
    field: tuple[str, ...],
) -> Iterator[findings.Finding]:
    lost = tuple(cluster for cluster, found in fitting.items() if not found)
    if lost:
        yield findings.Finding(
            rule=RULE,
            severity=findings.Severity.DENY,
            message=f"{_listed(lost)} in no wave of {environment}",
            place=place,
            hint="let a last wave without a selector take all others, as: - name: rest",
            clusters=lost,
            field=field,
        )


def _in_several(
    waves: Sequence[kinds.Wave],
    fitting: Mapping[names.Cluster, tuple[int, ...]],
    place: findings.Place,
    field: tuple[str, ...],
) -> Iterator[findings.Finding]:
    shared: dict[tuple[int, ...], list[names.Cluster]] = {}
    for cluster, found in fitting.items():
        if len(found) > 1:
            shared.setdefault(found, []).append(cluster)
    for found, clusters in sorted(shared.items()):
        first, *others = (waves[n].name for n in found)
        yield findings.Finding(
            rule=RULE,
            severity=findings.Severity.DENY,
            message=f"{_listed(clusters)} in more than one wave: {', '.join([first, *others])}",
            place=place,
            hint=f"keep those of {first} out of {others[0]}, by matchExpressions with NotIn or DoesNotExist",
            clusters=tuple(clusters),
            field=(*field, str(found[1]), "name"),
        )


def _listed(clusters: Sequence[names.Cluster], limit: int = 5) -> str:
    more = len(clusters) - limit
    shown = ", ".join(clusters[:limit]) + (f" and {more} more" if more > 0 else "")
    return f"{shown} {'is' if len(clusters) == 1 else 'are'}"
