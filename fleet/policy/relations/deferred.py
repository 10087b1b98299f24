"""Objects that bring others along once they are in a cluster: what those say, nobody has judged here (threat 48)."""

from collections.abc import Iterator, Mapping

from fleet.model import findings
from fleet.policy.relations import saying
from fleet.policy.relations.index import Index

_SECRETS = "the Secret that it stands for"
_OBJECTS = "the objects that it brings"
# By group, the kinds that controllers make others of, from a source that is no part of the revision.
_KINDS: Mapping[str, Mapping[str, str]] = {
    "addons.cluster.x-k8s.io": {"ClusterResourceSet": _OBJECTS, "HelmChartProxy": _OBJECTS},
    "apps.open-cluster-management.io": {"Subscription": _OBJECTS},
    "argoproj.io": {"Application": _OBJECTS, "ApplicationSet": _OBJECTS},
    "bitnami.com": {"SealedSecret": _SECRETS},
    "external-secrets.io": {"ClusterExternalSecret": _SECRETS, "ExternalSecret": _SECRETS},
    "fleet.cattle.io": {"Bundle": _OBJECTS, "GitRepo": _OBJECTS, "HelmOp": _OBJECTS},
    "helm.cattle.io": {"HelmChart": _OBJECTS},
    "helm.toolkit.fluxcd.io": {"HelmRelease": _OBJECTS},
    "isindir.github.com": {"SopsSecret": _SECRETS},
    "kubernetes-client.io": {"ExternalSecret": _SECRETS},
    "kustomize.toolkit.fluxcd.io": {"Kustomization": _OBJECTS},
    "onepassword.com": {"OnePasswordItem": _SECRETS},
    "operators.coreos.com": {"Subscription": _OBJECTS},
    "pkg.crossplane.io": {"Configuration": _OBJECTS, "Function": _OBJECTS, "Provider": _OBJECTS},
    "secrets-store.csi.x-k8s.io": {"SecretProviderClass": _SECRETS},
    "secrets.hashicorp.com": {
        "VaultDynamicSecret": _SECRETS,
        "VaultPKISecret": _SECRETS,
        "VaultStaticSecret": _SECRETS,
    },
    "work.open-cluster-management.io": {"ManifestWork": _OBJECTS},
}


def check(index: Index) -> Iterator[findings.Finding]:
    for (group, kind), listed in index.kinds.items():
        what = _KINDS.get(group, {}).get(kind)
        for each in listed if what is not None else ():
            yield saying.warning(
                "deferred",
                each,
                f"{what} will be known in the cluster alone: no rule here has judged what is in there",
                hint="let a policy say who may have this kind, and install those rules that its objects must keep",
                field=("kind",),
                severity=findings.Severity.AUDIT,
            )
