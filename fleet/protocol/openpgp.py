"""OpenPGP signatures of commits, as `git commit -S` makes them with gpg. Approvals and trust files are signed by SSH.

A key counts if it was alive when the signature says that it was made; one that is lost is taken out of the trust file.
"""

from collections.abc import Iterable, Mapping

from fleet.model import errors

ARMOR = "-----BEGIN PGP SIGNATURE-----"
MAX_ARMOR = 16 << 10  # bytes


def fingerprint(certificate: str) -> str:
    """Raises errors.InputError for what is no one armored public key, or has a secret in it."""
    import pysequoia  # 9 MB that nobody needs without such a key

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
    return str(found.fingerprint)


def verify(armor: str, message: bytes, known: Mapping[str, Iterable[str]]) -> tuple[str, str]:
    """Whose it is, by name and fingerprint; `known` are certificates by person. Raises errors.RefusedError."""
    import pysequoia

    if len(armor) > MAX_ARMOR:
        raise errors.RefusedError("signature: too large")
    certs = {fingerprint(each): (person, each) for person, many in known.items() for each in many}
    store = [pysequoia.Cert.from_bytes(each.encode()) for _, each in certs.values()]
    try:
        signature = pysequoia.Sig.from_bytes(armor.encode())
        found = pysequoia.verify(message, store=lambda _: store, signature=signature)
    except Exception as error:
        raise errors.RefusedError(
            "by no OpenPGP key that the trust file in force names"
        ) from error
    for each in found.valid_sigs:
        if each.certificate in certs:
            return certs[each.certificate][0], each.certificate
    raise errors.RefusedError("by no OpenPGP key that the trust file in force names")
