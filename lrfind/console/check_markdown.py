"""Checks of pins as GitHub Markdown, for job summaries and comments."""

from __future__ import annotations

from collections.abc import Sequence

from lrfind.console.answer import escape_markdown
from lrfind.console.check_words import advice, findings, lr_text
from lrfind.lock.check import Check, worst
from lrfind.plain_text import one_line


def check_markdown(checks: Sequence[Check]) -> str:
    """Write a table with a row a config, and below it what was found."""
    lines = [
        f"### lrfind check: {worst(checks)}",
        "",
        "| config | state | pinned | found | decades | tolerance |",
        "|---|---|---|---|---:|---:|",
    ]
    for check in checks:
        lock, rerun, decades = check.lock, check.rerun, check.decades
        cells = [
            _escaped(str(check.config)),
            f"**{check.state}**",
            _code(lr_text(lock.lr if lock else None)),
            _code(lr_text(rerun.lr if rerun else None)),
            "" if decades is None else f"{decades:+.2f}",
            f"{lock.tolerance_decades:.2f}" if lock else "",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    for check in checks:
        told = [*findings(check), *filter(None, [advice(check)])]
        lines += ["", f"{_escaped(str(check.config))}:", ""]
        lines += [f"- {_escaped(text)}" for text in told]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return escape_markdown(one_line(text))


def _code(text: str) -> str:
    return f"`{text}`" if text else ""
