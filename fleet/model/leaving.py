"""How a cluster leaves the fleet: a word of its `Cluster` document, its slice, its dispatch and its agent."""

from enum import Enum


class OnRemoval(Enum):
    ORPHAN = "orphan"  # leave what runs, take our marks off
    PRUNE = "prune"  # delete what the inventory names
