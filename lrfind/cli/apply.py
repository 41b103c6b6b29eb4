"""`lrfind apply`: the LR into the user's own config files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrfind.cli.options import Debug, Quiet, say, wants_color
from lrfind.errors import ExitCode, InputError, Problem
from lrfind.known_lr import KnownLr, Source

if TYPE_CHECKING:
    from lrfind.edit.change import Change, Edit


def apply(
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG", help="Config that was pinned or run; report.json.")
    ],
    to: Annotated[
        list[str],
        typer.Option(
            "--to",
            metavar="FILE:KEY",
            help="Where it goes: a YAML, TOML or JSON file and a dotted key. Can be repeated.",
        ),
    ],
    source: Annotated[
        Source | None,
        typer.Option(
            "--from",
            metavar="|".join(Source),
            help="Whose LR: the pin's where there is one, else that of the last run.",
        ),
    ] = None,
    peak: Annotated[
        bool, typer.Option("--peak", help="The peak_lr instead, for warmup and decay.")
    ] = False,
    digits: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=17, help="Round to this many significant digits."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change; write nothing.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 where a file differs.")
    ] = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write the pinned or suggested LR into your own config files.

    One number changes in each place: comments, order, quotes and line ends stay, and the new text
    is read again to prove it. Nothing is written unless every place is good. The diff is printed.
    Exit codes: 0 written or the same already, 1 `--check` found a difference, 2 wrong input, 3 the
    run gave no suggestion.

    Example: `lrfind apply configs/digits.yaml --to train.yaml:optimizer.lr`
    """
    from lrfind.edit.address import parse_address
    from lrfind.edit.change import plan, write
    from lrfind.known_lr import known_lr

    addresses = [parse_address(text) for text in to]
    known = known_lr(config, source)
    lr = _wanted(known, config, peak=peak, digits=digits)
    edits = plan(addresses, lr)
    if not (check or dry_run):
        write(edits)
    if not quiet:
        name = "peak_lr" if peak else "lr"
        say(f"{name} {lr!r} from {known.file} ({known.told})")
        for change in [change for edit in edits for change in edit.changes]:
            say(_told(change, is_done=not (check or dry_run)))
    _show(edits)
    differs = any(edit.after != edit.before for edit in edits)
    raise typer.Exit(ExitCode.DRIFT if check and differs else ExitCode.OK)


def _wanted(known: KnownLr, config: Path, *, peak: bool, digits: int | None) -> float:
    from lrfind.edit.number import rounded

    lr = known.peak_lr if peak else known.lr
    if lr is None:
        what = f"{known.file} holds no peak_lr: its LR was pinned by hand"
        raise InputError(Problem("--peak", what, "leave it out, or pass --from report"))
    return lr if digits is None else rounded(lr, digits)


def _told(change: Change, *, is_done: bool) -> str:
    where = f"{change.address.file}:{change.line}: {change.address.key}"
    if not change.is_change:
        return f"{where} is {change.old} already"
    now = "is now" if is_done else "would be"
    also = f"; read by {', '.join(change.readers)} too" if change.readers else ""
    return f"{where} {now} {change.new}, was {change.old or 'empty'}{also}"


def _show(edits: list[Edit]) -> None:
    """Print the diff of every file that differs."""
    from lrfind.console.diff import diff_text

    for edit in edits:
        before, after = (data.decode("utf-8-sig") for data in (edit.before, edit.after))
        sys.stdout.write(diff_text(str(edit.path), before, after, color=wants_color(sys.stdout)))
