"""Rows of a name and what it is, wrapped beside the names."""

from __future__ import annotations

import io
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lrfind.plain_text import plain, without_commands


def grid(rows: Iterable[tuple[str, Text]], *, width: int = 80, color: bool = False) -> str:
    """Lay rows out in two columns, without blanks at the ends of lines.

    Args:
        rows: name and text; an empty name goes on with the row above.
        width: columns that may be filled.
        color: whether ANSI colours may be used.
    """
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in rows:
        shown = plain(text.plain)
        table.add_row(name, text if shown == text.plain else Text(shown, style=text.style))
    out = io.StringIO()
    console = Console(
        force_jupyter=False,  # in a notebook rich would show the text, and return nothing
        file=out,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        legacy_windows=False,
        highlight=False,
        emoji=False,
    )
    console.print(table)
    lines = (line.rstrip() for line in out.getvalue().splitlines())
    return without_commands("".join(f"{line}\n" for line in lines))
