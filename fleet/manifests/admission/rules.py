"""Rules that many kinds share, to be put into rows."""

from collections.abc import Iterable, Mapping
from typing import Any

from fleet.manifests.admission import faults, quantities, texts
from fleet.manifests.admission.tables import Check, Found

NOT_NEGATIVE = "must be greater than or equal to 0"
NOT_POSITIVE = "must be greater than zero"


def shaped(form: texts.Form) -> Check:
    """A text of this form; "" is as good as none."""

    def check(value: str) -> Found:
        problems = form(value) if value else ()
        return [faults.invalid(value, each) for each in problems] if problems else ()

    return check


def shaped_strictly(form: texts.Form) -> Check:
    """A text of this form, also where it is empty."""

    def check(value: str) -> Found:
        problems = form(value)
        return [faults.invalid(value, each) for each in problems] if problems else ()

    return check


def needs(*fields: str, detail: str = "") -> Check:
    """Fields that must say something."""

    def check(value: Mapping[str, Any]) -> Found:
        for each in fields:
            if not value.get(each):
                return [faults.required(detail, each) for each in fields if not value.get(each)]
        return ()

    return check


def filled(field: str, detail: str = "") -> Check:
    """A list or map that must have something in it."""

    def check(value: Mapping[str, Any]) -> Found:
        return () if value.get(field) else (faults.required(detail, field),)

    return check


def among(*known: str) -> Check:
    """One of these words."""
    words, listed = frozenset(known), tuple(known)

    def check(value: str) -> Found:
        return () if value in words else (faults.unsupported(value, listed),)

    return check


def among_or_empty(*known: str) -> Check:
    one_of = among(*known)
    return lambda value: one_of(value) if value else ()


def not_negative(value: int) -> Found:
    return (faults.invalid(value, NOT_NEGATIVE),) if value < 0 else ()


def positive(value: int) -> Found:
    return (faults.invalid(value, NOT_POSITIVE),) if value <= 0 else ()


def within(low: int, high: int, detail: str = "") -> Check:
    said = detail or texts.between(low, high)

    def check(value: int) -> Found:
        return () if low <= value <= high else (faults.invalid(value, said),)

    return check


def port_number(value: int) -> Found:
    return () if 1 <= value <= 65535 else (faults.invalid(value, texts.between(1, 65535)),)


def port(value: int | str) -> Found:
    return [faults.invalid(value, each) for each in texts.port(value)]


def quantity(value: object) -> Found:
    """Its syntax, which the API server asks for as soon as it reads the document."""
    if quantities.parse(value) is not None:
        return ()
    return (faults.invalid(value, quantities.SYNTAX, hint="as in 500m, 2, 1.5Gi"),)


def quantity_not_negative(value: object) -> Found:
    amount = quantities.parse(value)
    if amount is not None and amount < 0:
        return (faults.invalid(quantities.shown(value), NOT_NEGATIVE),)
    return quantity(value)


def quantity_positive(value: object) -> Found:
    amount = quantities.parse(value)
    if amount is not None and amount <= 0:
        return (faults.invalid(quantities.shown(value), NOT_POSITIVE),)
    return quantity(value)


def unique(field: str) -> Check:
    """No two items of a list with the same of this field."""

    def check(items: list[Mapping[str, Any]]) -> Found:
        if len(items) < 2:
            return ()
        named = [each.get(field) or "" for each in items]
        return () if len(set(named)) == len(named) else list(_twice(named, field))

    return check


def _twice(named: list[str], field: str) -> Iterable[faults.Fault]:
    seen: set[str] = set()
    for place, name in enumerate(named):
        if name and name in seen:
            yield faults.duplicate(name, place, field)
        seen.add(name)


# A number that JSON writes as 1.0 is read as 1.
Count = int | float | str


def count_or_percent(value: Count) -> Found:
    if not isinstance(value, str):
        return not_negative(int(value))
    return [faults.invalid(value, each) for each in texts.percent(value)]


def at_most_all(value: Count) -> Found:
    if _percent(value) <= 100:
        return ()
    return (faults.invalid(value, "must not be greater than 100%"),)


def _percent(value: Count) -> int:
    if not isinstance(value, str) or texts.percent(value):
        return 0
    return int(value[:-1][:9])


def amount(value: Count | None) -> int:
    """Of a count or a percentage, to compare with zero; what is neither counts as zero."""
    if isinstance(value, str):
        return _percent(value)
    return int(value or 0)


def relative_path(value: str) -> Found:
    """Inside a folder, and not among the names that a volume keeps for itself."""
    return [*descending(value), *_reserved(value)] if value else ()


def descending(value: str) -> list[faults.Fault]:
    found = [faults.invalid(value, "must be a relative path")] if value.startswith("/") else []
    return [*found, *no_backsteps(value)]


def no_backsteps(value: str) -> list[faults.Fault]:
    if ".." in value and ".." in value.split("/"):
        return [faults.invalid(value, "must not contain '..'")]
    return []


def _reserved(value: str) -> list[faults.Fault]:
    if value.startswith("..") and not value.startswith("../"):
        return [faults.invalid(value, "must not start with '..'")]
    return []


def file_mode(value: int) -> Found:
    if 0 <= value <= 0o777:
        return ()
    said = "must be a number between 0 and 0777 (octal), both inclusive"
    return (faults.invalid(value, said),)
