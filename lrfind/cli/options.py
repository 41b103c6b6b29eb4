"""Options and arguments that several commands share, and how they print."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated, TextIO

import typer

from lrfind.output_format import Format
from lrfind.plain_text import plain, without_commands
from lrfind.schedulers import CATALOG as SCHEDULES
from lrfind.suggest import CATALOG as METHODS


def _set_debug(wanted: bool) -> None:
    if wanted:
        os.environ["LRFIND_DEBUG"] = "1"


ConfigFile = Annotated[
    Path, typer.Argument(metavar="CONFIG", help="Config file (YAML 1.2 or JSON).")
]
ConfigFiles = Annotated[
    list[Path],
    typer.Argument(metavar="CONFIG", help="Config files (YAML 1.2 or JSON)."),
]
CurveFiles = Annotated[
    list[Path],
    typer.Argument(metavar="FILE", help="Files that `lrfind run` wrote: curve.csv or report.json."),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override a key of the config, dotted: `--set sweep.steps=400`. Can be repeated.",
    ),
]
OutputFormat = Annotated[
    Format,
    typer.Option(
        "--format",
        metavar="|".join(Format),
        help="What to print: a table, the bare number, the whole report, or Markdown.",
    ),
]
Method = Annotated[
    str | None,
    typer.Option(
        metavar="RULE",
        help=f"Rule that reads the curve: {', '.join(METHODS)}; or file.py:function.",
    ),
]
ScheduleName = Annotated[
    str | None,
    typer.Option(
        "--schedule",
        metavar="NAME",
        help=f"What the LR is for: {', '.join(SCHEDULES)}; a report keeps its own.",
    ),
]
OutputFolder = Annotated[
    Path | None,
    typer.Option(
        metavar="PATH",
        help="Folder of the files; `runs/<config stem>` unless the config names one. Of several "
        "configs, the folder of their folders.",
    ),
]
KeepRange = Annotated[
    bool, typer.Option("--no-auto-range", help="Keep to start_lr and end_lr, whatever is seen.")
]
Refine = Annotated[
    bool, typer.Option("--refine", help="Try LRs around the answer in short trainings.")
]
Html = Annotated[
    bool, typer.Option("--html", help="Write report.html too: one page that opens offline.")
]
Budget = Annotated[
    int | None,
    typer.Option(
        metavar="STEPS",
        min=1,
        help="Most updates of sweep and trials together (600); implies --refine.",
    ),
]
Deterministic = Annotated[
    bool,
    typer.Option("--deterministic", help="Ask torch for the same numbers each time; told if not."),
]
LowMemory = Annotated[
    bool,
    typer.Option("--low-memory", help="Update inside the backward pass; gradients take no room."),
]
BatchSizes = Annotated[
    str | None,
    typer.Option(
        metavar="N,N,...",
        help="Sweep each batch size, and fit the law of LR against batch size.",
    ),
]
Trackers = Annotated[
    list[str] | None,
    typer.Option(
        "--log",
        metavar="TRACKER:PLACE",
        help="Log the run too: tensorboard:DIR, mlflow:URI or wandb[:PROJECT]. Can be repeated.",
    ),
]
Timeout = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        min=0.001,
        help="End the run after this time, also one that hangs, with what was measured; of "
        "several configs each.",
    ),
]
MaxAge = Annotated[
    str | None,
    typer.Option(metavar="AGE", help="Age above which a pin counts as stale: 30d, 12h, 90m, 2w."),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress and no notes on standard error.")
]
Debug = Annotated[
    bool,
    typer.Option("--debug", callback=_set_debug, help="Show lrfind's own frames in an error."),
]


def width_of(stream: TextIO) -> int:
    """Measure the columns of a terminal, 80 where the stream is none."""
    return shutil.get_terminal_size((80, 24)).columns if stream.isatty() else 80


def wants_color(stream: TextIO) -> bool:
    """Tell whether a stream is a terminal whose user did not ask for plain text."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def say(text: str) -> None:
    """Tell the story: a line on standard error."""
    print(without_commands(plain(text)), file=sys.stderr)
