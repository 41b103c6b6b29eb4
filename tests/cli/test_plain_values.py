"""Values taken as they are come out as Typer itself would have converted them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from typer.core import TyperCommand
from typer.testing import CliRunner

from lrfind.cli.help_layout import Command


class Color(StrEnum):
    """A choice."""

    RED = "red"
    BLUE = "blue"


def upper(value: str | None) -> str | None:
    """Change a value, as callbacks of options may."""
    return value and value.upper()


def outcome(cls: type[TyperCommand], arguments: list[str]) -> tuple[int, str, dict[str, Any]]:
    """Run a command with one parameter of each kind; return exit code, output and values."""
    seen: dict[str, Any] = {}
    app = typer.Typer(rich_markup_mode=None)

    @app.command(cls=cls)
    def paint(
        config: Path,
        more: Annotated[list[Path] | None, typer.Argument()] = None,
        out: Path | None = None,
        picture: Path = Path("a.png"),
        override: Annotated[list[str] | None, typer.Option("--set")] = None,
        count: Annotated[int | None, typer.Option(min=1)] = None,
        rate: float = 0.5,
        color: Color = Color.RED,
        name: Annotated[str | None, typer.Option(callback=upper)] = None,
        quiet: Annotated[bool, typer.Option("--quiet", "-q")] = False,
    ) -> None:
        seen.update(locals())

    result = CliRunner().invoke(app, arguments)
    seen.pop("seen", None)
    return result.exit_code, result.output, seen


@pytest.mark.parametrize(
    "arguments",
    [
        ["a.yaml"],
        ["a.yaml", "b.csv", "c.csv", "--out", "runs", "--picture", "b.png", "-q"],
        ["a.yaml", "--set", "x=1", "--set", "y=é", "--name", "anna"],
        ["a.yaml", "--count", "3", "--rate", "1e-3", "--color", "blue"],
        ["a.yaml", "--count", "0"],
        ["a.yaml", "--count", "three"],
        ["a.yaml", "--color", "green"],
        ["a.yaml", "--rate", "fast"],
        ["a.yaml", "--unknown"],
        ["", "--out", ""],
        [],
    ],
    ids=" ".join,
)
def test_values_are_those_that_typer_gives(arguments: list[str]) -> None:
    """Exit code, message, and each value with its type are those of a plain Typer command."""
    ours, theirs = outcome(Command, arguments), outcome(TyperCommand, arguments)

    assert ours == theirs
    assert [type(value) for value in ours[2].values()] == [type(v) for v in theirs[2].values()]
