"""The commands, in the order in which a user meets them."""

from __future__ import annotations

from typing import Annotated

import typer

from lrfind import __version__
from lrfind.cli.apply import apply
from lrfind.cli.catalog import list_bundled, schema
from lrfind.cli.check import check
from lrfind.cli.get import get
from lrfind.cli.help_layout import Command, Group
from lrfind.cli.init import init
from lrfind.cli.pin import pin
from lrfind.cli.plot import plot
from lrfind.cli.run import run
from lrfind.cli.scale import scale
from lrfind.cli.schedule import schedule
from lrfind.cli.suggest import suggest
from lrfind.cli.validate import validate

app = typer.Typer(
    name="lrfind",
    help="Find a learning rate for a PyTorch model: sweep, plot, suggestion, files.\n\n"
    "Example: `lrfind init digits && lrfind run lrfind.yaml`",
    cls=Group,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command(cls=Command)(run)
app.command(cls=Command)(validate)
app.command(cls=Command)(suggest)
app.command(cls=Command)(plot)
app.command(cls=Command)(pin)
app.command(cls=Command)(check)
app.command(cls=Command)(get)
app.command(cls=Command)(apply)
app.command(cls=Command)(schedule)
app.command(cls=Command)(scale)
app.command(cls=Command)(init)
app.command("list", cls=Command)(list_bundled)
app.command(cls=Command)(schema)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"lrfind {__version__}")
        raise typer.Exit()


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Take the options that belong to no command."""
    del version
