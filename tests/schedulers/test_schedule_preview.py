"""Previews and pasted code: what is drawn is what the pasted code does."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
import torch

import lrfind.schedulers as schedulers
from lrfind.schedulers.drawings import DRAWINGS
from lrfind.schedulers.preview import complete, paste, preview


@pytest.mark.parametrize("warmup", [0, 7])
@pytest.mark.parametrize("name", schedulers.CATALOG)
def test_pasted_code_does_what_was_drawn(name: str, warmup: int) -> None:
    """Executing the pasted text over 60 updates gives the previewed LRs."""
    drawn = preview(name, 0.1, 60, warmup)
    setup, _, call = paste(name, 0.1, 60, warmup).partition("\n# after every")
    call = call.partition("\n")[2]
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1, momentum=0.9)
    scope: dict[str, Any] = {"optimizer": optimizer, "metric": 1.0}
    exec(setup, scope)
    lrs = []
    for _ in range(60):
        lrs.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        exec(call, scope)

    assert drawn.shape == (60,)
    np.testing.assert_allclose(drawn, lrs, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("name", schedulers.CATALOG)
def test_a_drawing_takes_the_arguments_of_its_class(name: str) -> None:
    """The arguments that may be drawn are those of the class, but for its optimizer."""
    cls = getattr(schedulers, schedulers.CATALOG[name].path.partition(":")[2])
    own = set(inspect.signature(cls).parameters)
    other = {"optimizer", "scheduler", "last_epoch", "epochs", "steps_per_epoch"}

    assert set(DRAWINGS[name].names) == own - other


@pytest.mark.parametrize("name", schedulers.CATALOG)
def test_left_out_arguments_fit_any_run(name: str) -> None:
    """A run of a single step can be drawn, and a schedule of 1000 steps stays within its LR."""
    if "sweep" not in name:
        assert preview(name, 0.1, 1).shape == (1,)
    lrs = preview(name, 0.1, 1000, 100)

    assert np.isfinite(lrs).all()
    assert 0.0 < lrs.max() <= 0.1 * (1 + 1e-12)


def test_given_arguments_win_over_fitted_ones() -> None:
    """Arguments passed are drawn, and those an LR does not show are pasted all the same."""
    args = {"max_lr": 0.3, "cycle_momentum": False}

    assert complete("onecycle", 0.1, 50, 10, args) == {"total_steps": 40, **args}
    assert preview("onecycle", 0.1, 50, 0, args).max() == pytest.approx(0.3, rel=0.01)
    assert "cycle_momentum=False" in paste("onecycle", 0.1, 50, 0, args)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: preview("cosin", 0.1, 9), "did you mean 'cosine'?"),
        (lambda: preview("cosine", 0.1, 9, args={"t_max": 3}), "cosine has no argument 't_max'"),
        (lambda: preview("cosine", 0.0, 9), "lr = 0.0 must be > 0"),
        (lambda: preview("cosine", 0.1, 9, 9), "warmup = 9 must be ≥ 0 and below steps = 9"),
        (lambda: preview("onecycle", 0.1, 9, args={"total_steps": 3}), "total_steps = 3 must be"),
        (lambda: preview("linear_sweep", 1e-8, 9), "must satisfy 0 < start_lr < end_lr"),
    ],
)
def test_a_wrong_request_is_refused_with_a_remedy(call: Any, text: str) -> None:
    """Unknown names and senseless numbers are errors that say what to change."""
    with pytest.raises(schedulers.ArgumentError) as caught:
        call()

    assert text in str(caught.value)
