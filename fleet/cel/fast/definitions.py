"""An expression that another one may hold in itself, under the name that its value has among the bindings."""

from collections.abc import Mapping
from dataclasses import dataclass

from fleet.cel import checker, tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """`inner` are the definitions that it sees itself."""

    root: tree.Node
    checked: checker.Checked
    inner: "Mapping[str, Definition]"
