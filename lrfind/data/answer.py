"""The target column: classes to whole numbers, numbers to one column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from lrfind.data.kinds import Kind
from lrfind.data.place import Place

if TYPE_CHECKING:
    import numpy as np
    from pandas import Series

MOST_CODES = 20
"""Classes that consecutive whole numbers may count where the task is left out."""

Task = Literal["classification", "regression"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model shall predict, for all rows.

    Attributes:
        name: of the column.
        task: `classification` or `regression`.
        values: int64 codes `(n,)`, or float64 numbers `(n,)`.
        classes: names of the codes; none for numbers.
        is_guess: whether whole numbers were taken for codes without being told so.
    """

    name: str
    task: Task
    values: np.ndarray[Any, Any]
    classes: tuple[str, ...] = ()
    is_guess: bool = False


def answer_of(
    column: Series[Any], kind: Kind, task: Task | None, known: Sequence[str], place: Place
) -> Answer:
    """Read the target column.

    Without a task, texts and truth values are classes, and so are whole numbers that count from 0
    or 1 (or anywhere) up to at most `MOST_CODES` without a gap; all others are numbers.

    Args:
        column: without missing values.
        kind: what it holds.
        task: what it is for; None infers it.
        known: names of the codes 0, 1, 2, …, where the source has them.
        place: whom to blame.

    Raises:
        InputError: the target is no number where one is needed, or has one class only.
    """
    import numpy as np
    import pandas as pd

    name = str(column.name)
    is_guess = task is None and kind is Kind.NUMBER and not known
    if task is None:
        counts = kind is not Kind.NUMBER or bool(known) or _are_codes(column)
        task = "classification" if counts else "regression"
    if task == "regression":
        if kind is Kind.CATEGORY:
            what = f"= {name!r} holds texts, such as {column.iloc[0]!r}; a regression needs"
            raise place.error(f"{what} numbers", "task: classification", "target")
        return Answer(name, task, column.to_numpy(np.float64))
    codes, found = pd.factorize(column, sort=True)
    if len(found) < 2:
        what = f"= {name!r} has one class ({found[0]}); there is nothing to learn"
        raise place.error(what, "check the file, or name another target", "target")
    if len(found) > max(MOST_CODES, len(column) // 2):
        what = f"= {name!r} has {len(found)} classes in {len(column)} rows"
        raise place.error(what, "task: regression, or name another target", "target")
    if known:
        # The source's own codes stand, also where a class has no row.
        return Answer(name, task, column.to_numpy(np.int64), tuple(known))
    return Answer(name, task, codes.astype(np.int64), tuple(map(str, found)), is_guess)


def _are_codes(column: Series[Any]) -> bool:
    from pandas.api import types

    if not types.is_integer_dtype(column.dtype) or column.empty:
        return False
    count = int(column.nunique())
    return count <= MOST_CODES and int(column.max()) - int(column.min()) + 1 == count
