"""How help texts are laid out: flags without a type, which says nothing of a flag."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup


class Command(TyperCommand):
    """A command whose flags are shown without `<bool>`."""

    def get_params(self, ctx: Any) -> list[Any]:
        """List the parameters as help shows them."""
        return _plain_flags(super().get_params(ctx))


class Group(TyperGroup):
    """The commands together, with the same flags."""

    def get_params(self, ctx: Any) -> list[Any]:
        """List the parameters as help shows them."""
        return _plain_flags(super().get_params(ctx))


def _plain_flags(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""
    return parameters
