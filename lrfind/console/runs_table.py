"""Runs of several configs on stdout: a table, JSON, Markdown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from lrfind.console.answer import escape_markdown
from lrfind.console.plain_lines import styled, wrapped
from lrfind.frame import lr_text
from lrfind.outcome import Outcome, worst_code
from lrfind.plain_text import one_line, without_commands

SCHEMA = 1

_COLUMNS = f"{'lr':<9}{'usable range':<19}{'verdict':<18}config"
_CODES = {"ok": "32", "low-confidence": "33"}


def runs_table(outcomes: Sequence[Outcome], *, width: int = 80, color: bool = False) -> str:
    """Write a line a config, and below it what is wrong and where the files are.

    Args:
        outcomes: in the order in which they are told.
        width: columns that may be filled; paths are not broken.
        color: whether ANSI colours may be used.
    """
    lines = [styled(_COLUMNS, "2", color)]
    for outcome in outcomes:
        code = _CODES.get(outcome.verdict, "31")
        verdict = styled(f"{one_line(outcome.verdict):<18}", code, color)
        lr, usable = _lr(outcome), _range(outcome)
        lines.append(f"{lr:<9}{usable:<19}{verdict}{one_line(outcome.config)}".rstrip())
        lines += wrapped(outcome.why, width)
        lines += wrapped(f"files: {outcome.folder}" if outcome.folder else "", width)
    counts: dict[str, int] = {}
    for outcome in outcomes:
        counts[outcome.verdict] = counts.get(outcome.verdict, 0) + 1
    lines.append(", ".join(f"{count} {one_line(verdict)}" for verdict, count in counts.items()))
    return without_commands("\n".join(lines)) + "\n"


def runs_json(outcomes: Sequence[Outcome]) -> str:
    """Write everything as JSON: sorted keys, one value a line."""
    return json.dumps(_data(outcomes), indent=2, sort_keys=True, allow_nan=False) + "\n"


def runs_markdown(outcomes: Sequence[Outcome]) -> str:
    """Write the table as GitHub Markdown."""
    lines = [
        f"### lrfind: {len(outcomes)} configs",
        "",
        "| config | lr | usable range | verdict | |",
        "|---|---|---|---|---|",
    ]
    for outcome in outcomes:
        lr, usable = _lr(outcome), _range(outcome)
        cells = [
            _escaped(outcome.config),
            f"**`{lr}`**" if lr else "none",
            f"`{usable}`" if usable else "",
            _escaped(outcome.verdict),
            _escaped(outcome.why or outcome.folder),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return without_commands("\n".join(lines) + "\n")


def _data(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    code = worst_code(outcomes)
    runs = [asdict(outcome) | {"exit_code": int(outcome.exit_code)} for outcome in outcomes]
    return {"schema": SCHEMA, "exit_code": int(code), "runs": runs}


def _lr(outcome: Outcome) -> str:
    return "" if outcome.lr is None else lr_text(outcome.lr)


def _range(outcome: Outcome) -> str:
    if outcome.low is None or outcome.high is None:
        return ""
    return f"{lr_text(outcome.low)} … {lr_text(outcome.high)}"


def _escaped(text: str) -> str:
    return escape_markdown(one_line(text))
