"""People with SSH keys, in memory: they sign as `ssh-keygen -Y sign` would."""

import base64
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ed25519

from fleet.protocol import sshsig, sshwire


@dataclass(frozen=True)
class Person:
    name: str
    private: ed25519.Ed25519PrivateKey = field(
        default_factory=ed25519.Ed25519PrivateKey.generate, repr=False
    )

    @property
    def blob(self) -> bytes:
        raw = self.private.public_key().public_bytes_raw()
        return sshwire.string(b"ssh-ed25519") + sshwire.string(raw)

    @property
    def line(self) -> str:
        """As in an *.pub file."""
        return "ssh-ed25519 " + base64.b64encode(self.blob).decode()

    def sign(self, message: bytes, namespace: str) -> str:
        inner = self.private.sign(sshsig.signed(message, namespace))
        signature = sshwire.string(b"ssh-ed25519") + sshwire.string(inner)
        return sshsig.armor(self.blob, namespace, signature)
