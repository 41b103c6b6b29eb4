"""A table as a `TensorDataset`: read, split, encoded by its training part, and told about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from lrfind.data.answer import Answer, Task, answer_of
from lrfind.data.csv_text import csv_form
from lrfind.data.encoding import Style, encode, fit_encoding
from lrfind.data.kinds import kinds_of
from lrfind.data.place import Place
from lrfind.data.source import Source, read_source, require_column
from lrfind.data.split import split_rows
from lrfind.data.told import Told, told

if TYPE_CHECKING:
    import numpy as np

Part = Literal["train", "test"]
Normalise = Literal["all", "features", "none"]


class Table(TensorDataset):
    """The rows of a table as tensors: features first, the target last.

    Attributes:
        n_features: columns of the float tensor; 0 where there are only categories by index.
        n_categories: for each column of the index tensor how many indices it may hold.
        n_outputs: what a model must give: as many numbers as there are classes, 1 for a number.
        classes: names of the classes; none for a number.
        told: what was read, inferred and done.
    """

    def __init__(
        self,
        tensors: Sequence[Tensor],
        n_categories: tuple[int, ...],
        classes: tuple[str, ...],
        told: Told,
    ) -> None:
        super().__init__(*tensors)
        self.n_features = tensors[0].shape[1] if tensors[0].is_floating_point() else 0
        self.n_categories = n_categories
        self.n_outputs = len(classes) or 1
        self.classes = classes
        self.told = told


def table(
    path: Any,
    target: str | int | None = None,
    *,
    task: Task | None = None,
    split: float | None = None,
    part: Part = "train",
    seed: int = 0,
    normalise: Normalise = "all",
    categories: Style = "one-hot",
    categorical: Sequence[str] = (),
    drop: Sequence[str] = (),
    rows: int | None = None,
    csv: Mapping[str, Any] | None = None,
    place: Place | None = None,
) -> Table:
    """Read a table into tensors that a sweep can train on.

    Args:
        path: CSV, Parquet, npz or npy file; import path of a function that gives a frame, a
            scikit-learn bunch, arrays or `(X, y)`; or one of these itself.
        target: column to predict, by name, or by number in an array; None: the one that a bunch
            or a pair calls its target.
        task: what the target is for; None: texts, truth values and consecutive whole numbers are
            classes, other numbers are numbers.
        split: share of the rows to train on; None: all of them.
        part: which of the two parts to give; encoded by the training part in both cases.
        seed: of the split; classes are split alike.
        normalise: `all`: numbers, and a target that is one, get mean 0 and deviation 1 over the
            training part; `features`: not the target; `none`: nothing.
        categories: `one-hot`, or `index`: a second input of whole numbers, for embeddings.
        categorical: columns of numbers that are categories.
        drop: columns to leave out.
        rows: read as many from the start; None: all.
        csv: how a CSV file is written: `separator`, `decimal`, `header`, `encoding`.
        place: where a relative path starts from; the config's folder, in a config.

    Returns:
        Float32 features `(n, k)`, then the target: int64 `(n,)` for classes, float32 `(n, 1)` for
        a number.

    Raises:
        InputError: the table cannot be read, its target is not there, values are missing or
            infinite, columns hold dates or texts: every such column is named.

    Example:
        >>> from lrfind.data import table
        >>> iris = table("sklearn.datasets:load_iris", split=0.8)
        >>> [tuple(tensor.shape) for tensor in iris.tensors], iris.n_outputs
        ([(120, 4), (120,)], 3)
    """
    place = place or Place()
    _check_choices(task, split, part, normalise, categories, rows, place)
    source = read_source(path, csv_form(csv or {}, place), rows, place)
    source, name = _wanted_columns(source, target, drop, place)
    categories_by_hand = [require_column(source, c, "categorical", place) for c in categorical]
    if len(source.frame) < 2:
        what = f"{source.name} has {len(source.frame)} rows; a sweep needs two at least"
        raise place.error(what, "check the file", "path")
    kinds = kinds_of(source.frame, categories_by_hand, source.name, place)
    answer = answer_of(source.frame[name], kinds[name], task, source.classes, place)
    features = source.frame.drop(columns=name)
    parts = _Parts(len(features), split, seed, answer, part)
    train, given = parts.rows()
    encoding = fit_encoding(
        features.iloc[train], kinds, categories, standardise=normalise != "none"
    )
    if not (encoding.numbers or encoding.categories):
        what = f"{source.name} has no feature that varies, beside its target {name}"
        raise place.error(what, "check the file, drop and split")
    inputs = encode(encoding, features.iloc[given], source.name, place)
    output, scale = _output(answer, train, given, standardise=normalise == "all")
    sizes = tuple(len(c) + 1 for c in encoding.categories.values()) if categories == "index" else ()
    facts = told(source.name, parts.described, encoding, features.iloc[given], answer, given, scale)
    return Table([*inputs, output], sizes, answer.classes, facts)


@dataclass(frozen=True)
class _Parts:
    """The split of a table, and which part of it is asked for."""

    count: int
    split: float | None
    seed: int
    answer: Answer
    part: Part

    def rows(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Number the rows that are learned from, and those that are given."""
        import numpy as np

        if self.split is None:
            return np.arange(self.count), np.arange(self.count)
        codes = self.answer.values if self.answer.task == "classification" else None
        train, test = split_rows(self.count, self.split, self.seed, codes)
        return train, train if self.part == "train" else test

    @property
    def described(self) -> str:
        """Say which rows they are; empty for all."""
        if self.split is None:
            return ""
        alike = ", classes alike" if self.answer.task == "classification" else ""
        return f"{self.part} part of split {self.split:g}, seed {self.seed}{alike}"


def _check_choices(
    task: Any, split: Any, part: Any, normalise: Any, categories: Any, rows: Any, place: Place
) -> None:
    choices = {
        "task": (task, (None, "classification", "regression")),
        "part": (part, ("train", "test")),
        "normalise": (normalise, ("all", "features", "none")),
        "categories": (categories, ("one-hot", "index")),
    }
    for argument, (value, allowed) in choices.items():
        if value not in allowed:
            names = ", ".join(each for each in allowed if each is not None)
            raise place.error(f"= {value!r} is none of {names}", "take one", argument)
    if split is not None and not (isinstance(split, int | float) and 0 < split < 1):
        what = f"= {split!r} must be a share of the rows, between 0 and 1"
        raise place.error(what, "for instance 0.8", "split")
    if part == "test" and split is None:
        what = "= 'test' asks for the rows that a split holds out, but there is no split"
        raise place.error(what, "split: 0.8, here and for the training data", "part")
    if rows is not None and not (isinstance(rows, int) and rows >= 2):
        raise place.error(f"= {rows!r} must be a whole number from 2", "lift it", "rows")


def _wanted_columns(
    source: Source, target: str | int | None, drop: Sequence[str], place: Place
) -> tuple[Source, str]:
    """Find the target and leave out what is not wanted; a bunch's own target is no feature."""
    if isinstance(drop, str):
        drop = [drop]
    away = {require_column(source, column, "drop", place) for column in drop}
    if target is None and source.target is None:
        columns = ", ".join(list(source.frame.columns)[-6:])
        what = f"no target is given for {source.name}, whose last columns are {columns}"
        raise place.error(what, "name the column to predict", "target")
    wanted = source.target if target is None else target
    name = require_column(source, wanted if wanted is not None else "", "target", place)
    if name in away:
        raise place.error(f"drop leaves out the target {name!r}", "keep it", "drop")
    if source.target is not None and name != source.target:
        away.add(source.target)
    frame = source.frame.drop(columns=sorted(away))
    classes = source.classes if name == source.target else ()
    return Source(source.name, frame, name, classes), name


def _output(
    answer: Answer,
    train: np.ndarray[Any, Any],
    given: np.ndarray[Any, Any],
    *,
    standardise: bool,
) -> tuple[Tensor, tuple[float, float] | None]:
    """Make the target's tensor, and tell the mean and deviation that were taken out of it."""
    values = answer.values
    if answer.task == "classification":
        return torch.from_numpy(values[given]), None
    mean, std = float(values[train].mean()), float(values[train].std()) or 1.0
    if not standardise:
        return torch.from_numpy(values[given]).float().unsqueeze(1), None
    return torch.from_numpy((values[given] - mean) / std).float().unsqueeze(1), (mean, std)
