"""Who trusts whom in a lab: an authority for each cluster, so that no key of one opens another.

The keys die with the lab's folder, so their certificates need no end that anyone could run into.
"""

import ipaddress
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_FROM = datetime(2020, 1, 1, tzinfo=UTC)
_UNTIL = datetime(2120, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """PEM, both."""

    certificate: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    issuer: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def certificate(self) -> bytes:
        return _pem(self.issuer)

    def server(self, name: str, *hosts: str) -> Pair:
        """For a listener on the loopback; a client of its peers too, as etcd wants it."""
        names: list[x509.GeneralName] = [x509.DNSName(host) for host in ("localhost", *hosts)]
        names.append(x509.IPAddress(ipaddress.IPv4Address("127.0.0.1")))
        both = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
        return self._signed(_subject(name), both, x509.SubjectAlternativeName(names))

    def client(self, user: str, *, group: str) -> Pair:
        return self._signed(_subject(user, group), (ExtendedKeyUsageOID.CLIENT_AUTH,), None)

    def _signed(
        self,
        subject: x509.Name,
        usages: tuple[x509.ObjectIdentifier, ...],
        names: x509.SubjectAlternativeName | None,
    ) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        draft = _draft(subject, self.issuer.subject, key.public_key())
        draft = draft.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        draft = draft.add_extension(x509.ExtendedKeyUsage(usages), False)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        draft = draft.add_extension(identifier, False)
        if names is not None:
            draft = draft.add_extension(names, False)
        return Pair(certificate=_pem(draft.sign(self.key, hashes.SHA256())), key=_private(key))


def authority(name: str) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _subject(f"{name} authority")
    public = key.public_key()
    draft = (
        _draft(subject, subject, public)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .add_extension(_ONLY_SIGNS, True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
    )
    return Authority(issuer=draft.sign(key, hashes.SHA256()), key=key)


def signing_key() -> bytes:
    """For the tokens of service accounts."""
    return _private(ec.generate_private_key(ec.SECP256R1()))


def write_secret(path: Path, content: bytes) -> Path:
    """Only its owner may read it, from the first moment."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    return path


def write_pair(folder: Path, name: str, pair: Pair) -> None:
    (folder / f"{name}.crt").write_bytes(pair.certificate)
    write_secret(folder / f"{name}.key", pair.key)


_ONLY_SIGNS = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def _subject(name: str, group: str = "") -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if group:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, group))
    return x509.Name(parts)


def _draft(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_FROM)
        .not_valid_after(_UNTIL)
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
