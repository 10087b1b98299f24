"""What a trust file says: who a person is, by keys, and whose word counts for what."""

from typing import Annotated

from pydantic import Field, StringConstraints

from fleet.model import strict

# One line as in *.pub files, its comment included; fleet.protocol.sshwire reads the bytes.
SshKey = Annotated[
    str,
    StringConstraints(
        pattern=r"^(sk-)?(ssh-(ed25519|rsa)|ecdsa-sha2-nistp(256|384))(@openssh\.com)? [A-Za-z0-9+/]+={0,2}( [ -~]*)?$",
        max_length=8192,
    ),
]
PgpKey = Annotated[
    str,
    StringConstraints(
        pattern=r"^-----BEGIN PGP PUBLIC KEY BLOCK-----\n", max_length=65536, strip_whitespace=True
    ),
]
_Group = Annotated[list[strict.Label], Field(min_length=1, max_length=1000)]


class Owners(strict.Strict):
    group: strict.Label = Field(description="The group that signs the next version.")
    threshold: int = Field(ge=1, le=50, description="So many different people of it.")


class Required(strict.Strict):
    group: strict.Label = Field(description="A group of this file.")
    count: int = Field(default=1, ge=1, le=20, description="So many different people of it.")
    unsigned: bool = Field(
        default=False,
        description="A change whose commits are not signed may be approved by anyone of the group.",
    )


class TrustSpec(strict.Strict):
    environment: strict.Label = Field(description="The environment that it is for.")
    version: int = Field(ge=1, le=10_000, description="As in the file's name; without gaps.")
    expires: strict.Moment = Field(description="Nothing new is applied by it after.")
    people: dict[strict.Label, Annotated[list[SshKey], Field(min_length=1, max_length=20)]] = (
        Field(min_length=1, max_length=1000, description="Public SSH keys of each person.")
    )
    pgp: dict[strict.Label, Annotated[list[PgpKey], Field(min_length=1, max_length=20)]] = Field(
        default={}, max_length=1000, description="OpenPGP keys of people who sign commits so."
    )
    groups: dict[strict.Label, _Group] = Field(max_length=100, description="People by group.")
    owners: Owners = Field(description="Who signs the next version.")
    approvals: list[Required] = Field(
        default=[], max_length=10, description="What agents ask of a release: all of them."
    )
