"""Every error lrfind raises, in one tree, and every exit code, in one table.

    LrfindError                       2
    ├── InputError                    2   the user's input is wrong
    │   ├── ConfigError               2   … a config: every problem of it at once
    │   ├── OutputError               2   … an output folder or file cannot be written
    │   ├── UserCodeError             2   … the user's own module, model, data or step raised
    │   └── StalePinError             1   … what an LR was pinned for has changed since
    ├── DataExhaustedError            2   a one-shot iterator ran out; the sweep ends with it
    └── NoSuggestionError             3   the sweep gave no honest answer

`lrfind.schedulers.ArgumentError` is an InputError that is a ValueError too, as torch's are.
The library raises, `lrfind.cli` renders: nothing else prints an error or chooses an exit code.
Every message reads *where: what (value) rule; remedy*.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """What the process tells its caller."""

    OK = 0
    DRIFT = 1
    """`lrfind check` found a drifted or stale pin."""
    BAD_INPUT = 2
    """A config, option, file or the user's code is wrong."""
    NO_SUGGESTION = 3
    """The sweep gave no honest suggestion."""
    INTERNAL = 70
    """A bug of lrfind (`EX_SOFTWARE` of sysexits.h)."""
    NOT_WRITTEN = 74
    """The work is done, but its files or its answer could not be written (`EX_IOERR`)."""
    TIMED_OUT = 124
    """`--timeout` ended the run; the partial curve is on disk (the code of `timeout(1)`)."""
    INTERRUPTED = 130
    """Ctrl-C, SIGTERM or SIGHUP; the partial curve is on disk."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and what to do about it.

    Attributes:
        where: file and line, option or argument, as precise as is known (`config.yaml:12`).
        what: the thing with its value and the rule it breaks (`sweep.steps = 0 must be ≥ 2`).
        remedy: what to change.
    """

    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}; {self.remedy}"


class LrfindError(Exception):
    """Root of every error that lrfind raises on purpose."""

    exit_code: ExitCode = ExitCode.BAD_INPUT


class InputError(LrfindError):
    """Something the user passed is wrong.

    Args:
        problems: one or more; all of them are shown, in the order given.
    """

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class ConfigError(InputError):
    """A config file or an override is wrong; carries every problem found."""


class OutputError(InputError):
    """An output folder or file cannot be written."""


class UserCodeError(InputError):
    """The user's own code raised; `__cause__` is their exception, with their frames.

    Args:
        problem: the phase and import path in which it happened.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)


class StalePinError(InputError):
    """An LR was asked for that is still the right one, but config, source or versions changed."""

    exit_code = ExitCode.DRIFT


class DataExhaustedError(LrfindError):
    """The data ran out and cannot be read again; a sweep turns it into its stop reason."""


class NoSuggestionError(LrfindError):
    """The sweep holds no honest answer; the message says why and what to change.

    Args:
        verdict: the machine-readable reason, one of `lrfind.suggest.Verdict`.
        reason: one sentence with numbers.
        remedy: what to change before the next run.
    """

    exit_code = ExitCode.NO_SUGGESTION

    def __init__(self, verdict: str, reason: str, remedy: str) -> None:
        self.verdict = verdict
        self.reason = reason
        self.remedy = remedy
        super().__init__(f"no suggestion ({verdict}): {reason}; {remedy}")
