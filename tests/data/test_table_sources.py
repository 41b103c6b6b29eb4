"""The same table in every form that a user may have it in."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn import datasets

from lrfind.data import Place, table
from tests.data.tables import passengers, written


def test_every_file_gives_what_the_frame_gives(tmp_path: Path) -> None:
    """CSV, TSV, other separators and decimal commas, and Parquet hold the same table."""
    pytest.importorskip("pyarrow")
    frame = passengers()
    frame.to_parquet(tmp_path / "p.parquet")
    written(frame, tmp_path / "p.csv")
    written(frame, tmp_path / "p.tsv", sep="\t")
    written(frame, tmp_path / "semicolons.csv", sep=";", decimal=",", encoding="latin-1")
    (tmp_path / "bom.csv").write_bytes(b"\xef\xbb\xbf" + (tmp_path / "p.csv").read_bytes())
    european = {"separator": ";", "decimal": ",", "encoding": "latin-1"}

    expected = table(frame, "survived")
    for name in ("p.parquet", "p.csv", "p.tsv", "semicolons.csv", "bom.csv"):
        form = european if name == "semicolons.csv" else None
        found = table(tmp_path / name, "survived", csv=form)
        for a, b in zip(found.tensors, expected.tensors, strict=True):
            torch.testing.assert_close(a, b)


def test_arrays_are_named_by_key_and_number(tmp_path: Path) -> None:
    """npz, npy, a mapping and a pair of arrays give the same features and target."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 3)).astype(np.float32), np.arange(40) % 2
    np.savez(tmp_path / "a.npz", x=x, y=y)
    np.save(tmp_path / "a.npy", np.column_stack([x, y]))

    pair = table((x, y))
    others = [
        table(tmp_path / "a.npz", "y"),
        table({"x": x, "y": y}, "y"),
        table(tmp_path / "a.npy", -1, task="classification"),
        table(np.column_stack([x, y]), 3, task="classification"),
        table(pd.DataFrame(x).assign(y=y), "y"),
    ]

    for other in others:
        for a, b in zip(other.tensors, pair.tensors, strict=True):
            torch.testing.assert_close(a, b)


def test_a_file_without_header_numbers_its_columns(tmp_path: Path) -> None:
    """`csv: {header: false}` calls columns 0, 1, 2, … and takes a number for the target."""
    path = written(passengers(), tmp_path / "p.csv")
    bare = tmp_path / "bare.csv"
    bare.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))

    found = table(bare, 5, csv={"header": False})

    assert torch.equal(found.tensors[0], table(path, "survived").tensors[0])


@pytest.mark.parametrize("as_frame", [False, True], ids=["arrays", "frame"])
def test_bunches_come_as_they_are(as_frame: bool) -> None:
    """A scikit-learn bunch brings its target and the names of features and classes."""
    iris = table(datasets.load_iris(as_frame=as_frame))
    diabetes = table(datasets.load_diabetes(as_frame=as_frame))

    assert iris.classes == ("setosa", "versicolor", "virginica")
    assert iris.told.features == "4 numbers standardised"
    assert (diabetes.n_features, diabetes.n_outputs) == (10, 1)


def test_another_column_of_a_bunch_may_be_the_target() -> None:
    """Then the bunch's own target is no feature: it would give the answer away."""
    found = table(datasets.load_iris(), "petal width (cm)")

    assert (found.n_features, found.n_outputs) == (3, 1)


def test_an_import_path_names_what_gives_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function of an installed package, or of a file beside the config, is called."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "prepared_tables.py").write_text(
        "import pandas as pd\n"
        "def frame(): return pd.DataFrame({'x': [1.0, 2, 3, 4], 'y': [1, 0, 1, 0]})\n"
    )

    own = table("prepared_tables.py:frame", "y", place=Place(tmp_path))

    assert own.tensors[1].tolist() == [1, 0, 1, 0]
    assert table("sklearn.datasets:load_wine").n_features == 13


def test_the_start_of_a_file_is_enough(tmp_path: Path) -> None:
    """`rows` reads as many from the start, of CSV and Parquet alike."""
    frame = passengers()
    written(frame, tmp_path / "p.csv")
    frame.to_parquet(tmp_path / "p.parquet")

    for name in ("p.csv", "p.parquet"):
        found = table(tmp_path / name, "survived", rows=24)
        expected = table(frame.iloc[:24], "survived")
        torch.testing.assert_close(found.tensors[0], expected.tensors[0])
