"""What one run may cost: counted in steps of the evaluator, so that the same run always ends at the same place."""

from fleet.cel.faults import ExhaustedError

DEFAULT_BUDGET = 150_000  # well under a tenth of a second, whatever it is spent on

# Under this name a scene may hold a Budget that all expressions which see it spend from together: one is cheap, and
# there may be thousands. No expression can name it.
PURSE = "the purse"
DEFAULT_PURSE = (
    10 * DEFAULT_BUDGET
)  # as many times what one may cost as an API server allows a policy


class Budget:
    """Work is paid for before it is done; a whole list or string that was made is paid for by its size."""

    __slots__ = ("left",)

    def __init__(self, units: int) -> None:
        self.left = units

    def spend(self, units: int) -> None:
        self.left -= units
        if self.left < 0:
            raise ExhaustedError("the expression costs more than it may")
