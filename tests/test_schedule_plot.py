"""Schedules in the terminal and as pictures, and the canvas that curves share with them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from test_console import check_snapshot

from lrfind.console.canvas import ASCII, UNICODE, Axis, Canvas
from lrfind.console.schedule_plot import schedule_plot
from lrfind.errors import OutputError
from lrfind.plot.schedule import draw_schedule, save_schedule
from lrfind.schedulers import CATALOG
from lrfind.schedulers.planned import plan


@pytest.mark.parametrize("width", [80, 120])
def test_a_schedule_reads_as_stored(width: int) -> None:
    """Highest LR, line, steps, warmup, last LR; on a wide terminal no wider than reads well."""
    check_snapshot(
        f"schedule-cosine-{width}.txt", schedule_plot(plan("cosine", 0.1, 1000, 50), width)
    )


def test_an_ascii_schedule_reads_as_stored() -> None:
    """The same for a terminal without Unicode."""
    planned = plan("cyclic", 0.1, 1000, 100, {"mode": "triangular2"})

    check_snapshot("schedule-cyclic-ascii.txt", schedule_plot(planned, unicode=False))


@given(
    name=st.sampled_from(sorted(CATALOG)),
    lr=st.floats(1e-6, 1e3),
    steps=st.integers(8, 3000),
    warmup=st.integers(0, 5),
    width=st.integers(40, 120),
    height=st.integers(8, 30),
    unicode=st.booleans(),
)
@settings(deadline=None, max_examples=60)
def test_any_schedule_keeps_to_its_size(
    name: str, lr: float, steps: int, warmup: int, width: int, height: int, unicode: bool
) -> None:
    """As many lines as asked for, none too wide; the ASCII form is ASCII."""
    planned = plan(name, lr, steps, warmup)
    text = schedule_plot(planned, width, height, unicode)
    lines = text.splitlines()

    assert len(lines) == height
    assert max(map(len, lines)) <= width
    assert unicode or text.isascii()
    assert planned.peak_text in lines[0]


@given(
    name=st.sampled_from(["constant", "step", "cosine", "linear_sweep", "cyclic"]),
    steps=st.integers(20, 2000),
)
@settings(deadline=None, max_examples=40)
def test_the_line_stands_where_the_lr_is(name: str, steps: int) -> None:
    """In each column the drawn lines reach from the lowest to the highest LR of its steps."""
    planned = plan(name, 1.0, steps)
    lines = schedule_plot(planned, 80, 24, unicode=False).splitlines()[1:-3]
    left = lines[0].index("|") + 1
    columns, rows = 80 - left, len(lines)
    for x in range(columns):
        first = x * steps // columns
        stop = max((x + 1) * steps // columns, first + 1)
        drawn = [y for y, line in enumerate(lines) if line.ljust(80)[left + x] in "*O"]
        for lr in planned.lrs[first:stop]:
            assert min(abs(y - (1 - lr) * rows) for y in drawn) <= 1.01


def test_fast_cycles_are_a_band() -> None:
    """Cycles narrower than a column fill it, rather than show a slow wave that is not there."""
    planned = plan("cyclic", 0.1, 1000, args={"step_size_up": 1, "base_lr": 0.05})
    lines = schedule_plot(planned, 80, 24, unicode=False).splitlines()[1:-3]
    full = [len(re.findall(r"[*O]", line)) for line in lines]

    assert full[: len(lines) // 2] == [max(full)] * (len(lines) // 2)
    assert sum(full[len(lines) // 2 + 1 :]) == 0


def test_a_line_can_be_drawn_from_level_to_level() -> None:
    """`until` fills each dot column, and gaps stay gaps."""
    canvas = Canvas(Axis(0, 10), Axis(0, 4), 40, 4, ASCII)
    low = np.full(canvas.fine, np.nan)
    low[5:8] = 0.5
    canvas.draw(low, low + 2)
    marks = [
        "".join("*" if c == "*" else " " for c in row[canvas.margin + 1 :]) for row in canvas.rows()
    ]

    assert [mark.rstrip() for mark in marks] == ["", *["     ***"] * 3]


@given(
    low=st.floats(-1e6, 1e6),
    height=st.floats(1e-6, 1e6),
    share=st.floats(0, 1),
)
@settings(deadline=None, max_examples=50)
def test_a_value_stands_at_its_share(low: float, height: float, share: float) -> None:
    """Columns and lines grow with the value, and its edges are the canvas's own."""
    axis = Axis(low, low + height)
    canvas = Canvas(axis, axis, 60, 10, UNICODE)
    value = low + share * height

    assert canvas.column(axis.low) == 0
    assert canvas.column(axis.high) == canvas.columns - 1
    assert canvas.line(axis.low) == 9
    assert canvas.line(axis.high) == 0
    assert abs(canvas.column(value) - share * canvas.columns) <= 1.01
    assert abs(canvas.line(value) - (1 - share) * 10) <= 1.01


@pytest.mark.parametrize("name", CATALOG)
def test_a_picture_shows_every_step(name: str) -> None:
    """The line holds each update's LR, the axes begin at zero, and the words name the peak."""
    planned = plan(name, 0.1, 200, 20)
    figure = draw_schedule(planned)
    axes = figure.axes[0]
    words = [text.get_text() for text in [*figure.texts, *axes.texts]]

    np.testing.assert_array_equal(axes.lines[0].get_ydata()[:-1], planned.lrs)
    assert axes.get_ylim()[0] == 0
    assert axes.get_xlim() == (0, 200)
    assert planned.title in words
    assert planned.peak_text in words
    assert "warmup" in words


@pytest.mark.parametrize("name", CATALOG)
@pytest.mark.parametrize("warmup", [0, 150])
def test_the_words_of_a_picture_stay_inside_and_apart(name: str, warmup: int) -> None:
    """No label leaves the sheet, and the two labelled LRs do not touch."""
    figure = draw_schedule(plan(name, 0.1, 1000, warmup))
    assert isinstance(figure.canvas, FigureCanvasAgg)
    renderer = figure.canvas.get_renderer()
    labels = [text for text in figure.axes[0].texts if text.get_text() != "warmup"]
    boxes = [label.get_window_extent(renderer) for label in labels]

    for box in boxes:
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1 + 1
        assert box.y1 <= figure.bbox.y1
    assert len(boxes) < 2 or not boxes[0].overlaps(boxes[1])


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_pictures_are_the_same_bytes_twice(suffix: str, tmp_path: Path) -> None:
    """Each format can be written, and the same schedule makes the same file."""
    planned = plan("onecycle", 0.1, 500)
    for name in ("a", "b"):
        save_schedule(planned, tmp_path / f"{name}.{suffix}")

    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


def test_an_unknown_picture_format_is_told(tmp_path: Path) -> None:
    """A suffix that names no format is refused, and nothing is written."""
    with pytest.raises(OutputError, match=r"\.gif' names no picture format"):
        save_schedule(plan("cosine", 0.1, 10), tmp_path / "a.gif")

    assert list(tmp_path.iterdir()) == []
