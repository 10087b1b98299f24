"""From a judged commit to what people are asked to agree to, and from what they send to the book."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from fleet.audit import drafts
from fleet.gate import approving as gate
from fleet.gate import candidates
from fleet.hub import drawing, state
from fleet.judge import judging
from fleet.model import approving, errors, gating, ledger, names, snapshots, trusting
from fleet.plan import rollout
from fleet.ports import repository, store
from fleet.protocol import approvals, openpgp, sshsig, sshwire, trustchain

MAX_HELD = 10_000  # approvals of one environment in the book


async def asked(
    facts: candidates.Facts,
    judged: judging.Judged,
    drawn: drawing.Drawn,
    kind: ledger.Lineage,
    hub: state.Hub,
) -> candidates.Facts:
    """The facts with what is asked of people for a candidate of this kind, and what they said."""
    environment = judged.question.environment
    signatures: tuple[snapshots.Signature, ...] = await hub.signed.of(
        environment,
        (_known(facts), judged.question.commit),
        lambda: signatures_of(facts, judged, hub.repository),
    )
    found = by_signatures(facts, judged, drawn.plan, signatures, kind)
    consent = found.consent or consent_of(judged, drawn.plan, signatures, kind)
    consent = replace(consent, is_same=_is_all_there(consent, hub))
    hub.consents[environment] = judged.question.commit, consent
    voices = gate.current(hub.ledger.approvals.values(), environment)
    return replace(found, consent=consent, voices=voices)


def by_signatures(
    facts: candidates.Facts,
    judged: judging.Judged,
    plan: rollout.Plan,
    signatures: Sequence[snapshots.Signature],
    kind: ledger.Lineage,
) -> candidates.Facts:
    """With what the commit and who signed it ask of people; what they said is for the book to tell."""
    links = _links(judged)
    consent = consent_of(judged, plan, signatures, kind)
    return replace(
        facts,
        consent=consent,
        signers={each.commit: each.person for each in consent.signers} if links else None,
        groups={name: frozenset(people) for name, people in _groups(links)},
    )


async def signatures_of(
    facts: candidates.Facts, judged: judging.Judged, git: repository.Repository
) -> tuple[snapshots.Signature, ...]:
    """Of the commits that are new, where a trust file says whose count."""
    if not _links(judged):
        return ()
    return await git.signatures(_known(facts), judged.question.commit)


def _known(facts: candidates.Facts) -> names.CommitId | None:
    """What is in force, where the steps from there are known: of a rewritten branch too, once it is let in."""
    is_known = facts.way.descends or facts.way.steps
    return facts.base.commit if facts.base and is_known else None


def _groups(links: Sequence[trustchain.Link]) -> Iterable[tuple[str, Iterable[str]]]:
    """By whom signatures are judged: the keys in force, as in `_signers`."""
    return links[0].spec.groups.items() if links else ()


def settled(
    judged: judging.Judged, plan: rollout.Plan, hub: state.Hub
) -> approving.Consent | None:
    """As the gate was told; of a decree, which no gate was asked for, what would have been. None = nobody's."""
    commit, consent = hub.consents.get(judged.question.environment, ("", None))
    if consent is None or commit != judged.question.commit:
        consent = consent_of(judged, plan)
    is_asked = consent.wanted or consent.troubles or judged.declared.trust
    return consent if is_asked else None


def consent_of(
    judged: judging.Judged,
    plan: rollout.Plan,
    signatures: Sequence[snapshots.Signature] = (),
    kind: ledger.Lineage | None = None,
) -> approving.Consent:
    """By the trust file in force and by the one that comes, by the settings in force and by those that come.

    Where the kind of candidate is not known, all that may be asked.
    """
    links = _links(judged)
    signers = _signers(links, signatures)
    settings = [each for spec in judged.specs for each in gate.asked(spec, kind)]
    settings += [each for spec in judged.specs if judged.loosens for each in spec.gates.loosening]
    wanted = [w for link in links for w in approvals.wanted(link.spec)]
    wanted += [_wanted(each, link) for link in links for each in settings]
    return approving.Consent(
        subject=subject_of(judged, plan),
        wanted=tuple(wanted),
        signers=signers,
        troubles=tuple(_troubles(judged, links, settings)),
        hint=_hint(judged, plan),
    )


def subject_of(judged: judging.Judged, plan: rollout.Plan) -> approving.Subject:
    return approving.Subject(
        environment=judged.question.environment,
        content=judged.ids.content,
        rules=judged.ids.rules,
        owned=judged.ids.owned,
        slices_root=plan.slices_root,
        gates=judged.declared.gates,
        trust=len(judged.declared.trust),
    )


async def receive(signed: approving.Signed, hub: state.Hub) -> ledger.Approval:
    """Into the book, if somebody signed it whom a trust file of the environment names. The same again is the same."""
    voice = approvals.opened(signed, hub.clock.now())
    environment = voice.said.subject.environment
    known = {
        sshwire.key(line).text
        for spec in _specs(environment, hub)
        for lines in spec.people.values()
        for line in lines
    }
    if voice.key not in known:
        raise errors.RefusedError(
            f"{sshwire.fingerprint(voice.key)} is nobody's key in {environment}",
            hint=f"fleet trust show {environment}",
        )
    row = ledger.Approval(environment=environment, signed=signed, voice=voice)
    async with state.writing(hub):
        there = hub.ledger.approvals.get(row.id)
        if there is not None:
            return there
        if len(gate.current(hub.ledger.approvals.values(), environment)) >= MAX_HELD:
            raise errors.RefusedError(f"{environment} has {MAX_HELD} approvals already")
        draft = drafts.approval(row, at=voice.received)
        await state.write(hub, store.Write(records=(draft,), rows=(row,)))
    hub.wake.set()
    return row


def carried(release: ledger.Release, hub: state.Hub) -> tuple[approving.Signed, ...]:
    """What a dispatch of this release brings along: of each key its last word, where that is a yes for just this."""
    if release.consent is None:
        return ()
    last: dict[str, ledger.Approval] = {}
    for each in sorted(hub.ledger.approvals.values(), key=lambda each: each.voice.received):
        if each.voice.said.subject == release.consent.subject:
            last[each.voice.key] = each
    yes = [e for e in last.values() if e.voice.said.decision is approving.Decision.APPROVE]
    return tuple(each.signed for each in sorted(yes, key=lambda each: each.id)[:50])


def lapsed(release: ledger.Release, hub: state.Hub) -> str:
    """Why no further wave of it may open, in words (threat 43)."""
    if release.consent is None or release.consent.is_same:
        return ""
    voices = gate.current(hub.ledger.approvals.values(), release.environment)
    return "; ".join(gate.missing(release.consent, voices, hub.clock.now()))


def wave_lacks(
    release: ledger.Release, wave: str, asked: Sequence[gating.Approvals], hub: state.Hub
) -> str:
    """What is asked before this wave of it may open, and not there, in words (`Wave.approvals`)."""
    if not asked or release.consent is None:
        return "approvals are asked for, and no trust file says whose" if asked else ""
    links, _ = trustchain.examine(release.trust, release.environment)
    consent = replace(
        release.consent,
        subject=replace(release.consent.subject, wave=wave),
        wanted=tuple(_wanted(each, link) for link in links[-1:] for each in asked),
    )
    voices = gate.current(hub.ledger.approvals.values(), release.environment)
    return "; ".join(gate.missing(consent, voices, hub.clock.now()))


def _is_all_there(consent: approving.Consent, hub: state.Hub) -> bool:
    """Whether every wave of what is in force has just these slices already."""
    running = hub.ledger.in_force(consent.subject.environment)
    if running is None or running.slices_root != consent.subject.slices_root:
        return False
    return hub.ledger.environments[running.environment].wave >= len(running.waves)


def _links(judged: judging.Judged) -> tuple[trustchain.Link, ...]:
    """The newest trust file in force and the newest that comes; one, where they are the same."""
    found: dict[int, trustchain.Link] = {}
    for said in (judged.base, judged.declared):
        links, _ = trustchain.examine(said.trust if said else (), judged.question.environment)
        if links:
            found[links[-1].anchor.version] = links[-1]
    return tuple(found.values())


def _specs(environment: names.Environment, hub: state.Hub) -> Iterable[trusting.TrustSpec]:
    judged = hub.tools.judged.get(environment)
    release = hub.ledger.in_force(environment)
    chains = [judged.declared.trust if judged else (), release.trust if release else ()]
    for chain in chains:
        links, _ = trustchain.examine(chain, environment)
        yield from (each.spec for each in links[-1:])


def _wanted(asked: gating.Approvals, link: trustchain.Link) -> approving.Wanted:
    return approving.Wanted(
        group=asked.group,
        count=asked.count,
        people=approvals.members(link.spec, asked.group),
        lifetime=int(asked.expires.total_seconds()),
        allows_unsigned=asked.unsigned,
    )


def _troubles(
    judged: judging.Judged,
    links: tuple[trustchain.Link, ...],
    settings: Sequence[gating.Approvals],
) -> Iterable[str]:
    here = judged.question.environment
    if settings and not links:
        yield f"fleet.yaml asks for approvals, and there is no trust/{here}/1.yaml that says whose"
    for link in links:
        for group in sorted({each.group for each in settings} - link.spec.groups.keys()):
            yield f"fleet.yaml asks group {group}, which trust/{here}/{link.anchor.version}.yaml does not name"


def _signers(
    links: tuple[trustchain.Link, ...],
    signatures: Sequence[snapshots.Signature],
) -> tuple[approving.Signer, ...]:
    """By the keys in force alone (threat 34); where nothing is in force yet, by those that come."""
    known = {
        sshwire.key(line).text: person
        for link in links[:1]
        for person, lines in link.spec.people.items()
        for line in lines
    }
    certificates = {name: many for link in links[:1] for name, many in link.spec.pgp.items()}
    return tuple(
        _by_pgp(each, certificates)
        if each.armor.startswith(openpgp.ARMOR)
        else _by_ssh(each, known)
        for each in signatures
    )


def _by_pgp(
    signature: snapshots.Signature, known: Mapping[str, Sequence[str]]
) -> approving.Signer:
    try:
        person, key = openpgp.verify(signature.armor, signature.payload, known)
    except errors.RefusedError as error:
        return approving.Signer(commit=signature.commit, reason=f"signed {error}")
    return approving.Signer(commit=signature.commit, key=key, person=person)


def _by_ssh(signature: snapshots.Signature, known: Mapping[str, str]) -> approving.Signer:
    if not signature.armor:
        return approving.Signer(commit=signature.commit, reason="not signed")
    try:
        key = sshsig.verify(signature.armor, signature.payload, sshsig.GIT).text
    except errors.RefusedError as error:
        return approving.Signer(commit=signature.commit, reason=f"not signed with SSH ({error})")
    if key not in known:
        reason = (
            f"signed by {sshwire.fingerprint(key)}, which the trust file in force does not name"
        )
        return approving.Signer(commit=signature.commit, reason=reason)
    return approving.Signer(commit=signature.commit, key=key, person=known[key])


def _hint(judged: judging.Judged, plan: rollout.Plan) -> str:
    """The command with all that an approver's machine cannot know by itself."""
    question = judged.question
    words = ["fleet approve", question.environment, question.commit]
    words += ["--running", question.base.commit] if question.base else []
    words += [f"--leaving {cluster}={how.value}" for cluster, how in plan.retired.items()]
    return " ".join(words)
