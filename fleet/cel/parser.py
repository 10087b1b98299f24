"""From tokens to the tree: precedence climbing over the grammar of the CEL specification, macros expanded."""

from collections.abc import Callable
from typing import NoReturn

from fleet.cel import lexer, macros, tree, values
from fleet.cel.faults import CompileError

MAX_DEPTH = 120  # of nesting

_RESERVED = frozenset(
    "as break const continue else for function if import let loop package namespace return var "
    "void while".split()
)
_CONSTANTS = {"true": True, "false": False, "null": None}
# Operators from weak to strong; all are left-associative.
_LEVELS: tuple[tuple[str, ...], ...] = (
    ("||",),
    ("&&",),
    ("<", "<=", ">=", ">", "==", "!=", "in"),
    ("+", "-"),
    ("*", "/", "%"),
)


def parse(text: str) -> tree.Node:
    """Raises CompileError."""
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = list(lexer.tokens(text))
        self._next = 0
        self._depth = 0

    def whole(self) -> tree.Node:
        found = self._expression()
        if self._token.kind != "end":
            self._refuse()
        return found

    @property
    def _token(self) -> lexer.Token:
        return self._tokens[self._next]

    def _take(self) -> lexer.Token:
        token = self._token
        self._next += 1
        return token

    def _has(self, kind: str) -> bool:
        """Takes the next token if it is of that kind."""
        if self._token.kind != kind:
            return False
        self._next += 1
        return True

    def _expect(self, kind: str) -> lexer.Token:
        if self._token.kind != kind:
            self._refuse(kind)
        return self._take()

    def _refuse(self, wanted: str = "") -> NoReturn:
        token = self._token
        found = "<EOF>" if token.kind == "end" else str(token.value)
        expecting = f" expecting {wanted!r}" if wanted else ""
        raise CompileError(f"Syntax error: mismatched input {found!r}{expecting}", token.at)

    def _nested(self, inner: Callable[[], tree.Node]) -> tree.Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise CompileError(f"nested deeper than {MAX_DEPTH}", self._token.at)
        found = inner()
        self._depth -= 1
        return found

    def _expression(self) -> tree.Node:
        return self._nested(self._conditional)

    def _conditional(self) -> tree.Node:
        condition = self._binary(0)
        at = self._token.at
        if not self._has("?"):
            return condition
        then = self._binary(0)
        self._expect(":")
        return tree.Call(
            function="_?_:_", arguments=(condition, then, self._expression()), at=at
        )

    def _binary(self, level: int) -> tree.Node:
        if level == len(_LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while (operator := self._operator(level)) is not None:
            right = self._binary(level + 1)
            function = f"@{operator.value}" if operator.value == "in" else f"_{operator.value}_"
            left = tree.Call(function=function, arguments=(left, right), at=operator.at)
        return left

    def _operator(self, level: int) -> lexer.Token | None:
        token = self._token
        word = token.value if token.kind == "name" else token.kind
        return self._take() if word in _LEVELS[level] else None

    def _unary(self) -> tree.Node:
        token = self._token
        if token.kind not in ("!", "-"):
            return self._member(self._primary())
        self._take()
        if token.kind == "-" and self._is_number():
            return self._member(self._negative(token.at))
        inner = self._nested(self._unary)
        return tree.Call(function=f"{token.kind}_", arguments=(inner,), at=token.at)

    def _is_number(self) -> bool:
        return self._token.kind == "literal" and type(self._token.value) in (int, float)

    def _negative(self, at: int) -> tree.Node:
        return tree.Literal(value=-self._take().value, at=at)

    def _member(self, operand: tree.Node) -> tree.Node:
        while True:
            token = self._token
            if self._has("."):
                operand = self._selected(operand, token.at)
            elif self._has("["):
                operand = self._indexed(operand, token.at)
            elif token.kind == "{" and isinstance(operand, (tree.Name, tree.Select)):
                raise CompileError("messages are not supported", token.at)
            else:
                return operand

    def _selected(self, operand: tree.Node, at: int) -> tree.Node:
        optional = self._has("?")
        token = self._take()
        if token.kind not in ("name", "field"):
            self._next -= 1
            self._refuse("field")
        if token.kind == "name" and not optional and self._token.kind == "(":
            opening = self._take()
            return macros.member(operand, token.value, self._listed(")"), opening.at)
        return tree.Select(operand=operand, field=token.value, optional=optional, at=at)

    def _indexed(self, operand: tree.Node, at: int) -> tree.Node:
        function = "_[?_]" if self._has("?") else "_[_]"
        index = self._expression()
        self._expect("]")
        return tree.Call(function=function, arguments=(operand, index), at=at)

    def _primary(self) -> tree.Node:
        token = self._take()
        match token.kind:
            case "literal":
                return self._literal(token)
            case "name":
                return self._name(token)
            case "(":
                inner = self._expression()
                self._expect(")")
                return inner
            case "[":
                return self._list(token.at)
            case "{":
                return self._map(token.at)
            case ".":
                return self._name(self._expect("name"))
            case _:
                self._next -= 1
                self._refuse()

    def _literal(self, token: lexer.Token) -> tree.Node:
        if type(token.value) is int and token.value > values.MAX_INT:
            raise CompileError("invalid int literal", token.at)
        return tree.Literal(value=token.value, at=token.at)

    def _name(self, token: lexer.Token) -> tree.Node:
        word = token.value
        if word in _CONSTANTS:
            return tree.Literal(value=_CONSTANTS[word], at=token.at)
        if word in _RESERVED or word == "in":
            raise CompileError(f"Syntax error: reserved identifier: {word}", token.at)
        if self._token.kind != "(":
            return tree.Name(name=word, at=token.at)
        opening = self._take()
        return macros.plain(word, self._listed(")"), opening.at)

    def _listed(self, closing: str) -> tuple[tree.Node, ...]:
        found: list[tree.Node] = []
        while not self._has(closing):
            found.append(self._expression())
            if not self._has(","):
                self._expect(closing)
                break
        return tuple(found)

    def _list(self, at: int) -> tree.Node:
        items: list[tree.Node] = []
        optional: set[int] = set()
        while not self._has("]"):
            if self._has("?"):
                optional.add(len(items))
            items.append(self._expression())
            if not self._has(","):
                self._expect("]")
                break
        return tree.ListOf(items=tuple(items), optional=frozenset(optional), at=at)

    def _map(self, at: int) -> tree.Node:
        entries: list[tree.Entry] = []
        while not self._has("}"):
            optional = self._has("?")
            key = self._expression()
            self._expect(":")
            entries.append(tree.Entry(key=key, value=self._expression(), optional=optional))
            if not self._has(","):
                self._expect("}")
                break
        return tree.MapOf(entries=tuple(entries), at=at)
