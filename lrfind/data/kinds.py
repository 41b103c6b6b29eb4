"""What a column holds: numbers, truth values or categories; and what no model can be given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from numbers import Number
from typing import TYPE_CHECKING, Any

from lrfind.data.place import Place
from lrfind.errors import InputError, Problem

if TYPE_CHECKING:
    from pandas import DataFrame, Series

MOST_CATEGORIES = 100
"""Categories of a column above which it is text or a name, rather than a choice among a few."""

MOSTLY = 0.5
"""Share of readable values above which a text column is meant to hold numbers, or dates."""

MOST_NAMES = 6
"""Columns that a message names one by one."""


class Kind(StrEnum):
    """What a column is to a model."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    CATEGORY = "category"


@dataclass(frozen=True, slots=True)
class _Unfit:
    """Why a column cannot be encoded, and what to do."""

    what: str
    remedy: str


def kinds_of(
    frame: DataFrame, categorical: Sequence[str], name: str, place: Place
) -> dict[str, Kind]:
    """Infer what each column holds.

    Args:
        frame: the columns of the features and the target.
        categorical: columns that hold categories, whatever they look like.
        name: of the table.
        place: whom to blame.

    Raises:
        InputError: values are missing or infinite, or a column is neither numbers nor categories;
            every such column is named.
    """
    problems = list(_holes(frame, name, place))
    holed = frame.columns[frame.isna().any()]
    kinds: dict[str, Kind] = {}
    unfit: dict[_Unfit, list[str]] = {}
    for column in frame.columns:
        found = Kind.CATEGORY if column in categorical else kind_of(frame[column].dropna())
        if isinstance(found, Kind):
            kinds[column] = found
        elif column not in holed or "number" in found.what:
            unfit.setdefault(found, []).append(column)
    problems += [
        place.problem(
            f"{name}: {named(columns)} {each.what}", each.remedy.replace("{}", columns[0])
        )
        for each, columns in unfit.items()
    ]
    if problems:
        raise InputError(*problems)
    return kinds


def kind_of(column: Series[Any]) -> Kind | _Unfit:
    """Infer what one column without missing values holds."""
    import pandas as pd
    from pandas.api import types

    if isinstance(column.dtype, pd.CategoricalDtype):
        return Kind.CATEGORY
    if types.is_bool_dtype(column.dtype):
        return Kind.BOOLEAN
    if types.is_datetime64_any_dtype(column.dtype) or types.is_timedelta64_dtype(column.dtype):
        return _DATES
    if types.is_complex_dtype(column.dtype):
        return _Unfit("holds complex numbers", "give real and imaginary part as two columns")
    if types.is_numeric_dtype(column.dtype):
        return Kind.NUMBER
    odd = next((value for value in column if not isinstance(value, str | Number)), None)
    if odd is not None:
        what = f"holds values of type {type(odd).__name__}"
        return _Unfit(what, "drop: [{}], or give plain values")
    return _kind_of_text(column.astype("object").map(str))


_DATES = _Unfit("holds dates", "derive numbers from them (a year, an age in days), or drop: [{}]")


def _kind_of_text(values: Series[Any]) -> Kind | _Unfit:
    import pandas as pd

    numbers = pd.to_numeric(values, errors="coerce")
    if len(values) and float(numbers.notna().mean()) > MOSTLY:
        others = values[numbers.isna()]
        if others.empty:
            return _Unfit("holds numbers as text", "write numbers, or categorical: [{}]")
        what = f"holds numbers, but {len(others)} texts as well, such as {others.iloc[0]!r}"
        return _Unfit(what, "mend them, or categorical: [{}]")
    commas = values.str.fullmatch(r"[-+]?\d+,\d+")
    if len(values) and float(commas.mean()) > MOSTLY:
        return _Unfit("holds numbers with a decimal comma", 'csv: {decimal: ","}')
    dates = values.str.match(r"\d{4}-\d\d?-\d\d?\b|\d\d?[/.]\d\d?[/.]\d{2,4}\b")
    if len(values) and float(dates.mean()) > MOSTLY:
        return _DATES
    count = values.nunique()
    if count > MOST_CATEGORIES:
        what = f"holds {count} different texts, above {MOST_CATEGORIES}"
        return _Unfit(what, "drop: [{}], or categorical: [{}] if they are categories")
    return Kind.CATEGORY


def _holes(frame: DataFrame, name: str, place: Place) -> list[Problem]:
    """Name the columns with missing or infinite values, each with their count."""
    import numpy as np
    from pandas.api import types

    missing = frame.isna().sum()
    floats = [c for c in frame.columns if types.is_float_dtype(frame[c].dtype)]
    infinite = {c: int(np.isinf(frame[c].to_numpy(np.float64)).sum()) for c in floats}
    problems = []
    for counts, kind in ((missing, "missing"), (infinite, "infinite")):
        found = {str(column): int(count) for column, count in dict(counts).items() if count}
        if found:
            what = f"{name} has {kind} values in {counted(found)}, of {len(frame)} rows"
            remedy = f"fill them or leave those rows out, or drop: [{next(iter(found))}]"
            problems.append(place.problem(what, remedy))
    return problems


def counted(counts: Mapping[str, int]) -> str:
    """List names with their counts: `age (3), fare (1)`; the first few of many."""
    shown = [f"{name} ({count})" for name, count in list(counts.items())[:MOST_NAMES]]
    return ", ".join(shown) + _rest(len(counts))


def named(columns: Sequence[str]) -> str:
    """List column names: `age, fare`; the first few of many."""
    return ", ".join(columns[:MOST_NAMES]) + _rest(len(columns))


def _rest(count: int) -> str:
    return f" and {count - MOST_NAMES} more" if count > MOST_NAMES else ""
