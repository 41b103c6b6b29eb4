"""`lrfind list` and `lrfind schema`: what is bundled, and what a config may hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from lrfind import optim, schedulers, suggest
from lrfind.registry import Entry

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


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
    kind: Annotated[
        Kind | None,
        typer.Argument(metavar="KIND", help="What to list; all where left out."),
    ] = None,
) -> None:
    """Show what is bundled, each with its formula and source.

    Example: `lrfind list methods`
    """
    from rich.console import Console

    console = Console(highlight=False, emoji=False)
    for i, chosen in enumerate([kind] if kind is not None else list(Kind)):
        if i:
            console.print()
        console.print(chosen.value, style="bold underline")
        for line in _rows(_CATALOGS[chosen], console):
            console.print(line)


def _rows(catalog: Mapping[str, Entry], console: Console) -> Iterator[Text]:
    """Lay out each entry: its name, then beside it the formula and under that the source."""
    from rich.text import Text

    indent = max(map(len, catalog)) + 2
    for name, entry in catalog.items():
        head = Text(name.ljust(indent), style="bold")
        for text in (Text(entry.formula), Text(entry.source, style="dim")):
            for line in text.wrap(console, console.width - indent):
                line.rstrip()
                yield Text.assemble(head, line)
                head = Text(" " * indent)


def schema() -> None:
    """Print the JSON Schema of the config, for editors that check and complete YAML.

    Example: `lrfind schema > lrfind.schema.json`
    """
    import json

    from lrfind.spec import Spec

    print(json.dumps(Spec.model_json_schema(), indent=2))
