"""The benchmark of steps must make every loop do the same work, or its ratios mean nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from benchmarks.steps.loops import by_hand, by_lrfind
from benchmarks.steps.table import ratio_cell
from benchmarks.steps.tasks import TASKS, WARM_UP, Clock, Timed

TASK = replace(TASKS[0], steps=WARM_UP + 20)


def test_both_loops_train_alike() -> None:
    """By hand and by lrfind: as many batches, and weights that have moved about as far."""
    moved = []
    for loop in (by_hand, by_lrfind):
        torch.manual_seed(0)
        clock, model = Clock(), TASK.model()
        start = nn.utils.parameters_to_vector(model.parameters()).detach()
        loop(TASK, Timed(model, clock))
        end = nn.utils.parameters_to_vector(model.parameters()).detach()
        # A sweep ends with the loss that its last update produced.
        assert clock.steps - TASK.steps == (loop is by_lrfind)
        assert clock.step_s > 0
        moved.append(float((end - start).norm()))

    assert moved[0] == pytest.approx(moved[1], rel=0.1)


def test_ratios_are_taken_within_a_round() -> None:
    """A machine that is slow for a whole round changes no ratio."""
    assert ratio_cell([1.0, 20.0, 3.0], [2.0, 40.0, 6.0]) == "0.50 (0.50 … 0.50)"
