"""OpenPGP signatures of commits, as `git commit -S` makes them with gpg. Approvals and trust files are signed by SSH.

A key counts if it was alive when the signature says that it was made; one that is lost is taken out of the trust file.
"""

import functools
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from fleet.model import errors

if TYPE_CHECKING:  # 9 MB that nobody needs without such a key
    import pysequoia

ARMOR = "-----BEGIN PGP SIGNATURE-----"
MAX_ARMOR = 16 << 10  # bytes


def fingerprint(certificate: str) -> str:
    """Raises errors.InputError for what is no one armored public key, or has a secret in it."""
    return str(_read(certificate).fingerprint)


@functools.lru_cache(maxsize=1024)  # of each commit that somebody signed so, all are asked
def _read(certificate: str) -> "pysequoia.Cert":
    import pysequoia

    if "PRIVATE KEY" in certificate:
        raise errors.InputError(
            "it is a private key: take it out of the repository, and revoke it"
        )
    try:
        (found,) = pysequoia.Cert.split_bytes(certificate.encode())
    except Exception as error:
        raise errors.InputError("it is not one armored OpenPGP public key") from error
    if found.is_revoked:
        raise errors.InputError(f"OpenPGP key {found.fingerprint} is revoked")
    return found


def verify(armor: str, message: bytes, known: Mapping[str, Iterable[str]]) -> tuple[str, str]:
    """Whose it is, by name and fingerprint; `known` are certificates by person. Raises errors.RefusedError."""
    import pysequoia

    if len(armor) > MAX_ARMOR:
        raise errors.RefusedError("signature: too large")
    read = [(_read(each), person) for person, many in known.items() for each in many]
    people = {cert.fingerprint: person for cert, person in read}
    store = [cert for cert, _ in read]
    try:
        signature = pysequoia.Sig.from_bytes(armor.encode())
        found = pysequoia.verify(message, store=lambda _: store, signature=signature)
    except Exception as error:
        raise errors.RefusedError(
            "by no OpenPGP key that the trust file in force names"
        ) from error
    for each in found.valid_sigs:
        if each.certificate in people:
            return people[each.certificate], each.certificate
    raise errors.RefusedError("by no OpenPGP key that the trust file in force names")
