"""`lrfind scale`: carry an LR over to another batch size."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from lrfind.cli.options import Debug, say, wants_color, width_of


class Rule(StrEnum):
    """The rules of `lrfind.scaling`."""

    LINEAR = "linear"
    SQRT = "sqrt"


class ScaleFormat(StrEnum):
    """What `--format` accepts here."""

    TABLE = "table"
    LR = "lr"
    JSON = "json"


def scale(
    lr: Annotated[float, typer.Option(metavar="LR", help="Good at the old batch size.")],
    from_batch: Annotated[
        int,
        typer.Option(
            "--from",
            metavar="N",
            min=1,
            help="Samples of a step: batch × accumulation.",
        ),
    ],
    to_batch: Annotated[int, typer.Option("--to", metavar="N", min=1, help="The same, from now.")],
    rule: Annotated[
        Rule,
        typer.Option(metavar="|".join(Rule), help="linear: LR × k; sqrt: LR × √k."),
    ] = Rule.LINEAR,
    samples: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Of the training set, to count warmup steps."),
    ] = None,
    output_format: Annotated[
        ScaleFormat,
        typer.Option(
            "--format", metavar="|".join(ScaleFormat), help="A table, the bare number, or JSON."
        ),
    ] = ScaleFormat.TABLE,
    debug: Debug = False,
) -> None:
    """Scale an LR to another batch size, with the warmup it needs and what to beware of.

    Example: `lrfind scale --lr 0.1 --from 256 --to 4096 --rule linear`
    """
    from lrfind.console.scaled import scale_json, scale_table, scaled

    answer = scaled(lr, from_batch, to_batch, rule.value, samples)
    match output_format:
        case ScaleFormat.LR:
            print(repr(answer.lr))
            for caveat in answer.caveats:
                say(f"note: {caveat}")
        case ScaleFormat.JSON:
            print(scale_json(answer))
        case ScaleFormat.TABLE:
            out = sys.stdout
            out.write(scale_table(answer, width=width_of(out), color=wants_color(out)))
