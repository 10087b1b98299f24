"""The classes of lineage as a table: what each means, whether it may go on, and what mends it.

docs/promotion.md is drawn from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from fleet.model.ledger import GateState, Lineage

_OPEN, _WAITING, _REFUSED = GateState.OPEN, GateState.WAITING, GateState.REFUSED
_PROMOTE = "fleet promote {upstream} {here}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Class:
    """`reason` and `mend` are filled in with {here}, {upstream}, {tip}, {base}, {paths}, {commits} and {detail}."""

    state: GateState
    meaning: str
    reason: str = ""
    mend: str = ""


CLASSES: Mapping[Lineage, Class] = {
    Lineage.NOTHING: Class(
        state=_OPEN,
        meaning="content, rules and owned paths are those that run",
        reason="no change",
    ),
    Lineage.ENTRY: Class(
        state=_OPEN,
        meaning="a commit on the first environment, where changes enter",
        reason="entry",
    ),
    Lineage.PROMOTION: Class(
        state=_OPEN,
        meaning="content and rules equal those of a commit that upstream accepted, but for open "
        "hotfixes; merged, squashed, rebased and fast-forwarded are all the same",
        reason="promotion{detail}",
    ),
    Lineage.PARTIAL: Class(
        state=_OPEN,
        meaning="whole bundles equal those of one commit that upstream accepted, all else is as it was",
        reason="partial promotion{detail}",
    ),
    Lineage.OWNED: Class(
        state=_OPEN,
        meaning="only paths that this environment owns differ from what runs",
        reason="owned-path change",
    ),
    Lineage.HOTFIX: Class(
        state=_OPEN,
        meaning="shared paths within the declared scope are changed right here, with a reason",
        reason="hotfix of {paths}{detail}",
    ),
    Lineage.ROLLBACK: Class(
        state=_OPEN,
        meaning="content equals that of an earlier release of this environment; rules stay",
        reason="rollback{detail}",
    ),
    Lineage.BASELINE: Class(
        state=_OPEN,
        meaning="accepted by decree, where nothing was accepted before",
        reason="decree",
    ),
    Lineage.REWRITE: Class(
        state=_WAITING,
        meaning="the tip does not descend from what was accepted last",
        reason="the branch was rewritten: {tip} does not descend from {base}",
        mend="push a branch that contains {base}, and revert on top of it; or let it in as it is: "
        "fleet hub rebaseline {here} {tip} --reason WHY",
    ),
    Lineage.UNADOPTED: Class(
        state=_WAITING,
        meaning="nothing was accepted here yet, and the tip equals nothing that upstream accepted",
        reason="nothing accepted here yet, and the tip equals no accepted commit of {upstream}",
        mend="adopt what runs there by decree: fleet hub baseline",
    ),
    Lineage.UNDECIDED: Class(
        state=_WAITING,
        meaning="upstream has not decided on this content yet",
        reason="{upstream} has not accepted this content: {detail} there",
        mend="see: fleet status --environment {upstream}",
    ),
    Lineage.UNACCEPTED: Class(
        state=_REFUSED,
        meaning="content of a commit that upstream never accepted, or of an environment before it",
        reason="{upstream} never accepted this content{detail}{commits}",
        mend="let {upstream} accept it first, or take what it accepted: " + _PROMOTE,
    ),
    Lineage.OLDER: Class(
        state=_REFUSED,
        meaning="content of an older release of upstream's than the one it runs",
        reason="this content is older than what {here} runs{detail}",
        mend="going back to what {here} ran before: fleet rollback {here} --reason WHY; or say so: "
        + _PROMOTE
        + " --commit ... --older REASON",
    ),
    Lineage.ALTERED: Class(
        state=_REFUSED,
        meaning="a merge, squash or rebase that is not what upstream accepted: an evil merge, "
        "`-s ours`, a conflict resolved by hand",
        reason="altered on the way: it equals no commit that {upstream} accepted; "
        "it differs in {paths}{commits}{detail}",
        mend=_PROMOTE,
    ),
    Lineage.DIRECT: Class(
        state=_REFUSED,
        meaning="shared paths were changed right here, outside the scope of hotfixes or without a reason",
        reason="direct change of shared paths: it equals no commit that {upstream} accepted; "
        "it differs in {paths}{commits}{detail}",
        mend="revert it on {here}, then: " + _PROMOTE,
    ),
    Lineage.INCOMPLETE: Class(
        state=_REFUSED,
        meaning="git takes upstream's commits for merged, yet something of them is not there: a revert "
        "that stays, a hotfix that is wiped, a part that marks the rest as merged",
        reason="incomplete: {detail}; it concerns {paths}{commits}",
        mend=_PROMOTE + "; or keep what runs: fleet rollback {here} --to {base} --reason WHY",
    ),
    Lineage.CARRIED: Class(
        state=_REFUSED,
        meaning="paths that the target owns came along with upstream's commits",
        reason="the merge changes paths that {here} owns: {paths}{commits}",
        mend="revert it on {here}, then: " + _PROMOTE,
    ),
}
