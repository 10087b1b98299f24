"""What a branch holds as it is, judged by its own rules: worked out once for a commit, whatever is previewed beside it.

Kept is the whole answer, unless a waiver may end meanwhile. An object's body is read from it when somebody asks.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from fleet.judge import judging
from fleet.local import offline
from fleet.model import errors, findings, json_values, leaving, names, objects, sharing
from fleet.protocol import encoding

_MOST = 32 << 20  # bytes that are kept of one commit
_Finding = findings.Finding  # inside Standstill the module's name is a field's
Share = tuple[objects.Manifest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standstill:
    """`leaving` says of each cluster how it would leave."""

    manifests: Mapping[names.Cluster, Share] = field(repr=False)
    leaving: Mapping[names.Cluster, leaving.OnRemoval]
    findings: tuple[_Finding, ...]
    is_timed: bool = False  # a waiver in it may end


async def of(
    environment: names.Environment, commit: names.CommitId, tools: judging.Tools
) -> Standstill:
    """Raises errors.InputError where the commit cannot be read."""
    renderer = tools.kustomize.identity if tools.kustomize else ""
    origin = [environment, commit, renderer, tools.schemas.identity]
    key = f"standstill/{json_values.digest(origin)}"
    known = await tools.memo.recall([key])
    if key in known:
        return _restored(json.loads(known[key]))
    verdict = await offline.check_commit(environment, commit, None, tools, counts=False)
    judged = verdict.judged
    found = Standstill(
        manifests=judged.manifests,
        leaving={
            names.Cluster(each.document.metadata.name): each.document.spec.on_removal
            for each in judged.declared.clusters
        },
        findings=verdict.findings,
        is_timed=bool(judged.declared.waivers),
    )
    data = None if found.is_timed else _kept(found)
    if data is not None:
        await tools.memo.remember({key: data})
    return found


def _kept(found: Standstill) -> bytes | None:
    """None for what takes too much room, or cannot be written."""
    numbers = sharing.Numbers(id)
    shares = {cluster: numbers.of(share) for cluster, share in found.manifests.items()}
    leave = {cluster: how.value for cluster, how in found.leaving.items()}
    try:
        rows = [_row(each) for each in numbers.first]
        said = encoding.as_json(found.findings)
        data = json.dumps([rows, shares, leave, said]).encode()
    except ValueError:
        return None
    return data if len(data) <= _MOST else None


def _row(each: objects.Manifest) -> list[Any]:
    key, source = each.key, each.source
    return [
        [key.group, key.kind, key.namespace, key.name],
        [each.version, each.digest, each.bundle, each.takeover],
        [source.path, source.line, source.blob, source.index, source.rendered],
        json.dumps(each.body, allow_nan=False),
    ]


def _restored(kept: Any) -> Standstill:
    rows, shares, leave, said = kept
    listed = [_manifest(*row) for row in rows]
    return Standstill(
        manifests={
            names.Cluster(cluster): tuple([listed[number] for number in share])
            for cluster, share in shares.items()
        },
        leaving={names.Cluster(c): leaving.OnRemoval(how) for c, how in leave.items()},
        findings=encoding.from_json(tuple[findings.Finding, ...], said),
    )


def _manifest(key: list[str], about: list[Any], source: list[Any], body: str) -> objects.Manifest:
    group, kind, namespace, name = key
    version, digest, bundle, takeover = about
    path, line, blob, index, rendered = source
    return objects.unread(
        key=objects.Key(group=group, kind=kind, namespace=namespace, name=name),
        version=version,
        digest=names.Digest(digest),
        bundle=names.Bundle(bundle),
        source=objects.Source(path=path, line=line, blob=blob, index=index, rendered=rendered),
        takeover=takeover,
        sketch=None,
        read=partial(_read, body, digest),
    )


def _read(body: str, digest: str) -> json_values.JsonObject:
    """Raises errors.BrokenError where that is not the object that was judged (threat 106)."""
    found: json_values.JsonObject = json.loads(body)
    if json_values.digest(found) != digest:
        raise errors.BrokenError("an object is not what was remembered of it")
    return found
