"""`lrfind list` and `lrfind schema`: what is bundled, and what a config may hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from lrfind import optim, schedulers, suggest
from lrfind.errors import InputError, Problem
from lrfind.registry import Entry, nearest

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


class Kind(StrEnum):
    """What can be listed."""

    OPTIMIZERS = "optimizers"
    SCHEDULERS = "schedulers"
    METHODS = "methods"
    OPTIMIZER = "optimizer"
    SCHEDULER = "scheduler"
    METHOD = "method"


_CATALOGS = {
    Kind.OPTIMIZERS: optim.CATALOG,
    Kind.SCHEDULERS: schedulers.CATALOG,
    Kind.METHODS: suggest.CATALOG,
}
_PLURALS = {
    Kind.OPTIMIZER: Kind.OPTIMIZERS,
    Kind.SCHEDULER: Kind.SCHEDULERS,
    Kind.METHOD: Kind.METHODS,
}


def list_bundled(
    kind: Annotated[
        Kind | None,
        typer.Argument(
            metavar="KIND",
            help=f"What to list: {', '.join(_CATALOGS)}; all where left out.",
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="One of them, for its whole page.")
    ] = None,
) -> None:
    """Show what is bundled, each with its formula and source; or all about one.

    Example: `lrfind list optimizer adam`
    """
    from rich.console import Console

    console = Console(highlight=False, emoji=False)
    chosen = None if kind is None else _PLURALS.get(kind, kind)
    if chosen is not None and name is not None:
        _print_page(chosen, name, console)
        return
    for i, listed in enumerate(list(_CATALOGS) if chosen is None else [chosen]):
        if i:
            console.print()
        console.print(listed.value, style="bold underline")
        for line in _rows(_CATALOGS[listed], console):
            console.print(line)


def _print_page(kind: Kind, name: str, console: Console) -> None:
    from lrfind.console.manual import read_manual
    from lrfind.console.page import page

    catalog = _CATALOGS[kind]
    if name not in catalog:
        what = f"{name!r} is not bundled"
        raise InputError(Problem(f"lrfind list {kind}", what, nearest(name, catalog)))
    for line in page(read_manual(name, catalog), console):
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
