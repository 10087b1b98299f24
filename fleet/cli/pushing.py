"""A commit that is made for a person to push: shown, held back where the hub would refuse it, else pushed and told."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from fleet.cli import output
from fleet.model import errors, findings, names
from fleet.ports import repository

_Finding = findings.Finding  # inside Offer the module's name is a field's
_SHOWN = 50  # lines of one cluster's changes


class Offer(Protocol):
    """What `fleet promote` and `fleet rollback` have made."""

    @property
    def commit(self) -> names.CommitId: ...

    @property
    def branch(self) -> names.Branch: ...

    @property
    def tip(self) -> names.CommitId:
        """Of the branch, that it was made on."""

    @property
    def changes(self) -> Mapping[names.Cluster, tuple[str, ...]]: ...

    @property
    def findings(self) -> tuple[_Finding, ...]: ...


async def push(
    offer: Offer, environment: names.Environment, pen: repository.Writer, *, dry_run: bool
) -> None:
    """Raises errors.RefusedError for what the hub would refuse, and for a branch that has moved."""
    for line in described(offer.changes):
        output.say(line)
    output.report(offer.findings)
    if findings.refuses(offer.findings):
        raise errors.RefusedError(f"{environment} would refuse it: nothing was pushed")
    if dry_run:
        output.say("dry run: nothing was pushed")
        return
    await pen.push(offer.branch, offer.commit, offer.tip)
    output.say(
        f"pushed {offer.commit[:10]} to {offer.branch}: the hub decides now (fleet status)",
        "bold green",
    )


def described(changes: Mapping[names.Cluster, Sequence[str]]) -> Iterator[str]:
    """What would change, per cluster and object."""
    for cluster, lines in changes.items():
        yield f"{cluster}: {len(lines)} objects change" if lines else f"{cluster}: no change"
        yield from (f"  {line}" for line in lines[:_SHOWN])
        if len(lines) > _SHOWN:
            yield f"  and {len(lines) - _SHOWN} more"
