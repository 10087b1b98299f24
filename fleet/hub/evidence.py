"""What the book has seen that gates ask for, beside lineage: laid out for one candidate."""

from dataclasses import replace

from fleet.gate import candidates
from fleet.hub import judging, soaks, state


def sides(judged: judging.Judged) -> tuple[candidates.Side, ...]:
    """The settings that hold: those in force and the candidate's own, once where they are the same (rule 3)."""
    if judged.base is None or judged.base.spec == judged.declared.spec:
        return (candidates.Side(word="", spec=judged.declared.spec),)
    return (
        candidates.Side(word="by what is in force", spec=judged.base.spec),
        candidates.Side(word="by this commit itself", spec=judged.declared.spec),
    )


def beside(
    facts: candidates.Facts, candidate: candidates.Candidate, hub: state.Hub
) -> candidates.Facts:
    """With all that is in the book about this content."""
    book, content = hub.ledger, candidate.content
    upstream = facts.upstream
    return replace(
        facts,
        soak=soaks.of(upstream.environment, content, hub) if upstream else None,
        statuses=tuple(book.statuses.get(content, {}).values()),
        measurements=hub.measured,
        quarantine=book.quarantines.get((candidate.environment, content)),
        break_glass=book.broken_glass.get(candidate.environment),
    )
