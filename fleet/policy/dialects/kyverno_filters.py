"""The match and exclude blocks of Kyverno's rules: which objects a rule speaks of.

Who asks is known to admission alone. Where it is not known a rule that names users is taken to match any, and none is
excluded: a rule is rather held against too much than passed over.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from pydantic import Field

from fleet.model import kinds
from fleet.policy import criteria, forms, matching

_Selector = kinds.Selector  # inside the forms the module's name is a field's


class Resources(forms.Form):
    kinds: list[str] = Field(default=[])
    name: str = ""
    names: list[str] = Field(default=[])
    namespaces: list[str] = Field(default=[])
    annotations: dict[str, str] = Field(default={})
    selector: _Selector | None = None
    namespace_selector: _Selector | None = None
    operations: list[Literal["CREATE", "UPDATE", "DELETE", "CONNECT"]] = Field(default=[])


class Subject(forms.Form):
    kind: str
    name: str
    namespace: str = ""
    api_group: str = ""


class Filter(forms.Form):
    resources: Resources = Resources()
    subjects: list[Subject] = Field(default=[])
    roles: list[str] = Field(default=[])
    cluster_roles: list[str] = Field(default=[])

    @property
    def is_empty(self) -> bool:
        return self.resources == Resources() and not self.names_users

    @property
    def names_users(self) -> bool:
        return bool(self.subjects or self.roles or self.cluster_roles)


class Block(Filter):
    any: list[Filter] = Field(default=[])
    all: list[Filter] = Field(default=[])

    @property
    def filters(self) -> list[Filter]:
        """Of all that it is made of, whichever way."""
        return self.any or self.all or [Filter.model_construct(**_own(self))]


def _own(block: Block) -> Mapping[str, Any]:
    names = ("resources", "subjects", "roles", "cluster_roles")
    return {name: getattr(block, name) for name in names}


def criterion(match: Block, exclude: Block | None) -> criteria.Criterion:
    wanted = _joined(match, is_match=True)
    if exclude is None:
        return wanted
    return criteria.Every((wanted, criteria.Opposite(_joined(exclude, is_match=False))))


def excepted(match: Block) -> criteria.Criterion:
    """What an exception is for: users that nobody knows are in none."""
    return _joined(match, is_match=False)


def _joined(block: Block, *, is_match: bool) -> criteria.Criterion:
    filters = tuple(Selected(_Text(each), is_match) for each in block.filters)
    return criteria.Every(filters) if block.all and not block.any else criteria.Some(filters)


@dataclass(frozen=True, slots=True)
class _Text:
    """A filter as a value of its own, spelled in full where a digest is made of it."""

    form: Filter

    def __repr__(self) -> str:
        return self.form.model_dump_json(exclude_defaults=True)


@dataclass(frozen=True, slots=True)
class Selected:
    """Objects that a filter selects; an empty filter selects none."""

    said: _Text
    is_match: bool

    @property
    def names_operations(self) -> bool:
        return bool(self.said.form.resources.operations)

    def holds(self, asked: matching.Request) -> bool:
        said, resources = self.said.form, self.said.form.resources
        return (
            not said.is_empty
            and _is_kind(resources.kinds, asked)
            and _is_named(resources, asked)
            and (not resources.operations or asked.operation in resources.operations)
            and criteria.has_like(resources.annotations, asked.annotations)
            and (resources.selector is None or criteria.selects(resources.selector, asked.labels))
            and _is_in_selected(resources.namespace_selector, asked)
            and _is_by(said, asked, otherwise=self.is_match)
        )


def _is_named(resources: Resources, asked: matching.Request) -> bool:
    patterns = [*resources.names, *([resources.name] if resources.name else [])]
    namespace = asked.key.name if asked.is_namespace else asked.key.namespace
    return (not patterns or criteria.is_like(patterns, asked.key.name)) and (
        not resources.namespaces or criteria.is_like(resources.namespaces, namespace)
    )


def _is_in_selected(selector: kinds.Selector | None, asked: matching.Request) -> bool:
    if selector is None or asked.is_namespace:
        return True
    return criteria.selects(selector, asked.namespace_labels or {})


def _is_by(said: Filter, asked: matching.Request, *, otherwise: bool) -> bool:
    if not said.names_users:
        return True
    if asked.user is None:
        return otherwise
    if said.roles or said.cluster_roles:
        return False  # roles are no part of what an API server says of a user
    return any(_is_subject(each, asked.user) for each in said.subjects)


def _is_subject(subject: Subject, user: Mapping[str, Any]) -> bool:
    name, groups = str(user.get("username", "")), user.get("groups") or []
    match subject.kind:
        case "User":
            return criteria.is_like([subject.name], name)
        case "Group":
            return any(criteria.is_like([subject.name], str(each)) for each in groups)
        case "ServiceAccount":
            full = f"system:serviceaccount:{subject.namespace}:{subject.name}"
            return criteria.is_like([full], name)
        case _:
            return False


@dataclass(frozen=True, slots=True)
class _Kind:
    group: str
    version: str
    kind: str
    subresource: str


def _is_kind(patterns: list[str], asked: matching.Request) -> bool:
    return not patterns or any(
        criteria.is_like([each.group], asked.key.group)
        and criteria.is_like([each.version], asked.version)
        and criteria.is_like([each.kind], asked.key.kind)
        and each.subresource in ("", "*")
        for each in map(_kind, patterns)
    )


def kind_of(pattern: str) -> str:
    """The kind alone of group/version/Kind/subresource; "" for subresources."""
    found = _kind(pattern)
    return "" if found.subresource else found.kind


@lru_cache(maxsize=512)
def _kind(pattern: str) -> _Kind:
    """Kinds begin with a capital letter; before one are group and version, behind one is a subresource."""
    parts = pattern.split("/")
    capital = (n for n, each in enumerate(parts) if each[:1].isupper())
    at = next(capital, len(parts) - 1 if parts[-1][:1] in ("*", "?") else max(len(parts) - 2, 0))
    kind, _, subresource = parts[at].partition(".")
    version, group = (*reversed(parts[:at]), "*", "*")[:2]
    if at == 1 and not re.match(r"v\d|\*", version):
        version, group = "*", version
    return _Kind(group, version, kind, subresource or "/".join(parts[at + 1 :]))
