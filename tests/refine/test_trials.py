"""Trial trainings: alike but for the LR, whatever the order, and nothing is left behind."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from lrfind import optim
from lrfind.refine.schedule import TrialSchedule
from lrfind.refine.trial import Trial
from lrfind.refine.trials import Judge, Trials
from lrfind.schedulers.course import Course
from lrfind.workload.trainable import TorchTrainable

sys.path.insert(0, str(Path(__file__).parents[1] / "workload"))
from workload_models import Net, plain, rows, workload

COSINE = TrialSchedule()


def trials_of(trainable: TorchTrainable, length: int = 12) -> Trials:
    """Prepare trials that are cut short only where the loss is far gone."""
    return Trials(trainable, Judge(trainable), COSINE, length, tolerance=100.0)


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.AdamW, optim.Adam])
@pytest.mark.parametrize("sweep", [{}, {"accumulate": 2, "clip_grad_norm": 0.5}])
def test_the_order_of_trials_does_not_matter(optimizer: type, sweep: dict[str, float]) -> None:
    """Dropout, batch statistics and optimizer state begin anew: alike to the bit in any order."""
    lrs = [1e-2, 1e-1, 3e-3]
    with workload(Net, optimizer=optimizer, **sweep).open(0) as trainable:
        trials = trials_of(trainable)
        first = {lr: trials(lr) for lr in lrs}
        again = {lr: trials(lr) for lr in reversed(lrs)}
    with workload(Net, optimizer=optimizer, **sweep).open(0) as trainable:
        alone = trials_of(trainable)(lrs[1])

    assert first == again
    assert first[lrs[1]] == alone
    assert len({trial.loss for trial in first.values()}) == len(lrs)


def test_a_ready_model_and_its_optimizer_come_back() -> None:
    """Weights, optimizer state and generators are as they were before the workload opened."""
    model = Net()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    model(rows()[0]).sum().backward()
    optimizer.step()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    moments = {
        id(p): {k: v.clone() for k, v in state.items()} for p, state in optimizer.state.items()
    }
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    with workload(model, optimizer=optimizer).open(0) as trainable:
        trials = trials_of(trainable)
        assert trials(1e-2) == trials(1e-2)

    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    for parameter, state in optimizer.state.items():
        assert all(torch.equal(moments[id(parameter)][k], v) for k, v in state.items())


def test_a_trial_is_the_training_it_stands_for() -> None:
    """Linear regression under SGD, followed by hand over the same batches and LRs."""
    with workload(plain, data=[rows()], batch_size=None).open(0) as trainable:
        weight, bias = (p.detach().clone() for p in trainable.model.parameters())
        found = trials_of(trainable, length=6)(0.05)
    x, y = rows()
    for lr in COSINE.lrs(0.05, 6):
        error = x @ weight.T + bias - y
        weight, bias = (
            weight - lr * 2 * (error * x).mean(0, keepdim=True),
            bias - lr * 2 * error.mean(0),
        )
    expected = float(((x @ weight.T + bias - y) ** 2).mean())

    assert found == Trial(0.05, pytest.approx(expected, rel=1e-5), 6, False)


def test_a_divergent_trial_is_cut_short() -> None:
    """An explosion ends its trial at once and counts the updates that were made."""
    with workload(plain).open(0) as trainable:
        trials = trials_of(trainable, length=50)
        found, calm = trials(100.0), trials(1e-2)

    assert found.diverged
    assert math.isinf(found.loss)
    assert found.steps < 30
    assert calm.steps == 50
    assert not calm.diverged


def test_held_out_data_judge_where_they_are_given() -> None:
    """With validation data the final loss is theirs, in evaluation mode."""
    x, y = rows(8)
    with workload(Net, validation=(x, y)).open(0) as trainable:
        judge = Judge(trainable)
        trainable.model.eval()
        with torch.no_grad():
            expected = float(((trainable.model(x) - y) ** 2).mean())
        trainable.model.train()

        assert judge() == pytest.approx(expected)
        assert judge() == judge()
        assert judge.cost == 1


class Lazy(nn.Module):
    """A model whose sizes the first batch decides."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.LazyLinear(1)

    def forward(self, x: Tensor) -> Tensor:
        """Predict."""
        out: Tensor = self.layer(x)
        return out


@pytest.mark.filterwarnings("ignore:Lazy modules:UserWarning")
def test_a_lazy_model_can_be_tried() -> None:
    """Its parameters get their sizes before the initial state is copied."""
    with workload(Lazy, optimizer=torch.optim.SGD).open(0) as trainable:
        trials = trials_of(trainable)

        assert trials(1e-2) == trials(1e-2)


def test_data_that_run_out_are_read_again_in_the_same_order() -> None:
    """A stream of few batches is enough for a trial: what it gave is repeated."""
    x, y = rows(32)

    def stream() -> Iterator[tuple[Tensor, Tensor]]:
        yield from zip(x.split(4), y.split(4), strict=True)

    with workload(plain, data=stream(), batch_size=None).open(0) as trainable:
        trials = trials_of(trainable, length=30)

        assert trials(1e-2) == trials(1e-2)
        assert trials(1e-2).steps == 30


def test_a_schedule_keeps_its_shape_in_a_short_trial() -> None:
    """Milestones stand at the same share of a trial as of the run; the default ends near zero."""
    steps = TrialSchedule(Course("multistep", 1000, 0, {"milestones": [500, 750]}))
    assert steps.lrs(1.0, 8) == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.01, 0.01])

    default = COSINE.lrs(2.0, 100)
    assert max(default) == pytest.approx(2.0)
    assert default[0] == pytest.approx(0.02)
    assert default[-1] < 0.002
    assert COSINE.lrs(1.0, 1) == pytest.approx([1.0])

    for name in ("constant", "plateau"):
        assert TrialSchedule(Course(name, 1000)).lrs(0.3, 5) == pytest.approx([0.3] * 5)


def test_bounds_that_a_config_states_do_not_hold_trials_fast() -> None:
    """Each trial cycles up to its own LR, whatever `max_lr` says, at the ratio of the two."""
    args = {"base_lr": 0.01, "max_lr": 0.05, "step_size_up": 50}
    cycles = TrialSchedule(Course("cyclic", 400, 0, args))
    low, high = cycles.lrs(0.2, 80), cycles.lrs(0.6, 80)

    assert max(low) == pytest.approx(0.2, rel=0.05)
    assert min(low) == pytest.approx(0.04, rel=0.2)
    assert [3 * lr for lr in low] == pytest.approx(high)
    once = TrialSchedule(Course("onecycle", 100, 0, {"max_lr": 7.0}))
    assert max(once.lrs(0.2, 100)) == pytest.approx(0.2)
