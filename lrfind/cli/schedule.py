"""`lrfind schedule`: draw a schedule, and write it as Python."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lrfind.cli.options import Debug, say, width_of
from lrfind.errors import InputError, Problem
from lrfind.schedulers import CATALOG

if TYPE_CHECKING:
    from lrfind.schedulers.planned import Planned

MAX_STEPS = 1_000_000
"""Longest run that is drawn; a longer one has the same shape."""

DEFAULT_STEPS = 1000


def schedule(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help=f"A bundled schedule: {', '.join(CATALOG)}."),
    ] = None,
    lr: Annotated[
        float | None,
        typer.Option(
            metavar="LR",
            help="LR that the optimizer is built with; with --config, its optimizer.args.lr.",
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=MAX_STEPS, help="Steps of the run; 1000."),
    ] = None,
    warmup: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Of these, steps of linear warmup; 0.")
    ] = None,
    arg: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="An argument of the schedule: `--arg gamma=0.5`. Can be repeated.",
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(metavar="CONFIG", help="Draw what the `schedule` of a config names."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Picture: .png, .svg or .pdf."),
    ] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print `step,lr` rows instead.")] = False,
    debug: Debug = False,
) -> None:
    """Draw a schedule and print it as Python, ready to paste.

    Example: `lrfind schedule cosine --lr 0.1 --steps 1000 --warmup 50`
    """
    from lrfind.schedulers.planned import plan

    args = _arguments(arg or ())
    if config is not None:
        if name is not None:
            what = f"both {name!r} and --config {config} are given"
            raise InputError(Problem("lrfind schedule", what, "keep one of them"))
        name, lr, steps, warmup, args = _configured(config, lr, steps, warmup, args)
    if name is None:
        remedy = f"pass a --config, or one of {', '.join(CATALOG)}"
        raise InputError(Problem("lrfind schedule", "no schedule is named", remedy))
    if lr is None:
        remedy = "pass --lr; `lrfind run CONFIG --format lr` finds one"
        raise InputError(Problem("lrfind schedule", "no LR is given", remedy))
    planned = plan(name, lr, DEFAULT_STEPS if steps is None else steps, warmup or 0, args)
    _show(planned, out, csv)


def _show(planned: Planned, out: Path | None, csv: bool) -> None:
    if out is not None:
        from lrfind.plot.schedule import save_schedule

        save_schedule(planned, out)
        say(f"wrote {out}")
    if csv:
        rows = (f"{step},{lr!r}\n" for step, lr in enumerate(planned.lrs.tolist()))
        sys.stdout.writelines(["step,lr\n", *rows])
        return
    if sys.stdout.isatty():
        from lrfind.console.schedule_plot import schedule_plot
        from lrfind.console.terminal import can_draw

        print(planned.title)
        print(schedule_plot(planned, width_of(sys.stdout), unicode=can_draw(sys.stdout)))
    print(planned.python)


def _configured(
    path: Path, lr: float | None, steps: int | None, warmup: int | None, args: dict[str, Any]
) -> tuple[str, float | None, int, int, dict[str, Any]]:
    """Take from a config what the command line leaves out."""
    from lrfind.config import load

    config = load(path)
    section = config.spec.schedule
    if section is None:
        remedy = "add `schedule: cosine`, or name one: `lrfind schedule cosine --lr 0.1`"
        raise InputError(Problem(str(path), "has no schedule", remedy))
    own = config.spec.optimizer.args.get("lr")
    if lr is None and isinstance(own, int | float) and not isinstance(own, bool):
        lr = float(own)
    return (
        section.name,
        lr,
        section.steps if steps is None else steps,
        section.warmup if warmup is None else warmup,
        section.args | args,
    )


def _arguments(texts: Sequence[str]) -> dict[str, Any]:
    """Read `key=value` pairs, the values as in a config: `milestones=[300, 600]`."""
    from lrfind.config.document import parse_value

    args = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.isidentifier():
            rule = "an argument reads key=value"
            raise InputError(Problem(f"--arg {text}", rule, "for instance --arg gamma=0.5"))
        args[key] = parse_value(value, (key,), f"--arg {text}")
    return args
