"""A sketch of an object is all that relations ask of it."""

import copy
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.manifests import objects, scopes
from fleet.model import names
from fleet.model import objects as words
from fleet.policy.relations import check, sketches

DEV = names.Cluster("dev-1")
ORIGIN = objects.Origin(
    bundle=names.Bundle("shop"),
    namespace="shop",
    takeover=False,
    scopes=scopes.Scopes(custom={}),
)
NAMES = st.sampled_from(["a", "b", "web", ""])
ODD = st.sampled_from([None, 7, "text", [], {}, [1], {"name": 5}])


def fields(**known: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Any of the fields, each as it should be or in a form that no schema allows."""
    return st.fixed_dictionaries({}, optional={k: st.one_of(v, ODD) for k, v in known.items()})


def listed(one: Any) -> Any:
    return st.lists(st.one_of(one, ODD), max_size=3)


NAMED = fields(name=NAMES, optional=st.booleans())
KEYED = fields(name=NAMES, key=NAMES)
LABELS = st.dictionaries(st.sampled_from(["app", "tier"]), NAMES, max_size=2)
ENV = fields(name=NAMES, value=NAMES, valueFrom=fields(configMapKeyRef=KEYED, secretKeyRef=KEYED))
CONTAINER = fields(
    image=NAMES, env=listed(ENV), envFrom=listed(fields(configMapRef=NAMED, secretRef=NAMED))
)
SOURCES = fields(configMap=NAMED, secret=fields(name=NAMES, secretName=NAMES))
VOLUME = fields(
    configMap=NAMED,
    secret=fields(secretName=NAMES),
    persistentVolumeClaim=fields(claimName=NAMES),
    projected=fields(sources=listed(SOURCES)),
)
POD = fields(
    metadata=fields(labels=LABELS),
    spec=fields(
        serviceAccountName=NAMES,
        imagePullSecrets=listed(NAMED),
        volumes=listed(VOLUME),
        containers=listed(CONTAINER),
        initContainers=listed(CONTAINER),
        nodeName=NAMES,
    ),
)
WORKLOAD = fields(
    replicas=st.integers(0, 3),
    serviceName=NAMES,
    template=POD,
    volumeClaimTemplates=listed(fields(metadata=NAMED)),
)
BODIES = st.one_of(
    st.tuples(
        st.sampled_from(["apps/v1/Deployment", "apps/v1/StatefulSet"]), fields(spec=WORKLOAD)
    ),
    st.tuples(st.just("v1/Pod"), POD),
    st.tuples(
        st.just("batch/v1/CronJob"),
        fields(spec=fields(jobTemplate=fields(spec=fields(template=POD)))),
    ),
    st.tuples(
        st.sampled_from(["v1/ConfigMap", "v1/Secret"]), fields(data=LABELS, stringData=LABELS)
    ),
    st.tuples(st.just("v1/ServiceAccount"), st.just({})),
    st.tuples(st.just("v1/Service"), fields(spec=fields(selector=LABELS))),
    st.tuples(
        st.just("autoscaling/v2/HorizontalPodAutoscaler"),
        fields(
            spec=fields(
                scaleTargetRef=st.fixed_dictionaries(
                    {
                        "apiVersion": st.just("apps/v1"),
                        "kind": st.just("Deployment"),
                        "name": NAMES,
                    }
                )
            )
        ),
    ),
)


def manifest(number: int, kind: str, body: dict[str, Any], name: str) -> words.Manifest:
    version, _, word = kind.rpartition("/")
    head = body.get("metadata") if isinstance(body.get("metadata"), dict) else {}
    metadata = {**head, "name": name or "web", "namespace": "shop"}
    whole = {**body, "apiVersion": version, "kind": word, "metadata": metadata}
    source = words.Source(path="a.yaml", line=number + 1, blob=names.BlobId("b"))
    return words.Manifest(
        key=words.key_of(whole),
        version=version.rpartition("/")[2],
        body=whole,
        digest=names.Digest(str(number)),
        bundle=ORIGIN.bundle,
        source=source,
    )


def never() -> Any:
    raise AssertionError("a relation asked for more than the sketch")


def sketched(each: words.Manifest) -> words.Manifest:
    sketch = sketches.sketch(each)
    if sketch is None:
        return each
    known = {
        f: getattr(each, f) for f in ("key", "version", "digest", "bundle", "source", "takeover")
    }
    return words.unread(**known, sketch=copy.deepcopy(sketch), read=never)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(BODIES, NAMES), max_size=6))
def test_relations_find_the_same_in_sketches(written: list[Any]):
    whole = tuple(manifest(n, *body, name) for n, (body, name) in enumerate(written))
    assert check.check({DEV: tuple(map(sketched, whole))}) == check.check({DEV: whole})


def test_no_value_of_a_secret_is_in_its_sketch():
    body = {"data": {"token": "aHVzaA=="}, "stringData": {"word": "hush"}}
    sketch = sketches.sketch(manifest(0, "v1/Secret", body, "a"))
    assert sketch is not None
    assert sketch["data"] == {"token": ""}
    assert sketch["stringData"] == {"word": ""}


def test_an_unread_manifest_is_the_same_manifest_and_is_read_when_it_is_asked():
    whole = manifest(0, "v1/Pod", {"spec": {"nodeName": "n"}}, "a")
    asked: list[int] = []
    known = {
        f: getattr(whole, f) for f in ("key", "version", "digest", "bundle", "source", "takeover")
    }
    unread = words.unread(**known, sketch={}, read=lambda: (asked.append(1), whole.body)[1])
    assert (unread == whole, hash(unread) == hash(whole), asked) == (True, True, [])
    assert unread.body == whole.body
    held = words.held(unread)
    assert (held.body, held.body, len(asked)) == (whole.body, whole.body, 2)
    assert words.held(whole) is whole
    assert replace(whole, takeover=True) != unread


def rich() -> dict[str, Any]:
    """A Pod that refers to something in each way that there is, with things of no interest between."""
    listed = [{"name": "quiet"}, {"name": "loud", "value": "1"}]
    env = [
        *listed,
        *(
            {"valueFrom": {f: {"name": f, "key": "k"}}}
            for f in ("configMapKeyRef", "secretKeyRef")
        ),
    ]
    inner = {
        "image": "i",
        "env": env,
        "envFrom": [{"configMapRef": {"name": "e"}}, {"secretRef": {"name": "f"}}],
    }
    volumes: list[dict[str, Any]] = [
        {"emptyDir": {}},
        {"configMap": {"name": "g"}},
        {"secret": {"secretName": "h"}},
        {"persistentVolumeClaim": {"claimName": "i"}},
        {"projected": {"sources": [{"configMap": {"name": "j"}}, {"secret": {"name": "k"}}]}},
    ]
    spec = {
        "serviceAccountName": "l",
        "imagePullSecrets": [{"name": "m"}],
        "volumes": volumes,
        "containers": [{"name": "first"}, inner],
        "initContainers": [{**inner, "envFrom": [{"configMapRef": {"name": "n"}}]}],
    }
    return {"metadata": {"labels": {"app": "web"}}, "spec": spec}


def claiming(name: str) -> dict[str, Any]:
    volumes = [{"persistentVolumeClaim": {"claimName": name}}]
    return {"spec": {**rich()["spec"], "volumes": volumes}}


def test_each_way_to_refer_to_something_is_in_the_sketch():
    spec = {
        "template": rich(),
        "serviceName": "o",
        "replicas": 2,
        "volumeClaimTemplates": [{"metadata": {"name": "p"}}],
    }
    asked = {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web"}}
    selector = {"selector": {"app": "web"}}
    whole = (
        manifest(0, "apps/v1/StatefulSet", {"spec": spec}, "web"),
        manifest(1, "autoscaling/v2/HorizontalPodAutoscaler", {"spec": asked}, "web"),
        manifest(2, "v1/Service", {"spec": selector}, "web"),
        manifest(3, "v1/ConfigMap", {"data": {"other": "1"}}, "configMapKeyRef"),
        manifest(
            4, "batch/v1/CronJob", {"spec": {"jobTemplate": {"spec": {"template": rich()}}}}, "web"
        ),
        manifest(5, "v1/Pod", claiming("p-web-0"), "web"),
    )
    found = check.check({DEV: whole})
    assert check.check({DEV: tuple(map(sketched, whole))}) == found
    fields = {".".join(each.field) for each in found}
    assert {
        "spec.serviceName",
        "spec.replicas",
        "spec.template.spec.volumes.4.projected.sources.1.secret.name",
    } <= fields
    assert len(found) == 33
