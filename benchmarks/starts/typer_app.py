"""A Typer app of three commands: what any help screen of Typer's costs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def train(config: Path, epochs: Annotated[int, typer.Option(help="Passes.")] = 1) -> None:
    """Train a model."""


@app.command()
def evaluate(
    config: Path, quiet: Annotated[bool, typer.Option(help="Say nothing.")] = False
) -> None:
    """Evaluate a model."""


@app.command()
def export(config: Path, out: Annotated[Path, typer.Option(help="A file.")] = Path("out")) -> None:
    """Export a model."""


if __name__ == "__main__":
    app()
