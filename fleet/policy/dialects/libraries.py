"""Kyverno's own functions, which ask clusters, registries and the network: what uses them is not evaluated."""

import re

from fleet.policy import expressions

# What an expression names of each, and what it would ask.
_LIBRARIES = (
    (r"\bresource\.(Get|List|Post)\b", "resource", "asks a cluster for other objects"),
    (r"\bglobalContext\.", "globalContext", "asks Kyverno's cache"),
    (r"\bhttp\.", "http", "asks the network"),
    (r"\bimageData\b|\bimageData\.", "imageData", "asks a registry"),
    (r"\bimages\b\s*[.\[]|\bimage\.|\bparseImageReference\(", "images", "is Kyverno's own"),
    (r"\bparseServiceAccount\(", "user", "is Kyverno's own"),
    (r"\b(json|yaml|x509|random|time|hash|generator|transform)\.|\b(random|md5|sha1|sha256)\(", "", "is Kyverno's own"),
)  # fmt: skip


def explained(expression: expressions.Expression) -> str:
    """Why it did not compile, in words that name the library where that is the cause."""
    for pattern, name, what in _LIBRARIES:
        found = re.search(pattern, expression.text)
        if found and "undeclared reference" in expression.fault:
            called = name or found.group().rstrip(".(")
            return f"not evaluated: {called} {what} ({expression.fault})"
    return expression.fault
