"""People who sign trust files and approvals."""

import json
from datetime import datetime
from typing import Any

import builders
from fleet.model import approving, names
from fleet.protocol import approvals, sshsig
from fleet.simulation import people


class Person(people.Person):
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
