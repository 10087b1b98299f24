"""What there is to explain: the policies that count in an environment, and the objects that they judge."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fleet.judge import imagined, judging, readings, rendering, serving, verdicts
from fleet.local import folders as loose
from fleet.manifests import declared, folders, layout, parse, scopes
from fleet.manifests import objects as documents
from fleet.model import errors, findings, kinds, ledger, names, objects
from fleet.policy import documents as words
from fleet.policy import evaluate, explaining, policies
from fleet.policy.crds import customs
from fleet.policy.relations import check as relations

_NO_BLOB = names.BlobId("0" * 40)
_CLOSE = 3  # names that might have been meant
_SHOWN = 20  # objects of one question

Share = Mapping[names.Cluster, tuple[objects.Manifest, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One environment as its rules and its objects say. `found` is what is wrong with the rules themselves."""

    environment: names.Environment
    declared: declared.Declared
    rulebook: policies.PolicySet = field(repr=False)
    bound: policies.PolicySet = field(repr=False)
    manifests: Share = field(repr=False)
    found: tuple[findings.Finding, ...]
    contents: Mapping[str, bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An object, and the clusters that get it; none = it is only shown."""

    manifest: objects.Manifest
    clusters: tuple[names.Cluster, ...] = ()


async def of_fleet(
    commit: names.CommitId,
    environment: names.Environment,
    road: ledger.Road,
    tools: judging.Tools,
    *,
    has_objects: bool,
) -> Known:
    """Rendered only where objects are asked for."""
    where = layout.Layout(environment=environment, owned=road.owned)
    reading = await readings.read(commit, where, tools.repository, tools.files)
    share: Share = {}
    if has_objects:
        kitchen = rendering.Kitchen(
            files=tools.files, kustomize=tools.kustomize, memo=tools.memo, aside=tools.aside
        )
        whole = imagined.with_clusters(reading, tools.schemas.versions())
        share = (await rendering.render(whole, kitchen)).manifests
    return _known(environment, reading.declared, share, reading.findings)


async def of_folder(asked: loose.Asked, tools: judging.Tools) -> Known:
    """Policies from anywhere, without a fleet."""
    parsed = await tools.files.parsed(asked.rules.values())
    environment = names.Environment(asked.environment or "any")
    said = declared.Declared(
        fleet=None,
        spec=kinds.EnvironmentSpec(name=environment),
        clusters=(),
        bundles=(),
        permits=(),
        waivers=(),
        rules=folders.rules(parsed.values()),
        findings=(),
    )
    return _known(environment, said, {}, [f for each in parsed.values() for f in each.findings])


def _known(
    environment: names.Environment,
    said: declared.Declared,
    share: Share,
    found: Iterable[findings.Finding],
) -> Known:
    rulebook = policies.parse(said.rules)
    return Known(
        environment=environment,
        declared=said,
        rulebook=rulebook,
        bound=policies.for_environment(rulebook, environment),
        manifests=share,
        found=(*found, *rulebook.findings),
    )


def named(name: str, known: Known) -> tuple[words.Policy, ...]:
    """The policies of one name, with those that were made of it for other kinds.

    None where it is there but not evaluated. Raises errors.InputError for a name that nothing has.
    """
    every = known.rulebook.policies.values()
    found = tuple(each for each in every if name in _names(each))
    if found or of_name(name, known):
        return found
    if name in relations.NAMES or name == "schema":
        raise errors.InputError(f"{name} is a rule of fleet's own, no policy")
    titles = sorted({each.title for each in every})
    close = difflib.get_close_matches(name, titles, _CLOSE, 0.5)
    hint = f"did you mean {' or '.join(close)}?" if close else _listed(titles)
    raise errors.InputError(f"there is no policy {findings.escaped(name)!r}", hint=hint)


def _names(policy: words.Policy) -> set[str]:
    """A document of several rules is meant by its own name, too."""
    return {policy.name, policy.title, policy.title.partition("/")[0]}


def _listed(titles: list[str]) -> str:
    shown = ", ".join(titles[:_SHOWN])
    return f"there are {shown}" if titles else "there is no policy at all"


def of_name(name: str, known: Known) -> tuple[findings.Finding, ...]:
    """What is wrong with it."""
    return tuple(each for each in known.found if name in (each.rule, each.rule.partition("/")[0]))


def looked_up(key: str, known: Known) -> list[Case]:
    """`Kind/name` or `Kind/namespace/name` among what clusters get. Raises errors.InputError."""
    kind, *rest = key.split("/")
    together: dict[tuple[str, objects.Source], Case] = {}
    for cluster, share in known.manifests.items():
        for each in share:
            if each.key.kind.lower() == kind.lower() and _is_called(each.key, rest):
                identity = (each.digest, each.source)
                other = together.get(identity, Case(manifest=each))
                clusters = (*other.clusters, cluster)
                together[identity] = Case(manifest=each, clusters=clusters)
    if not together:
        raise errors.InputError(
            f"no cluster of {known.environment} gets {findings.escaped(key)!r}",
            hint=_close(key, known),
        )
    return _few(list(together.values()), "say Kind/namespace/name")


def _is_called(key: objects.Key, rest: list[str]) -> bool:
    return rest in ([key.name], [key.namespace, key.name])


def _close(key: str, known: Known) -> str:
    every = {_spelled(each.key) for share in known.manifests.values() for each in share}
    close = difflib.get_close_matches(key, sorted(every), _CLOSE, 0.5)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return "say Kind/name, Kind/namespace/name, or a file"


def _spelled(key: objects.Key) -> str:
    return "/".join(filter(None, (key.kind, key.namespace, key.name)))


def in_file(data: bytes, path: str, wanted: str, known: Known) -> list[Case]:
    """Objects as they are written; `wanted` as `Kind/name`, "" = all. Raises errors.InputError."""
    parsed = parse.documents(data, path, _NO_BLOB)
    origin = documents.Origin(
        bundle=names.Bundle("file"),
        namespace=folders.NAMESPACE,
        takeover=False,
        scopes=_scopes(known),
        speaks_for_fleet=True,  # examples of policies may say what they expect
    )
    read = documents.read(((e.value, _source(parsed, e)) for e in parsed.documents), origin)
    kind, *rest = wanted.split("/")
    found = [
        Case(manifest=each)
        for each in read.manifests
        if not wanted or (each.key.kind.lower() == kind.lower() and _is_called(each.key, rest))
    ]
    if not found:
        faults = [f"{each.place}: {each.message}" for each in (*parsed.findings, *read.findings)]
        said = f"{wanted} in {path}" if wanted else f"object in {path}"
        raise errors.InputError(
            f"there is no {findings.escaped(said)}", hint="; ".join(faults[:3])
        )
    return _few(found, f"name one: {path}#Kind/name")


def _few(found: list[Case], hint: str) -> list[Case]:
    """All of them, or a word that they are too many: none is left out in silence."""
    if len(found) > _SHOWN:
        raise errors.InputError(f"{len(found)} objects are too many to explain", hint=hint)
    return found


def _source(parsed: parse.Parsed, document: parse.Document) -> objects.Source:
    return objects.Source(
        path=parsed.path, line=document.line, blob=_NO_BLOB, index=document.index
    )


def _scopes(known: Known) -> scopes.Scopes:
    return scopes.scopes(serving.crds_of(known.declared, known.manifests))


def explained(policy: words.Policy, case: Case, known: Known) -> explaining.Explained:
    """Among the Namespaces of the first cluster that gets it; of what is in a file, of any."""
    crds = serving.crds_of(known.declared, known.manifests)
    brought = customs.Customs(crds)
    share = {c: known.manifests[c] for c in case.clusters[:1] or list(known.manifests)[:1]}
    near = verdicts.neighbourhoods(share, annotated=True)
    scene = evaluate.Scene(
        namespaces=near[0].labels if near else {},
        annotations=near[0].annotations if near else {},
        scopes=scopes.scopes(crds),
        judged=brought.judged,
        kinds=brought,
    )
    return explaining.explained(policy, known.bound, case.manifest, scene)
