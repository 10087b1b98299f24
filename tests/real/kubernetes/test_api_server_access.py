"""Ways to an API server, each tried on a real one: certificates, tokens, a pod's files, other people's programs."""

import asyncio
import base64
import json
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fleet.adapters.kubernetes import access, cluster, connection, credentials, requests
from fleet.lab import certificates, clusters
from fleet.model import errors, objects
from fleet.ports import cluster as ports

Document = dict[str, Any]
NAMESPACES = ports.Resource(
    group="", version="v1", kind="Namespace", plural="namespaces", namespaced=False,
    versions=("v1",),
)  # fmt: skip
CONFIGS = ports.Resource(
    group="", version="v1", kind="ConfigMap", plural="configmaps", namespaced=True,
    versions=("v1",),
)  # fmt: skip
DEFAULT = objects.Key(group="", kind="Namespace", namespace="", name="default")


@pytest.fixture(scope="session")
def light(lab_clusters: Callable[[int], list[clusters.Cluster]]) -> clusters.Cluster:
    return lab_clusters(1)[0]


@pytest.fixture
def document(light: clusters.Cluster) -> Document:
    """The administrator's kubeconfig."""
    found: Document = json.loads(light.kubeconfig.read_text())
    return found


@pytest.fixture
async def token(light: clusters.Cluster) -> str:
    """Of a ServiceAccount that may read namespaces, and nothing else."""
    found = access.found(light.kubeconfig)
    async with cluster.ApiServer(found) as admin:
        kinds = (await admin.discover()).resources
        for body in _reader():
            resource = kinds[body["apiVersion"].rpartition("/")[0], body["kind"]]
            assert (await admin.apply(resource, body, force=True)).status is ports.Status.DONE
    wire = connection.Connection(found)
    path = "/api/v1/namespaces/default/serviceaccounts/reader/token"
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    reply = await wire.ask(requests.Request(method="POST", path=path, body=body))
    await wire.close()
    return str(json.loads(reply.body)["status"]["token"])


def _reader() -> list[Document]:
    account = {"kind": "ServiceAccount", "name": "reader", "namespace": "default"}
    rbac = "rbac.authorization.k8s.io"
    rule = {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]}
    named = {"metadata": {"name": "reader"}}
    role = {"apiGroup": rbac, "kind": "ClusterRole", "name": "reader"}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount",
         "metadata": {"name": "reader", "namespace": "default"}},
        {"apiVersion": f"{rbac}/v1", "kind": "ClusterRole", **named, "rules": [rule]},
        {"apiVersion": f"{rbac}/v1", "kind": "ClusterRoleBinding", **named,
         "subjects": [account], "roleRef": role},
    ]  # fmt: skip


def written(folder: Path, document: Document) -> Path:
    path = folder / "kubeconfig"
    path.write_text(json.dumps(document))
    return path


def server_of(document: Document) -> Document:
    found: Document = document["clusters"][0]["cluster"]
    return found


def as_user(document: Document, user: Document) -> Document:
    return {**document, "users": [{"name": document["users"][0]["name"], "user": user}]}


async def read(found: credentials.Access, key: objects.Key = DEFAULT) -> ports.Answer:
    async with cluster.ApiServer(found) as port:
        return await port.read(NAMESPACES if key == DEFAULT else CONFIGS, key)


async def test_by_a_certificate_in_the_kubeconfig(light: clusters.Cluster):
    assert (await read(access.found(light.kubeconfig))).status is ports.Status.DONE


async def test_by_a_named_context(light: clusters.Cluster, document: Document, tmp_path: Path):
    document["current-context"] = "another"
    found = access.found(written(tmp_path, document), light.name)
    assert (await read(found)).status is ports.Status.DONE


async def test_by_files_beside_the_kubeconfig(document: Document, tmp_path: Path):
    for section, name in (
        (server_of(document), "certificate-authority"),
        (document["users"][0]["user"], "client-certificate"),
        (document["users"][0]["user"], "client-key"),
    ):
        (tmp_path / f"{name}.pem").write_bytes(base64.b64decode(section.pop(f"{name}-data")))
        section[name] = f"{name}.pem"
    assert (await read(access.found(written(tmp_path, document)))).status is ports.Status.DONE


async def test_a_kubeconfig_may_be_yaml(document: Document, tmp_path: Path):
    path = tmp_path / "config"
    server, user = server_of(document), document["users"][0]["user"]
    path.write_text(f"""
apiVersion: v1
kind: Config
clusters:
- name: here
  cluster:
    server: {server["server"]}
    certificate-authority-data: {server["certificate-authority-data"]}
users:
- name: me
  user:
    client-certificate-data: {user["client-certificate-data"]}
    client-key-data: {user["client-key-data"]}
contexts:
- {{name: it, context: {{cluster: here, user: me}}}}
current-context: it
""")
    assert (await read(access.found(path))).status is ports.Status.DONE


async def test_by_a_token(document: Document, token: str, tmp_path: Path):
    found = access.found(written(tmp_path, as_user(document, {"token": token})))
    assert (await read(found)).status is ports.Status.DONE


async def test_by_a_token_in_a_file_rather_than_the_one_that_is_written(
    document: Document, token: str, tmp_path: Path
):
    (tmp_path / "token").write_text(token + "\n")
    user = {"token": "an-old-one", "tokenFile": "token"}
    found = access.found(written(tmp_path, as_user(document, user)))
    assert (await read(found)).status is ports.Status.DONE


async def test_as_a_pod(light: clusters.Cluster, document: Document, token: str, tmp_path: Path):
    authority = server_of(document)["certificate-authority-data"]
    (tmp_path / "ca.crt").write_bytes(base64.b64decode(authority))
    (tmp_path / "token").write_text(token)
    found = access.in_cluster(tmp_path, light.url)
    assert (await read(found)).status is ports.Status.DONE


@pytest.mark.threat(79)
async def test_what_the_rights_do_not_cover_is_denied(
    document: Document, token: str, tmp_path: Path
):
    found = access.found(written(tmp_path, as_user(document, {"token": token})))
    config = objects.Key(group="", kind="ConfigMap", namespace="default", name="a")
    answer = await read(found, config)
    assert answer.status is ports.Status.DENIED
    assert "cannot get resource" in answer.message
    async with cluster.ApiServer(found) as port:
        with pytest.raises(errors.UnreachableError, match="cannot list resource"):
            await anext(port.watch(CONFIGS, selector=""))


async def test_nobody_in_particular_is_denied(document: Document, tmp_path: Path):
    answer = await read(access.found(written(tmp_path, as_user(document, {"token": "wrong"}))))
    assert answer.status is ports.Status.DENIED


async def test_another_authoritys_server_is_not_asked(document: Document, tmp_path: Path):
    other = certificates.authority("other").certificate
    server_of(document)["certificate-authority-data"] = base64.b64encode(other).decode()
    with pytest.raises(errors.UnreachableError, match="not trusted"):
        await read(access.found(written(tmp_path, document)))


async def test_an_unchecked_server_is_asked_and_said_to_be(
    document: Document, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    server = server_of(document)
    del server["certificate-authority-data"]
    server["insecure-skip-tls-verify"] = True
    assert (await read(access.found(written(tmp_path, document)))).status is ports.Status.DONE
    assert "is not checked" in caplog.text


async def test_the_name_that_the_certificate_must_show(document: Document, tmp_path: Path):
    server = server_of(document)
    server["tls-server-name"] = "kubernetes.default.svc"
    assert (await read(access.found(written(tmp_path, document)))).status is ports.Status.DONE
    server["tls-server-name"] = "another.example.com"
    with pytest.raises(errors.UnreachableError, match="not trusted"):
        await read(access.found(written(tmp_path, document)))


# Programs that give credentials


def program(folder: Path, status: Document, *, code: int = 0) -> Document:
    """It counts how often it was run."""
    said = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": status,
    }
    path = folder / "login"
    path.write_text(
        f"#!{sys.executable}\n"
        f"open({str(folder / 'runs')!r}, 'a').write('x')\n"
        f"print({json.dumps(said)!r})\n"
        f"raise SystemExit({code})\n"
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return {"exec": {"apiVersion": said["apiVersion"], "command": str(path),
                     "interactiveMode": "Never"}}  # fmt: skip


async def test_by_a_programs_token(document: Document, token: str, tmp_path: Path):
    user = program(tmp_path, {"token": token, "expirationTimestamp": "2100-01-01T00:00:00Z"})
    found = access.found(written(tmp_path, as_user(document, user)))
    async with cluster.ApiServer(found) as port:
        reads = [port.read(NAMESPACES, DEFAULT) for _ in range(5)]
        answers = await asyncio.gather(*reads)
    assert {answer.status for answer in answers} == {ports.Status.DONE}
    assert (tmp_path / "runs").read_text() == "x"


async def test_a_programs_token_that_is_refused_is_asked_for_anew(
    document: Document, tmp_path: Path
):
    user = program(tmp_path, {"token": "wrong", "expirationTimestamp": "2100-01-01T00:00:00Z"})
    answer = await read(access.found(written(tmp_path, as_user(document, user))))
    assert answer.status is ports.Status.DENIED
    assert (tmp_path / "runs").read_text() == "xx"


async def test_by_a_programs_certificate(document: Document, tmp_path: Path):
    own = document["users"][0]["user"]
    status = {
        "clientCertificateData": base64.b64decode(own["client-certificate-data"]).decode(),
        "clientKeyData": base64.b64decode(own["client-key-data"]).decode(),
    }
    found = access.found(written(tmp_path, as_user(document, program(tmp_path, status))))
    assert (await read(found)).status is ports.Status.DONE


async def test_a_program_that_fails_is_named_with_its_kubeconfig(
    document: Document, tmp_path: Path
):
    path = written(tmp_path, as_user(document, program(tmp_path, {}, code=1)))
    with pytest.raises(errors.UnreachableError, match="gave no credentials") as raised:
        await read(access.found(path))
    assert str(path) in str(raised.value)
    assert "kubectl" in raised.value.hint
