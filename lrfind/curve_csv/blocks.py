"""The columns of a stretch of plain rows at once, where a long file would take a minute row by row.

Plain means: ASCII digits, signs, points and exponents between commas and line ends, and the same
number of them in every row. Anything else may be right as well, or must be told with its line, and
is left to those who read row by row.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import numpy as np

from lrfind.smoothing import Floats

_NUMERIC = b"0123456789+-.eE"
_COMMA, _END = b",\n"


def columns_of(
    block: bytes, header: Sequence[str], names: Sequence[str]
) -> dict[str, Floats] | None:
    """Read columns of a block of whole lines, exactly as `float` reads each cell.

    Args:
        block: of rows, each with its line end.
        header: names of all columns.
        names: of those that are wanted.

    Returns:
        An array of shape `(rows,)` a name, NaN for an empty cell; None where the block is not
        plain.
    """
    # Loaded for long files alone: it takes as long as a hundred thousand rows do without it.
    import pandas as pd

    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n")
    if block.translate(None, _NUMERIC + b",\n") or not _is_even(block, len(header)):
        return None
    # Until pandas 3.1 only this converter is exact; since then all are, and the option goes.
    is_old = tuple(map(int, pd.__version__.split(".")[:2])) < (3, 1)
    exact = {"float_precision": "round_trip"} if is_old else {}
    try:
        table = pd.read_csv(  # type: ignore[call-overload]
            io.BytesIO(block),
            header=None,
            names=range(len(header)),
            usecols=sorted(header.index(name) for name in names),
            dtype=np.float64,
            keep_default_na=False,
            na_values=[""],
            quoting=csv.QUOTE_NONE,
            **exact,
        )
    except (ValueError, OverflowError):
        return None
    return {name: table[header.index(name)].to_numpy() for name in names}


def _is_even(block: bytes, width: int) -> bool:
    """Tell whether every row has so many cells, none longer than the csv module takes."""
    data = np.frombuffer(block, np.uint8)
    at = np.flatnonzero((data == _COMMA) | (data == _END))
    if len(at) == 0 or len(at) % width or at[-1] != len(data) - 1:
        return False
    marks = data[at].reshape(-1, width)
    lengths = np.diff(at, prepend=-1)
    return bool(
        (marks[:, :-1] == _COMMA).all()
        and (marks[:, -1] == _END).all()
        and lengths.max() <= csv.field_size_limit()
    )
