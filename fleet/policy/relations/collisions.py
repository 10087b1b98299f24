"""Objects that undo each other: Ingresses for the same address, an autoscaler and a fixed number of replicas."""

from collections.abc import Iterator

from fleet.model import findings, objects
from fleet.policy.relations import reading, saying
from fleet.policy.relations.index import Index

_CANARY = "nginx.ingress.kubernetes.io/canary"
_CLASS = "kubernetes.io/ingress.class"
Address = tuple[str, str, str, str]  # class, host, path, how it is compared


def addresses(index: Index) -> Iterator[findings.Finding]:
    """The same host and path in two Ingresses: which of them is served is up to chance."""
    first: dict[Address, objects.Manifest] = {}
    for each in index.kinds.get(("networking.k8s.io", "Ingress"), ()):
        if not _is_canary(each):
            for address, field in _addresses(each):
                other = first.setdefault(address, each)
                if other.key != each.key:
                    yield _collision(each, other, address, field)


def _is_canary(ingress: objects.Manifest) -> bool:
    return reading.text(reading.body(ingress), "metadata", "annotations", _CANARY) == "true"


def _addresses(ingress: objects.Manifest) -> Iterator[tuple[Address, reading.Path]]:
    spec = reading.part(reading.body(ingress), "spec")
    named = reading.text(spec, "ingressClassName")
    named = named or reading.text(reading.body(ingress), "metadata", "annotations", _CLASS)
    for path, rule in reading.each(spec, "rules"):
        for inner, one in reading.each(rule, "http", "paths"):
            where = reading.text(one, "path") or "/"
            how = reading.text(one, "pathType")
            yield (named, reading.text(rule, "host"), where, how), ("spec", *path, *inner)


def _collision(
    ingress: objects.Manifest, other: objects.Manifest, address: Address, field: reading.Path
) -> findings.Finding:
    _, host, path, _ = address
    return saying.warning(
        "collision",
        ingress,
        f"{host or 'every host'}{path} is also in {other.key} ({other.source.place})",
        hint="let one Ingress have it",
        field=field,
    )


def scaling(index: Index) -> Iterator[findings.Finding]:
    """What an autoscaler sets and a manifest sets too is set back by each apply."""
    for each in index.kinds.get(("autoscaling", "HorizontalPodAutoscaler"), ()):
        for reference in index.references(each):
            target = index.objects.get(reference.target)
            if target and reading.part(reading.body(target), "spec").get("replicas") is not None:
                yield saying.warning(
                    "scaling",
                    target,
                    f"spec.replicas is fixed, and {each.key} scales it too",
                    hint="leave spec.replicas out",
                    field=("spec", "replicas"),
                )
