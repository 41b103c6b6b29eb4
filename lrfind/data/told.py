"""What was read of a table, what was inferred and what was done, in a few lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lrfind.data.answer import Answer
from lrfind.data.encoding import Encoding, unseen
from lrfind.data.kinds import counted, named

if TYPE_CHECKING:
    import numpy as np
    from pandas import DataFrame

MOST_CLASSES = 4
"""Classes that are named one by one."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a user should know of a table, a sentence a thing.

    Attributes:
        table: which rows of what.
        features: how many of which kind, and what was done to them.
        target: what is predicted, as what.
    """

    table: str
    features: str
    target: str

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """Each with its name."""
        return (("table", self.table), ("features", self.features), ("target", self.target))

    def __str__(self) -> str:
        return "; ".join(sentence for _, sentence in self.rows)


def told(
    name: str,
    described: str,
    encoding: Encoding,
    features: DataFrame,
    answer: Answer,
    given: np.ndarray[Any, Any],
    scale: tuple[float, float] | None,
) -> Told:
    """Put a table into words.

    Args:
        name: of the table.
        described: which part of it is given; empty for all rows.
        encoding: of its columns.
        features: the rows given.
        answer: of all rows.
        given: the rows given, by number.
        scale: mean and deviation that were taken out of the target, where they were.
    """
    rows = f"{name}: {len(given)} rows"
    if described:
        rows = f"{name}: {len(given)} of {len(answer.values)} rows ({described})"
    return Told(rows, _features(encoding, features), _target(answer, given, scale))


def _features(encoding: Encoding, features: DataFrame) -> str:
    parts = []
    if encoding.numbers:
        how = " standardised" if bool((encoding.std != 1).any()) else " as they are"
        parts.append(f"{_count(len(encoding.numbers), 'number')}{how}")
    if encoding.categories:
        sizes = {column: len(known) for column, known in encoding.categories.items()}
        how = "one-hot" if encoding.style == "one-hot" else "by index"
        parts.append(f"{_count(len(sizes), 'category', 'categories')} {how}: {counted(sizes)}")
    if encoding.constant:
        parts.append(f"left out as constant: {named(encoding.constant)}")
    if new := unseen(encoding, features):
        parts.append(f"categories that the training part does not have: {counted(new)}")
    return ", ".join(parts)


def _target(answer: Answer, given: np.ndarray[Any, Any], scale: tuple[float, float] | None) -> str:
    import numpy as np

    if answer.task == "regression":
        how = " as it is" if scale is None else f" less {scale[0]:.4g}, by {scale[1]:.4g}"
        return f"target {answer.name}: a number{how}"
    counts = np.bincount(answer.values[given], minlength=len(answer.classes))
    shown = dict(zip(answer.classes, map(int, counts), strict=True))
    which = f" ({', '.join(f'{c} {n}' for c, n in list(shown.items())[:MOST_CLASSES])}"
    which += ", …)" if len(shown) > MOST_CLASSES else ")"
    guess = ", read as codes (task: regression for a number)" if answer.is_guess else ""
    return f"target {answer.name}: {len(shown)} classes{which}{guess}"


def _count(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"
