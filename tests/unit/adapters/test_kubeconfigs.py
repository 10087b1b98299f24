"""A kubeconfig that cannot be used says why, by its own path, before anything is asked."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from fleet.adapters.kubernetes import access, kubeconfigs
from fleet.lab import certificates
from fleet.model import errors

Section = dict[str, Any]


def document(server: Section | None = None, user: Section | None = None) -> Section:
    cluster = {"server": "https://127.0.0.1:6443", **(server or {})}
    return {
        "clusters": [{"name": "here", "cluster": cluster}],
        "users": [{"name": "me", "user": user or {}}],
        "contexts": [
            {"name": "it", "context": {"cluster": "here", "user": "me"}},
            {"name": "open", "context": {"cluster": "here"}},
            {"name": "torn", "context": {"cluster": "gone", "user": "me"}},
            {"name": "nobody", "context": {"cluster": "here", "user": "gone"}},
        ],
        "current-context": "it",
    }


def refusal(path: Path, content: Any, context: str = "") -> errors.InputError:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(errors.InputError) as raised:
        kubeconfigs.read(path, context)
    assert str(path) in str(raised.value)
    return raised.value


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config"


def test_the_address_may_have_a_path(path: Path):
    path.write_text(json.dumps(document({"server": "https://example.com/k8s/clusters/c-1/"})))
    assert kubeconfigs.read(path).server == "https://example.com/k8s/clusters/c-1"


def test_a_context_may_have_no_user(path: Path):
    path.write_text(json.dumps(document({"server": "http://127.0.0.1:8001"})))
    found = kubeconfigs.read(path, "open")
    assert (found.server, found.tls) == ("http://127.0.0.1:8001", None)


def test_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(errors.InputError, match="cannot read the kubeconfig") as raised:
        access.found(tmp_path / "none")
    assert "--kubeconfig" in raised.value.hint


@pytest.mark.parametrize("text", ["", "- a\n", "just words"])
def test_a_file_that_is_no_kubeconfig(path: Path, text: str):
    assert "is no kubeconfig" in str(refusal(path, text))


def test_a_file_that_is_no_yaml_names_the_line(path: Path):
    assert ":3:" in str(refusal(path, "a: 1\nb: 2\na: 3\n"))


def test_no_current_context_names_those_that_are_there(path: Path):
    found = refusal(path, {**document(), "current-context": ""})
    assert "no current context" in str(found)
    assert "it, open" in found.hint


def test_an_unknown_context_names_those_that_are_there(path: Path):
    found = refusal(path, document(), "elsewhere")
    assert "no context 'elsewhere'" in str(found)
    assert "it, open" in found.hint


@pytest.mark.parametrize(("context", "what"), [("torn", "cluster"), ("nobody", "user")])
def test_a_context_that_names_what_is_not_there(path: Path, context: str, what: str):
    assert f"no {what} 'gone'" in str(refusal(path, document(), context))


@pytest.mark.parametrize("address", ["", "127.0.0.1:6443", "ftp://example.com", "https://", "ht!"])
def test_an_address_that_is_none(path: Path, address: str):
    assert "no address of an API server" in str(refusal(path, document({"server": address})))


@pytest.mark.parametrize(
    ("server", "user", "field"),
    [
        ({"proxy-url": "http://proxy:3128"}, {}, "proxy-url"),
        ({}, {"username": "me", "password": "x"}, "username"),
        ({}, {"as": "admin"}, "as"),
        ({}, {"as-groups": ["system:masters"]}, "as-groups"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(
    path: Path, server: Section, user: Section, field: str
):
    found = refusal(path, document(server, user))
    assert f"{field} cannot be used" in str(found)
    assert found.hint


def test_no_check_and_an_authority_exclude_each_other(path: Path):
    authority = base64.b64encode(certificates.authority("a").certificate).decode()
    server = {"certificate-authority-data": authority, "insecure-skip-tls-verify": True}
    assert "exclude each other" in str(refusal(path, document(server)))


@pytest.mark.parametrize(
    ("server", "user", "words"),
    [
        ({"certificate-authority-data": "***"}, {}, "certificate-authority-data is not base64"),
        ({"certificate-authority-data": "bm9uZQ=="}, {}, "the authority cannot be used"),
        ({"certificate-authority": "none.pem"}, {}, "certificate-authority: "),
        ({}, {"client-certificate-data": "bm9uZQ=="}, "go together"),
        ({}, {"client-certificate-data": "bm9uZQ==", "client-key-data": "bm9uZQ=="},
         "the client certificate cannot be used"),
    ],
)  # fmt: skip
def test_certificates_that_cannot_be_used(path: Path, server: Section, user: Section, words: str):
    assert words in str(refusal(path, document(server, user)))


def test_a_key_of_another_certificate(path: Path):
    authority = certificates.authority("a")
    one, other = authority.client("one", group="g"), authority.client("other", group="g")
    user = {
        "client-certificate-data": base64.b64encode(one.certificate).decode(),
        "client-key-data": base64.b64encode(other.key).decode(),
    }
    assert "cannot be used" in str(refusal(path, document({}, user)))


@pytest.mark.threat(76)
def test_nothing_secret_is_shown(path: Path):
    path.write_text(json.dumps(document({}, {"token": "canary-token"})))
    assert "canary" not in repr(kubeconfigs.read(path))


def test_a_pod_without_its_authority(tmp_path: Path):
    with pytest.raises(errors.InputError, match="authority"):
        access.in_cluster(tmp_path)
