"""The quick way: the checked tree as straight Python on the parsed document, for whatever goes as it should.

Its law: the value that the exact evaluator would find, of the same type, or `BAIL`. It decides nothing about errors:
what raises, is of a type that the line at hand does not know, or grows beyond the quick way's own small allowance, is
left to the exact evaluator on the same bindings. Only what a variable raises because its own budget is spent goes
through.
"""

from fleet.cel.fast.definitions import Definition
from fleet.cel.fast.runtime import BAIL, Function
from fleet.cel.fast.waiting import Waiting

__all__ = ["BAIL", "Definition", "Function", "Waiting"]
