"""What is wrong with a table is told with names, counts and the way out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lrfind.data import source, table
from lrfind.errors import InputError
from tests.data.tables import ROWS, passengers, written

Change = Callable[[pd.DataFrame], pd.DataFrame]


def holed(frame: pd.DataFrame) -> pd.DataFrame:
    """Take some values away."""
    frame.loc[[1, 2, 5], "age"] = np.nan
    frame.loc[7, "port"] = None
    return frame


FRAMES: dict[str, tuple[Change, str]] = {
    "missing": (holed, r"missing values in age \(3\), port \(1\), of 60 rows; .*drop: \[age\]"),
    "infinite": (
        lambda f: f.assign(fare=[np.inf, *range(ROWS - 1)]),
        r"infinite values in fare \(1\)",
    ),
    "dates": (
        lambda f: f.assign(born=pd.date_range("1900-01-01", periods=ROWS)),
        r"born holds dates; derive numbers .* or drop: \[born\]",
    ),
    "dates as text": (
        lambda f: f.assign(born=[f"19{i:02}-03-04" for i in range(ROWS)]),
        "born holds dates",
    ),
    "texts": (
        lambda f: pd.concat([f.assign(name=[f"p{i} {j}" for i in range(ROWS)]) for j in (1, 2)]),
        "name holds 120 different texts, above 100",
    ),
    "question marks": (
        lambda f: f.assign(age=["?", *map(str, range(ROWS - 1))]),
        r"age holds numbers, but 1 texts as well, such as '\?'",
    ),
    "decimal commas": (
        lambda f: f.assign(age=[f"{i},5" for i in range(ROWS)]),
        'age holds numbers with a decimal comma; csv: {decimal: ","}',
    ),
    "numbers as text": (
        lambda f: f.assign(age=[str(i) for i in range(ROWS)]),
        "age holds numbers as text",
    ),
    "lists": (lambda f: f.assign(x=[[1, 2]] * ROWS), "x holds values of type list"),
    "complex": (lambda f: f.assign(x=1j), "x holds complex numbers"),
    "one class": (lambda f: f.assign(survived="no"), "'survived' has one class"),
    "a class a row": (
        lambda f: f.assign(survived=[f"n{i}" for i in range(ROWS)]),
        "has 60 classes in 60 rows; task: regression",
    ),
    "nothing varies": (
        lambda f: pd.DataFrame({"x": 1, "survived": f["survived"]}),
        "no feature that varies",
    ),
    "twice": (
        lambda f: f.set_axis(["age", "age", *f.columns[2:]], axis=1),
        "several columns called 'age'",
    ),
    "too large": (
        lambda f: f.assign(age=np.linspace(1e300, 2e300, ROWS)),
        "beyond float32's 3e38",
    ),
    "empty": (lambda f: f.iloc[:0], "has 0 rows"),
}


@pytest.mark.filterwarnings("ignore:.*incompatible dtype:FutureWarning")
@pytest.mark.parametrize("name", FRAMES)
def test_a_column_that_no_model_can_be_given_is_named(name: str) -> None:
    """Each kind of unfit column is told with its name and its remedy."""
    change, said = FRAMES[name]
    normalise = "none" if name == "too large" else "all"

    with pytest.raises(InputError, match=said):
        table(change(passengers()), "survived", normalise=normalise)  # type: ignore[arg-type]


def test_all_unfit_columns_are_told_at_once() -> None:
    """Missing values do not hide the dates, nor those each other."""
    frame = holed(passengers()).assign(
        born=pd.date_range("1900", periods=ROWS), died=pd.date_range("1950", periods=ROWS)
    )

    with pytest.raises(InputError) as caught:
        table(frame, "survived")

    told = [problem.what for problem in caught.value.problems]
    assert [what.split(": ")[-1] for what in told[1:]] == ["born, died holds dates"]
    assert "missing" in told[0]


OPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "no such target": ({"target": "survivd"}, "'survivd' is no column .* did you mean 'survived'"),
    "no target": ({"target": None}, "no target is given .* last columns are .*survived"),
    "number past the end": ({"target": 9}, "= 9 is no column .* which has 6"),
    "no such drop": ({"drop": ["agee"]}, "did you mean 'age'"),
    "target dropped": ({"drop": ["survived"]}, "leaves out the target"),
    "part of nothing": ({"part": "test"}, "there is no split; split: 0.8"),
    "split of all": ({"split": 1.0}, "between 0 and 1"),
    "unknown task": ({"task": "ranking"}, "'ranking' is none of classification, regression"),
    "texts as numbers": ({"task": "regression"}, "holds texts, such as '.*task: classification"),
    "unknown csv option": ({"csv": {"separater": ";"}}, "did you mean 'separator'"),
    "one row": ({"rows": 1}, "whole number from 2"),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_that_does_not_fit_is_told(name: str) -> None:
    """Each argument that cannot be meant is told with its value and the rule."""
    options, said = OPTIONS[name]

    with pytest.raises(InputError, match=said):
        table(passengers(), **{"target": "survived", **options})


FILES: dict[str, tuple[str, bytes, str]] = {
    "separator": ("a.csv", b"a;b\n1;2\n", r'a semicolon separates it: csv: \{separator: ";"\}'),
    "tabs": ("a.csv", b"a\tb\n1\t2\n", r'csv: \{separator: "\\t"\}'),
    "no header": ("a.csv", b"5.1,3.5,0\n4.9,3.0,1\n", r"no header.*csv: \{header: false\}"),
    "names twice": ("a.csv", b"a,b,a\n1,2,3\n", "several columns called 'a'"),
    "long line": ("a.csv", b"a,b\n1,2\n3,4,5,6\n", "Expected 2 fields in line 3, saw 4"),
    "no text": ("a.csv", b"a,b\n\xff\xfe,2\n", "is no utf-8 text; .*latin-1"),
    "no bytes": ("a.csv", b"", "is empty"),
    "no arrays": ("a.npz", b"PK\x03\x04", "cannot be read"),
    "no parquet": ("a.parquet", b"PAR1 nothing", "a.parquet: "),
    "no suffix of ours": ("a.xlsx", b"PK", "ends in .xlsx"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_holds_no_table_is_told(name: str, tmp_path: Path) -> None:
    """Each way to misread a file ends in a sentence that says how to read it."""
    file, content, said = FILES[name]
    (tmp_path / file).write_bytes(content)

    with pytest.raises(InputError, match=said):
        table(tmp_path / file, "b")


def test_pickled_arrays_are_refused(tmp_path: Path) -> None:
    """An array of objects would run code when it is read."""
    np.save(tmp_path / "a.npy", np.array([[object()]], dtype=object), allow_pickle=True)

    with pytest.raises(InputError, match="cannot be read"):
        table(tmp_path / "a.npy", 0)


def test_a_huge_file_is_read_in_part_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the limit the whole file is refused, and its start is not."""
    path = written(passengers(), tmp_path / "p.csv")
    monkeypatch.setattr(source, "MAX_BYTES", 1000)

    with pytest.raises(InputError, match="rows: 100000"):
        table(path, "survived")

    assert len(table(path, "survived", rows=30)) == 30
