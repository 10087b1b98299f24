"""What objects say of each other over a whole revision: found once, at the field, in time that grows with them."""

import gc
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import repositories
from fleet.manifests import objects, scopes
from fleet.model import findings, names
from fleet.model import objects as words
from fleet.policy.relations import check, references

DEV, PROD = names.Cluster("dev-1"), names.Cluster("prod-1")
ORIGIN = objects.Origin(
    bundle=names.Bundle("shop"),
    namespace="shop",
    takeover=False,
    scopes=scopes.Scopes(
        custom={("example.com", "Gadget"): scopes.Custom(namespaced=True, plural="gadgets")}
    ),
)


def manifests(text: str) -> tuple[words.Manifest, ...]:
    parsed = repositories.parsed(text)
    documents = [
        (
            each.value,
            words.Source(path="a.yaml", line=each.line, blob=parsed.blob, index=each.index),
        )
        for each in parsed.documents
    ]
    read = objects.read(documents, ORIGIN)
    assert read.findings == ()
    return read.manifests


def found(text: str) -> list[findings.Finding]:
    return check.check({DEV: manifests(text)})


def said(text: str) -> list[str]:
    listed = found(text)
    assert all(each.clusters == (DEV,) for each in listed)
    return [
        f"{each.rule} {each.severity.value} {'.'.join(each.field)}: {each.message}"
        for each in listed
    ]


def workload(
    pod: str, *, kind: str = "Deployment", labels: str = "{app: web}", more: str = ""
) -> str:
    return f"""
apiVersion: apps/v1
kind: {kind}
metadata: {{name: web}}
spec: {{selector: {{matchLabels: {labels}}}, {more} template: {{metadata: {{labels: {labels}}}, spec: {pod}}}}}
"""


CONTAINER = "name: web, image: example.com/web:1"
SETTINGS = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {mode: fast}\n"
KEYS = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: keys}\nstringData: {token: CANARY}\n"
POD = "template.spec"


@pytest.mark.parametrize(
    ("pod", "field", "target"),
    [
        ("{serviceAccountName: robot}", "serviceAccountName", "ServiceAccount shop/robot"),
        ("{imagePullSecrets: [{name: pull}]}", "imagePullSecrets.0.name", "Secret shop/pull"),
        (
            "{volumes: [{name: a, configMap: {name: gone}}]}",
            "volumes.0.configMap.name",
            "ConfigMap shop/gone",
        ),
        (
            "{volumes: [{name: a, secret: {secretName: gone}}]}",
            "volumes.0.secret.secretName",
            "Secret shop/gone",
        ),
        (
            "{volumes: [{name: a, persistentVolumeClaim: {claimName: disk}}]}",
            "volumes.0.persistentVolumeClaim.claimName",
            "PersistentVolumeClaim shop/disk",
        ),
        (
            "{volumes: [{name: a, projected: {sources: [{secret: {name: gone}}]}}]}",
            "volumes.0.projected.sources.0.secret.name",
            "Secret shop/gone",
        ),
        (
            "{containers: [{name: a, env: [{name: A, valueFrom: {secretKeyRef: {name: gone, key: k}}}]}]}",
            "containers.0.env.0.valueFrom.secretKeyRef.name",
            "Secret shop/gone",
        ),
        (
            "{initContainers: [{name: a, envFrom: [{configMapRef: {name: gone}}]}]}",
            "initContainers.0.envFrom.0.configMapRef.name",
            "ConfigMap shop/gone",
        ),
    ],
)
def test_what_a_pod_needs_and_the_revision_lacks(pod: str, field: str, target: str):
    (one,) = found(workload(pod))
    assert (one.rule, one.severity) == ("reference", findings.Severity.WARN)
    assert one.message == f"{target} is not in this revision"
    assert ".".join(one.field) == f"spec.template.spec.{field}"
    assert "outside git" in one.hint
    assert (one.place.path, one.place.line, one.clusters) == ("a.yaml", 1, (DEV,))


@pytest.mark.parametrize(
    "pod",
    [
        "{serviceAccountName: default}",
        "{volumes: [{name: a, configMap: {name: kube-root-ca.crt}}]}",
        "{volumes: [{name: a, configMap: {name: gone, optional: true}}]}",
        "{volumes: [{name: a, secret: {secretName: gone, optional: true}}]}",
        "{containers: [{name: a, env: [{name: A, valueFrom: {secretKeyRef: {name: g, key: k, optional: true}}}]}]}",
        "{containers: [{name: a, envFrom: [{secretRef: {name: gone, optional: true}}]}]}",
        "{containers: [{name: a, env: [{name: A, value: b}]}]}",
    ],
)
def test_what_is_optional_or_everywhere_is_not_missed(pod: str):
    assert found(workload(pod)) == []


def test_what_is_there_is_found_and_a_key_that_is_not_there_is_missed():
    used = (
        "{containers: [{name: a, env: ["
        "{name: A, valueFrom: {configMapKeyRef: {name: settings, key: mode}}}, "
        "{name: B, valueFrom: {configMapKeyRef: {name: settings, key: mood}}}, "
        "{name: C, valueFrom: {secretKeyRef: {name: keys, key: token}}}, "
        "{name: D, valueFrom: {secretKeyRef: {name: keys, key: tokens}}}]}]}"
    )
    first, second = found(workload(used) + SETTINGS + KEYS)
    assert first.message == "ConfigMap shop/settings (a.yaml:6) has no key mood"
    assert (first.hint, first.field[-2:]) == ("it has mode", ("configMapKeyRef", "key"))
    assert second.message == "Secret shop/keys (a.yaml:11) has no key tokens"
    assert "CANARY" not in repr([first, second])


def test_a_slip_is_told_and_said_once():
    twice = (
        "{volumes: [{name: a, configMap: {name: setings}}, {name: b, configMap: {name: setings}}]}"
    )
    (one,) = found(workload(twice) + SETTINGS)
    assert one.hint.startswith("did you mean settings?")


def test_a_name_in_another_namespace_is_another_object():
    there = SETTINGS.replace("{name: settings}", "{name: settings, namespace: other}")
    used = "{volumes: [{name: a, configMap: {name: settings}}]}"
    assert [each.rule for each in found(workload(used) + there)] == ["reference"]
    assert found(workload(used) + SETTINGS) == []


CERTIFICATE = """---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: web, namespace: shop}
spec: {secretName: web-tls}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: keys, namespace: shop}
spec: {}
"""


def test_secrets_that_an_operator_makes_are_there():
    used = "{volumes: [{name: a, secret: {secretName: web-tls}}, {name: b, secret: {secretName: keys}}]}"
    assert {each.rule for each in found(workload(used) + CERTIFICATE)} == {"deferred"}


BINDING = """
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: a}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: {kind}, name: {name}}}
subjects: [{{kind: ServiceAccount, name: {account}, namespace: {space}}}]
"""


@pytest.mark.parametrize(
    ("kind", "name", "account", "space", "missing"),
    [
        ("Role", "reader", "default", "shop", ["Role.rbac.authorization.k8s.io shop/reader"]),
        (
            "ClusterRole",
            "reader",
            "default",
            "shop",
            ["ClusterRole.rbac.authorization.k8s.io reader"],
        ),
        ("ClusterRole", "view", "robot", "shop", ["ServiceAccount shop/robot"]),
        ("ClusterRole", "view", "robot", "kube-system", []),
        ("ClusterRole", "system:auth-delegator", "default", "shop", []),
    ],
)
def test_bindings_name_roles_and_accounts(
    kind: str, name: str, account: str, space: str, missing: list[str]
):
    listed = found(BINDING.format(kind=kind, name=name, account=account, space=space))
    assert [each.message.removesuffix(" is not in this revision") for each in listed] == missing


SERVICE = """---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
"""
INGRESS = """---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: {name}, annotations: {{{annotations}}}}}
spec:
  rules:
  - host: {host}
    http: {{paths: [{{path: {path}, pathType: Prefix, backend: {{service: {{name: web, port: {port}}}}}}}]}}
"""
WEB = workload(f"{{containers: [{{{CONTAINER}}}]}}")


def ingress(
    name: str = "a",
    host: str = "a.example.com",
    path: str = "/",
    port: str = "{number: 80}",
    annotations: str = "",
) -> str:
    return INGRESS.format(name=name, host=host, path=path, port=port, annotations=annotations)


def test_an_ingress_leads_to_a_service_and_a_port_that_there_are():
    assert (
        found(WEB + SERVICE + ingress() + ingress("b", "b.example.com", port="{name: http}")) == []
    )
    assert said(WEB + SERVICE + ingress(port="{number: 81}")) == [
        "reference warn spec.rules.0.http.paths.0.backend.service.port: Service shop/web (a.yaml:6) has no port 81"
    ]
    assert said(WEB + ingress()) == [
        "reference warn spec.rules.0.http.paths.0.backend.service.name: Service shop/web is not in this revision"
    ]


def test_the_secret_of_an_ingress_is_missed_unless_cert_manager_makes_it():
    tls = "  tls: [{hosts: [a.example.com], secretName: a-tls}]\n"
    assert [e.subject for e in found(WEB + SERVICE + ingress() + tls)] == [
        "Ingress.networking.k8s.io shop/a"
    ]
    made = ingress(annotations="cert-manager.io/cluster-issuer: ours") + tls
    assert found(WEB + SERVICE + made) == []


def test_two_ingresses_with_the_same_address_collide():
    both = WEB + SERVICE + ingress("a") + ingress("b")
    assert said(both) == [
        (
            "collision warn spec.rules.0.http.paths.0: "
            "a.example.com/ is also in Ingress.networking.k8s.io shop/a (a.yaml:11)"
        )
    ]
    assert found(WEB + SERVICE + ingress("a") + ingress("b", path="/b")) == []
    assert found(WEB + SERVICE + ingress("a") + ingress("b", host="b.example.com")) == []
    canary = 'nginx.ingress.kubernetes.io/canary: "true"'
    assert found(WEB + SERVICE + ingress("a") + ingress("b", annotations=canary)) == []


SET = workload("{containers: []}", kind="StatefulSet", more="serviceName: db,")
SCALER = """---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, maxReplicas: 3}
"""


def test_a_stateful_set_s_service_and_an_autoscaler_s_target():
    assert said(SET) == [
        "reference warn spec.serviceName: Service shop/db is not in this revision"
    ]
    assert said(SCALER) == [
        "reference warn spec.scaleTargetRef.name: Deployment.apps shop/web is not in this revision"
    ]
    assert found(WEB + SCALER) == []


def test_an_autoscaler_and_a_fixed_number_undo_each_other():
    fixed = workload("{containers: []}", more="replicas: 2,")
    assert said(fixed + SCALER) == [
        (
            "scaling warn spec.replicas: "
            "spec.replicas is fixed, and HorizontalPodAutoscaler.autoscaling shop/web scales it too"
        )
    ]


BUDGET = """---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 1, selector: """


def test_selectors_that_select_nothing():
    other = SERVICE.replace("app: web}, ports", "app: api}, ports")
    nothing = "its selector selects no Pod in namespace shop"
    assert said(WEB + other) == [f"selection warn spec.selector: {nothing}"]
    assert found(WEB + SERVICE) == []
    assert found(WEB + BUDGET + "{matchLabels: {app: web}}}\n") == []
    assert found(WEB + BUDGET + "{}}\n") == []
    assert (
        found(WEB + BUDGET + "{matchExpressions: [{key: app, operator: In, values: [web]}]}}\n")
        == []
    )
    gone = BUDGET + "{matchExpressions: [{key: app, operator: NotIn, values: [web]}]}}\n"
    assert said(WEB + gone) == [f"selection warn spec.selector: {nothing}"]


def test_a_service_without_selector_or_for_another_name_selects_nothing_on_purpose():
    plain = SERVICE.replace("selector: {app: web}, ", "")
    outside = SERVICE.replace(
        "selector: {app: web}", "type: ExternalName, externalName: a.b, selector: {a: b}"
    )
    assert found(plain) == found(outside) == []


GADGET = "---\napiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: g}\nspec: {%s}\n"


def test_pods_of_an_operator_are_seen_where_it_says_their_labels_and_else_only_noted():
    (noted,) = found(SERVICE + GADGET % "size: 3")
    assert noted.severity is findings.Severity.AUDIT
    assert noted.hint == "Pods that an operator makes are not seen here"
    assert found(SERVICE + GADGET % "podMetadata: {labels: {app: web}}") == []
    assert found(SERVICE + GADGET % "template: {metadata: {labels: {app: web}}}") == []


def test_clusters_that_get_the_same_are_judged_at_once_and_named_together():
    alike = manifests(SERVICE)
    (one,) = check.check({DEV: alike, PROD: alike})
    assert one.clusters == (DEV, PROD)
    apart = check.check({DEV: alike, PROD: manifests(WEB + SERVICE)})
    assert [each.clusters for each in apart] == [(DEV,)]


def test_what_a_renderer_made_has_no_field():
    (one,) = manifests(SERVICE)
    source = words.Source(path="k.yaml", line=1, blob=one.source.blob, rendered=True)
    made = words.Manifest(
        key=one.key, version="v1", body=one.body, digest=one.digest, bundle=one.bundle, source=source
    )  # fmt: skip
    (finding,) = check.check({DEV: (made,)})
    assert finding.field == ()


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(
        st.sampled_from(
            ["spec", "template", "metadata", "labels", "selector", "matchLabels", "matchExpressions", "values", "key",
             "operator", "volumes", "containers", "env", "rules", "http", "paths", "backend", "service", "port", "name",
             "subjects", "roleRef", "kind", "tls", "secretName", "scaleTargetRef", "volumeClaimTemplates", "a"]
        ),
        inner,
        max_size=3,
    ),
    max_leaves=12,
)  # fmt: skip
KINDS = [
    ("apps/v1", "Deployment"), ("apps/v1", "StatefulSet"), ("v1", "Service"), ("policy/v1", "PodDisruptionBudget"),
    ("networking.k8s.io/v1", "Ingress"), ("autoscaling/v2", "HorizontalPodAutoscaler"), ("v1", "ConfigMap"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"), ("cert-manager.io/v1", "Certificate"), ("batch/v1", "CronJob"),
]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(KINDS), ODD, ODD), min_size=1, max_size=4))
def test_objects_of_any_form_are_looked_at_without_an_error(drawn: list[Any]):
    made = []
    for number, ((version, kind), spec, more) in enumerate(drawn):
        body = {
            "apiVersion": version,
            "kind": kind,
            "metadata": {"name": f"a{number}", "namespace": "shop"},
        }
        body |= {"spec": spec, "subjects": more, "roleRef": more, "data": spec}
        made.append(_manifest(body, number))
    assert isinstance(check.check({DEV: tuple(made)}), list)


def _manifest(body: dict[str, Any], number: int) -> words.Manifest:
    return words.Manifest(
        key=words.key_of(body),
        version=body["apiVersion"].rpartition("/")[2],
        body=body,
        digest=names.Digest(f"sha256:{number}"),
        bundle=names.Bundle("shop"),
        source=words.Source(path="a.yaml", line=number, blob=names.BlobId("b")),
    )


def _pair(number: int) -> list[words.Manifest]:
    space = {"namespace": "shop"}
    labels = {"app": f"a{number}", "team": "one"}
    return [
        _manifest({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": f"a{number}", **space},
                   "spec": {"template": {"metadata": {"labels": labels}, "spec": {"containers": [
                       {"name": "a", "envFrom": [{"configMapRef": {"name": f"a{number}"}}]}]}}}}, number),
        _manifest({"apiVersion": "v1", "kind": "Service", "metadata": {"name": f"a{number}", **space},
                   "spec": {"selector": labels}}, number),
        _manifest({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"a{number}", **space}}, number),
    ]  # fmt: skip


def test_the_cost_grows_with_the_objects():
    def seconds(count: int) -> float:
        made = tuple(each for number in range(count) for each in _pair(number))
        gc.disable()  # what it costs depends on all that other tests have made
        began = time.process_time()
        assert check.check({DEV: made}) == []
        spent = time.process_time() - began
        gc.enable()
        return spent

    seconds(200)
    assert seconds(4000) < 12 * max(seconds(1000), 0.005)


def test_selectors_made_to_cost_too_much_are_given_up_and_said():
    def pod(number: int) -> words.Manifest:
        labels = {"n": str(number), "a" if number % 2 else "b": "x", "c": "x"}
        body = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"p{number}", "namespace": "shop", "labels": labels},
        }
        return _manifest(body, number)

    def service(number: int) -> words.Manifest:
        body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": f"s{number}", "namespace": "shop"},
                "spec": {"selector": {"a": "x", "b": "x"}}}  # fmt: skip
        return _manifest(body, number)

    made = (*(pod(n) for n in range(2000)), *(service(n) for n in range(1500)))
    listed = check.check({DEV: made})
    assert listed[-1].message.startswith("not evaluated: there are too many selectors")
    assert len(listed) < 1500


def test_references_of_an_object_that_names_nothing():
    (one,) = manifests(SETTINGS)
    assert [*references.of(one)] == []
