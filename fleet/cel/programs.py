"""From text to a program, and a program's run: the only two places where an inner fault could become a wrong answer."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fleet.cel import (
    budgets,
    checker,
    depths,
    environments,
    evaluator,
    fast,
    history,
    literals,
    parser,
    tree,
    types,
)
from fleet.cel.faults import CompileError, EvaluationError, ExhaustedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A checked expression; of its runs it keeps their number, never a value."""

    text: str
    type: types.Type
    exact: evaluator.Evaluator = field(repr=False, compare=False)
    quick: fast.Waiting = field(repr=False, compare=False)

    @property
    def definition(self) -> object:
        """For the `definitions` of an Environment."""
        return self.quick.definition

    @property
    def needs(self) -> tuple[history.Need, ...]:
        """What of it is not as old as the language itself."""
        made = self.quick.definition
        return history.needs(made.root, made.checked)

    def evaluate(
        self, bindings: Mapping[str, Any], *, budget: int = budgets.DEFAULT_BUDGET
    ) -> Any:
        """Raises EvaluationError and ExhaustedError, and nothing else."""
        if budget >= budgets.DEFAULT_BUDGET:
            quick = self.quick.function
            if quick is None:
                self.quick.asked()
            else:
                try:
                    found = quick(bindings)
                    if found is not fast.BAIL:
                        return found
                except ExhaustedError:  # a variable's; another try would cost as much again
                    raise
                except Exception:  # noqa: BLE001, S110  what it means, the exact run says
                    pass
        return self.exactly(bindings, budget)

    def exactly(self, bindings: Mapping[str, Any], budget: int = budgets.DEFAULT_BUDGET) -> Any:
        """By the evaluator alone that knows CEL's errors."""
        purse = bindings.get(budgets.PURSE)
        allowed = budget if purse is None else min(budget, purse.left)
        spent = budgets.Budget(allowed)
        try:
            return depths.followed(lambda: self._run(spent, allowed, bindings))
        except (EvaluationError, ExhaustedError):
            raise
        except RecursionError:
            raise EvaluationError("nested too deeply to be evaluated") from None
        except Exception as fault:  # whatever it was, it is no answer
            raise EvaluationError(f"cannot be evaluated: {fault!r}") from fault
        finally:
            if purse is not None:
                purse.left -= allowed - max(spent.left, 0)

    def _run(self, spent: budgets.Budget, allowed: int, bindings: Mapping[str, Any]) -> Any:
        spent.left = allowed
        return self.exact.run(spent, bindings)


def compile(text: str, environment: environments.Environment) -> Program:  # noqa: A001  the word for it
    """Raises CompileError."""
    try:
        root, checked = depths.followed(lambda: _checked(text, environment))
    except CompileError:
        raise
    except RecursionError:
        raise CompileError("nested too deeply", 0) from None
    except Exception as fault:  # whatever it was, it is no program
        raise CompileError(f"cannot be compiled: {fault!r}", 0) from fault
    return Program(
        text=text,
        type=checked.kind,
        exact=evaluator.Evaluator(root, checked),
        quick=fast.Waiting(_definition(root, checked, environment.definitions)),
    )


def _checked(
    text: str, environment: environments.Environment
) -> tuple[tree.Node, checker.Checked]:
    root = _parsed(text)
    checked = checker.check(root, environment)
    if environment.dialect is not environments.Dialect.SPECIFICATION:
        literals.check(root, checked)
    return root, checked


_parsed = functools.lru_cache(1024)(
    parser.parse
)  # the same text is checked in several environments


def _definition(
    root: tree.Node, checked: checker.Checked, known: Mapping[str, object]
) -> fast.Definition:
    inner = {name: each for name, each in known.items() if isinstance(each, fast.Definition)}
    return fast.Definition(root=root, checked=checked, inner=inner)
