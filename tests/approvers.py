"""People with SSH keys, in memory: they sign trust files and approvals as `ssh-keygen -Y sign` would."""

import base64
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ed25519

import builders
from fleet.model import approving, names
from fleet.protocol import approvals, sshsig, sshwire


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
        return "ssh-ed25519 " + base64.b64encode(self.blob).decode()

    def sign(self, message: bytes, namespace: str) -> str:
        inner = self.private.sign(sshsig.signed(message, namespace))
        signature = sshwire.string(b"ssh-ed25519") + sshwire.string(inner)
        return sshsig.armor(self.blob, namespace, signature)

    def says(
        self,
        subject: approving.Subject,
        *,
        expires: datetime | None = None,
        decision: approving.Decision = approving.Decision.APPROVE,
    ) -> approving.Signed:
        said = approving.Approval(
            kind="Approval",
            subject=subject,
            expires=expires or builders.later(7 * 86400),
            decision=decision,
        )
        text = approvals.text(said)
        return approving.Signed(text=text, signature=self.sign(text.encode(), sshsig.RELEASE))


ADA, BERT, CARA, MALLORY = (Person(each) for each in ("ada", "bert", "cara", "mallory"))


SUBJECT = approving.Subject(
    environment=names.Environment("dev"),
    content=names.ContentId(builders.digest("c2")),
    rules=names.RulesId(builders.digest("r1")),
    owned=names.OwnedId(builders.digest("o1")),
    slices_root=names.Root(builders.digest("root")),
    gates=names.Digest(builders.digest("gates")),
    trust=1,
)


def trust(
    version: int = 1,
    *,
    signers: tuple[Person, ...] = (ADA,),
    environment: str = "dev",
    document: str = "",
    **spec: Any,
) -> approving.TrustFile:
    """Ada owns it, Ada and Bert approve, one of them is enough; unless `spec` says otherwise."""
    defaults: dict[str, Any] = {
        "environment": environment,
        "version": version,
        "expires": "2030-01-01",
        "people": {"ada": [f"{ADA.line} ada@laptop"], "bert": [BERT.line]},
        "groups": {"owners": ["ada"], "releasers": ["ada", "bert"]},
        "owners": {"group": "owners", "threshold": 1},
        "approvals": [{"group": "releasers", "count": 1}],
    }
    made = {
        "apiVersion": "fleetgate.dev/v1alpha1",
        "kind": "Trust",
        "metadata": {"name": environment},
        "spec": {**defaults, **spec},
    }
    text = document or json.dumps(made, indent=1) + "\n"
    signatures = "".join(each.sign(text.encode(), sshsig.TRUST) for each in signers)
    return approving.TrustFile(text=text, signatures=signatures)
