"""Checks of pins as GitHub workflow commands and outputs; where they go is the caller's."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from lrfind.console.check_json import check_data
from lrfind.console.check_words import advice, findings
from lrfind.lock.check import Check, State, exit_code, worst
from lrfind.plain_text import one_line

_LEVELS = {
    State.BAD_INPUT: "error",
    State.BUG: "error",
    State.TIMED_OUT: "error",
    State.DRIFTED: "error",
    State.STALE: "error",
    State.INCONCLUSIVE: "warning",
    State.GOOD: "notice",
}


def workflow_commands(checks: Sequence[Check], workspace: Path | None = None) -> str:
    """Write an annotation a config, and one at every line that is wrong or made its pin stale.

    Args:
        checks: in the order in which they are told.
        workspace: the checked-out repository; paths inside it are written relative to it, as
            GitHub resolves them.
    """
    lines = [
        _command(_LEVELS[check.state], _place(file, workspace), line, check.state, text)
        for check in checks
        for file, line, text in _told(check)
    ]
    return "".join(f"{line}\n" for line in lines)


def outputs(checks: Sequence[Check]) -> str:
    """Write a step's outputs: `state`, `exit-code`, `checks` in JSON, and of a single pin `lr`."""
    compact = json.dumps(check_data(checks), sort_keys=True, allow_nan=False)
    lines = [f"state={worst(checks)}", f"exit-code={int(exit_code(checks))}", f"checks={compact}"]
    lock = checks[0].lock if len(checks) == 1 else None
    if lock is not None:
        lines.append(f"lr={lock.lr!r}")
    return "".join(f"{line}\n" for line in lines)


def _told(check: Check) -> Iterator[tuple[Path, int | None, str]]:
    """Place what was found: at the lines that are wrong or changed, the whole at the config."""
    if check.failure is not None:
        for problem in check.failure.problems:
            at = re.fullmatch(r"(.+):([0-9]+)", problem.where)
            file, line = (Path(at[1]), int(at[2])) if at else (check.config, None)
            yield file, line, str(problem)
        return
    for change in check.changes:
        if change.is_stale and change.file is not None:
            yield change.file, change.line, str(change)
    yield check.config, None, "; ".join([*findings(check), *filter(None, [advice(check)])])


def _place(file: Path, workspace: Path | None) -> str:
    whole = Path(os.path.abspath(file))
    root = None if workspace is None else Path(os.path.abspath(workspace))
    inside = root is not None and whole.is_relative_to(root)
    return (whole.relative_to(root) if inside and root else file).as_posix()


def _command(level: str, file: str, line: int | None, state: State, message: str) -> str:
    at = f",line={line}" if line is not None else ""
    title = _property(f"lrfind: {state}")
    return f"::{level} file={_property(file)}{at},title={title}::{_data(message)}"


def _data(text: str) -> str:
    return one_line(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
