"""From tokens to the tree: precedence climbing over the grammar of the CEL specification, macros expanded."""

from fleet.cel import depths, lexer, macros, tree, values
from fleet.cel.faults import CompileError

_RESERVED = frozenset(
    {"as", "break", "const", "continue", "else", "for", "function", "if", "import", "in", "let"}
    | {"loop", "package", "namespace", "return", "var", "void", "while"}
)
_CONSTANTS = {"true": True, "false": False, "null": None}
_NO_SELECTORS = frozenset(("name", word) for word in ("in", *_CONSTANTS))
_BEGINNINGS = frozenset({"literal", "name", "(", "[", "{", "."})
# How strongly operators bind; all are left-associative.
_STRENGTH = {
    "||": 1,
    "&&": 2,
    **dict.fromkeys(("<", "<=", ">=", ">", "==", "!=", "in"), 3),
    **dict.fromkeys(("+", "-"), 4),
    **dict.fromkeys(("*", "/", "%"), 5),
}


def parse(text: str) -> tree.Node:
    """Raises CompileError."""
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = list(lexer.tokens(text))
        self._next = 0
        self._token = self._tokens[0]
        self._depth = 0

    def whole(self) -> tree.Node:
        found = self._expression()
        if self._token.kind != "end":
            raise self._refusal()
        return found

    def _take(self) -> lexer.Token:
        token = self._token
        if token.kind != "end":
            self._next += 1
            self._token = self._tokens[self._next]
        return token

    def _has(self, kind: str) -> bool:
        """Takes the next token if it is of that kind."""
        if self._token.kind != kind:
            return False
        self._take()
        return True

    def _expect(self, kind: str) -> lexer.Token:
        if self._token.kind != kind:
            raise self._refusal(kind)
        return self._take()

    def _refusal(self, wanted: str = "") -> CompileError:
        token = self._token
        found = "<EOF>" if token.kind == "end" else str(token.value)
        expecting = f" expecting {wanted!r}" if wanted else ""
        return CompileError(f"Syntax error: mismatched input {found!r}{expecting}", token.at)

    def _expression(self) -> tree.Node:
        self._deeper()
        condition = self._binary(1)
        at = self._token.at
        if self._has("?"):
            then = self._binary(1)
            self._expect(":")
            arguments = (condition, then, self._expression())
            condition = tree.Call(function="_?_:_", arguments=arguments, at=at)
        self._depth -= 1
        return condition

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > depths.MAX_DEPTH:
            raise CompileError(f"nested deeper than {depths.MAX_DEPTH}", self._token.at)

    def _binary(self, weakest: int) -> tree.Node:
        left = self._unary()
        while (strength := self._strength()) >= weakest:
            operator = self._take()
            right = self._binary(strength + 1)
            left = _combined(operator, left, right)
        return left

    def _strength(self) -> int:
        token = self._token
        return _STRENGTH.get(token.value if token.kind == "name" else token.kind, 0)

    def _unary(self) -> tree.Node:
        token = self._token
        if token.kind not in ("!", "-"):
            return self._member(self._primary())
        is_odd = False
        while self._token.kind == token.kind:
            sign = self._take()
            if token.kind == "-" and self._is_number():
                return _applied(token, is_odd, self._member(self._negative(sign.at)))
            is_odd = not is_odd
        return _applied(token, is_odd, self._operand())

    def _operand(self) -> tree.Node:
        """What operators may stand before: no other operator, but a number with its sign."""
        at = self._token.at
        if self._has("-"):
            if not self._is_number():
                raise self._refusal()
            return self._member(self._negative(at))
        return self._member(self._primary())

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
        if self._token.kind not in ("name", "field") or self._token[:2] in _NO_SELECTORS:
            raise self._refusal("field")
        token = self._take()
        if token.kind == "name" and not optional and self._token.kind == "(":
            opening = self._take()
            return macros.member(operand, token.value, self._listed(), opening.at)
        return tree.Select(operand=operand, field=token.value, optional=optional, at=at)

    def _indexed(self, operand: tree.Node, at: int) -> tree.Node:
        function = "_[?_]" if self._has("?") else "_[_]"
        index = self._expression()
        self._expect("]")
        return tree.Call(function=function, arguments=(operand, index), at=at)

    def _primary(self) -> tree.Node:
        if self._token.kind not in _BEGINNINGS:
            raise self._refusal()
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
            case _:
                return self._name(self._expect("name"), is_rooted=True)

    def _literal(self, token: lexer.Token) -> tree.Node:
        if type(token.value) is int and token.value > values.MAX_INT:
            raise CompileError("invalid int literal", token.at)
        return tree.Literal(value=token.value, at=token.at)

    def _name(self, token: lexer.Token, *, is_rooted: bool = False) -> tree.Node:
        word = token.value
        if word in _CONSTANTS:
            return tree.Literal(value=_CONSTANTS[word], at=token.at)
        if word in _RESERVED:
            raise CompileError(f"Syntax error: reserved identifier: {word}", token.at)
        if self._token.kind != "(":
            return tree.Name(name=word, is_rooted=is_rooted, at=token.at)
        opening = self._take()
        return macros.plain(word, self._listed(), opening.at)

    def _listed(self) -> tuple[tree.Node, ...]:
        """The arguments of a call, up to its closing parenthesis."""
        if self._has(")"):
            return ()
        found = [self._expression()]
        while self._has(","):
            found.append(self._expression())
        self._expect(")")
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


def _applied(operator: lexer.Token, is_odd: bool, operand: tree.Node) -> tree.Node:  # noqa: FBT001
    """Of operators in a row, two and two are none, whatever they stand before."""
    if not is_odd:
        return operand
    return tree.Call(function=f"{operator.kind}_", arguments=(operand,), at=operator.at)


def _combined(operator: lexer.Token, left: tree.Node, right: tree.Node) -> tree.Node:
    """Chains of `&&` and `||` become one call: they are long in practice, and their order does not matter."""
    function = "@in" if operator.value == "in" else f"_{operator.value}_"
    is_chain = function in ("_&&_", "_||_") and isinstance(left, tree.Call)
    if is_chain and isinstance(left, tree.Call) and left.function == function:
        return tree.Call(function=function, arguments=(*left.arguments, right), at=left.at)
    return tree.Call(function=function, arguments=(left, right), at=operator.at)
