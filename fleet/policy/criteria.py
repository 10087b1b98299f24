"""What decides beside Kubernetes' own match rules whether a policy speaks of an object: words of other dialects."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from fleet.model import kinds
from fleet.policy import matching


class Criterion(Protocol):
    """A value too: whatever it is made of belongs to the digest of its policy."""

    @property
    def names_operations(self) -> bool:
        """Whether it may tell an update from a creation."""

    def holds(self, asked: matching.Request) -> bool: ...


@dataclass(frozen=True, slots=True)
class Always:
    @property
    def names_operations(self) -> bool:
        return False

    def holds(self, asked: matching.Request) -> bool:
        return asked is not None


@dataclass(frozen=True, slots=True)
class Inside:
    """Objects of one namespace: what a namespaced policy may speak of."""

    namespace: str

    @property
    def names_operations(self) -> bool:
        return False

    def holds(self, asked: matching.Request) -> bool:
        return asked.key.namespace == self.namespace


@dataclass(frozen=True, slots=True)
class Every:
    """All of these; none = always."""

    of: tuple[Criterion, ...]

    @property
    def names_operations(self) -> bool:
        return any(each.names_operations for each in self.of)

    def holds(self, asked: matching.Request) -> bool:
        return all(each.holds(asked) for each in self.of)


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of these; none = never."""

    of: tuple[Criterion, ...]

    @property
    def names_operations(self) -> bool:
        return any(each.names_operations for each in self.of)

    def holds(self, asked: matching.Request) -> bool:
        return any(each.holds(asked) for each in self.of)


@dataclass(frozen=True, slots=True)
class Opposite:
    of: Criterion

    @property
    def names_operations(self) -> bool:
        return self.of.names_operations

    def holds(self, asked: matching.Request) -> bool:
        return not self.of.holds(asked)


ALWAYS = Always()


def is_like(patterns: Iterable[str], word: str) -> bool:
    """Whether one of the patterns is the word, where * is any text and ? any character."""
    return any(
        pattern == word
        or (("*" in pattern or "?" in pattern) and bool(_glob(pattern).fullmatch(word)))
        for pattern in patterns
    )


@lru_cache(maxsize=512)
def _glob(pattern: str) -> re.Pattern[str]:
    """Stars in a row are one, so that no pattern can be slow."""
    parts = [re.escape(each) for each in re.split(r"\*+", pattern)]
    # Lazy and atomic: the first place where a piece fits is as good as any later one.
    head, *tail = (each.replace(r"\?", ".") for each in parts)
    if not tail:
        return re.compile(head, re.DOTALL)
    *middle, last = tail
    inner = "".join(f"(?>.*?{each})" for each in middle)
    return re.compile(f"{head}{inner}.*{last}", re.DOTALL)


def selects(selector: kinds.Selector, labels: Mapping[str, str]) -> bool:
    """As a label selector, where keys and values of matchLabels may be patterns too."""
    exact = kinds.Selector(match_expressions=selector.match_expressions)
    return kinds.selects(exact, dict(labels)) and has_like(selector.match_labels, labels)


def has_like(patterns: Mapping[str, str], words: Mapping[str, Any]) -> bool:
    """Whether each pattern of a key and a value is met by some entry. What is no text is like none."""
    texts = [(k, v) for k, v in words.items() if isinstance(v, str)]
    return all(
        any(is_like([key], k) and is_like([value], v) for k, v in texts)
        for key, value in patterns.items()
    )
