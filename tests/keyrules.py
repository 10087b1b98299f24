"""Invariant 18: a key that was removed opens nothing that is accepted, or answered, after its removal.

Whose keys count is read from the files of commits; what people said, from the records.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fleet.audit import records
from fleet.model import approving, errors, names
from fleet.protocol import approvals, dsse, encoding, sshwire, trustchain
from fleet.simulation import link

_KINDS = {"poll": dsse.POLL, "fetch": dsse.FETCH, "report": dsse.REPORT}


@dataclass(kw_only=True)
class Rules:
    say: Callable[[str], None]
    text_of: Callable[[names.CommitId, str], str | None]
    accepted: dict[str, names.CommitId] = field(default_factory=dict)

    def answered(self, cluster: str, exchange: link.Exchange, public: str) -> None:
        """Whoever is answered has signed with the key that was registered last."""
        if exchange.what not in _KINDS or exchange.reply.status not in (200, 304):
            return
        try:
            dsse.verify(_KINDS[exchange.what], dsse.read(exchange.sent), public)
        except errors.FleetError:
            self.say(
                f"{cluster}: a {exchange.what} by another key than the registered is answered"
            )

    def check(self, record: records.Record, found: list[records.Record]) -> None:
        body = record.body
        if record.kind is not records.Kind.DECISION or body["verdict"] != "accepted":
            return
        base = self.accepted.get(body["environment"])
        self.accepted[body["environment"]] = body["commit"]
        trust = self._trust(base, body["environment"]) if base else None
        if trust is None or body["lineage"] in ("baseline", "no change"):
            return
        people = self._agreed(trust, body, found[: record.index])
        if any(
            len(people & set(w.people.values())) < w.count for w in approvals.wanted(trust.spec)
        ):
            self.say(f"record {record.index} is accepted by {sorted(people)} alone")

    def _trust(self, commit: names.CommitId, environment: str) -> trustchain.Link | None:
        """The newest trust file of a commit."""
        files = []
        while True:
            stem = f"trust/{environment}/{len(files) + 1}"
            text = self.text_of(commit, f"{stem}.yaml")
            if text is None:
                break
            signatures = self.text_of(commit, f"{stem}.sig") or ""
            files.append(approving.TrustFile(text=text, signatures=signatures))
        links, _ = trustchain.examine(tuple(files), names.Environment(environment))
        return links[-1] if links else None

    def _agreed(
        self, trust: trustchain.Link, body: Mapping[str, str], found: list[records.Record]
    ) -> set[str]:
        """Whom the trust file names and whose last word on just this is a yes."""
        owner = {
            sshwire.key(line).text: who
            for who, lines in trust.spec.people.items()
            for line in lines
        }
        last: dict[str, bool] = {}
        for each in found:
            if each.kind is records.Kind.APPROVAL and each.body["key"] in owner:
                said = encoding.decode(approving.Approval, each.body["text"].encode())
                same = said.subject.environment, said.subject.content, said.subject.rules
                if same == (body["environment"], body["content"], body["rules"]):
                    is_yes = said.decision is approving.Decision.APPROVE
                    last[owner[each.body["key"]]] = is_yes
        return {who for who, is_yes in last.items() if is_yes}
