"""The panel of the trials: shares the LR axis, says each value, and nothing is squashed."""

from __future__ import annotations

import math

import pytest
from matplotlib.axes import Axes
from sample_reports import clean_curve, report

from lrfind.plot.picture import draw
from lrfind.plot.trials import _limits
from lrfind.refine import Trial


def panels(*trials: Trial) -> list[Axes]:
    """Draw a report with trials."""
    return draw(report(clean_curve(), trials=trials)).axes


def texts(axes: Axes) -> list[str]:
    """List what is written on a panel."""
    return [text.get_text() for text in axes.texts]


def test_without_trials_there_is_one_panel() -> None:
    """A sweep alone is drawn as before."""
    assert len(panels()) == 1


def test_trials_stand_under_their_lrs() -> None:
    """Both panels have one LR axis, named once, and each trial is labelled with its loss."""
    upper, lower = panels(
        Trial(2e-2, 0.109, 99, False), Trial(6e-3, 0.2, 99, False), Trial(6e-2, math.inf, 9, True)
    )

    assert upper.get_xlim() == lower.get_xlim()
    assert upper.get_xlabel() == ""
    assert (lower.get_xlabel(), lower.get_ylabel()) == ("learning rate", "final loss")
    assert texts(lower) == ["0.2", "0.109", "diverged", "3 trials of up to 99 steps"]
    marks = [line for line in lower.lines if line.get_marker() != "None"]
    assert [line.get_marker() for line in marks] == ["o", "o", "x"]
    assert [float(line.get_xdata()[0]) for line in marks] == [6e-3, 2e-2, 6e-2]  # type: ignore[index, arg-type]


def test_an_lr_beyond_the_sweep_is_inside() -> None:
    """The frame reaches to every LR that was tried."""
    upper, _ = panels(Trial(1e3, 0.1, 9, False), Trial(1e-9, 0.2, 9, False))

    low, high = upper.get_xlim()
    assert low < 1e-9
    assert high > 1e3


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        ([0.1, 0.2, 0.3], (0.1, 0.3)),
        ([0.1, 0.2, 50.0], (0.1, 0.2)),
        ([-3.0, -2.0, math.inf], (-3.0, -2.0)),
        ([math.inf, math.inf], (0.0, 1.0)),
        ([2.0, 2.0], (1.9, 2.1)),
        ([0.0], (-1.0, 1.0)),
    ],
)
def test_one_bad_trial_does_not_squash_the_others(
    losses: list[float], expected: tuple[float, float]
) -> None:
    """The limits span the finite losses, but for a single one far above all others."""
    assert _limits(losses) == pytest.approx(expected)


def test_every_kind_of_trial_can_be_drawn() -> None:
    """All diverged, one alone, negative losses: the panel is drawn and saved without a warning."""
    for trials in (
        [Trial(1e-2, math.inf, 3, True), Trial(1e-3, math.inf, 3, True)],
        [Trial(1e-2, 0.5, 3, False)],
        [Trial(1e-2, -5.0, 3, False), Trial(1e-3, -6.0, 3, False)],
    ):
        figure = draw(report(clean_curve(), trials=tuple(trials)))
        figure.canvas.draw()
