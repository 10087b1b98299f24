"""Servers over a stand-in hub on real loopback sockets."""

import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import loopback
from fleet.adapters.http import limits, server, tls


@pytest.fixture
def desk() -> loopback.Desk:
    return loopback.Desk()


@pytest.fixture
async def serve(desk: loopback.Desk) -> AsyncIterator[loopback.Serve]:
    """Starts a server over `desk` with these limits; gives its port."""
    async with AsyncExitStack() as stack:

        async def start(certified: tls.Tls | None = None, **bounds: float) -> int:
            made = server.Server(
                desk,
                "127.0.0.1:0",
                certified,
                bounds=limits.Limits(**{"stop_seconds": 0.1, **bounds}),
            )
            port = await made.start()
            stack.push_async_callback(made.stop)
            return port

        yield start


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> loopback.Authority:
    """A certificate for 127.0.0.1 that vouches for itself."""
    folder: Path = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hub")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "hub.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "hub.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return loopback.Authority(str(folder / "hub.crt"), str(folder / "hub.key"))


@pytest.fixture
def old_tls(authority: loopback.Authority) -> ssl.SSLContext:
    """A client that speaks nothing newer than TLS 1.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authority.certificate)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(
        action="ignore"
    ):  # old versions are deprecated, that is the point
        context.minimum_version = ssl.TLSVersion.TLSv1_1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context
