"""The rules of a schema as a tree: compiled where they stand, branches without rules left out.

Source: pkg/apiserver/schema/cel/{compilation,validation}.go of k8s.io/apiextensions-apiserver.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fleet import cel
from fleet.cel import parser, tree, types
from fleet.policy import expressions
from fleet.policy.crds import selves

Path = tuple[str, ...]

RULES = "x-kubernetes-validations"
REASONS = ("FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired", "FieldValueDuplicate")
_STEP = re.compile(r"\.([^.\[\]]+)|\['((?:[^'\\]|\\.)*)'\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    expression: expressions.Expression  # with its path inside the whole schema
    message_expression: expressions.Expression | None
    message: str
    reason: str
    shown: str  # of the field that it blames, below its own place; "" = none
    steps: Path
    uses_old: bool
    may_lack_old: bool
    faults: tuple[tuple[Path, str], ...]  # what is wrong with the rule besides its expressions


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One place of a schema that has rules, there or below."""

    schema: Mapping[str, Any] = field(repr=False)
    of_resource: bool
    rules: tuple[Rule, ...]
    fields: "Mapping[str, Node]"
    entries: "Node | None"
    items: "Node | None"
    all_of: "tuple[Node, ...]"

    def everywhere(self) -> Iterator[Rule]:
        yield from self.rules
        below = (self.entries, self.items, *self.fields.values(), *self.all_of)
        for each in below:
            if each is not None:
                yield from each.everywhere()


@dataclass(frozen=True, slots=True)
class _Here:
    """`checks` is where the rules stand, `schema` what the value is: inside allOf they differ."""

    checks: Mapping[str, Any]
    schema: Mapping[str, Any]
    path: Path
    of_resource: bool
    has_old: bool  # whether an older value can be told from the others


def tree_of(schema: Any) -> Node | None:
    """Of the whole schema of a kind; None where it has no rule."""
    if not isinstance(schema, Mapping):
        return None
    return _node(_Here(schema, schema, (), of_resource=True, has_old=True))


def _node(here: _Here) -> Node | None:
    fields = {}
    for key, checks in _mapping(here.checks.get("properties")).items():
        schema = _mapping(here.schema.get("properties")).get(key)
        inner = _inner(here, checks, schema, ("properties", key))
        if inner is not None:
            fields[key] = inner
    extra = _inner(here, here.checks.get("additionalProperties"),
                   here.schema.get("additionalProperties"), ("additionalProperties",))  # fmt: skip
    items = _inner(here, here.checks.get("items"), here.schema.get("items"), ("items",))
    all_of = tuple(_all_of(here))
    rules = tuple(_rules(here))
    if not (rules or fields or extra or items or all_of):
        return None
    return Node(schema=here.schema, of_resource=here.of_resource, rules=rules, fields=fields,
                entries=extra, items=items, all_of=all_of)  # fmt: skip


def _inner(here: _Here, checks: Any, schema: Any, step: Path) -> Node | None:
    if not isinstance(checks, Mapping) or not isinstance(schema, Mapping):
        return None
    is_told_apart = step != ("items",) or here.schema.get("x-kubernetes-list-type") == "map"
    return _node(
        _Here(
            checks,
            schema,
            (*here.path, *step),
            of_resource=selves.is_resource(schema),
            has_old=here.has_old and is_told_apart,
        )
    )


def _all_of(here: _Here) -> Iterator[Node]:
    written = here.checks.get("allOf")
    for place, checks in enumerate(written if isinstance(written, list) else ()):
        if isinstance(checks, Mapping):
            path = (*here.path, "allOf", str(place))
            inner = _node(
                _Here(
                    checks, here.schema, path, of_resource=here.of_resource, has_old=here.has_old
                )
            )
            if inner is not None:
                yield inner


def _rules(here: _Here) -> Iterator[Rule]:
    written = here.checks.get(RULES)
    listed = written if isinstance(written, list) else []
    kind = (
        selves.type_of(here.schema, "selfType", of_resource=here.of_resource) if listed else None
    )
    for place, each in enumerate(listed):
        if isinstance(each, Mapping):
            yield _rule(each, (*here.path, RULES, str(place)), kind, here)


def _rule(written: Mapping[str, Any], path: Path, kind: types.Type | None, here: _Here) -> Rule:
    text = _text(written.get("rule"))
    may_lack_old = written.get("optionalOldSelf") is True
    old = types.DYN if kind is None else types.optional_of(kind) if may_lack_old else kind
    where = cel.Environment({"self": kind or types.DYN, "oldSelf": old})
    expression = expressions.compiled(text, (*path, "rule"), where, (types.BOOL,))
    if kind is None:
        expression = expressions.Expression(
            text=text, path=(*path, "rule"), program=None, fault="its schema has no type for self"
        )
    shown, steps, is_field = _field_path(_text(written.get("fieldPath")), here.schema)
    uses_old = _names(text, "oldSelf")
    return Rule(
        expression=expression,
        message_expression=_message(written, path, where),
        message=_text(written.get("message")).strip(),
        reason=_text(written.get("reason")) or REASONS[0],
        shown=shown,
        steps=steps,
        uses_old=uses_old,
        may_lack_old=may_lack_old,
        faults=tuple(_faults(written, path, here, uses_old=uses_old, is_field=is_field)),
    )


def _message(
    written: Mapping[str, Any], path: Path, where: cel.Environment
) -> expressions.Expression | None:
    text = _text(written.get("messageExpression"))
    if not text:
        return None
    return expressions.compiled(text, (*path, "messageExpression"), where, (types.STRING,))


def _faults(
    written: Mapping[str, Any], path: Path, here: _Here, *, uses_old: bool, is_field: bool
) -> Iterator[tuple[Path, str]]:
    yield from _wording(written, path)
    if not is_field:
        yield (*path, "fieldPath"), "must be a valid path"
    if _text(written.get("reason")) not in ("", *REASONS):
        yield (*path, "reason"), f"supported are {', '.join(REASONS)}"
    if uses_old and not here.has_old:
        yield (
            (*path, "rule"),
            "oldSelf cannot be used on the uncorrelatable portion of the schema",
        )
    if not uses_old and written.get("optionalOldSelf") is not None:
        yield (*path, "optionalOldSelf"), "may not be set if oldSelf is not used in rule"


def _wording(written: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, str]]:
    rule, message = _text(written.get("rule")).strip(), _text(written.get("message"))
    if not rule:
        yield (*path, "rule"), "rule is not specified"
    elif message and not message.strip():
        yield (*path, "message"), "must be non-empty if specified"
    elif "\n" in message.strip():
        yield (*path, "message"), "must not contain line breaks"
    elif "\n" in rule and not message:
        yield (*path, "message"), "message must be specified if rule contains line breaks"


def _field_path(text: str, schema: Mapping[str, Any]) -> tuple[str, Path, bool]:
    """As the API server writes it, as steps, and whether the schema has such a field."""
    shown, at = "", 0
    steps: Path = ()
    while at < len(text):
        match = _STEP.match(text, at)
        inner = None if match is None else _field(schema, match[1] or match[2] or "")
        if match is None or inner is None:
            return "", (), False
        (is_property, schema), name = inner, match[1] or match[2] or ""
        shown += (f".{name}" if shown else name) if is_property else f"[{name}]"
        steps, at = (*steps, name), match.end()
    return shown, steps, True


def _field(schema: Mapping[str, Any], name: str) -> tuple[bool, Mapping[str, Any]] | None:
    properties = schema.get("properties")
    if isinstance(properties, Mapping):
        inner = properties.get(name)
        return (True, inner) if isinstance(inner, Mapping) else None
    extra = schema.get("additionalProperties")
    return (False, extra) if isinstance(extra, Mapping) else None


def _names(text: str, name: str) -> bool:
    """Whether the expression asks for that variable."""
    try:
        waiting = [parser.parse(text)]
    except (cel.CompileError, RecursionError):
        return False
    while waiting:
        node = waiting.pop()
        if isinstance(node, tree.Name) and node.name == name:
            return True
        waiting += tree.children(node)
    return False


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
