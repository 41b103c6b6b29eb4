"""The picture: its limits, its marks, its labels, its files."""

from __future__ import annotations

import itertools
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.text import Text
from sample_reports import clean_curve, report, suggestion, variants

from lrfind.curve import Curve, StopReason
from lrfind.errors import OutputError
from lrfind.frame import (
    decades,
    end_text,
    exit_lr,
    fit_frame,
    lr_text,
    pool,
    tick_texts,
)
from lrfind.plot import Layer, draw, draw_overlay, overlay, save_plot
from lrfind.plot.sheet import lay_out
from lrfind.plot.text import renderer

VARIANTS = variants()


def texts_of(figure: Figure) -> list[Text]:
    """Every text that a reader sees, tick labels included."""
    found = [*figure.texts]
    for axes in figure.axes:
        found += [*axes.texts, axes.xaxis.label, axes.yaxis.label]
        for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            ticks = zip(axis.get_majorticklocs(), axis.get_ticklabels(), strict=True)
            found += [label for at, label in ticks if low <= at <= high]
    return [text for text in found if text.get_text().strip()]


def words_of(figure: Figure) -> str:
    """All texts in one string."""
    return " ".join(text.get_text() for text in texts_of(figure))


@pytest.mark.parametrize("name", VARIANTS)
def test_no_two_labels_touch_and_none_leaves_the_sheet(name: str) -> None:
    """In every kind of picture each text stands free of the others, inside the sheet."""
    figure = draw(VARIANTS[name])
    figure.draw_without_rendering()
    boxes = [
        (text.get_text(), text.get_window_extent(renderer(figure))) for text in texts_of(figure)
    ]
    width, height = figure.get_size_inches() * figure.dpi

    for (a, box), (b, other) in itertools.combinations(boxes, 2):
        assert not box.padded(-1).overlaps(other.padded(-1)), (a, b)
    for text, box in boxes:
        assert min(box.x0, box.y0) >= 0, text
        assert box.x1 <= width, text
        assert box.y1 <= height, text


@pytest.mark.parametrize("name", ["clean", "exploding", "nan-tail", "negative", "never-diverged"])
def test_the_valley_fills_most_of_the_frame(name: str) -> None:
    """Whatever the loss does after the valley, the fall takes over half of the height."""
    curves = VARIANTS[name].curves
    frame = fit_frame(curves, shows_points=True)

    assert 1.7 / (frame.loss_high - frame.loss_low) > 0.5


@given(
    scale=st.sampled_from([1e-6, 1e-2, 1.0, 1e6]),
    shift=st.sampled_from([-1000.0, 0.0, 3.5]),
    seed=st.integers(0, 50),
)
@settings(deadline=None, max_examples=40)
def test_limits_move_and_stretch_with_the_losses(scale: float, shift: float, seed: int) -> None:
    """The frame of a·L + b is a times the frame of L, plus b."""
    curve = clean_curve(seed % 3, noise=0.01 * seed)
    plain = fit_frame([curve], shows_points=True)
    moved = fit_frame([replace(curve, loss=scale * (curve.loss + shift))], shows_points=True)

    expected = [scale * (plain.loss_low + shift), scale * (plain.loss_high + shift)]
    assert [moved.loss_low, moved.loss_high] == pytest.approx(expected, abs=1e-6 * scale)


def test_a_lone_first_step_of_a_linear_sweep_stays_outside() -> None:
    """A first LR decades below the second does not fill the picture with emptiness."""
    lr = np.linspace(1e-7, 1.0, 100)

    assert fit_frame([Curve(lr, np.ones(100))]).lr_low == lr[1]


def test_marks_are_inside_the_frame() -> None:
    """An answer beyond the measured LRs widens the frame."""
    frame = fit_frame([clean_curve()], [1e-9, 50.0])

    assert (frame.lr_low, frame.lr_high) == (1e-9, 50.0)


def test_pooling_takes_the_median_where_all_seeds_were_measured() -> None:
    """The joint line ends with the shortest seed and lies between the band's edges."""
    curves = [clean_curve(seed) for seed in range(3)]
    pooled = pool(curves)
    rows = np.array([np.interp(np.log10(pooled.lr), np.log10(c.lr), c.smooth) for c in curves])

    assert pooled.lr[-1] == min(curve.lr[-1] for curve in curves)
    assert pooled.middle == pytest.approx(np.median(rows, axis=0))
    assert (pooled.low <= pooled.middle).all()
    assert (pooled.middle <= pooled.high).all()


def test_pooling_nothing_gives_no_line() -> None:
    """Curves without a finite loss are no line, and reading it says NaN."""
    pooled = pool([Curve(np.array([1e-3]), np.array([np.nan]))])

    assert len(pooled.lr) == 0
    assert np.isnan(pooled.at(1e-3))


def test_a_line_leaves_where_it_crosses_the_top_for_good() -> None:
    """A bump that comes back is no exit; the last crossing is, interpolated in log LR."""
    lr = np.array([1e-4, 1e-3, 1e-2, 1e-1])

    assert exit_lr(lr, np.array([0.0, 9.0, 0.0, 2.0]), 1.0) == pytest.approx(10**-1.5)
    assert exit_lr(lr, np.array([0.0, 9.0, 0.0, 1.0]), 1.0) is None


def test_the_end_is_told_for_one_seed_and_for_many() -> None:
    """The words name what most seeds did, and the LRs between which they did it."""
    first = Curve(np.array([1e-3, 1.0]), np.ones(2), stop=StopReason.DIVERGED)
    second = Curve(np.array([1e-3, 2.0]), np.ones(2), stop=StopReason.DIVERGED)
    third = Curve(np.array([1e-3, 4.0]), np.ones(2), stop=StopReason.COMPLETED)

    assert end_text([first]) == "diverged at 1.0e+00"
    assert end_text([first, second]) == "diverged at 1.0e+00 to 2.0e+00"
    assert end_text([first, second, third]) == "2 of 3 seeds diverged at 1.0e+00 to 2.0e+00"


@given(
    first=st.integers(-100_000, 100_000),
    step=st.sampled_from([1e-9, 0.001, 0.25, 2.0, 500.0, 1e9]),
    count=st.integers(2, 8),
)
@settings(deadline=None)
def test_tick_labels_tell_ticks_apart_and_are_true(first: int, step: float, count: int) -> None:
    """Every label is distinct and within a hundredth of a step of its tick."""
    values = [step * (first + k) for k in range(count)]
    texts = tick_texts(values)

    assert len(set(texts)) == count
    assert [float(text) for text in texts] == pytest.approx(values, abs=0.011 * step)


def test_decades_are_the_powers_of_ten_inside() -> None:
    """Both ends count."""
    assert decades(1e-3, 1.0) == pytest.approx([1e-3, 1e-2, 1e-1, 1.0])
    assert decades(2e-3, 9e-3) == []


def test_the_answer_is_marked_on_the_line_with_its_value() -> None:
    """A circle at lr and a diamond at peak_lr stand on the smooth line, their values above."""
    figure = draw(VARIANTS["clean"])
    answer, pooled = suggestion(), pool(VARIANTS["clean"].curves)
    marked = {
        line.get_marker(): (line.get_xdata()[0], line.get_ydata()[0])
        for line in figure.axes[0].lines
        if line.get_marker() in ("o", "D")
    }

    assert marked["o"] == pytest.approx((answer.lr, pooled.at(answer.lr)))
    assert marked["D"] == pytest.approx((answer.peak_lr, pooled.at(answer.peak_lr)))
    words = words_of(figure)
    assert "lr 3.2e-03" in words
    assert "peak_lr 8.1e-03" in words
    assert "usable 6.0e-04 … 5.0e-02" in words
    assert "diverged at 2.7e+00" in words


def test_each_seed_has_a_line_and_its_own_answer() -> None:
    """Three seeds are three thin lines, one thick one, and three small circles."""
    axes = draw(VARIANTS["seeds"]).axes[0]
    widths = [line.get_linewidth() for line in axes.lines if len(line.get_xdata()) > 50]
    circles = [line for line in axes.lines if line.get_markersize() == 5.5]

    assert widths.count(0.8) == 3
    assert widths.count(2.2) == 1
    assert [line.get_xdata()[0] for line in circles] == [2.1e-3, 3.2e-3, 4.4e-3]


def test_answers_of_fewer_seeds_than_curves_are_marked_too() -> None:
    """A seed that refused to answer does not break the picture."""
    curves = tuple(clean_curve(seed) for seed in range(3))
    axes = draw(report(*curves, answer=suggestion(per_seed=(2e-3, 4e-3)))).axes[0]

    assert len([line for line in axes.lines if line.get_markersize() == 5.5]) == 2


def test_without_a_suggestion_the_picture_says_why_and_what_to_change() -> None:
    """Verdict, reason and remedy are written out, and no LR is marked."""
    figure = draw(VARIANTS["flat"])
    words = words_of(figure)

    assert "no suggestion (no-signal)" in words
    assert "never fell" in words
    assert "sweep.steps=400" in words
    assert not [line for line in figure.axes[0].lines if line.get_marker() in ("o", "D")]


def test_a_report_without_any_loss_is_drawn_empty() -> None:
    """A sweep that measured nothing still gives a picture that says so."""
    figure = draw(report(Curve(np.empty(0), np.empty(0)), no_answer=VARIANTS["flat"].no_answer))

    assert "no suggestion" in words_of(figure)


@given(
    losses=st.lists(
        st.one_of(st.floats(-1e30, 1e30), st.sampled_from([1e30, -1e30, 0.0])),
        min_size=1,
        max_size=30,
    ),
    tail=st.sampled_from([None, np.nan, np.inf, -np.inf]),
    end=st.sampled_from([1.5e-7, 1e-3, 1e3]),
)
@settings(deadline=None, max_examples=25)
def test_any_curve_can_be_drawn(losses: list[float], tail: float | None, end: float) -> None:
    """No finite losses, whatever their size, and no end of the sweep break the picture."""
    loss = np.array(losses if tail is None else [*losses, tail])
    curve = Curve(np.geomspace(1e-7, end, len(loss)), loss)
    figure = draw(report(curve, answer=suggestion(lr=1e-7, peak_lr=2e-7, low=1e-7, high=1e-3)))

    figure.draw_without_rendering()


def test_a_title_is_text_not_mathematics() -> None:
    """Dollars, line breaks, missing glyphs and great length in a title do no harm."""
    title = "a $x_1$ model\nin two lines 漢字 " * 9
    figure = draw(replace(VARIANTS["clean"], title=title))
    shown = figure.texts[0].get_text()

    assert shown.startswith("a $x_1$ model in two lines")
    assert shown.endswith("…")


def test_further_panels_share_the_lr_axis() -> None:
    """A second panel is as wide as the first and zooms with it."""
    first, second = lay_out("title", (), (3.0, 1.5)).panels
    first.set_xscale("log")
    first.set_xlim(1e-5, 1e-1)

    assert second.get_xlim() == first.get_xlim()
    assert second.get_position().width == first.get_position().width
    assert second.get_position().y1 < first.get_position().y0


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_same_report_gives_the_same_bytes(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither time nor the user's matplotlib settings reach a file."""
    save_plot(VARIANTS["seeds"], tmp_path / f"a.{suffix}")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    with matplotlib.rc_context({"font.size": 30, "savefig.bbox": "tight", "lines.linewidth": 9}):
        save_plot(VARIANTS["seeds"], tmp_path / f"b.{suffix}")
        kept = matplotlib.rcParams["font.size"]

    assert kept == 30
    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"a.{suffix}", f"b.{suffix}"]


def test_a_picture_is_800_pixels_wide_at_100_dpi(tmp_path: Path) -> None:
    """The width is fixed; a longer reason makes it taller."""
    sizes = {}
    for name in ("clean", "long-reason"):
        save_plot(VARIANTS[name], tmp_path / "a.png", dpi=100)
        header = (tmp_path / "a.png").read_bytes()[16:24]
        sizes[name] = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:], "big")

    assert sizes["clean"][0] == sizes["long-reason"][0] == 800
    assert sizes["clean"][1] < sizes["long-reason"][1]


@pytest.mark.parametrize(("name", "found"), [("a.bmp", "suffix '.bmp'"), ("picture", "no suffix")])
def test_an_unknown_suffix_is_told_with_the_known_ones(
    tmp_path: Path, name: str, found: str
) -> None:
    """The error names the file, what is wrong and the formats there are."""
    with pytest.raises(OutputError, match=r"end the name in \.png, \.svg, \.pdf") as caught:
        save_plot(VARIANTS["clean"], tmp_path / name)

    assert found in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_a_failed_write_leaves_the_old_picture(tmp_path: Path) -> None:
    """A folder in the way is an error, and nothing is left beside it."""
    (tmp_path / "a.png").mkdir()
    with pytest.raises(OutputError, match="cannot be written"):
        save_plot(VARIANTS["clean"], tmp_path / "a.png")

    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_an_overlay_keys_each_run_and_marks_its_lr() -> None:
    """Each run has a line of its own look, a row in the key and a circle at its lr."""
    layers = [
        Layer.from_report("first", VARIANTS["clean"]),
        Layer("second", (clean_curve(2),), suggestion(lr=1e-3)),
        Layer("third", (clean_curve(1),)),
    ]
    figure = draw_overlay(layers, title="compared")
    lines = [line for line in figure.axes[0].lines if len(line.get_xdata()) > 50]
    circles = [line for line in figure.axes[0].lines if line.get_marker() == "o"]

    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 3
    assert [line.get_xdata()[0] for line in circles] == [3.2e-3, 1e-3]
    words = words_of(figure)
    assert all(word in words for word in ("compared", "first", "second", "third", "no suggestion"))


def test_losses_of_unlike_size_are_drawn_each_on_its_own_scale(tmp_path: Path) -> None:
    """A squared error in the thousands does not flatten a cross entropy beside it."""
    big = replace(clean_curve(), loss=2000 * clean_curve().loss)
    layers = [Layer("entropy", (clean_curve(),)), Layer("error", (big,))]
    axes = draw_overlay(layers).axes[0]
    small, large = (line.get_ydata() for line in axes.lines if len(line.get_xdata()) > 50)
    overlay(layers, tmp_path / "a.svg")

    assert "own scale" in axes.get_ylabel()
    assert len(axes.get_yticks()) == 0
    assert small == pytest.approx(large, rel=1e-6, abs=1e-9)
    assert (tmp_path / "a.svg").stat().st_size > 0


def test_an_overlay_of_nothing_measured_is_empty_not_an_error() -> None:
    """Layers without curves leave an empty frame."""
    assert draw_overlay([Layer("nothing", ())]).axes


def test_lrs_are_written_with_two_digits() -> None:
    """One form of an LR everywhere."""
    assert lr_text(0.0031622) == "3.2e-03"


def test_drawing_needs_neither_pyplot_nor_torch() -> None:
    """Importing and drawing leaves pyplot, pandas and torch alone."""
    code = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from sample_reports import variants\n"
        "from lrfind.plot import draw\n"
        "draw(variants()['clean'])\n"
        "print([m for m in ('matplotlib.pyplot', 'torch', 'pandas') if m in sys.modules])\n"
    )
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root
    )

    assert done.stdout == "[]\n"
