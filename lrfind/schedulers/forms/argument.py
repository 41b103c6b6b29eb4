"""The error of a schedule whose arguments make no sense."""

from __future__ import annotations

from lrfind.errors import InputError, Problem


class ArgumentError(InputError, ValueError):
    """A schedule's argument breaks a rule; a `ValueError` too, which is what torch raises.

    Args:
        where: the scheduler's class.
        what: the argument with its value, and the rule.
        remedy: what to pass instead.
    """

    def __init__(self, where: str, what: str, remedy: str) -> None:
        super().__init__(Problem(where, what, remedy))

    def __reduce__(self) -> tuple[type[ArgumentError], tuple[str, str, str]]:
        problem = self.problems[0]
        return ArgumentError, (problem.where, problem.what, problem.remedy)
