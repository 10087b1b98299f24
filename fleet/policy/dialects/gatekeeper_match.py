"""The `match` of a Gatekeeper constraint: which objects it speaks of."""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from fleet.model import kinds
from fleet.policy import criteria, forms, matching


class Kinds(forms.Form):
    api_groups: list[str] = Field(default=[])
    kinds: list[str] = Field(default=[])


_Selector = kinds.Selector  # inside Match the module's name is a field's


class Match(forms.Form):
    source: Literal["All", "Generated", "Original", ""] = "All"
    kinds: list[Kinds] = Field(default=[])
    scope: str = "*"
    namespaces: list[str] = Field(default=[])
    excluded_namespaces: list[str] = Field(default=[])
    label_selector: _Selector | None = None
    namespace_selector: _Selector | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Matching:
    said: Match

    def __repr__(self) -> str:
        return self.said.model_dump_json()

    @property
    def names_operations(self) -> bool:
        return False

    def holds(self, asked: matching.Request) -> bool:
        said = self.said
        return (
            said.source != "Generated"  # objects that a controller would make are in no repository
            and _is_kind(said, asked)
            and _is_in_scope(said, asked)
            and _is_in_namespaces(said, asked)
            and (said.label_selector is None or kinds.selects(said.label_selector, asked.labels))
            and _is_in_selected(said, asked)
            and (not said.name or criteria.is_like([said.name], asked.key.name))
        )


def _is_kind(said: Match, asked: matching.Request) -> bool:
    return not said.kinds or any(
        _has(each.kinds, asked.key.kind) and _has(each.api_groups, asked.key.group)
        for each in said.kinds
    )


def _has(words: list[str], word: str) -> bool:
    return not words or "*" in words or word in words


def _is_in_scope(said: Match, asked: matching.Request) -> bool:
    is_inside = bool(asked.key.namespace) and not asked.is_namespace
    return {"Cluster": not is_inside, "Namespaced": is_inside}.get(said.scope, True)


def _is_in_namespaces(said: Match, asked: matching.Request) -> bool:
    """What lives outside namespaces is in all of them, but for Namespaces themselves."""
    namespace = asked.key.name if asked.is_namespace else asked.key.namespace
    return not namespace or (
        (not said.namespaces or criteria.is_like(said.namespaces, namespace))
        and not criteria.is_like(said.excluded_namespaces, namespace)
    )


def _is_in_selected(said: Match, asked: matching.Request) -> bool:
    if said.namespace_selector is None:
        return True
    if asked.is_namespace:
        return kinds.selects(said.namespace_selector, asked.labels)
    labels = asked.namespace_labels
    return labels is None or kinds.selects(said.namespace_selector, dict(labels))
