"""Good documents of every kind that is looked into: for tests that spoil them."""

from typing import Any

import foreign
import rulebooks

EVERY = "object.metadata.name != 'bad'"
CONDITIONS = [{"name": "a", "expression": "object.metadata.name != 'a'"}]
LABELS = {"app": "web"}
SELECTOR = {
    "matchLabels": LABELS,
    "matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}],
}


class Many(list[Any]):
    """The documents of one file."""

    def copy(self) -> "Many":
        return Many(self)


def of_kind(version: str, kind: str, name: str = "web", **parts: Any) -> dict[str, Any]:
    metadata = {"name": name, "labels": LABELS, "annotations": {"a": "b"}}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **parts}


def _pod() -> dict[str, Any]:
    probe = {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 5}
    return {
        "serviceAccountName": "web",
        "securityContext": {"runAsNonRoot": True, "sysctls": [{"name": "a.b", "value": "1"}]},
        "containers": [
            {
                "name": "web",
                "image": "registry.example.com/web:1.2",
                "ports": [{"name": "http", "containerPort": 80}],
                "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
                "envFrom": [{"configMapRef": {"name": "words"}}],
                "resources": {"requests": {"cpu": "100m"}, "limits": {"memory": "1Gi"}},
                "livenessProbe": probe,
                "volumeMounts": [{"name": "v", "mountPath": "/v"}],
                "securityContext": {"capabilities": {"drop": ["ALL"]}},
            }
        ],
        "volumes": [
            {"name": "v", "configMap": {"name": "words", "items": [{"key": "a", "path": "b"}]}},
            {"name": "e", "emptyDir": {"sizeLimit": "1Gi"}},
        ],
        "tolerations": [{"key": "a", "operator": "Exists"}],
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "zone",
                "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": SELECTOR,
            }
        ],
    }


def _template() -> dict[str, Any]:
    return {"metadata": {"labels": LABELS}, "spec": _pod()}


def _job() -> dict[str, Any]:
    return {"template": {"spec": {**_pod(), "restartPolicy": "Never"}}, "backoffLimit": 1}


def _ingress() -> dict[str, Any]:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    return {
        "tls": [{"hosts": ["a.example.com"], "secretName": "s"}],
        "rules": [{"host": "a.example.com", "http": {"paths": [path]}}],
    }


def _autoscaler() -> dict[str, Any]:
    target = {"type": "Utilization", "averageUtilization": 50}
    return {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "minReplicas": 1,
        "maxReplicas": 3,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
    }


RBAC = "rbac.authorization.k8s.io"
ROLLING = {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 1}}
WORKLOADS: tuple[dict[str, Any], ...] = (
    of_kind("v1", "Pod", spec=_pod()),
    of_kind("apps/v1", "Deployment", spec={
        "replicas": 2, "selector": SELECTOR, "template": _template(), "strategy": ROLLING}),
    of_kind("apps/v1", "StatefulSet", spec={
        "selector": SELECTOR, "serviceName": "web", "template": _template(),
        "volumeClaimTemplates": [{"metadata": {"name": "d"}, "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}]}),
    of_kind("apps/v1", "DaemonSet", spec={
        "selector": SELECTOR, "template": _template(), "updateStrategy": {"rollingUpdate": {"maxUnavailable": 1}}}),
    of_kind("batch/v1", "Job", spec=_job()),
    of_kind("batch/v1", "CronJob", spec={"schedule": "* * * * *", "jobTemplate": {"spec": _job()}}),
)  # fmt: skip
OTHERS: tuple[dict[str, Any], ...] = (
    of_kind("v1", "Service", spec={
        "selector": LABELS, "type": "ClusterIP", "ports": [{"name": "a", "port": 80, "targetPort": "http"}]}),
    of_kind("networking.k8s.io/v1", "Ingress", spec=_ingress()),
    of_kind("networking.k8s.io/v1", "NetworkPolicy", spec={
        "podSelector": SELECTOR, "ingress": [
            {"ports": [{"port": 80}], "from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]}),
    of_kind("policy/v1", "PodDisruptionBudget", spec={"minAvailable": "50%", "selector": SELECTOR}),
    of_kind("autoscaling/v2", "HorizontalPodAutoscaler", spec=_autoscaler()),
    of_kind(f"{RBAC}/v1", "Role", rules=[
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"], "resourceNames": ["a"]}]),
    of_kind(f"{RBAC}/v1", "RoleBinding", roleRef={"apiGroup": RBAC, "kind": "Role", "name": "web"}, subjects=[
        {"kind": "ServiceAccount", "name": "web", "namespace": "shop"},
        {"kind": "Group", "name": "a", "apiGroup": RBAC}]),
    of_kind("v1", "ServiceAccount", secrets=[{"name": "s"}]),
    of_kind("v1", "Secret", "s", type="Opaque", data={"k": "YQ=="}, stringData={"l": "m"}),
    of_kind("v1", "ConfigMap", "words", data={"word": "x"}, binaryData={"b": "YQ=="}),
    of_kind("v1", "PersistentVolumeClaim", spec={
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}),
    of_kind("v1", "Namespace", "shop", spec={}),
    of_kind("v1", "ResourceQuota", spec={"hard": {"cpu": "1"}, "scopes": ["NotTerminating"]}),
    of_kind("v1", "LimitRange", spec={"limits": [{"type": "Container", "max": {"cpu": "1"}, "min": {"cpu": "1m"}}]}),
    {"apiVersion": "v1", "kind": "List", "items": [of_kind("v1", "ConfigMap", "listed", data={"a": "b"})]},
    of_kind("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", webhooks=[{
        "name": "a.example.com", "sideEffects": "None", "admissionReviewVersions": ["v1"],
        "clientConfig": {"url": "https://a.example.com"}, "matchConditions": CONDITIONS,
        "rules": [{**rulebooks.EVERYTHING}], "namespaceSelector": SELECTOR}]),
)  # fmt: skip
GADGETS = {
    "type": "object",
    "required": ["size"],
    "properties": {
        "size": {"type": "integer", "default": 1, "minimum": 0},
        "words": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 9, "enum": ["a", "b"]},
        "parts": {
            "type": "array",
            "maxItems": 4,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
        },
        "any": {"x-kubernetes-int-or-string": True},
    },
    "x-kubernetes-validations": [
        {"rule": "self.size < 9", "messageExpression": "'at most ' + string(self.size)", "fieldPath": ".size"}
    ],
}  # fmt: skip
CRD: dict[str, Any] = {
    **of_kind("apiextensions.k8s.io/v1", "CustomResourceDefinition", "gadgets.example.com"),
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"kind": "Gadget", "plural": "gadgets", "singular": "gadget", "listKind": "GadgetList"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": GADGETS}}},
                "subresources": {"status": {}},
                "selectableFields": [{"jsonPath": ".spec.words"}],
                "additionalPrinterColumns": [{"name": "a", "type": "string", "jsonPath": ".spec.words"}],
            }
        ],
    },
}  # fmt: skip
GADGET = of_kind("example.com/v1", "Gadget", spec={"size": 2, "parts": [{"name": "a"}], "any": 1})
OURS = "fleetgate.dev/v1alpha1"
RULES: dict[str, tuple[dict[str, Any], ...]] = {
    "own": (
        rulebooks.policy(
            {"expression": "variables.a", "messageExpression": "'not ' + object.metadata.name", "reason": "Invalid"},
            matchConstraints={
                "resourceRules": [rulebooks.EVERYTHING], "excludeResourceRules": [
                    {**rulebooks.EVERYTHING, "resourceNames": ["left-out"]}],
                "namespaceSelector": SELECTOR, "objectSelector": {}, "matchPolicy": "Equivalent"},
            paramKind={"apiVersion": "v1", "kind": "ConfigMap"},
            variables=[{"name": "a", "expression": "has(object.spec) && params.data.word != object.metadata.name"}],
            matchConditions=CONDITIONS,
            auditAnnotations=[{"key": "a", "valueExpression": "'b'"}],
            failurePolicy="Fail",
            annotations={"fleetgate.dev/severity": "high"},
        ),
        rulebooks.binding(
            paramRef={"name": "words", "namespace": "default", "parameterNotFoundAction": "Deny"},
            matchResources={"objectSelector": SELECTOR}, environments="any",
        ),
        rulebooks.policy(EVERY, name="open"),
        of_kind("v1", "ConfigMap", "words", data={"word": "x"}),
    ),
    "kyverno": (
        foreign.validating_policy(
            EVERY, matchConditions=CONDITIONS, validationActions=["Deny"],
            autogen={"podControllers": {"controllers": ["deployments"]}},
            evaluation={"mode": "Kubernetes", "admission": {"enabled": True}, "background": {"enabled": True}},
            variables=[{"name": "a", "expression": "1"}], auditAnnotations=[{"key": "a", "valueExpression": "'b'"}],
        ),
        foreign.cluster_policy(foreign.cluster_rule(
            EVERY,
            kinds=["Pod", "apps/v1/Deployment"],
            resources={"annotations": {"a*": "?"}, "selector": {"matchLabels": {"a*": "w?b"}}, "names": ["w*"],
                       "namespaceSelector": SELECTOR, "operations": ["CREATE"]},
            exclude={"any": [{"resources": {"kinds": ["Pod"], "names": ["x"]}, "subjects": [
                {"kind": "User", "name": "a"}]}]},
            celPreconditions=CONDITIONS,
            cel={"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}, "paramRef": {"name": "words"}},
            validate={"failureActionOverrides": [
                {"action": "Audit", "namespaces": ["a"], "namespaceSelector": SELECTOR}]},
        )),
        foreign.exception("named", matchConditions=CONDITIONS),
        {"apiVersion": "kyverno.io/v2", "kind": "PolicyException", "metadata": {"name": "old"}, "spec": {
            "exceptions": [{"policyName": "named", "ruleNames": ["*"]}],
            "match": {"any": [{"resources": {"kinds": ["Pod"], "annotations": {"x": "*"}}}]}}},
    ),
    "gatekeeper": (
        foreign.template(
            "object.metadata.name in variables.params.names || true", matchCondition=CONDITIONS,
            variables=[{"name": "a", "expression": "1"}],
            schema={"type": "object", "properties": {"names": {"type": "array", "items": {"type": "string"}}}}),
        foreign.constraint(
            match={"kinds": [{"apiGroups": ["", "apps"], "kinds": ["Pod", "Deployment"]}], "labelSelector": SELECTOR,
                   "namespaces": ["def*"], "excludedNamespaces": ["kube-*"], "scope": "Namespaced", "name": "w*",
                   "namespaceSelector": SELECTOR},
            enforcementAction="scoped",
            scopedEnforcementActions=[{"action": "deny", "enforcementPoints": [{"name": "*"}]}]),
    ),
}  # fmt: skip
