"""What is shown of a sweep under way: a bar, the curve so far, and what is no answer yet."""

from __future__ import annotations

import math
import timeit
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_reports import clean_curve

from lrfind.console.live_plot import planned_end, thinned
from lrfind.console.sweep_view import ReadSoFar, SweepView
from lrfind.curve import Curve, Step
from lrfind.ramp import Plan
from lrfind.suggest import suggest
from lrfind.suggest.so_far import suggest_so_far


def view_of(
    losses: list[float],
    *,
    steps: int = 200,
    name: str = "sweep",
    step_s: float = 0.02,
    read: ReadSoFar | None = None,
) -> SweepView:
    """A sweep from 1e-7 to 10 that has seen these losses."""
    view, plan = SweepView(name, steps, read), Plan("exponential", 1e-7, 10, steps)
    for i, loss in enumerate(losses):
        view.step(Step(i, plan.lr(i), loss, step_s * (i + 1)))
    return view


def shown(view: SweepView, width: int = 80, height: int = 24, *, unicode: bool = True) -> list[str]:
    """Its rows without styles."""
    return [row.plain for row in view.rows(width, height, unicode=unicode)]


def first_points(curve: Curve, count: int) -> Curve:
    """A curve as it was when `count` points were measured."""
    return replace(curve, lr=curve.lr[:count], loss=curve.loss[:count])


@pytest.mark.parametrize("width", [24, 40, 80, 120])
@pytest.mark.parametrize("name", ["sweep", "seed 2/3"])
def test_the_bar_fits_any_width(width: int, name: str) -> None:
    """The line is never cut: on a narrow terminal the bar and the tail give way."""
    view = SweepView(name, 1000)
    view.step(Step(12, 3.2e-7, -123.4567, 5.0))
    (bar,) = shown(view, width)

    assert len(bar) < width
    assert bar.startswith(name)
    assert "13/1000" in bar
    if width >= 80:
        assert "lr 3.2e-07" in bar
        assert "loss -123.4567" in bar
        assert "best -123.4567" in bar
        assert "eta 6:20" in bar


def test_best_ignores_nan() -> None:
    """A NaN loss is shown as such and is never the best."""
    (bar,) = shown(view_of([2.0, math.nan]))

    assert "loss nan" in bar
    assert "best 2.0000" in bar


@given(
    st.lists(st.floats(), max_size=60),
    st.integers(1, 120),
    st.integers(1, 40),
    st.booleans(),
)
@settings(deadline=None, max_examples=40)
def test_any_sweep_fits_any_terminal(
    losses: list[float], width: int, height: int, unicode: bool
) -> None:
    """Rows are narrower and fewer than the terminal's, in ASCII where that is asked for."""
    view = view_of(losses, read=lambda curve: suggest_so_far(curve, "auto", {}))
    rows = shown(view, width, height, unicode=unicode)

    assert len(rows) < max(height, 2)
    assert max(map(len, rows)) < max(width, 24)
    assert unicode or "".join(rows).isascii()


@pytest.mark.parametrize("unicode", [True, False], ids=["unicode", "ascii"])
def test_the_curve_grows_on_the_axis_of_the_whole_plan(unicode: bool) -> None:
    """Half a sweep fills the left half; the axis reaches the planned end, and the words tell."""
    curve = clean_curve(noise=0.0)
    rows = shown(view_of(curve.loss[:100].tolist()), 80, unicode=unicode)
    columns = [max(map(row.rfind, "*⠒⠤⣀⠉⠑⠢⡀⢄○o")) for row in rows[1:11]]

    assert max(columns) == pytest.approx(40, abs=4)
    assert "1e1" in rows[-3]
    assert rows[-2].startswith("lowest smoothed loss so far")
    assert rows[-1].startswith("sweep")
    assert "100/200" in rows[-1]


@pytest.mark.parametrize(("width", "height"), [(30, 24), (80, 9)])
def test_a_small_terminal_gets_the_bar_alone(width: int, height: int) -> None:
    """Less than 40 columns or a dozen rows have no room for a curve."""
    assert len(shown(view_of([2.0] * 50), width, height)) == 1


@pytest.mark.parametrize("width", [60, 80])
def test_the_lr_read_so_far_is_named_as_no_answer(width: int) -> None:
    """Before the loss rises none is read; then it is the rule's own for the points so far."""
    curve = clean_curve(noise=0.0)
    read: ReadSoFar = lambda points: suggest_so_far(points, "auto", {})  # noqa: E731
    falling, risen = (first_points(curve, int(np.searchsorted(curve.lr, lr))) for lr in (1e-3, 0.9))
    expected = suggest([risen]).lr

    assert read(falling) is None
    found = read(risen)
    assert found is not None
    assert found.lr == expected
    rows = shown(view_of(risen.loss.tolist(), steps=len(curve.loss), read=lambda _: found), width)
    assert (
        rows[-2]
        == f"not the answer yet: auto reads lr {expected:.1e} off the curve so far"[: width - 1]
        or rows[-2] == f"auto reads lr {expected:.1e} off the curve so far"
    )
    assert f"read so far {expected:.1e}" in rows[0]


def test_a_rule_of_the_users_own_is_not_run_in_between() -> None:
    """Its code is run once, at the end: it may print, or take long."""
    assert suggest_so_far(clean_curve(), "nowhere.py:rule", {}) is None


def test_the_curve_is_read_once_a_second() -> None:
    """However often it is drawn."""
    asked: list[int] = []
    view = SweepView("sweep", 200, lambda curve: asked.append(len(curve)))
    for i in range(100):
        view.step(Step(i, 1e-7 * 1.1**i, 2.0 - 0.1 * min(i, 10 - i), 0.05 * i))
        shown(view)

    assert len(asked) == 5


@given(
    st.sampled_from(["exponential", "linear"]),
    st.floats(1e-9, 1e-2),
    st.floats(1.5, 1e6),
    st.integers(4, 3000),
    st.data(),
)
@settings(deadline=None, max_examples=50)
def test_a_ramp_is_carried_on_to_its_end(
    mode: str, start: float, factor: float, steps: int, data: st.DataObject
) -> None:
    """From three LRs on, the end of either kind of plan is known without being told."""
    plan = Plan(mode, start, start * factor, steps)  # type: ignore[arg-type]
    seen = data.draw(st.integers(3, steps))
    lrs = np.array([plan.lr(i) for i in range(seen)])

    assert planned_end(lrs, steps) == pytest.approx(plan.end_lr, rel=0.02)


@given(st.integers(1, 3000), st.integers(8, 600))
@settings(deadline=None, max_examples=30)
def test_a_thinned_curve_keeps_its_mean(count: int, most: int) -> None:
    """Groups of points are averaged, and as many are left as were asked for."""
    rng = np.random.default_rng(count)
    curve = Curve(np.logspace(-7, 1, count), rng.standard_normal(count))
    few = thinned(curve, most)
    group = math.ceil(count / most)

    assert len(few) == math.ceil(count / group)
    assert np.all(np.diff(few.lr) > 0)
    assert few.loss[0] == pytest.approx(np.mean(curve.loss[:group]))


def test_a_step_costs_under_two_microseconds() -> None:
    """The sweep does not notice its observer."""
    view, step = SweepView("sweep", 10), Step(0, 1e-3, 2.0, 0.0)

    assert min(timeit.repeat(lambda: view.step(step), number=2000, repeat=20)) / 2000 < 2e-6
