"""What a way back is let through with: rules that came later do not block what ran here before.

The law: an object is exempt in a cluster only as the very object that ran there. One that never ran there so is judged
like any other; a cluster that came later takes what any of the others ran.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from fleet.model import findings, names, objects
from fleet.policy import leniency, waivers
from fleet.policy.relations import check as relations

_OF_THE_CHANGE = frozenset({"swap"})  # about the step from what runs, not about what comes

Share = Mapping[names.Cluster, tuple[objects.Manifest, ...]]
Ran = Mapping[names.Cluster, frozenset[tuple[objects.Key, names.Digest]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """`ran` is what each cluster ran with the release gone back to, `runs` what it runs with the one in force.

    `installed` are rules that clusters enforce themselves.
    `in_part`: some bundles go back and others stay, so together they may be what nobody has seen yet.
    """

    ran: Ran
    runs: Ran
    installed: frozenset[str] = field(default=frozenset())
    in_part: bool = False

    def knows(self, cluster: names.Cluster, what: tuple[objects.Key, names.Digest]) -> bool:
        if what in self.runs.get(cluster, ()):
            return True
        came_later = cluster not in self.ran
        before = self.ran.values() if came_later else (self.ran[cluster],)
        return any(what in each for each in before)


def held(manifests: Share) -> Ran:
    return {
        cluster: frozenset((each.key, each.digest) for each in share)
        for cluster, share in manifests.items()
    }


def exempted(
    found: Iterable[findings.Finding], manifests: Share, past: Past
) -> tuple[findings.Finding, ...]:
    """The same findings; those that refuse without need only warn, and say why."""
    listed = tuple(found)
    wanted = {objects.key_in(each.subject) for each in listed if _may_be(each, past)}
    comes = {
        cluster: {each.key: each.digest for each in share if each.key in wanted}
        for cluster, share in (manifests.items() if wanted else ())
    }
    return tuple(part for each in listed for part in _parts(each, comes, past))


def _may_be(found: findings.Finding, past: Past) -> bool:
    together = relations.NAMES if past.in_part else ()
    never = found.rule in waivers.STRUCTURAL or found.rule in _OF_THE_CHANGE
    is_kept = found.rule in past.installed or found.rule in together
    return bool(found.subject) and not never and not is_kept and findings.refuses([found])


def _parts(
    found: findings.Finding,
    comes: Mapping[names.Cluster, Mapping[objects.Key, names.Digest]],
    past: Past,
) -> Iterator[findings.Finding]:
    if not _may_be(found, past):
        yield found
        return
    key = objects.key_in(found.subject)
    holding = [cluster for cluster, share in comes.items() if key in share]
    asked = found.clusters or tuple(holding)
    known = [c for c in asked if c in holding and past.knows(c, (key, comes[c][key]))]
    left = tuple(each for each in asked if each not in known)
    if left or not known:
        yield replace(found, clusters=left) if known else found
    if known:
        exempt = leniency.passed(found, findings.EXEMPT)
        yield replace(exempt, clusters=tuple(known)) if found.clusters or left else exempt
