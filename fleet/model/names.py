"""Names and ids, each with a type of its own, so that none is passed for another.

An id that a user chooses is a DNS-1123 label (RFC 1123; Kubernetes object names), so no two of them look alike
and none needs escaping in a path, a ref or a page.
"""

import re
from typing import NewType

API_VERSION = "fleetgate.dev/v1alpha1"  # of everything that is written in words of ours

Environment = NewType("Environment", str)
Cluster = NewType("Cluster", str)
Bundle = NewType("Bundle", str)
Branch = NewType("Branch", str)

CommitId = NewType("CommitId", str)  # 40 or 64 hexadecimal digits, as git prints them
BlobId = NewType("BlobId", str)
TreeId = NewType("TreeId", str)

# "sha256:" and 64 hexadecimal digits each.
ContentId = NewType("ContentId", str)
RulesId = NewType("RulesId", str)
OwnedId = NewType("OwnedId", str)
SliceDigest = NewType("SliceDigest", str)
Root = NewType("Root", str)
Digest = NewType("Digest", str)

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z")
_COMMIT = re.compile(r"([0-9a-f]{40}|[0-9a-f]{64})\Z")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")


def is_label(text: str) -> bool:
    return _LABEL.match(text) is not None


def is_commit_id(text: str) -> bool:
    return _COMMIT.match(text) is not None


def is_digest(text: str) -> bool:
    return _DIGEST.match(text) is not None
