"""What was measured for the law between schedules is whole, and made without held-out tasks."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.suggestion.schedule_law import FOLDER, SHAPES, Measured, fit_pairs
from benchmarks.suggestion.tasks import Part
from benchmarks.suggestion.truth import POINTS_PER_DECADE
from lrfind.suggest.purpose import peak_ratio


def measured() -> list[Measured]:
    """Read what was trained, without the answers of sweeps."""
    files = [FOLDER / f"{pair.name}.json" for pair in fit_pairs()]
    return [Measured(json.loads(file.read_text()), []) for file in files]


def test_every_pair_is_measured_under_every_schedule_and_none_is_held_out() -> None:
    """One file a pair, one finite optimum a schedule."""
    pairs = fit_pairs()

    assert {pair.part for pair in pairs} == {Part.FIT}
    assert {file.stem for file in FOLDER.glob("*.json")} == {pair.name for pair in pairs}
    for each in measured():
        assert set(SHAPES) == set(each.data) - {"pair", "start", "indices"}
        assert all(each.losses(name).min() < each.data["start"] for name in SHAPES)


@pytest.mark.parametrize("name", sorted(set(SHAPES) - {"constant"}))
def test_the_law_does_not_ask_for_more_than_the_best_peak(name: str) -> None:
    """Regret rises faster above an optimum than below it, so the law stays below the optima."""
    best = [each.best(name) - each.best("constant") for each in measured()]
    law = np.log10(peak_ratio(SHAPES[name].course.rms_share(1.0)))

    assert law < np.mean(best) + 0.05


def test_an_answer_is_judged_by_the_loss_where_it_lies() -> None:
    """At the best LR the regret is 0, far above it 1; between two LRs it is interpolated."""
    losses = [2.0, 1.0, 1.5, None]
    data = {"start": 2.0, "indices": [0, 1, 2, 3], "cosine": losses}

    def regret(position: float, above: float = 0.0, ceiling: float = 9.0) -> float:
        lr, top = (10 ** (at / POINTS_PER_DECADE) for at in (position, ceiling))
        ratio = 10 ** (above / POINTS_PER_DECADE)
        return Measured(data, [(lr, top)]).regret("cosine", ratio)

    assert regret(1.0) == pytest.approx(0.0)
    assert regret(0.0, above=1.0) == pytest.approx(0.0)
    assert regret(5.0) == pytest.approx(1.0)
    assert regret(1.5) == pytest.approx(0.25)
    assert regret(0.0, above=7.0, ceiling=1.0) == pytest.approx(0.0)
    assert Measured(data, []).best("cosine") == pytest.approx((1 + 1 / 6) / POINTS_PER_DECADE)
