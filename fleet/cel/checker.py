"""Static types over the tree: what refers to nothing, or fits no overload, is refused before anything runs.

The rules are cel-go's, because Kubernetes' verdict on an expression is the one that counts: the same things compile,
with the same types. What it found out is kept by the offset of the node, for the evaluator.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from fleet.cel import complaints, tree, types, unification, values
from fleet.cel.environments import Dialect, Environment
from fleet.cel.faults import CompileError
from fleet.cel.library import OF_KYVERNO, OVERLOADS, SPECIFIED
from fleet.cel.overloads import Overload


@dataclass(frozen=True, slots=True)
class Resolution:
    """The overloads that a call may turn out to be; `is_static` if its target is only part of the function's name."""

    overloads: tuple[Overload, ...]
    is_static: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found by the offset of its node; `literals` are the types of their parts.

    `references` are the names that stand for a variable of another name: in a container, or with dots in it.
    """

    kind: types.Type
    calls: Mapping[int, Resolution]
    constants: Mapping[int, values.TypeName]
    literals: Mapping[int, tuple[types.Type, ...]]
    references: Mapping[int, str]
    is_strict: bool  # whether only maps and lists may be asked for what lies in them
    opens_plain: bool  # whether `orValue` of what is no optional is that value


def check(root: tree.Node, environment: Environment) -> Checked:
    """Raises CompileError for the first thing that is wrong."""
    checker = _Checker(environment)
    kind = checker.kind_of(root)
    return Checked(
        kind=checker.final(kind),
        calls=checker.calls,
        constants=checker.constants,
        literals={at: tuple(map(checker.final, of)) for at, of in checker.literals.items()},
        references=checker.references,
        is_strict=environment.dialect is Dialect.SPECIFICATION,
        opens_plain=environment.dialect is Dialect.KYVERNO,
    )


class _Checker:
    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._has_dots = any("." in name for name in environment.variables)
        self._bound: Mapping[str, types.Type] = {}  # by macros
        self._overloads = _FUNCTIONS[environment.dialect]
        self._unifier = unification.Unifier()
        self.calls: dict[int, Resolution] = {}
        self.constants: dict[int, values.TypeName] = {}
        self.literals: dict[int, tuple[types.Type, ...]] = {}
        self.references: dict[int, str] = {}

    def final(self, kind: types.Type) -> types.Type:
        return self._unifier.settled(kind, finally_dyn=True)

    def kind_of(self, node: tree.Node) -> types.Type:
        match node:
            case tree.Literal():
                return types.Type(types.NAMES[type(node.value)])
            case tree.Name():
                return self._name(node)
            case tree.Select():
                return self._select(node)
            case tree.Call():
                return self._call(node)
            case _:
                return self._compound(node)

    def _compound(
        self, node: tree.ListOf | tree.MapOf | tree.Comprehension | tree.Binding
    ) -> types.Type:
        match node:
            case tree.ListOf():
                return self._list(node)
            case tree.MapOf():
                return self._map(node)
            case tree.Comprehension():
                return self._comprehension(node)
            case tree.Binding():
                return self._binding(node)

    # Names and fields

    def _name(self, node: tree.Name) -> types.Type:
        if node.name in self._bound and not node.is_rooted:
            return self._bound[node.name]
        found = self._variable(tree.dotted(node), node.at)
        if found is not None:
            return found
        if node.name in types.IDENTIFIERS:
            return self._constant(node.name, node.at)
        return self._refused(
            complaints.undeclared(node.name, node.at, self._environment.container)
        )

    def _variable(self, name: str, at: int) -> types.Type | None:
        found = self._environment.variable(name)
        if found is None:
            return None
        if found != name:
            self.references[at] = found
        return self._environment.variables[found]

    def _refused(self, error: CompileError) -> types.Type:
        """Raises it; where nothing is checked, whatever it was about is of any type."""
        if self._environment.is_checked:
            raise error
        return types.DYN

    def _constant(self, name: str, at: int) -> types.Type:
        self.constants[at] = values.TypeName(name)
        return types.type_of(types.NAMED.get(name) or types.Type(name))

    def _select(self, node: tree.Select) -> types.Type:
        found = None if node.test else self._qualified(node)
        if found is not None:
            return found
        operand = self._settled(node.operand)
        is_optional = operand.name == "optional_type"
        found = self._field(operand.of[0] if is_optional else operand, node)
        if node.test:
            return types.BOOL
        return types.optional_of(found) if is_optional or node.optional else found

    def _qualified(self, node: tree.Select) -> types.Type | None:
        """A name with dots: a variable's or a type's."""
        name = tree.dotted(node)
        head = name.partition(".")[0]
        if not name or head in self._bound:
            return None
        if self._has_dots or self._environment.container:
            found = self._environment.variable(name)
            if found is not None:
                self.references[node.at] = found
                return self._environment.variables[found]
        if name not in types.IDENTIFIERS or head in self._environment.variables:
            return None
        return self._constant(name, node.at)

    def _field(self, operand: types.Type, node: tree.Select) -> types.Type:
        if operand.fields is not None:
            if node.field not in operand.fields:
                return self._refused(complaints.undefined(node, operand.fields))
            return operand.fields[node.field]
        if operand.name == "map":
            return operand.of[1]
        if operand.is_variable:
            self._unifier.fits((types.DYN,), (operand,))
        elif operand != types.DYN:
            return self._refused(complaints.no_fields(operand, node.at))
        return types.DYN

    def _settled(self, node: tree.Node) -> types.Type:
        return self._unifier.settled(self.kind_of(node))

    # Calls

    def _call(self, node: tree.Call) -> types.Type:
        if node.function in ("_&&_", "_||_"):
            return self._logic(node)
        static = self._static_name(node)
        if static is not None:
            arguments = tuple(map(self.kind_of, node.arguments))
            return self._resolve(static, None, arguments, node, is_static=node.target is not None)
        target = None if node.target is None else self.kind_of(node.target)
        if node.function not in self._overloads:
            return self._unknown(node)
        arguments = tuple(map(self.kind_of, node.arguments))
        return self._resolve(node.function, target, arguments, node)

    def _unknown(self, node: tree.Call) -> types.Type:
        container = self._environment.container
        found = self._refused(complaints.undeclared(node.function, node.at, container))
        for each in node.arguments:
            self.kind_of(each)
        self.calls[node.at] = Resolution(())
        return found

    def _static_name(self, node: tree.Call) -> str | None:
        """`strings.quote` is one name, where `x.quote` is a member function."""
        if node.target is None:
            return node.function if node.function in self._overloads else None
        prefix = tree.dotted(node.target)
        name = f"{prefix}.{node.function}"
        return name if prefix and name in self._overloads else None

    def _logic(self, node: tree.Call) -> types.Type:
        for operand in node.arguments:
            self._expect_bool(operand)
        return types.BOOL

    def _expect_bool(self, node: tree.Node) -> None:
        kind = self.kind_of(node)
        if not self._unifier.fits((kind,), (types.BOOL,)):
            self._refused(complaints.mismatch(types.BOOL, self._unifier.settled(kind), node.at))

    def _resolve(
        self,
        name: str,
        target: types.Type | None,
        arguments: tuple[types.Type, ...],
        node: tree.Call,
        *,
        is_static: bool = False,
    ) -> types.Type:
        given = arguments if target is None else (target, *arguments)
        result: types.Type | None = None
        fitting: list[Overload] = []
        for overload in self._overloads[name]:
            if overload.member is not (target is None):
                found = self._result(overload, given)
                if found is not None:
                    fitting.append(overload)
                    result = found if result in (None, found) else types.DYN
        if result is None:
            result = self._refused(self._no_overload(name, target, arguments, node.at))
            fitting = [
                each
                for each in self._overloads[name]
                if each.member is not (target is None) and len(each.arguments) == len(given)
            ]
        self.calls[node.at] = Resolution(tuple(fitting), is_static)
        return result

    def _result(self, overload: Overload, given: tuple[types.Type, ...]) -> types.Type | None:
        """What the call returns by this overload; None where it does not fit."""
        if len(overload.arguments) != len(given):
            return None
        if overload.is_plain:
            return overload.result if self._unifier.fits(given, overload.arguments) else None
        signature = self._unifier.instantiated((*overload.arguments, overload.result))
        if not self._unifier.fits(given, signature[:-1]):
            return None
        return self._unifier.settled(signature[-1])

    def _no_overload(
        self, name: str, target: types.Type | None, arguments: tuple[types.Type, ...], at: int
    ) -> CompileError:
        receiver = None if target is None else self._unifier.settled(target)
        return complaints.no_overload(name, receiver, map(self._unifier.settled, arguments), at)

    # Literals

    def _list(self, node: tree.ListOf) -> types.Type:
        kinds = tuple(
            self._element(item, optional=n in node.optional) for n, item in enumerate(node.items)
        )
        self.literals[node.at] = kinds
        return types.list_of(self._joined(kinds))

    def _map(self, node: tree.MapOf) -> types.Type:
        keys: list[types.Type] = []
        contents: list[types.Type] = []
        for entry in node.entries:
            keys.append(self.kind_of(entry.key))
            contents.append(self._element(entry.value, optional=entry.optional))
        pairs = zip(keys, contents, strict=True)
        self.literals[node.at] = tuple(kind for pair in pairs for kind in pair)
        return types.map_of(self._joined(keys), self._joined(contents))

    def _element(self, node: tree.Node, *, optional: bool) -> types.Type:
        kind = self.kind_of(node)
        if not optional:
            return kind
        wanted = types.optional_of(self._unifier.fresh())
        if kind == types.NULL or not self._unifier.fits((kind,), (wanted,)):
            wanted = types.optional_of(types.NULL if kind == types.NULL else types.DYN)
            return self._refused(complaints.mismatch(wanted, self._unifier.settled(kind), node.at))
        settled = self._unifier.settled(kind)
        return settled.of[0] if settled.name == "optional_type" else types.DYN

    def _joined(self, kinds: list[types.Type] | tuple[types.Type, ...]) -> types.Type:
        if not kinds:
            return self._unifier.fresh()
        found = kinds[0]
        for each in kinds[1:]:
            found = self._unifier.joined(found, each)
        return found

    # Macros

    @contextmanager
    def _scope(self, declared: Mapping[str, types.Type]) -> Iterator[None]:
        outer = self._bound
        self._bound = {**outer, **declared}
        try:
            yield
        finally:
            self._bound = outer

    def _comprehension(self, node: tree.Comprehension) -> types.Type:
        over = self._settled(node.over)
        key, element = self._ranged(over, node)
        names = node.variables
        declared = {names[0]: element} if len(names) == 1 else {names[0]: key, names[1]: element}
        if len(names) == 1 and over.name == "map":
            declared = {names[0]: key}
        with self._scope(declared):
            if node.condition is not None:
                self._expect_bool(node.condition)
            if node.loop in _TESTS:
                self._expect_bool(node.body)
                return self._tested(node.loop, declared[names[0]])
            return self._made(node, key, over)

    def _ranged(self, over: types.Type, node: tree.Comprehension) -> tuple[types.Type, types.Type]:
        """The types of index or key, and of the element."""
        is_list_only = node.loop is tree.Loop.SORT_BY
        if over.name == "list":
            return types.INT, over.of[0]
        if over.name == "map" and not is_list_only:
            return over.of[0], over.of[1]
        if over.is_variable:
            self._unifier.fits((types.DYN,), (over,))
        elif over != types.DYN:
            self._refused(complaints.no_range(over, node.over.at))
        return types.DYN, types.DYN

    def _tested(self, loop: tree.Loop, element: types.Type) -> types.Type:
        return types.list_of(element) if loop is tree.Loop.FILTER else types.BOOL

    def _made(self, node: tree.Comprehension, key: types.Type, over: types.Type) -> types.Type:
        body = self.kind_of(node.body)
        if node.loop is tree.Loop.SORT_BY:
            return self._sorted(node, over, body)
        if node.loop is tree.Loop.TRANSFORM_MAP:
            return types.map_of(key, body)
        if node.loop is not tree.Loop.TRANSFORM_MAP_ENTRY:
            return types.list_of(body)
        entry = types.map_of(self._unifier.fresh(), self._unifier.fresh())
        if not self._unifier.fits((body,), (entry,)):
            wanted = types.map_of(types.DYN, types.DYN)
            return self._refused(complaints.mismatch(wanted, body, node.body.at))
        return self._unifier.settled(entry)

    def _sorted(self, node: tree.Comprehension, over: types.Type, key: types.Type) -> types.Type:
        known = self._unifier.settled(key)
        if known.name not in _SORTABLE and not known.is_variable:
            self._refused(complaints.not_sortable(known, node.at))
        return over if over.name == "list" else types.list_of(types.DYN)

    def _binding(self, node: tree.Binding) -> types.Type:
        if not node.optional and not self._environment.has_bind:
            raise complaints.undeclared("cel", node.at)
        value = self.kind_of(node.value)
        if node.optional:
            return self._optional_binding(node, value)
        with self._scope({node.name: value}):
            return self.kind_of(node.body)

    def _optional_binding(self, node: tree.Binding, value: types.Type) -> types.Type:
        inner = self._unifier.fresh()
        if not self._unifier.fits((value,), (types.optional_of(inner),)):
            self._refused(self._no_overload("hasValue", value, (), node.at))
        with self._scope({node.name: self._unifier.settled(inner)}):
            body = self.kind_of(node.body)
        if node.optional == "optMap":
            return types.optional_of(body)
        found = types.optional_of(self._unifier.fresh())
        if not self._unifier.fits((body,), (found,)):
            wanted = types.optional_of(types.DYN)
            return self._refused(complaints.mismatch(wanted, body, node.body.at))
        return self._unifier.settled(found)


_FUNCTIONS = {
    Dialect.KUBERNETES: OVERLOADS,
    Dialect.KYVERNO: OF_KYVERNO,
    Dialect.SPECIFICATION: SPECIFIED,
}
_TESTS = frozenset({tree.Loop.ALL, tree.Loop.EXISTS, tree.Loop.EXISTS_ONE, tree.Loop.FILTER})
_SORTABLE = frozenset(
    {
        "int",
        "uint",
        "double",
        "bool",
        "string",
        "bytes",
        "dyn",
        types.DURATION.name,
        types.TIMESTAMP.name,
    }
)
