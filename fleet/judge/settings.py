"""The settings that a judged commit is held against, as the gates are told of them."""

from dataclasses import replace

from fleet.gate import candidates
from fleet.judge import judging
from fleet.model import kinds


def sides(judged: judging.Judged) -> tuple[candidates.Side, ...]:
    """The settings that hold: those in force and the candidate's own (rule 3)."""
    return both(judged.base.spec if judged.base else None, judged.declared.spec)


def both(
    in_force: kinds.EnvironmentSpec | None, own: kinds.EnvironmentSpec | None
) -> tuple[candidates.Side, ...]:
    """Once where they are the same."""
    said = ((in_force, "by what is in force"), (own, "by this commit itself"))
    known = [candidates.Side(word=word, spec=spec) for spec, word in said if spec is not None]
    if len(known) < 2 or in_force == own:
        return tuple(replace(each, word="") for each in known[:1])
    return tuple(known)


def scope(judged: judging.Judged) -> tuple[str, ...]:
    """The paths that a hotfix may change, by what is in force."""
    return tuple(judged.spec.hotfix.paths) if judged.spec.hotfix else ()
