"""`lrfind list` and `lrfind schema`: what is bundled, and what a config may hold."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from lrfind import optim, schedulers, suggest


class Kind(StrEnum):
    """What can be listed."""

    OPTIMIZERS = "optimizers"
    SCHEDULERS = "schedulers"
    METHODS = "methods"


_CATALOGS = {
    Kind.OPTIMIZERS: optim.CATALOG,
    Kind.SCHEDULERS: schedulers.CATALOG,
    Kind.METHODS: suggest.CATALOG,
}


def list_bundled(
    kind: Annotated[Kind | None, typer.Argument(help="What to list; all where left out.")] = None,
) -> None:
    """Show what is bundled, each with its formula and source.

    Example: `lrfind list methods`
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, emoji=False)
    for chosen in [kind] if kind is not None else list(Kind):
        table = Table(box=None, padding=(0, 2, 0, 0), title_justify="left", show_header=False)
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for name, entry in _CATALOGS[chosen].items():
            table.add_row(name, Text.assemble(entry.formula, "\n", (entry.source, "dim")))
        console.print(Text(chosen.value, style="bold underline"))
        console.print(table)


def schema() -> None:
    """Print the JSON Schema of the config, for editors that check and complete YAML.

    Example: `lrfind schema > lrfind.schema.json`
    """
    import json

    from lrfind.spec import Spec

    print(json.dumps(Spec.model_json_schema(), indent=2))
