"""OpenPGP keys and the signatures of commits that they make."""

import pysequoia
import pytest

from fleet.model import errors
from fleet.protocol import openpgp

ADA, BERT = (pysequoia.Tsk.generate(f"{name} <{name}@example.com>") for name in ("ada", "bert"))
PAYLOAD = b"tree 1234\nauthor Ada\n\na change\n"


def public(key: pysequoia.Tsk) -> str:
    return str(key.extract_certificate())


def signed(key: pysequoia.Tsk, payload: bytes = PAYLOAD) -> str:
    return pysequoia.sign(key.signer(), payload, mode=pysequoia.SignatureMode.DETACHED).decode()


KNOWN = {"ada": [public(ADA)], "bert": [public(BERT)]}


@pytest.mark.parametrize(("key", "person"), [(ADA, "ada"), (BERT, "bert")])
def test_whose_signature_it_is(key: pysequoia.Tsk, person: str):
    found = openpgp.verify(signed(key), PAYLOAD, KNOWN)
    assert found == (person, openpgp.fingerprint(public(key)))


@pytest.mark.threat(34)
@pytest.mark.parametrize(
    "armor",
    [
        signed(ADA, PAYLOAD + b" "),
        signed(pysequoia.Tsk.generate("ada <ada@example.com>")),  # the name proves nothing
        signed(ADA).replace("\n=", "\nA="),
        f"{openpgp.ARMOR}\n\n-----END PGP SIGNATURE-----\n",
        openpgp.ARMOR,
        "",
        public(ADA),
        signed(ADA) + "x" * openpgp.MAX_ARMOR,
    ],
)
def test_what_is_no_signature_of_anybody_known(armor: str):
    with pytest.raises(errors.RefusedError):
        openpgp.verify(armor, PAYLOAD, KNOWN)


def test_nobody_known_has_signed_nothing():
    with pytest.raises(errors.RefusedError):
        openpgp.verify(signed(ADA), PAYLOAD, {})


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "one armored"),
        ("-----BEGIN PGP PUBLIC KEY BLOCK-----\n", "one armored"),
        (public(ADA) + public(BERT), "one armored"),
        (str(ADA), "private key"),
        (
            str(ADA.extract_certificate().revoke(ADA.certifier())),
            "one armored",
        ),  # a revocation alone
    ],
)
def test_what_is_no_public_key(text: str, word: str):
    with pytest.raises(errors.InputError, match=word):
        openpgp.fingerprint(text)
