"""What the lab says and reads."""

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID

from fleet.lab import certificates, progress, toolchain


@pytest.mark.parametrize(
    ("said", "good"),
    [
        ("go version go1.26.8 linux/amd64", True),
        ("go version go1.27 darwin/arm64", True),
        ("go version go2.0.1 linux/amd64", True),
        ("go version devel go1.27-abcdef linux/amd64", True),
        ("go version go1.25.9 linux/amd64", False),
        ("go version go1.9 linux/amd64", False),
        ("", False),
    ],
)
def test_only_a_go_that_is_new_enough_is_used(said: str, good: bool) -> None:
    assert toolchain.is_new_enough(said) is good


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (8, "8 s"), (59.6, "1 m 00 s"), (80, "1 m 20 s"), (353, "5 m 53 s")],
)
def test_durations_read_as_people_say_them(seconds: float, words: str) -> None:
    assert progress.duration(seconds) == words


def test_a_client_certificate_names_its_user_and_group_and_was_signed_by_its_authority() -> None:
    authority = certificates.authority("dev-1")
    pair = authority.client("admin@dev-1", group="system:masters")
    certificate = x509.load_pem_x509_certificate(pair.certificate)
    certificate.verify_directly_issued_by(authority.issuer)
    subject = certificate.subject
    assert subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "admin@dev-1"
    assert subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == "system:masters"


def test_a_server_certificate_is_for_the_loopback_alone() -> None:
    pair = certificates.authority("dev-1").server("kube-apiserver")
    certificate = x509.load_pem_x509_certificate(pair.certificate)
    names = certificate.extensions.get_extension_for_oid(
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME
    ).value
    assert isinstance(names, x509.SubjectAlternativeName)
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]


def test_keys_are_not_shown() -> None:
    pair = certificates.authority("dev-1").client("someone", group="some")
    assert "PRIVATE" not in repr(pair)
