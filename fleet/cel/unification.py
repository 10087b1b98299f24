"""Unification of static types as cel-go does it, in both directions and with `dyn` in the middle.

What a type variable was bound to may become more general later, never more special.
"""

from fleet.cel import types

# Kinds that null does not fit; all others may be null.
_NEVER_NULL = frozenset(
    {"bool", "int", "uint", "double", "string", "bytes", "list", "map", "type"}
)


class Unifier:
    """The bindings of one check; an attempt that fails leaves no trace."""

    def __init__(self) -> None:
        self._bound: dict[str, types.Type] = {}
        self._made = 0

    def fresh(self) -> types.Type:
        self._made += 1
        return types.Type(f"_var{self._made - 1}")

    def instantiated(self, signature: tuple[types.Type, ...]) -> tuple[types.Type, ...]:
        """The signature with a fresh variable for each of its parameters."""
        made: dict[str, types.Type] = {}

        def replace(each: types.Type) -> types.Type | None:
            if each.name not in types.PARAMETERS:
                return None
            if each.name not in made:
                made[each.name] = self.fresh()
            return made[each.name]

        return tuple(types.replaced(each, replace) for each in signature)

    def fits(self, given: tuple[types.Type, ...], wanted: tuple[types.Type, ...]) -> bool:
        """Whether all of `given` may stand where `wanted` is asked for."""
        if len(given) != len(wanted):
            return False
        before = dict(self._bound)
        if self._all_fit(given, wanted):
            return True
        self._bound = before
        return False

    def joined(self, one: types.Type, other: types.Type) -> types.Type:
        """The type of elements of both kinds in one literal; beside an optional, null is one."""
        if not self.fits((one,), (other,)):
            return types.DYN
        is_optional = one.name == "optional_type" and other == types.NULL
        return one if is_optional else _most_general(one, other)

    def settled(self, open_type: types.Type, *, finally_dyn: bool = False) -> types.Type:
        """The type with its variables replaced by what they are bound to."""

        def replace(each: types.Type) -> types.Type | None:
            if not each.is_variable:
                return None
            if each.name in self._bound:
                return self.settled(self._bound[each.name], finally_dyn=finally_dyn)
            return types.DYN if finally_dyn else each

        return types.replaced(open_type, replace)

    def _all_fit(self, given: tuple[types.Type, ...], wanted: tuple[types.Type, ...]) -> bool:
        return len(given) == len(wanted) and all(map(self._fits, given, wanted))

    def _fits(self, given: types.Type, wanted: types.Type) -> bool:
        if not (
            given.of or wanted.of or given.name.startswith("_") or wanted.name.startswith("_")
        ):
            return given.name == wanted.name or _fit_plainly(given, wanted)
        if wanted.is_variable:
            is_fit, was_bound = self._substitutes(given, wanted)
            if is_fit or was_bound:
                return is_fit
        if given.is_variable:
            return self._substitutes(wanted, given)[0]
        if _fit_plainly(given, wanted):
            return True
        if given.name != wanted.name:
            return False
        # A type is a type: what it is the type of does not choose an overload.
        return given.name == "type" or self._all_fit(given.of, wanted.of)

    def _substitutes(self, one: types.Type, variable: types.Type) -> tuple[bool, bool]:
        """Whether `one` may be what the variable stands for, and whether it stood for something."""
        if one == variable:
            return True, True
        bound = self._bound.get(variable.name)
        if bound is None:
            if self._occurs(variable, one):
                return False, False
            self._bound[variable.name] = one
            return True, False
        if one == bound:
            return True, True
        if not self._fits(one, bound):
            return False, True
        general = _most_general(one, bound)
        if not self._occurs(variable, general):
            self._bound[variable.name] = general
        return True, True

    def _occurs(self, variable: types.Type, within: types.Type) -> bool:
        if within == variable:
            return True
        if within.is_variable:
            bound = self._bound.get(within.name)
            return bound is not None and self._occurs(variable, bound)
        return any(self._occurs(variable, each) for each in within.of)


def _fit_plainly(given: types.Type, wanted: types.Type) -> bool:
    """What fits though it is not of the same name: dyn everything, null much, open objects each other."""
    names = (given.name, wanted.name)
    if types.DYN.name in names:
        return True
    if given.fields is not None and types.is_open(given) and types.is_open(wanted):
        return wanted.fields is not None
    if types.NULL.name not in names:
        return False
    return names[names[0] == types.NULL.name] not in _NEVER_NULL


def _most_general(one: types.Type, other: types.Type) -> types.Type:
    if types.is_open(one) and types.is_open(other) and one != other:
        is_alike = one.name == other.name
        parts = tuple(map(_most_general, one.of, other.of))
        return types.Type(one.name, parts) if is_alike else types.DYN
    return one if _is_no_more_special(one, other) else other


def _is_no_more_special(one: types.Type, other: types.Type) -> bool:
    if one == types.DYN or one.is_variable:
        return True
    if other == types.DYN or other.is_variable:
        return False
    if one.name != other.name or len(one.of) != len(other.of):
        return False
    return one.name == "type" or all(map(_is_no_more_special, one.of, other.of))
