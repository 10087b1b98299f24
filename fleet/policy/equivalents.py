"""An object in the version of its kind that a policy speaks of, which need not be the one that it is written in."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from fleet.manifests import conversions
from fleet.model import objects
from fleet.policy import documents, matching

Body = Mapping[str, Any]


class Kinds(Protocol):
    def versions(self, key: objects.Key) -> tuple[matching.Version, ...]:
        """All that the kind is served in, if there are several."""

    def converted(self, body: Any, to: matching.Version) -> Any:
        """None where nobody here knows how."""


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """Kubernetes' own kinds alone."""

    def versions(self, key: objects.Key) -> tuple[matching.Version, ...]:
        return conversions.versions(key.group, key.kind)

    def converted(self, body: Any, to: matching.Version) -> Any:
        return conversions.converted(body, to)


BUILT_IN = BuiltIn()


def request(
    policy: documents.Policy, asked: matching.Request, kinds: Kinds
) -> matching.Request | str:
    """What the API server would show that policy, or why nobody can tell."""
    served = kinds.versions(asked.key)
    if len(served) < 2:
        return asked
    to = matching.meant(policy.form.spec.match_constraints, asked, served)
    if to == asked.written:
        return asked
    body = kinds.converted(asked.body, to)
    old = None if asked.old is None else kinds.converted(asked.old, to)
    if body is None or (old is None) != (asked.old is None):
        return unknown(asked.key.kind, asked.written, to)
    return replace(asked, body=body, old=old, meant=to)


def unseen(asked: matching.Request) -> str:
    return (
        f"not evaluated: what runs is written in another version than {_named(asked.written)},"
        " and only an API server can convert it"
    )


def unknown(kind: str, written: matching.Version, to: matching.Version) -> str:
    return (
        f"not evaluated: the policy speaks of {kind} in {_named(to)}, this one is in {_named(written)},"
        " and only an API server can convert it"
    )


def _named(version: matching.Version) -> str:
    return "/".join(filter(None, version))
