"""A new pin on stdout."""

from __future__ import annotations

import math
from pathlib import Path

from rich.text import Text

from lrfind.console.check_words import distance_text, lr_text
from lrfind.console.grid import grid
from lrfind.lock.lock import Lock
from lrfind.lock.tolerance import WIDE_DECADES
from lrfind.plain_text import one_line
from lrfind.suggest.answer import Verdict

MOST_SOURCES = 4
"""Source files that are named one by one."""


def pin_table(
    lock: Lock,
    before: Lock | None,
    path: Path,
    config: Path,
    *,
    width: int = 80,
    color: bool = False,
) -> str:
    """Write what was pinned, what was pinned before, and what a check will accept.

    Args:
        lock: the new pin.
        before: the one it replaced.
        path: where it was written.
        config: whose it is.
        width: columns that may be filled.
        color: whether ANSI colours may be used.
    """
    check = f"lrfind check {one_line(str(config))}"
    rows = [("lr", Text.assemble((lr_text(lock.lr), "bold green"), f"  {_origin(lock)}"))]
    if before is not None:
        moved = math.log10(lock.lr / before.lr)
        text = distance_text(moved) if moved else "the same"
        rows.append(("was", Text(f"{lr_text(before.lr)}  now {text}")))
    rows.append(("seeds", Text(_seeds(lock))))
    rows.append(("within", Text(f"{lock.tolerance_decades:.2f} decades counts as the same LR")))
    rows.append(("sources", Text(_sources(lock))))
    if lock.verdict != Verdict.OK:
        note = f"the sweeps' verdict is {lock.verdict}; try it out before it is relied on: "
        rows.append(("note", Text(f"{note}{check} --verify")))
    if lock.tolerance_decades > WIDE_DECADES:
        note = "the seeds are far apart, so that a check catches large changes only; "
        rows.append(("note", Text(note + "more seeds or steps narrow it: --seeds 9")))
    rows += [
        ("file", Text(one_line(str(path)))),
        ("next", Text(f"lrfind check {one_line(str(config))}")),
    ]
    return grid(rows, width=width, color=color)


def _origin(lock: Lock) -> str:
    return f"by hand: {one_line(lock.reason)}" if lock.is_by_hand else f"by {lock.method}"


def _seeds(lock: Lock) -> str:
    found = [lr for lr in lock.per_seed.values() if lr is not None]
    count = f"{len(found)} of {len(lock.per_seed)}"
    if not found:
        return f"none of {len(lock.per_seed)} has an answer"
    if len(found) == len(lock.per_seed):
        count = str(len(found))
    if len(found) == 1:
        return f"{count} says {lr_text(found[0])}"
    spread = math.log10(max(found) / min(found))
    return f"{count} say {lr_text(min(found))} … {lr_text(max(found))} ({spread:.2f} decades)"


def _sources(lock: Lock) -> str:
    names = [one_line(name) for name in lock.sources]
    if not names:
        return "none inside the project"
    more = len(names) - MOST_SOURCES
    return ", ".join(names[:MOST_SOURCES]) + (f" and {more} more" if more > 0 else "")
