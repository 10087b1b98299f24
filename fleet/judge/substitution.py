"""Variables of bundles, filled in for one cluster after the other; what asks for none is read once for all."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from fleet.manifests import layout, objects, variables
from fleet.model import findings, kinds
from fleet.model import objects as words


def values(
    cluster: kinds.Cluster,
    bundle: kinds.Bundle,
    shared: Mapping[str, str],
    where: layout.Layout,
) -> dict[str, str]:
    """Weakest first: the bundle's defaults, files of values, the cluster's own, what fleet says."""
    own = variables.of_cluster(where.environment, cluster)
    return {**bundle.spec.variables, **shared, **cluster.spec.variables, **own}


Piece = objects.Read | tuple[Any, words.Source]


def pieces(documents: Iterable[tuple[Any, words.Source]], origin: objects.Origin) -> list[Piece]:
    """Documents that ask for no variable, read once for all clusters; the others as they are."""
    return [
        pair if any(variables.asked(pair[0])) else objects.each([_replaced(pair, {})[0]], origin)
        for pair in documents
    ]


def filled(
    found: Iterable[Piece], values: Mapping[str, str], origin: objects.Origin
) -> tuple[objects.Read, set[str]]:
    used: set[str] = set()
    manifests: list[words.Manifest] = []
    undefined: list[findings.Finding] = []
    faults: list[findings.Finding] = []
    for piece in found:
        read = piece
        if not isinstance(read, objects.Read):
            replaced, substitution = _replaced(read, values)
            used |= substitution.used
            undefined += [_undefined(n, where, replaced[1]) for n, where in substitution.missing]
            read = objects.each([replaced], origin)
        manifests += read.manifests
        faults += read.findings
    whole = objects.compared(objects.Read(manifests=tuple(manifests), findings=tuple(faults)))
    return replace(whole, findings=(*undefined, *whole.findings)), used


def _replaced(
    pair: tuple[Any, words.Source], values: Mapping[str, str]
) -> tuple[tuple[Any, words.Source], variables.Substitution]:
    substitution = variables.Substitution(values=values)
    return (substitution.document(pair[0]), pair[1]), substitution


def _undefined(name: str, where: tuple[str, ...], source: words.Source) -> findings.Finding:
    return findings.Finding(
        rule="variables",
        severity=findings.Severity.DENY,
        message=f"${{{findings.escaped(name)}}} has no value",
        place=source.place,
        hint="give it in the Cluster, the bundle or its values; write $${...} for the text itself",
        field=() if source.rendered else where,
    )
