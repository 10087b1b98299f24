"""What must be done so that the cluster is what its slice says: pure, from slice, inventory and what was seen."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from fleet.converge import fields, inventory
from fleet.gate import guard
from fleet.model import messages, names, objects, slices


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """`apply` in no order; `going` are members that the slice no longer has."""

    apply: tuple[slices.Item, ...]
    going: tuple[inventory.Member, ...]

    @property
    def is_none(self) -> bool:
        return not self.apply and not self.going


def between(
    wanted: Mapping[objects.Key, slices.Item],
    digests: Mapping[objects.Key, names.Digest],
    members: inventory.Inventory,
    seen: Mapping[objects.Key, fields.Seen],
) -> Difference:
    """`digests` are those of the wanted bodies."""
    return Difference(
        apply=tuple(
            item
            for key, item in wanted.items()
            if not is_as_applied(members.get(key), digests[key], seen.get(key))
        ),
        going=tuple(member for key, member in members.items() if key not in wanted),
    )


def is_as_applied(
    member: inventory.Member | None, digest: names.Digest, seen: fields.Seen | None
) -> bool:
    """Whether the live object is the very one that we applied, with all that we applied still ours."""
    if member is None or seen is None or member.digest != digest:
        return False
    return seen.uid == member.uid and seen.fields == member.fields


def refusals(
    going: Iterable[inventory.Member],
    before: int,
    dispatch: messages.Dispatch,
    now: datetime,
) -> tuple[str, ...]:
    """What stands against pruning, by the same guard that the hub asked before it let the release out."""
    return guard.refusals(
        cluster=dispatch.cluster,
        going=[member.key for member in going if not member.adopted],
        before=before,
        max_deleted_share=dispatch.max_deleted_share,
        permits=dispatch.permits,
        now=now,
    )


def may_take_over(item: slices.Item, dispatch: messages.Dispatch, now: datetime) -> bool:
    """Whether a live object that we did not create may become ours."""
    permitted = guard.permits_takeover(item.key, dispatch.cluster, dispatch.permits, now)
    return item.takeover or permitted
