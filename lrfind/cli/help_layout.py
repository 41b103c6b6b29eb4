"""Commands with two habits of ours: flags shown without a type, plain values not converted."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup

from lrfind.cli.plain_values import take_plain_values
from lrfind.cli.preload import preload

_DRAWING = ("rich.markdown", "rich.panel", "rich.table", "rich.traceback")
"""What Typer imports to draw a help screen."""


class Command(TyperCommand):
    """A command whose flags are shown without `<bool>`, which says nothing of a flag."""

    def get_params(self, ctx: Any) -> list[Any]:
        """List the parameters as help shows them."""
        return _plain_flags(super().get_params(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Draw the help screen."""
        preload(*_DRAWING)
        super().format_help(ctx, formatter)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments."""
        take_plain_values(self.get_params(ctx))
        return super().parse_args(ctx, args)


class Group(TyperGroup):
    """The commands together, with the same habits."""

    def get_params(self, ctx: Any) -> list[Any]:
        """List the parameters as help shows them."""
        return _plain_flags(super().get_params(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Draw the help screen."""
        preload(*_DRAWING)
        super().format_help(ctx, formatter)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments that stand before a command's name."""
        # Here, not in a constructor: Typer adds the options of completion to a finished group.
        take_plain_values(self.get_params(ctx))
        return super().parse_args(ctx, args)


def _plain_flags(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""
    return parameters
