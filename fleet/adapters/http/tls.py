"""TLS as both sides of our HTTP speak it: 1.2 or newer, files named by flags."""

import ssl
from dataclasses import dataclass

from fleet.model import errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Files of a server, PEM."""

    certificate: str  # with the chain after it
    key: str


def serving(files: Tls) -> ssl.SSLContext:
    """Raises errors.InputError for files that cannot be used."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(files.certificate, files.key, password=_no_password)
    except (OSError, ValueError) as error:
        raise errors.InputError(
            f"cannot use the certificate {files.certificate} with the key {files.key}: {error}",
            hint="both must be readable PEM files that belong together; the key has no password",
        ) from None
    return context


def trusting(authorities: str) -> ssl.SSLContext:
    """The machine's own authorities, or only those of the PEM text."""
    try:
        context = ssl.create_default_context(cadata=authorities or None)
    except (OSError, ValueError) as error:
        raise errors.InputError(f"cannot use the authorities for the hub: {error}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _no_password() -> str:
    """Without it OpenSSL would ask on the terminal."""
    raise ValueError("the key has a password")
