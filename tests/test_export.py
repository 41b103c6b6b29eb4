"""Curves on disk: exact, readable by pandas, honest about damage, a second behind at most."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfind.curve import Curve, Step, StopReason, ratios_of
from lrfind.curve_csv import to_csv
from lrfind.errors import InputError
from lrfind.export import (
    OUTPUT_FILES,
    CurveRecorder,
    read_curves,
    read_report,
    write_curves,
    write_report,
)
from lrfind.report import make_report
from lrfind.saved import reread

HEADER = "seed,step,lr,loss,smooth,update_ratio,stop"
OLD_HEADER = "seed,step,lr,loss,smooth"
RATIO_HEADER = f"{OLD_HEADER},update_ratio"


def valley(seed: int = 0, points: int = 61) -> Curve:
    """Make a curve with a valley."""
    lr = np.logspace(-5, 1, points)
    return Curve(lr, 2 - 1.5 / (1 + 0.01 / lr) + lr**2 + 0.01 * seed, seed=seed)


@st.composite
def csv_curves(draw: st.DrawFn) -> tuple[Curve, ...]:
    """Draw curves with distinct seeds, any losses, and a non-finite end at will."""
    seeds = draw(st.lists(st.integers(0, 2**32), min_size=1, max_size=3, unique=True))
    found = []
    for seed in seeds:
        lr = sorted(draw(st.lists(st.floats(1e-290, 1e300), min_size=1, max_size=8)))
        size = len(lr) - 1
        losses = draw(
            st.lists(st.floats(-1e300, 1e300, allow_subnormal=False), min_size=size, max_size=size)
        )
        last = draw(st.floats(allow_subnormal=False))
        ratio = draw(st.lists(st.none() | st.floats(0), min_size=size + 1, max_size=size + 1))
        losses.append(last)
        found.append(
            Curve(np.array(lr), np.array(losses), seed=seed, update_ratio=ratios_of(ratio))
        )
    return tuple(found)


@settings(max_examples=150, deadline=None)
@given(curves=csv_curves())
def test_a_csv_holds_every_bit(
    tmp_path_factory: pytest.TempPathFactory, curves: tuple[Curve, ...]
) -> None:
    """LRs and losses come back exactly, inf and NaN included, by our reader and by pandas."""
    path = tmp_path_factory.mktemp("csv") / "curve.csv"
    write_curves(curves, path)
    table = pd.read_csv(path)

    assert [*table.columns] == HEADER.split(",")
    for i, back in enumerate(read_curves(path)):
        rows = table[table["seed"] == curves[i].seed]
        assert back.seed == curves[i].seed
        assert back.lr.tobytes() == curves[i].lr.tobytes()
        assert np.array_equal(back.loss, curves[i].loss, equal_nan=True)
        mine, its = back.update_ratio, curves[i].update_ratio
        assert (mine is None and its is None) or np.array_equal(mine, its, equal_nan=True)  # type: ignore[arg-type]
        for name in ("lr", "loss", "smooth"):
            # pandas before 3 parses to the last digits but one or two.
            expected = getattr(curves[i], name)
            np.testing.assert_allclose(rows[name], expected, rtol=1e-13, atol=0)
        assert rows["step"].tolist() == list(range(len(back)))


def test_the_text_of_a_csv_is_plain() -> None:
    """One header line, shortest exact numbers, `inf` and `nan` as words."""
    loss = np.array([0.1 + 0.2, -2.0, math.nan])
    ratio = np.array([0.25, math.nan, math.inf])
    curve = Curve(np.array([1e-7, 0.1, 0.2]), loss, seed=3, update_ratio=ratio)

    assert to_csv([curve]).splitlines() == [
        HEADER,
        "3,0,1e-07,0.30000000000000004,0.30000000000000004,0.25,",
        "3,1,0.1,-2.0,-2.0,,",
        "3,2,0.2,nan,nan,inf,completed",
    ]


def test_a_curve_saved_without_update_ratio_is_still_read(tmp_path: Path) -> None:
    """A CSV without the column, or with nothing in it, gives a curve without update ratios."""
    path = tmp_path / "curve.csv"
    for text in (f"{OLD_HEADER}\n0,0,1e-3,1,1\n", f"{RATIO_HEADER}\n0,0,1e-3,1,1,\n"):
        path.write_text(text)
        assert read_curves(path)[0].update_ratio is None


def test_an_update_ratio_that_is_no_number_is_told_with_its_line(tmp_path: Path) -> None:
    """A cell of that column is empty or a number."""
    path = tmp_path / "curve.csv"
    path.write_text(f"{RATIO_HEADER}\n0,0,1e-3,1,1,much\n")
    with pytest.raises(InputError, match=r"curve\.csv:2: update_ratio = 'much' is no number"):
        read_curves(path)


@pytest.mark.parametrize("stop", StopReason)
def test_a_csv_tells_why_the_sweep_ended(tmp_path: Path, stop: StopReason) -> None:
    """The last row of a seed holds the stop reason."""
    write_curves([replace(valley(), stop=stop), valley(1)], tmp_path / "curve.csv")

    assert [curve.stop for curve in read_curves(tmp_path / "curve.csv")] == [
        stop,
        StopReason.COMPLETED,
    ]


def test_a_foreign_curve_is_told_why_it_ended(tmp_path: Path) -> None:
    """The stop reason, which a foreign CSV does not hold, is decided by the rule."""
    path = tmp_path / "curve.csv"
    lr = np.logspace(-5, 0, 40)
    flat = np.ones(40)
    diverged = flat.copy()
    diverged[-3:] = 1e6
    nonfinite = flat.copy()
    nonfinite[-1] = math.inf
    for loss, stop in [
        (flat, StopReason.COMPLETED),
        (diverged, StopReason.DIVERGED),
        (nonfinite, StopReason.NONFINITE),
    ]:
        rows = [f"{a!r},{b!r}" for a, b in zip(lr.tolist(), loss.tolist(), strict=True)]
        path.write_text("\n".join(["lr,loss", *rows]) + "\n")
        assert read_curves(path)[0].stop is stop


def test_a_foreign_csv_needs_lr_and_loss_only(tmp_path: Path) -> None:
    """Unknown columns, blank lines, CRLF, a BOM and quoted cells are no trouble."""
    path = tmp_path / "foreign.csv"
    path.write_bytes(b'\xef\xbb\xbfname, loss,lr\r\n"a, b",3,1e-3\r\n\r\nc,2,1e-2\r\n')
    (curve,) = read_curves(path)

    assert (curve.lr.tolist(), curve.loss.tolist()) == ([1e-3, 1e-2], [3.0, 2.0])
    assert curve.seed == 0


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", None, "has no column lr and loss"),
        ("seed,step,lr\n0,0,1e-3\n", None, r"no column loss \(found: seed, step, lr\)"),
        (f"{OLD_HEADER}\n", None, "holds no rows"),
        (f"{OLD_HEADER}\n0,0,x,1,1\n", 2, "lr = 'x' is no number"),
        (f"{OLD_HEADER}\n0,0,1e-3,,1\n", 2, "loss = '' is no number"),
        (f"{OLD_HEADER}\n0,0,1e-3,1,1\n\n0,1,1e-2,?,1\n", 4, "loss = '\\?' is no number"),
        (f"{OLD_HEADER}\n0,0,1e-3,1,1\n0,1,1e-2\n", 3, "has 3 values, but the header names 5"),
        (f"{OLD_HEADER}\n0,0,1e-3,1,1,9\n", 2, "has 6 values, but the header names 5"),
        (f"{OLD_HEADER}\n0,0,1e-3,1,1\n0,1,1e-4,1,1\n", 3, "lr = 0.0001 is below the one before"),
        (f"{OLD_HEADER}\n0,0,-1,1,1\n", 2, r"lr = -1\.0 is not a positive finite number"),
        (f"{OLD_HEADER}\n0,0,inf,1,1\n", 2, "lr = inf is not a positive"),
        (f"{OLD_HEADER}\n0,0,nan,1,1\n", 2, "lr = nan is not a positive"),
        (f"{OLD_HEADER}\n0.5,0,1e-3,1,1\n", 2, r"seed = '0\.5' is no whole number"),
        (f"{OLD_HEADER}\ninf,0,1e-3,1,1\n", 2, "seed = 'inf' is no whole number"),
        (f'{OLD_HEADER}\n0,0,"1e-3,1,1\n', 2, "is no CSV"),
        (f"{OLD_HEADER}\n" + "1" * 200_000 + "\n", 2, "is no CSV"),
    ],
)
def test_a_damaged_csv_is_told_with_its_line(
    tmp_path: Path, text: str, line: int | None, says: str
) -> None:
    """Damage is an InputError that names file and line, never a traceback or a guess."""
    path = tmp_path / "curve.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=says) as caught:
        read_curves(path)

    assert caught.value.problems[0].where == (f"{path}:{line}" if line else str(path))


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    """Missing files, folders and binary files are told as such."""
    binary = tmp_path / "x.csv"
    binary.write_bytes(b"\xff\xfe\x00")
    for path, says in [
        (tmp_path / "none.csv", "No such file"),
        (tmp_path, "Is a directory"),
        (binary, "not UTF-8"),
    ]:
        with pytest.raises(InputError, match=says):
            read_curves(path)


def test_a_report_is_read_back_whole(tmp_path: Path) -> None:
    """What was written is what is read; its curves can be had alone."""
    report = make_report([valley(), valley(1)], "auto", device="cpu", title="t")
    path = tmp_path / "report.json"
    write_report(report, path)

    assert read_report(path) == report
    assert read_curves(path) == report.curves


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 1}', "[" * 100_000, '{"schema": 99}'])
def test_a_damaged_report_is_an_input_error(tmp_path: Path, text: str) -> None:
    """Any other JSON, or none, is no report."""
    path = tmp_path / "report.json"
    path.write_text(text)
    with pytest.raises(InputError, match="is no lrfind report"):
        read_curves(path)


def test_a_saved_curve_gives_the_same_suggestion_again(tmp_path: Path) -> None:
    """Suggesting from the files answers what the run answered, by any rule."""
    report = make_report([valley()], "valley", title="digits", spec={"suggest": "valley"})
    write_curves(report.curves, tmp_path / "curve.csv")
    write_report(report, tmp_path / "report.json")

    assert reread(tmp_path / "curve.csv", "valley").suggestion == report.suggestion
    again = reread(tmp_path / "report.json", "valley")
    assert (again.suggestion, again.title) == (report.suggestion, "digits")
    assert again.environment == report.environment
    with pytest.raises(InputError, match="'vally' is no rule; did you mean 'valley'"):
        reread(tmp_path / "curve.csv", "vally")


def record(recorder: CurveRecorder, count: int, seed: int = 0) -> None:
    """Play steps to a recorder."""
    recorder.begin(seed, 0, 1, 100)
    for i in range(count):
        recorder.step(Step(i, 10.0 ** (i / 10 - 5), 1.0 / (i + 1), 0.1 * i))


def test_a_recorder_keeps_what_was_measured(tmp_path: Path) -> None:
    """However a sweep ends its points are on disk, seeds after each other."""
    recorder = CurveRecorder(tmp_path)
    record(recorder, 5, seed=1)
    recorder.end(StopReason.COMPLETED)
    record(recorder, 3, seed=2)
    recorder.end(StopReason.FAILED)

    assert [(c.seed, len(c)) for c in read_curves(recorder.path)] == [(1, 5), (2, 3)]
    assert os.listdir(tmp_path) == ["curve.csv"]
    assert recorder.has_written


def test_a_recorder_is_at_most_a_second_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Points are on disk before the next step, as slow as the last, makes them a second old."""
    now = 100.0
    monkeypatch.setattr("lrfind.export.time.monotonic", lambda: now)
    recorder = CurveRecorder(tmp_path)
    recorder.begin(0, 0, 1, 100)
    sizes = []
    for i in range(8):
        now += 0.3
        recorder.step(Step(i, 10.0 ** (i / 10 - 5), 1.0, 0.3 * i))
        sizes.append(len(read_curves(recorder.path)[0]) if recorder.has_written else 0)

    assert sizes == [0, 0, 3, 3, 3, 6, 6, 6]


def test_writing_a_long_sweep_takes_time_linear_in_its_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a point takes 1 ms to measure and to write, it is written about twice."""
    now = 0.0
    written = []

    def slow_write(curves: Sequence[Curve], path: Path) -> None:
        nonlocal now
        written.append(sum(len(curve) for curve in curves))
        now += 1e-3 * written[-1]

    monkeypatch.setattr("lrfind.export.time.monotonic", lambda: now)
    monkeypatch.setattr("lrfind.export.write_curves", slow_write)
    recorder = CurveRecorder(tmp_path)
    recorder.begin(0, 0, 1, 20_000)
    for i in range(20_000):
        now += 1e-3
        recorder.step(Step(i, 1e-7 * 1.001**i, 1.0, 0.0))
    before = sum(written)
    recorder.end(StopReason.COMPLETED)

    assert written[-1] == 20_000
    assert before < 20_000


def test_a_new_curve_takes_an_older_answer_away(tmp_path: Path) -> None:
    """A report and picture of an earlier run do not stay beside another curve."""
    for name in (*OUTPUT_FILES, "notes.txt"):
        (tmp_path / name).write_text("old")
    recorder = CurveRecorder(tmp_path)
    recorder.begin(0, 0, 1, 100)
    recorder.end(StopReason.NONFINITE)
    assert len(os.listdir(tmp_path)) == 4
    assert not recorder.has_written

    record(recorder, 2)
    recorder.end(StopReason.INTERRUPTED)
    assert sorted(os.listdir(tmp_path)) == ["curve.csv", "notes.txt"]


def test_reading_files_needs_no_torch_and_no_pandas(tmp_path: Path) -> None:
    """Suggesting from a CSV imports neither."""
    path = tmp_path / "curve.csv"
    write_curves([valley()], path)
    code = (
        "import sys; from pathlib import Path; from lrfind.saved import reread\n"
        f"assert reread(Path({str(path)!r})).suggestion\n"
        "print([m for m in ('torch', 'pandas', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_the_report_file_is_strict_json(tmp_path: Path) -> None:
    """No NaN or Infinity stands in the file, whatever the curve held."""
    curve = Curve(np.array([0.1, 0.2]), np.array([1.0, -math.inf]), initial_loss=math.nan)
    path = tmp_path / "report.json"
    write_report(make_report([curve], "auto"), path)

    def refuse(text: str) -> None:
        raise AssertionError(text)

    data = json.loads(path.read_text(), parse_constant=refuse)
    assert (data["curves"][0]["loss"], data["curves"][0]["initial_loss"]) == ([1.0, "-inf"], "nan")
