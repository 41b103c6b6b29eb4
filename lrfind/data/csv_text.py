"""CSV files: read by pandas, with the mistakes told that pandas reads past."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrfind.data.place import Place
from lrfind.registry import nearest

if TYPE_CHECKING:
    from pandas import DataFrame

SEPARATORS = {";": "a semicolon", "\t": "a tab", ",": "a comma", "|": "a bar"}


@dataclass(frozen=True, slots=True)
class CsvForm:
    """How a CSV file is written.

    Attributes:
        separator: between fields; None: a comma, and a tab in `.tsv` files.
        decimal: the decimal mark.
        header: whether the first line holds the names; else columns are called 0, 1, 2, ….
        encoding: of the text.
    """

    separator: str | None = None
    decimal: str = "."
    header: bool = True
    encoding: str = "utf-8"


def csv_form(options: Mapping[str, Any], place: Place) -> CsvForm:
    """Check the options of a CSV file.

    Raises:
        InputError: one is unknown.
    """
    known = [field.name for field in fields(CsvForm)]
    for name in options:
        if name not in known:
            raise place.error(f"has no option {name!r}", nearest(name, known), "csv")
    return CsvForm(**options)


def read_csv(path: Path, form: CsvForm, rows: int | None, place: Place) -> DataFrame:
    """Read a CSV file into a frame.

    Raises:
        InputError: it has another separator, no header or one with a name twice, lines of
            different lengths, or another encoding.
    """
    import pandas as pd

    separator = form.separator or ("\t" if path.suffix in (".tsv", ".tab") else ",")
    # A byte order mark would become part of the first name.
    encoding = "utf-8-sig" if form.encoding.lower() in ("utf-8", "utf8") else form.encoding
    try:
        _check_first_line(path, separator, form, encoding, place)
        return pd.read_csv(
            path,
            sep=separator,
            decimal=form.decimal,
            header=0 if form.header else None,
            encoding=encoding,
            nrows=rows,
            skipinitialspace=True,
            low_memory=False,
        )
    except (UnicodeDecodeError, LookupError):
        what, remedy = f"{path.name} is no {form.encoding} text", "csv: {encoding: latin-1}"
        raise place.error(what, f"name its encoding, for instance {remedy}", "path") from None
    except pd.errors.EmptyDataError:
        raise place.error(f"{path.name} is empty", "check the file", "path") from None
    except (pd.errors.ParserError, csv.Error) as error:
        found = str(error).removeprefix("Error tokenizing data. C error: ").strip()
        remedy = "mend those lines, or quote fields that hold the separator"
        raise place.error(f"{path.name}: {found}", remedy, "path") from None


def _check_first_line(
    path: Path, separator: str, form: CsvForm, encoding: str, place: Place
) -> None:
    with path.open(encoding=encoding, newline="") as file:
        names = next(csv.reader(file, delimiter=separator, skipinitialspace=True), [])
    if len(names) == 1:
        other = next((s for s in SEPARATORS if s != separator and s in names[0]), None)
        if other is not None:
            what = f"{path.name} reads as one column, {names[0][:40]!r}, between commas"
            what = what if separator == "," else what.replace("commas", repr(separator))
            remedy = f"{SEPARATORS[other]} separates it: csv: {{separator: {_quoted(other)}}}"
            raise place.error(what, remedy, "path")
    if not form.header:
        return
    twice = sorted({name for name in names if names.count(name) > 1})
    numbers = [name for name in names if _is_number(name)]
    if len(numbers) > len(names) / 2:
        what = f"{path.name} has no header: its first line reads {', '.join(names[:4])}"
        remedy = "csv: {header: false} calls the columns 0, 1, 2, …"
        raise place.error(what, remedy, "path")
    if twice:
        what = f"{path.name} has several columns called {', '.join(map(repr, twice))}"
        raise place.error(what, "give each a name of its own", "path")


def _quoted(separator: str) -> str:
    return '"\\t"' if separator == "\t" else f'"{separator}"'


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
