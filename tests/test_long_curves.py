"""Long curves: read in blocks as they are read row by row, thinned without a visible change."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from matplotlib.image import imread

from lrfind.curve import Curve, Step, StopReason, Track
from lrfind.curve_csv import from_blocks, from_csv, table, to_csv
from lrfind.errors import InputError
from lrfind.export import read_curves, write_curves
from lrfind.intake import read_blocks
from lrfind.plot import save_plot, thinning
from lrfind.report import make_report
from lrfind.smoothing import FINE, local_linear, running_median

PATH = Path("curve.csv")
HEADER = "seed,step,lr,loss,smooth,update_ratio,stop\n"

DIGITS = st.text("0123456789.eE+-", max_size=5)
ODD = ["", "nan", "inf", "1e999", " 1", '"2"', '"', "1_0", "0x1", "é", "completed", "x", "0.5,6"]
NUMBERS = ["0", "-1", "1e-8", "1.05e-7", "1e-320", "3", "4", "0.5", "1e16", "9007199254740993"]
CELLS = st.sampled_from(NUMBERS) | st.sampled_from(ODD) | DIGITS


def valley(points: int, seed: int = 0) -> Curve:
    """Fall and rise, with noise."""
    lr = np.geomspace(1e-7, 10, points)
    x = np.log10(lr)
    loss = 2.3 - 1.7 / (1 + np.exp(-3.5 * (x + 2.6))) + np.exp(5 * (x - 0.3))
    loss += 0.1 * np.random.default_rng(seed).standard_normal(points)
    return Curve(lr, loss, seed=seed, update_ratio=lr / 7)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Draw a curve's file, mostly right, with cells, rows and line ends of any kind here and there.

    Plain rows are most of it, or no block would be read whole.
    """
    names = draw(st.permutations([*HEADER.strip().split(","), "note"]))
    header = [n for n in names if n in ("lr", "loss") or draw(st.booleans())]
    count = draw(st.integers(1, 30))
    faults = draw(st.dictionaries(st.integers(0, count - 1), CELLS, max_size=2))
    columns = st.sampled_from([name for name in header if name != "note"])
    end = draw(st.sampled_from(["\n", "\n", "\r\n", "\r"]))
    seeds = draw(st.sampled_from([[0], [3, 4], [2**53, 2**53 + 1], [-1, 0]]))
    lines = [",".join(header)]
    for i in range(count):
        values: dict[str, Any] = {
            "seed": seeds[i % len(seeds)], "step": i, "lr": 1e-7 * 1.1**i, "loss": 1 / (i + 1),
            "smooth": 0.1 * i, "update_ratio": draw(st.sampled_from(["", 0.25])), "stop": "",
            "note": 7,
        }  # fmt: skip
        row = [str(values[name]) for name in header]
        if i in faults:
            kind = draw(st.integers(0, 7))
            row[header.index(draw(columns))] = faults[i]
            row += ["9"] * (kind == 0)
            row = row[: -1 if kind == 1 else None]
            lines += [""] * (kind == 2)
        lines.append(",".join(row))
    mark = draw(st.sampled_from(["", "", "\ufeff"]))
    return mark + end.join(lines) + draw(st.sampled_from([end, end, end, ""]))


def parts(data: bytes, size: int) -> Iterator[bytes]:
    """Cut text into blocks of whole lines, as `read_blocks` does with longer ones."""
    start = 0
    while start < len(data):
        end = data.find(b"\n", start + size) + 1 or len(data)
        yield data[start:end]
        start = end


def outcome(read: Callable[[], tuple[Curve, ...]]) -> tuple[Curve, ...] | str:
    """Read curves, or the error's text."""
    try:
        return read()
    except InputError as error:
        return str(error)


@example(text="lr,loss,stop\n1,2,completed\n3,4,\n5,6,\n", size=1)
@settings(max_examples=400, deadline=None)
@given(text=texts(), size=st.integers(0, 300))
def test_blocks_are_read_as_rows_are(text: str, size: int) -> None:
    """In blocks of any size a file gives the curves, or the error with its line, that rows give."""
    data = text.encode()

    by_row = outcome(lambda: from_blocks([data], PATH))
    in_blocks = outcome(lambda: from_blocks(parts(data, size), PATH))

    if isinstance(by_row, str) and "has no end" in by_row:
        # Row by row it is told first, here where it stands.
        assert isinstance(in_blocks, str)
    else:
        assert in_blocks == by_row


@settings(max_examples=200, deadline=None)
@given(cells=st.lists(st.floats(0, 1e300).map(repr) | DIGITS, min_size=1, max_size=6))
def test_a_number_in_a_block_is_what_float_reads(cells: list[str]) -> None:
    """To the last bit, and texts of digits and signs that are no number are refused by both."""
    text = "loss,lr\n" + "".join(f"{cell},{1 + i}\n" for i, cell in enumerate(cells))
    data = text.encode()

    assert outcome(lambda: from_blocks(parts(data, 9), PATH)) == outcome(
        lambda: from_csv(text, PATH)
    )


def test_plain_rows_are_not_read_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a long file only the block that tells why the sweep ended goes row by row."""
    curves = (valley(500), valley(500, seed=1))
    data, rows = to_csv(curves).encode(), []
    add = table.Table.add

    def counted(self: table.Table, row: list[str], line: int) -> None:
        rows.append(line)
        add(self, row, line)

    monkeypatch.setattr(table.Table, "add", counted)
    read = from_blocks(parts(data, 2000), PATH)

    assert read == curves
    assert 501 in rows
    assert rows[-1] == 1001
    assert len(rows) < 80


def test_damage_deep_in_a_long_file_is_told_with_its_line(tmp_path: Path) -> None:
    """A cell in a row after hundreds of thousands, with the line that an editor shows."""
    row = b"0,0.5000000000000000000000000000000000000000000000,0.00000000000000001\n"
    head = b"seed,loss,lr\n"
    path = tmp_path / "curve.csv"
    path.write_bytes(head + row * 300_000 + b"0,?,1\n" + row * 10)

    assert len(list(read_blocks(path, 1 << 30, ""))) == 3
    with pytest.raises(InputError, match=r"curve\.csv:300002: loss = '\?' is no number"):
        read_curves(path)


def test_a_long_curve_comes_back_to_the_bit(tmp_path: Path) -> None:
    """What was written is what is read, where a file is read in blocks, without torch."""
    curve = valley(120_000)
    write_curves([curve], tmp_path / "curve.csv")
    code = (
        "import sys; from pathlib import Path; from lrfind.export import read_curves\n"
        "(curve,) = read_curves(Path('curve.csv'))\n"
        "assert 'torch' not in sys.modules and 'pandas' in sys.modules\n"
        "sys.stdout.buffer.write(curve.lr.tobytes() + curve.loss.tobytes())"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=True
    )

    assert run.stdout == curve.lr.tobytes() + curve.loss.tobytes()


def test_a_file_that_is_too_large_is_refused_while_it_is_read(tmp_path: Path) -> None:
    """Also one that grows meanwhile: what counts are the bytes that came."""
    path = tmp_path / "curve.csv"
    path.write_bytes(b"lr,loss\n" + b"1,2\n" * 600_000)
    blocks = read_blocks(path, 1 << 21, "name another", size=1 << 16)

    assert next(blocks).startswith(b"lr,loss\n")
    with pytest.raises(InputError, match="is larger than 2 MiB"):
        list(blocks)


def test_a_sweep_may_be_looked_at_while_it_goes_on() -> None:
    """From another thread, at any moment: whole points, in order, and no fault in the sweep."""
    track, count = Track(), 100_000
    sweep = Thread(
        target=lambda: [
            track.add(Step(i, float(i), 2.0 * i, 0.0, None, 3.0 * i)) for i in range(count)
        ]
    )
    sweep.start()
    sizes = []
    while sweep.is_alive():
        curve = track.curve(seed=0, stop=StopReason.INTERRUPTED, initial_loss=None)
        sizes.append(len(curve))
        assert curve.loss.tolist() == (2 * curve.lr).tolist()
        assert len(curve) == 0 or (curve.update_ratio == 3 * curve.lr).all()
    sweep.join()

    assert sizes == sorted(sizes)
    assert len(track) == count


@settings(max_examples=80, deadline=None)
@given(values=st.lists(st.floats(-1e300, 1e300), max_size=40))
def test_the_running_median_is_the_median_of_five(values: list[float]) -> None:
    """Each value becomes the median of the five around it, the ends repeated."""
    array = np.array(values)
    padded = np.pad(array, 2, mode="edge") if values else array
    expected = [np.median(padded[i : i + 5]) for i in range(len(values))]

    assert running_median(array).tolist() == expected


@pytest.mark.parametrize("hole", [0, 1, 700])
def test_groups_of_points_are_smoothed_as_single_ones(
    hole: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long curves come out alike to a hundred-thousandth, with gaps and up to both ends."""
    loss = valley(200_000).loss
    loss[100_000 : 100_000 + hole] = math.nan
    width = 5.0 * FINE

    grouped = local_linear(loss, width)
    monkeypatch.setattr("lrfind.smoothing.FINE", 10**9)
    single = local_linear(loss, width)

    assert np.array_equal(np.isnan(grouped), np.isnan(loss))
    # The explosion bends by hundreds within the width.
    np.testing.assert_allclose(grouped, single, rtol=2e-5, atol=2e-5)
    assert not np.array_equal(grouped, single, equal_nan=True)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**16), points=st.integers(1, 3000))
def test_a_thinned_line_covers_the_same_dots(seed: int, points: int) -> None:
    """Of every column it keeps where the line comes in, goes out, and its lowest and highest."""
    rng = np.random.default_rng(seed)
    x, y = np.sort(rng.random(points)), rng.standard_normal(points)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(thinning, "LONG", 0)
        patch.setattr(thinning, "COLUMNS", 50)
        at = thinning.seen_line(x, y)
    wide = x[-1] - x[0] or 1.0
    column = np.minimum(((x - x[0]) / wide * 50 + 1e-9).astype(int), 49)

    assert (np.diff(at) > 0).all()
    assert {0, points - 1} <= set(at.tolist())
    for i in np.unique(column[at]):
        # A point on the edge of two columns may count to either.
        inside = y[np.abs((x - x[0]) / wide * 50 - i - 0.5) < 0.499]
        near = y[at][np.abs(column[at] - i) <= 1]
        if len(inside):
            assert near.min() <= inside.min()
            assert near.max() >= inside.max()
    assert len(at) <= 4 * 50


def test_points_on_one_dot_are_drawn_once_as_firmly_as_all() -> None:
    """Every dot that a point lies on has one, whose opacity is that of all on it together."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 200_000)) / 40
    x[0], x[1], y[0], y[1] = -1.0, 1.0, -1.0, 1.0
    groups = thinning.seen_points(x, y, 0.08)
    dots = thinning._bins(x, thinning.COLUMNS) * thinning.ROWS + thinning._bins(y, thinning.ROWS)
    count = np.bincount(dots)
    drawn = np.concatenate([at for at, _ in groups])

    assert sorted(dots[drawn]) == np.flatnonzero(count).tolist()
    for at, opacity in groups:
        np.testing.assert_allclose(opacity, 1 - 0.92 ** count[dots[at]], rtol=0.16)


def test_a_thinned_picture_looks_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against all points drawn, one pixel in two thousand differs by more than an eighth."""
    report = make_report([valley(200_000)], "auto", title="long")
    save_plot(report, tmp_path / "thin.png", dpi=100)
    # The line is set off from points that are too many in both.
    monkeypatch.setattr("lrfind.plot.marks.seen_points", lambda x, y, alpha: [(slice(None), alpha)])
    save_plot(report, tmp_path / "all.png", dpi=100)
    thin, whole = (imread(tmp_path / name)[..., :3] for name in ("thin.png", "all.png"))
    difference = np.abs(thin - whole).max(-1)

    assert (difference > 0.125).mean() < 5e-4
    assert difference.mean() < 2e-3


def test_a_vector_picture_of_a_long_curve_stays_small(tmp_path: Path) -> None:
    """Its line has as many corners as the picture has room for, not as the curve has points."""
    save_plot(make_report([valley(200_000)], "auto"), tmp_path / "curve.svg")

    assert (tmp_path / "curve.svg").stat().st_size < 1_000_000
