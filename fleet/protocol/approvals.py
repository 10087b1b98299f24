"""Approvals as signed words: written down, opened, and held against what an environment's trust file asks."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from fleet.model import approving, errors, messages
from fleet.protocol import encoding, sshsig, sshwire

if TYPE_CHECKING:  # an agent reads a trust file only where there is one
    from fleet.model import trusting

_Said = TypeVar("_Said", approving.Approval, approving.BreakGlass)
MAX_TEXT = 8 << 10  # bytes


def text(said: approving.Approval | approving.BreakGlass) -> str:
    return encoding.encode(said).decode()


def opened(signed: approving.Signed, received: datetime) -> approving.Voice:
    """Raises errors.RefusedError for whatever is not signed, or has a second reading."""
    key, said = _opened(signed, approving.Approval, sshsig.RELEASE, "approval")
    return approving.Voice(key=key, said=said, received=received)


def broken(signed: approving.Signed) -> tuple[str, approving.BreakGlass]:
    """The key, and what was signed with it. Raises errors.RefusedError as `opened` does."""
    return _opened(signed, approving.BreakGlass, sshsig.GLASS, "break-glass")


def breaks_glass(signed: approving.Signed) -> bool:
    """By its looks: `broken` says whether it was signed."""
    return '"kind":"BreakGlass"' in signed.text[:MAX_TEXT]


def _opened(
    signed: approving.Signed, form: type[_Said], namespace: str, what: str
) -> tuple[str, _Said]:
    if len(signed.text) > MAX_TEXT:
        raise errors.RefusedError(f"{what}: too large")
    data = signed.text.encode("utf-8", "surrogatepass")
    key = sshsig.verify(signed.signature, data, namespace)
    try:
        said = encoding.decode(form, data)
    except errors.InputError as error:
        raise errors.RefusedError(f"{what}: {error}") from error
    if encoding.encode(said) != data:
        raise errors.RefusedError(f"{what}: not in its one spelling")
    return key.text, said


def subject(statement: messages.Statement, trust: int) -> approving.Subject:
    """What must have been signed for this release."""
    return approving.Subject(
        environment=statement.environment,
        content=statement.content,
        rules=statement.rules,
        owned=statement.owned,
        slices_root=statement.slices_root,
        gates=statement.gates,
        trust=trust,
    )


def members(spec: "trusting.TrustSpec", group: str) -> Mapping[str, str]:
    """Each key of a group's people, and whose it is."""
    return {
        sshwire.key(line).text: person
        for person in spec.groups.get(group, ())
        for line in spec.people.get(person, ())
    }


def wanted(spec: "trusting.TrustSpec") -> tuple[approving.Wanted, ...]:
    """What the trust file itself asks of a release."""
    return tuple(
        approving.Wanted(
            group=each.group,
            count=each.count,
            people=members(spec, each.group),
            allows_unsigned=each.unsigned,
        )
        for each in spec.approvals
    )


def check(
    spec: "trusting.TrustSpec",
    statement: messages.Statement,
    carried: Iterable[approving.Signed],
    now: datetime,
) -> None:
    """Raises errors.RefusedError unless as many people approved exactly this as the trust file asks."""
    if spec.expires <= now:
        raise errors.RefusedError(f"approvals: trust file {spec.version} has expired")
    meant = subject(statement, spec.version)
    voices = [opened(each, now) for each in carried]
    for each in wanted(spec):
        found = len(approving.agreeing(each, voices, meant, now))
        if found < each.count:
            raise errors.RefusedError(
                f"approvals: {found} of {each.count} people of {each.group} approved this"
            )
