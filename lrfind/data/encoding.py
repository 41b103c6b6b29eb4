"""Feature columns to tensors, by what the training part alone shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from lrfind.data.kinds import Kind
from lrfind.data.place import Place

if TYPE_CHECKING:
    import numpy as np
    from pandas import DataFrame

Style = Literal["one-hot", "index"]


@dataclass(frozen=True)
class Encoding:
    """How columns become tensors.

    Attributes:
        numbers: columns of numbers and truth values, in order.
        mean: `(len(numbers),)`, what is subtracted.
        std: `(len(numbers),)`, what is divided by; 1 for truth values and where nothing is to be.
        categories: column to its categories in the training part, in order.
        constant: columns left out because the training part has one value in them.
        style: `one-hot`: a 0/1 column a category; `index`: its number from 1, 0 for one that the
            training part does not have.
    """

    numbers: tuple[str, ...]
    mean: np.ndarray[Any, Any]
    std: np.ndarray[Any, Any]
    categories: Mapping[str, tuple[str, ...]]
    constant: tuple[str, ...]
    style: Style


def fit_encoding(
    train: DataFrame, kinds: Mapping[str, Kind], style: Style, *, standardise: bool
) -> Encoding:
    """Learn from the training part how its columns, and those of any other part, are encoded."""
    import numpy as np

    constant = tuple(c for c in train.columns if train[c].nunique() < 2)
    used = [c for c in train.columns if c not in constant]
    numbers = [c for c in used if kinds[c] is not Kind.CATEGORY]
    values = train[numbers].to_numpy(np.float64)
    is_number = np.array([kinds[c] is Kind.NUMBER for c in numbers], dtype=bool) & standardise
    with np.errstate(over="ignore"):  # told in `encode`
        mean, std = values.mean(axis=0), values.std(axis=0)
    return Encoding(
        numbers=tuple(numbers),
        mean=np.where(is_number, mean, 0.0),
        std=np.where(is_number, std, 1.0),
        categories={
            c: tuple(sorted(set(map(str, train[c])))) for c in used if kinds[c] is Kind.CATEGORY
        },
        constant=constant,
        style=style,
    )


def encode(encoding: Encoding, frame: DataFrame, name: str, place: Place) -> list[Tensor]:
    """Encode the feature columns of some rows.

    Returns:
        float32 `(n, features)`; for `index` int64 `(n, categorical columns)` behind it, or alone
        where there are no numbers.

    Raises:
        InputError: numbers are too large for float32.
    """
    import numpy as np

    values = frame[list(encoding.numbers)].to_numpy(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        parts = [(values - encoding.mean) / encoding.std] if encoding.numbers else []
    codes = [_codes(frame[c], known) for c, known in encoding.categories.items()]
    if encoding.style == "one-hot":
        sizes = map(len, encoding.categories.values())
        parts += [np.eye(size + 1)[code][:, 1:] for code, size in zip(codes, sizes, strict=True)]
    found = [torch.from_numpy(np.concatenate(parts, axis=1)).float()] if parts else []
    is_finite = np.isfinite(encoding.std).all() and all(torch.isfinite(t).all() for t in found)
    if not is_finite:
        raise place.error(f"{name} has numbers beyond float32's 3e38", "scale them in the file")
    if codes and encoding.style == "index":
        found.append(torch.from_numpy(np.stack(codes, axis=1)))
    return [tensor.contiguous() for tensor in found]


def unseen(encoding: Encoding, frame: DataFrame) -> dict[str, int]:
    """Count the values of each column whose category the training part does not have."""
    columns = encoding.categories.items()
    found = {c: int((_codes(frame[c], known) == 0).sum()) for c, known in columns}
    return {column: count for column, count in found.items() if count}


def _codes(column: Any, known: Sequence[str]) -> np.ndarray[Any, Any]:
    """Number categories from 1; 0 is none of them."""
    import numpy as np

    numbers = {category: i + 1 for i, category in enumerate(known)}
    return np.array([numbers.get(str(value), 0) for value in column], dtype=np.int64)
