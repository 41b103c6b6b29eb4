"""`lrfind init`: a commented starter config, and the code it points to."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lrfind.errors import OutputError, Problem


class Template(StrEnum):
    """The starters in `lrfind/templates`."""

    DIGITS = "digits"
    TEXT = "text"
    CUSTOM_STEP = "custom-step"


def init(
    template: Annotated[
        Template, typer.Argument(metavar="TEMPLATE", help="What to start from.")
    ] = Template.DIGITS,
    folder: Annotated[
        Path, typer.Option("--dir", metavar="PATH", help="Where to write it.")
    ] = Path("."),
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")] = False,
) -> None:
    """Write a starter that runs as it is: `lrfind.yaml` and `train.py`.

    Example: `lrfind init digits && lrfind run lrfind.yaml`
    """
    from importlib.resources import files

    from lrfind.atomic import claim_folder, write_atomically

    source = files("lrfind").joinpath("templates", template.value.replace("-", "_"))
    names = ("lrfind.yaml", "train.py")
    taken = [folder / name for name in names if (folder / name).exists()]
    if taken and not force:
        raise OutputError(
            *(
                Problem(str(path), "exists already", "pass --force to overwrite it, or --dir")
                for path in taken
            )
        )
    claim_folder(folder, names)
    for name in names:
        write_atomically(folder / name, source.joinpath(name).read_bytes())
        print(folder / name)
