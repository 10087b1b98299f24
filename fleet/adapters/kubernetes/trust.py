"""TLS to an API server: whom we believe, and which certificate we show."""

import ssl
import tempfile
from dataclasses import dataclass, field

from fleet.model import errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """PEM."""

    certificate: bytes
    key: bytes = field(repr=False)


def believing(authority: bytes, *, where: str) -> ssl.SSLContext:
    """Only that authority (PEM), or the machine's own where none is named; `where` it was named is for messages."""
    try:
        context = ssl.create_default_context(cadata=authority.decode() or None)
    except (ssl.SSLError, ValueError) as error:
        raise errors.InputError(f"{where}: the authority cannot be used: {error}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Authorities that older installers made lack what the strict check of newer Pythons asks for; Go asks for less too.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def anyone() -> ssl.SSLContext:
    """Encrypted and unchecked: for those who say insecure-skip-tls-verify."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def show(context: ssl.SSLContext, pair: Pair, *, where: str) -> None:
    """OpenSSL reads certificates from files only; this one nobody else can read, and it is gone at once."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(pair.certificate + b"\n" + pair.key)
        file.flush()
        try:
            context.load_cert_chain(file.name, password=_no_password)
        except (OSError, ValueError) as error:
            raise errors.InputError(
                f"{where}: the client certificate cannot be used: {error}",
                hint="certificate and key must belong together; the key has no password",
            ) from None


def _no_password() -> str:
    """Without it OpenSSL would ask on the terminal."""
    raise ValueError("the key has a password")
