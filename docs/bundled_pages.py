"""What the pages on optimizers and schedulers share: Markdown of a docstring, small multiples."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes

from lrfind.console.manual import Block, Kind, Manual
from lrfind.plot import style
from lrfind.plot.sheet import Run, Sheet, lay_out
from lrfind.plot.text import write

DOCS = Path(__file__).parent
IMAGES = DOCS / "images"
DPI = 100
"""Enough for a page, and small enough for a repository."""

GAP_IN, LABEL_IN, TICKS_IN = 0.5, 0.24, 0.32


def section(manuals: Sequence[Manual], *, formula: bool = False) -> str:
    """Write the section of one class: its names, its call, its docstring.

    Args:
        manuals: one for each name that the class goes by.
        formula: begin with the catalog's line, for docstrings that hold theirs within a sentence.
    """
    first = manuals[0]
    names = ", ".join(f"`{manual.name}`" for manual in manuals)
    parts = [
        f"## {first.attr}",
        f"In a config: {names}. In Python: `from {first.package} import {first.attr}`.",
    ]
    parts += [fenced(first.entry.formula)] if formula else []
    parts += [fenced("\n".join(_call_lines(first)))]
    parts += _paragraphs(first.blocks)
    return "\n\n".join(parts) + "\n"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines
    )


def fenced(text: str) -> str:
    """Fence lines that must stay as they are."""
    return f"```text\n{text}\n```"


def measured(page: str) -> str:
    """Take the measured part out of a page, so that the rest can be written anew around it."""
    found = re.search(r"<!-- measured -->\n(.*)<!-- end -->", page, re.DOTALL)
    return found[1] if found else ""


def small_multiples(
    title: str, runs: Sequence[Run], count: int, columns: int, panel_in: float
) -> tuple[Sheet, list[Axes]]:
    """Lay out a sheet of equal panels, row by row."""
    rows = -(-count // columns)
    row_in = LABEL_IN + panel_in + TICKS_IN
    sheet = lay_out(title, runs, (rows * row_in - TICKS_IN,), lane_in=LABEL_IN / 2)
    sheet.panels[0].remove()
    usable = style.WIDTH_IN - style.LEFT_IN - style.RIGHT_IN
    width = (usable - GAP_IN * (columns - 1)) / columns
    bottom = style.BOTTOM_IN - TICKS_IN
    panels = []
    for i in range(count):
        row, column = divmod(i, columns)
        x = style.LEFT_IN + column * (width + GAP_IN)
        y = bottom + (rows - row) * row_in - LABEL_IN - panel_in
        box = (x / style.WIDTH_IN, y / sheet.height_in, width / style.WIDTH_IN)
        panels.append(sheet.figure.add_axes((*box, panel_in / sheet.height_in)))
    return sheet, panels


def head(sheet: Sheet, axes: Axes, name: str, more: str) -> None:
    """Write a panel's name over its left end, and what goes with it over its right one."""
    box = axes.get_position()
    y = box.y1 * sheet.height_in + 0.06
    write(sheet.figure, box.x0 * style.WIDTH_IN, y, name, size=style.SIZE_LABEL, weight="bold")
    write(
        sheet.figure, box.x1 * style.WIDTH_IN, y, more, size=style.SIZE_SMALL, color=style.GREY,
        ha="right",
    )  # fmt: skip


def _call_lines(manual: Manual) -> list[str]:
    lines, indent = [f"{manual.attr}("], " " * (len(manual.attr) + 1)
    for i, parameter in enumerate(manual.parameters):
        piece = parameter + (")" if i == len(manual.parameters) - 1 else ",")
        if len(lines[-1]) + len(piece) + 1 > 96:
            lines.append(indent + piece)
        else:
            lines[-1] += piece if lines[-1].endswith("(") else f" {piece}"
    return lines


def _paragraphs(blocks: Sequence[Block]) -> list[str]:
    parts: list[str] = []
    for block in blocks:
        match block.kind:
            case Kind.TEXT:
                parts.append(block.text)
            case Kind.VERBATIM:
                parts.append(fenced(block.text))
            case Kind.HEADING:
                parts.append(f"**{block.text}**")
            case Kind.ITEM:
                item = f"- `{block.name}`: {block.text}"
                if parts[-1].startswith("- "):
                    parts[-1] += f"\n{item}"
                else:
                    parts.append(item)
    return parts
