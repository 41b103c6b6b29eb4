"""Trials side by side: each as it is alone, guesses paid for, and the climb none the wiser."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from lrfind import optim
from lrfind.refine.ahead import Ahead, foreseen
from lrfind.refine.climb import Climb, Purse, next_rung
from lrfind.refine.schedule import TrialSchedule
from lrfind.refine.trial import Trial
from lrfind.refine.trials import Judge, Trials
from lrfind.workload.trainable import TorchTrainable

sys.path.insert(0, str(Path(__file__).parents[1] / "workload"))
from workload_models import Net, rows, workload

LRS = [1e-4, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 30.0]


def mlp() -> nn.Module:
    """Make a small perceptron."""
    return nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1))


def trials_of(trainable: TorchTrainable, length: int = 20, tolerance: float = 10.0) -> Trials:
    """Prepare trials under warmup and cosine."""
    return Trials(trainable, Judge(trainable), TrialSchedule(), length, tolerance)


@pytest.mark.parametrize("name", optim.CATALOG)
@pytest.mark.parametrize("loss", [functional.mse_loss, nn.BCEWithLogitsLoss()])
def test_trials_side_by_side_end_where_each_ends_alone(name: str, loss: nn.Module) -> None:
    """Final losses agree to 1e-4, and a divergent trial is cut short at the same update."""
    inputs, targets = rows()
    data = inputs, (targets > 0).float() if isinstance(loss, nn.Module) else targets
    with workload(mlp, data, optimizer=name, loss=loss).open(0) as trainable:
        trials = trials_of(trainable)
        assert trials.alone is None
        found = trials.side_by_side(LRS)
        expected = [trials(lr) for lr in LRS]

    assert [(t.lr, t.diverged, t.steps) for t in found] == [
        (t.lr, t.diverged, t.steps) for t in expected
    ]
    for mine, other in zip(found, expected, strict=True):
        if other.lr <= 0.1 and not other.diverged:
            assert mine.loss == pytest.approx(other.loss, rel=1e-4)


def test_trials_side_by_side_begin_anew_whatever_ran_before() -> None:
    """They see nothing of an earlier trial, alone or among others."""
    with workload(mlp, optimizer="adamw").open(0) as trainable:
        trials = trials_of(trainable)
        first = trials.side_by_side(LRS)
        trials(1e-2)
        second = trials.side_by_side(LRS)

    assert first == second


@pytest.mark.parametrize("options", [{"model": Net}, {"accumulate": 2}, {"validation": rows()}])
def test_trials_that_cannot_run_side_by_side_say_why(options: dict[str, object]) -> None:
    """The reason is a sentence about the workload."""
    given = {"model": mlp, "optimizer": "adamw"} | options
    with workload(**given).open(0) as trainable:  # type: ignore[arg-type]
        assert trials_of(trainable).alone


class Ledger:
    """A trainer whose losses are a table by LR, and which keeps count of every update."""

    alone: str | None = None

    def __init__(self, purse: Purse, losses: list[float]) -> None:
        self.purse, self.losses, self.paid = purse, losses, 0

    def __call__(self, lr: float) -> Trial:
        """Look up the end of a trial, and pay for it."""
        loss = self.losses[round(4 * math.log10(lr)) % len(self.losses)]
        steps = 3 if math.isinf(loss) else self.purse.length
        self.paid += steps + self.purse.overhead
        return Trial(lr, loss, steps, math.isinf(loss))

    def side_by_side(self, lrs: Sequence[float]) -> list[Trial]:
        """Pay for each."""
        return [self(lr) for lr in lrs]


ends = st.lists(
    st.one_of(st.floats(-5, 5), st.just(math.inf)), min_size=24, max_size=24
)  # a rung's end each, over six decades


@settings(deadline=None, max_examples=150)
@given(losses=ends, budget=st.integers(1, 3000), overhead=st.integers(0, 5))
def test_guesses_change_neither_the_trials_nor_the_budget(
    losses: list[float], budget: int, overhead: int
) -> None:
    """Whatever trials end at: the same trials in the same order, and never over the budget."""
    purse = Purse(budget, 100, overhead)
    plain, guessing = Climb(1.0, purse), Climb(1.0, purse)
    alone, together = Ledger(purse, losses), Ledger(purse, losses)

    plain.run(alone)
    guessing.run(Ahead(together, guessing))

    assert guessing.trials == plain.trials
    assert together.paid <= budget


def test_a_wide_budget_is_used_to_guess_and_a_narrow_one_is_not() -> None:
    """With room for the longest climb and more, fewer rounds are trained."""
    valley = [math.log10(10 ** (rung / 4)) ** 2 for rung in range(24)]
    rounds = {}
    for budget in (600, 2000):
        purse, asked = Purse(budget, 100), []
        climb, ledger = Climb(1.0, purse), Ledger(purse, valley)
        several = ledger.side_by_side

        def counted(lrs: Sequence[float], asked=asked, several=several) -> list[Trial]:  # type: ignore[no-untyped-def]
            asked.append(len(lrs))
            return several(lrs)

        ledger.side_by_side = counted  # type: ignore[method-assign]
        climb.run(Ahead(ledger, climb))
        rounds[budget] = asked

    assert rounds[600] == []
    assert rounds[2000][0] == 2
    assert len(rounds[2000]) < len(climb.trials)


def test_the_climb_asks_for_what_was_foreseen() -> None:
    """A trial that ends best, or worst, of all is followed by a rung that was named."""
    losses = {0: 1.0}
    for end in (0.5, 0.2, 0.9):
        named = foreseen(losses)
        rung = next_rung(losses)
        assert rung is not None
        losses[rung] = end
        assert next_rung(losses) in named
