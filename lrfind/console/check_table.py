"""Checks of pins as a table on the terminal, made without rich: it must be there at once."""

from __future__ import annotations

from collections.abc import Sequence

from lrfind.console.check_words import advice, findings, lr_text
from lrfind.console.plain_lines import styled, wrapped
from lrfind.lock.check import Check, State
from lrfind.plain_text import one_line, without_commands

_COLUMNS = f"{'state':<14}{'pinned':<9}{'found':<9}{'decades':<9}{'within':<8}config"
_CODES = {
    State.GOOD: "32",
    State.INCONCLUSIVE: "33",
    State.STALE: "33",
    State.DRIFTED: "31",
    State.BAD_INPUT: "31",
    State.BUG: "31",
    State.TIMED_OUT: "31",
}
_DIM = "2"


def check_table(checks: Sequence[Check], *, width: int = 80, color: bool = False) -> str:
    """Write a line a config, and below it what was found and what to do.

    Args:
        checks: in the order in which they are told.
        width: columns that may be filled; paths are not broken.
        color: whether ANSI colours may be used.
    """
    lines = [styled(_COLUMNS, _DIM, color)]
    for check in checks:
        state = styled(f"{check.state:<14}", _CODES[check.state], color)
        lines.append((state + _numbers(check) + one_line(str(check.config))).rstrip())
        for text in findings(check):
            lines += wrapped(text, width)
        if told := advice(check):
            lines += wrapped(f"next: {told}", width)
    if len(checks) > 1:
        counts = [(state, sum(check.state is state for check in checks)) for state in State]
        lines.append(", ".join(f"{count} {state}" for state, count in counts if count))
    return without_commands("\n".join(lines)) + "\n"


def _numbers(check: Check) -> str:
    lock, rerun = check.lock, check.rerun
    decades = check.decades
    cells = [
        lr_text(lock.lr if lock else None),
        lr_text(rerun.lr if rerun else None),
        "" if decades is None else f"{decades:+.2f}",
        f"{lock.tolerance_decades:.2f}" if lock else "",
    ]
    return "".join(f"{cell:<{size}}" for cell, size in zip(cells, (9, 9, 9, 8), strict=True))
