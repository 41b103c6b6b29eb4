"""Lightning modules that step their optimizers themselves: what is put back, what is refused."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import nn

from lrfind.curve import StopReason
from lrfind.errors import InputError
from lrfind.frameworks.lightning import LightningRecipe
from lrfind.ramp import Plan, run_sweep
from lrfind.spec import SweepSection
from lrfind.workload.workload import Workload
from tests.frameworks.framework_runs import CPU, project, ramp, swept
from tests.frameworks.lightning_modules import loader
from tests.frameworks.test_lightning_manual_equality import Fitted

gan = project("lightning_gan")


def recipe(module: Any = gan.GAN, data: Any = gan.Digits, index: int | None = 1) -> LightningRecipe:
    """Sweep the discriminator of the frozen GAN where nothing else is said."""
    return LightningRecipe(module, data, index, SweepSection())


def manual(training_step: Callable[..., Any], **members: Any) -> type[Fitted]:
    """Make a module of a training step."""
    return type("Manual", (Fitted,), {"training_step": training_step, **members})


def once(self: Any, batch: Any) -> None:
    """Train on a batch."""
    self.manual_backward(self.loss(batch))
    self.optimizers().step()
    self.optimizers().zero_grad()


def test_a_trial_starts_where_the_last_one_did() -> None:
    """Both networks, both optimizers, the other one's schedule and all counts are put back."""
    workload = Workload(recipe(), SweepSection(), CPU)
    with workload.open(0) as training:
        batches = [training.take() for _ in range(3)]
        trainer = training.model.trainer
        other = trainer.optimizers[0]
        restore = training.checkpoint()

        def trial() -> tuple[list[float], float]:
            restore()
            running = training.over(batches)
            losses = []
            for step in range(7):
                losses.append(running.backward())
                running.update(ramp(step))
            assert trainer.global_step == 14
            assert other.param_groups[0]["lr"] == pytest.approx(2e-4 * 0.999**7)
            return losses, training.over(batches).measure()

        first, second = trial(), trial()
        restore()

        assert first == second
        assert len(set(first[0])) == 7
        assert trainer.global_step == 0
        assert other.param_groups[0]["lr"] == 2e-4
        assert not other.state


def test_measuring_steps_nothing() -> None:
    """The loss of an update that is not made: no optimizer steps, and no gradient is left."""
    with Workload(recipe(), SweepSection(), CPU).open(0) as training:
        before = [p.detach().clone() for p in training.model.parameters()]
        judge = training.over([training.take()])
        measured = []
        for _ in range(3):
            torch.manual_seed(5)
            measured.append(judge.measure())

        assert measured[0] == measured[1] == measured[2]
        assert all(map(torch.equal, training.model.parameters(), before))
        assert all(p.grad is None for p in training.model.parameters())


def test_a_ready_module_is_its_own_again() -> None:
    """A sweep that ends between toggle and untoggle leaves weights, flags and methods alone."""
    module = gan.GAN()
    before = {name: value.clone() for name, value in module.state_dict().items()}

    first = swept(recipe(module), 5)
    with Workload(recipe(module), SweepSection(), CPU).open(0) as training:
        training.backward()
        assert not all(p.requires_grad for p in module.parameters())

    assert swept(recipe(module), 5) == first
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert all(p.requires_grad and p.grad is None for p in module.parameters())
    assert "manual_backward" not in vars(module)


def test_a_sweep_goes_through_the_plan() -> None:
    """An update a point, at the plan's LRs; one whose loss becomes NaN ends the curve."""

    def exploding(self: Any, batch: Any) -> None:
        self.manual_backward(self.loss(batch) * (math.nan if self.global_step == 9 else 1.0))
        self.optimizers().step()

    with Workload(recipe(manual(once), loader, None), SweepSection(), CPU).open(0) as training:
        curve = run_sweep(training, Plan("exponential", 1e-4, 1e-2, 20))
    with Workload(recipe(manual(exploding), loader, None), SweepSection(), CPU).open(0) as training:
        cut = run_sweep(training, Plan("exponential", 1e-4, 1e-2, 20))

    assert curve.stop is StopReason.COMPLETED
    assert len(curve.loss) == 20
    assert all(a < b for a, b in pairwise(curve.lr.tolist()))
    assert cut.stop is StopReason.NONFINITE
    assert len(cut.loss) == 9


def test_what_trains_along_is_told() -> None:
    """The note names the other optimizer, its LR and where to start; one schedule is set aside."""
    workload = Workload(recipe(), SweepSection(), CPU)
    with workload.open(0) as training:
        training.backward()
    told = [str(note) for note in workload.notes[0]]

    assert "ExponentialLR of configure_optimizers was set aside" in told[0]
    assert "(0: Adam over 29,504 parameters, lr 2.0e-04)" in told[1]
    assert "sweep.start_lr=1e-04" in told[1]


def idle(self: Any, batch: Any) -> None:
    """Step never."""
    self.manual_backward(self.loss(batch))


def bare(self: Any, batch: Any) -> None:
    """Call backward past Lightning."""
    self.loss(batch).backward()
    self.optimizers().step()


def stepping(self: Any) -> None:
    """Step between epochs."""
    self.optimizers().step()


def odd(self: Any, batch: Any) -> str:
    """Return what Lightning does not take."""
    return "loss"


def lbfgs(self: Any) -> Any:
    """Evaluate losses inside of the step."""
    return torch.optim.LBFGS(self.parameters())


@pytest.mark.parametrize(
    ("module", "told"),
    [
        (
            manual(idle),
            r"no step of Adam over 65 parameters in 100 training steps in a row; choose",
        ),
        (manual(bare), r"steps Adam without a manual_backward that gave its parameters a gradient"),
        (manual(once, on_train_epoch_start=stepping), r"steps its optimizer outside of training_"),
        (manual(odd), r"training_step: returned a str, where a tensor, a dict or nothing may come"),
        (manual(once, configure_optimizers=lbfgs), r"steps LBFGS, which computes its losses"),
        (gan.GAN, r"has 2 optimizers \(0: Adam over 29,504 .* 1: Adam .*lightning.optimizer_index"),
    ],
)
def test_what_cannot_be_swept_is_told(module: Any, told: str) -> None:
    """Each with what to change."""
    data = gan.Digits if module is gan.GAN else loader
    with pytest.raises(InputError, match=told):
        swept(recipe(module, data, None), 2)


@pytest.mark.parametrize(
    ("sweep", "told"),
    [
        ({"accumulate": 2}, r"sweep.accumulate: = 2 does not go with automatic_optimization = Fal"),
        ({"clip_grad_norm": 1.0}, r"sweep.clip_grad_norm: = 1.0 .* self.clip_gradients"),
        ({"precision": "fp16"}, r"sweep.precision: = fp16 .* write bf16"),
        ({"validation": {"target": "d.py:data"}}, r"sweep.validation: is given, but the module"),
    ],
)
def test_what_a_training_step_would_have_to_do_is_refused(sweep: Any, told: str) -> None:
    """Where the module updates itself, the config cannot."""
    section = SweepSection(**sweep)
    with pytest.raises(InputError, match=told):
        swept(LightningRecipe(manual(once), loader, None, section), 1)


def test_greenlets_are_asked_for_where_they_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package the extra that brings it is named."""
    monkeypatch.setitem(sys.modules, "greenlet", None)

    with pytest.raises(InputError, match=r"package greenlet, .*pip install 'lrfind\[lightning\]'"):
        swept(recipe(manual(once), loader, None), 1)


def test_an_exception_of_the_module_comes_out_with_its_frames() -> None:
    """What goes wrong in a training step is raised where the sweep goes on with it."""

    def failing(self: Any, batch: Any) -> None:
        once(self, batch)
        nn.Linear(2, 1)(torch.zeros(3))

    with pytest.raises(RuntimeError, match="shapes") as caught:
        swept(recipe(manual(failing), loader, None), 2)

    assert "failing" in [entry.name for entry in caught.traceback]
