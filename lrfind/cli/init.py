"""`lrfind init`: a commented starter config and its code, or a config for code that is there."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrfind.cli.options import say
from lrfind.errors import InputError, OutputError, Problem

if TYPE_CHECKING:
    from lrfind.survey.findings import Findings

CONFIG = "lrfind.yaml"


class Template(StrEnum):
    """The starters in `lrfind/templates`."""

    DIGITS = "digits"
    TEXT = "text"
    CUSTOM_STEP = "custom-step"
    LIGHTNING = "lightning"
    HUGGINGFACE = "huggingface"


class Origin(StrEnum):
    """What kind of project is looked through."""

    LIGHTNING = "lightning"
    HUGGINGFACE = "huggingface"
    SCRIPT = "script"


def init(
    start: Annotated[
        str | None,
        typer.Argument(
            metavar="TEMPLATE|PATH",
            help=f"A starter ({', '.join(Template)}), digits if left out; "
            "with --from, your file or folder.",
        ),
    ] = None,
    origin: Annotated[
        Origin | None,
        typer.Option(
            "--from",
            metavar="|".join(Origin),
            help="Write a config for code that is there; it is read, not run.",
        ),
    ] = None,
    folder: Annotated[
        Path, typer.Option("--dir", metavar="PATH", help="Where to write it.")
    ] = Path("."),
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")] = False,
) -> None:
    """Write a starter that runs as it is, or with `--from` a config for your own code.

    A starter is `lrfind.yaml` and `train.py`. `lrfind init --from script train.py` looks for the
    training loop and writes an `lrfind.yaml` that names its model, data, loss and optimizer;
    `--from lightning` for the module and data that are given to `fit`, `--from huggingface` for
    the function that returns a Trainer. Or it says what it could not find, and where it looked.

    Example: `lrfind init digits && lrfind run lrfind.yaml`
    """
    if origin is None:
        _write_starter(_template(start), folder, force=force)
    else:
        _write_config(origin, Path(start or "."), folder, force=force)


def _template(name: str | None) -> Template:
    from lrfind.registry import nearest

    if name is None:
        return Template.DIGITS
    try:
        return Template(name)
    except ValueError:
        what, remedy = (
            f"{name!r} is no starter",
            nearest(name, [template.value for template in Template]),
        )
        if Path(name).exists():
            remedy = f"for code that is there: lrfind init --from script {name}"
        raise InputError(Problem("TEMPLATE", what, remedy)) from None


def _write_starter(template: Template, folder: Path, *, force: bool) -> None:
    from importlib.resources import files

    from lrfind.absent import install, missing_of
    from lrfind.atomic import write_atomically

    source = files("lrfind").joinpath("templates", template.value.replace("-", "_"))
    names = (CONFIG, "train.py")
    _claim(folder, names, force=force)
    for name in names:
        write_atomically(folder / name, source.joinpath(name).read_bytes())
        print(folder / name)
    missing = missing_of(_imports(source.joinpath("train.py").read_text()))
    if missing:
        are = "is" if len(missing) == 1 else "are"
        say(f"note: train.py needs {' and '.join(missing)}, which {are} not installed here")
        say(f"next: {install(missing)}")


def _imports(code: str) -> list[str]:
    """List the modules that a file imports, read and not run."""
    import ast

    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append(node.module or "")
    return found


def _write_config(origin: Origin, path: Path, folder: Path, *, force: bool) -> None:
    """Look through a project and write the config that it needs."""
    from lrfind.atomic import write_atomically
    from lrfind.survey.findings import config_text

    findings = _survey(origin, path, folder)
    _claim(folder, (CONFIG,), force=force)
    text = config_text(findings, f"lrfind init --from {origin} {path}")
    write_atomically(folder / CONFIG, text.encode())
    for part in findings.parts:
        say(f"{part.key:<10} {part.where}")
    for note in findings.notes:
        say(f"note: {note}")
    say(f"next: lrfind validate {folder / CONFIG}")
    print(folder / CONFIG)


def _survey(origin: Origin, path: Path, folder: Path) -> Findings:
    from lrfind.survey.project import read_project

    project = read_project(path)
    if origin is Origin.LIGHTNING:
        from lrfind.survey.lightning import survey_lightning

        return survey_lightning(project, folder)
    if origin is Origin.HUGGINGFACE:
        from lrfind.survey.huggingface import survey_huggingface

        return survey_huggingface(project, folder)
    from lrfind.survey.script import survey_script

    return survey_script(project, folder)


def _claim(folder: Path, names: tuple[str, ...], *, force: bool) -> None:
    """Refuse to overwrite, and prove that the files can be written.

    Raises:
        OutputError: one exists and `force` is not given, or the folder takes none.
    """
    from lrfind.atomic import claim_folder

    taken = [folder / name for name in names if (folder / name).exists()]
    if taken and not force:
        remedy = "pass --force to overwrite it, or --dir"
        raise OutputError(*(Problem(str(path), "exists already", remedy) for path in taken))
    claim_folder(folder, names)
