"""LRs against batch sizes on stdout: lines to read, Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from lrfind.batch_law import BatchLaw, BatchPoint
from lrfind.console.answer import escape_markdown
from lrfind.console.grid import grid
from lrfind.frame import lr_text
from lrfind.plain_text import without_commands
from lrfind.suggest.answer import Verdict

_STYLES = {Verdict.OK: "green", Verdict.LOW_CONFIDENCE: "yellow"}


def batch_table(
    law: BatchLaw, *, width: int = 80, color: bool = False, files: Sequence[Path] = ()
) -> str:
    """Write a row a batch size, then the law and what to know of it.

    Args:
        law: what was found.
        width: columns that may be filled.
        color: whether ANSI colours may be used.
        files: what was written over all batch sizes.
    """
    other = _second_name(law)
    header = f"{'lr':<9}{other and f'{other:<9}'}{'usable range':<19}verdict"
    rows = [("batch", Text(header, style="dim"))]
    rows += [(str(point.batch_size), _row(point)) for point in law.points]
    if law.schedule:
        rows.append(("lr for", Text(law.schedule)))
    rows += [("exponent", Text(exponent_text(law))), ("rule", Text(law.conclusion))]
    rows += [("note", Text(note)) for note in law.notes]
    rows += [("" if i else "files", Text(str(file))) for i, file in enumerate(files)]
    return grid(rows, width=width, color=color)


def batch_markdown(law: BatchLaw, files: Sequence[Path] = ()) -> str:
    """Write the same as GitHub Markdown."""
    other = _second_name(law)
    lines = [
        f"### lrfind: {escape_markdown(law.title) or 'learning rate against batch size'}",
        "",
        f"| batch | lr | {other and f'{other} | '}usable range | verdict |",
        f"|---:|---|{other and '---|'}---|---|",
    ]
    for point in law.points:
        found = point.suggestion
        if found is None:
            cells = ["none", *[""] * bool(other), "", escape_markdown(point.no_answer)]
        else:
            cells = [
                f"**`{lr_text(found.lr)}`**",
                *(f"`{lr_text(lr)}`" for lr in found.shown[1:]),
                f"`{lr_text(found.low)}` … `{lr_text(found.high)}`",
                escape_markdown(_verdict(point)),
            ]
        lines.append(f"| {' | '.join([str(point.batch_size), *cells])} |")
    if law.schedule:
        lines += ["", f"lr for {escape_markdown(law.schedule)}"]
    lines += ["", f"exponent: {escape_markdown(exponent_text(law))}"]
    lines += ["", f"rule: {escape_markdown(law.conclusion)}"]
    if law.notes:
        lines += ["", *(f"- {escape_markdown(note)}" for note in law.notes)]
    if files:
        lines += ["", f"files: {escape_markdown(', '.join(map(str, files)))}"]
    return without_commands("\n".join(lines) + "\n")


def exponent_text(law: BatchLaw) -> str:
    """Write the fitted law: `lr ∝ batch^0.52, 95 % interval 0.31 … 0.73`."""
    found = law.exponent
    if found is None:
        return "none"
    text = f"lr ∝ batch^{found.value:.2f}"
    if not law.has_interval:
        return f"{text}, from two points: no interval"
    return f"{text}, 95 % interval {found.low:.2f} … {found.high:.2f}"


def _row(point: BatchPoint) -> Text:
    found = point.suggestion
    if found is None:
        return Text(f"none: {point.no_answer}", style="red")
    style = _STYLES.get(found.verdict, "red")
    usable = f"{lr_text(found.low)} … {lr_text(found.high)}"
    return Text.assemble(
        (f"{lr_text(found.lr):<9}", "bold"),
        *(f"{lr_text(lr):<9}" for lr in found.shown[1:]),
        f"{usable:<19}",
        (_verdict(point), style),
    )


def _second_name(law: BatchLaw) -> str:
    """Name the LR beside `lr`, the same at every size; empty where there is none."""
    return next((found.second[0] for _, found in law.answers if found.second), "")


def _verdict(point: BatchPoint) -> str:
    """Name the verdict, starred where it is not `ok`."""
    verdict = point.suggestion.verdict.value if point.suggestion else ""
    return verdict if point.is_sure else f"{verdict} *"
