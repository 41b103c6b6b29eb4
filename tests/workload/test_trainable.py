"""One model in training: accumulation, clipping, precision, closures, modes, held-out loss."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import LBFGS, SGD
from workload_models import Net, losses, plain, rows, workload

from lrfind.curve import StopReason
from lrfind.errors import InputError
from lrfind.ramp import Plan, run_sweep
from lrfind.workload.phase import Phase
from lrfind.workload.workload import Workload

LONG = Plan("exponential", 1e-3, 1e-1, 8)


def reference(seed: int, steps: int, lr: float, model: nn.Module, batch_size: int) -> list[float]:
    """Train in a bare loop over the rows in order."""
    X, y = rows()
    optimizer = SGD(model.parameters(), lr=lr, momentum=0.9)
    found = []
    for i in range(steps):
        at = i * batch_size % len(X)
        loss = functional.mse_loss(model(X[at : at + batch_size]), y[at : at + batch_size])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found


def in_order(batch_size: int) -> list[tuple[Tensor, Tensor]]:
    """Cut the rows into a list of batches."""
    X, y = rows()
    return [(X[i : i + batch_size], y[i : i + batch_size]) for i in range(0, len(X), batch_size)]


def test_a_step_is_a_bare_training_step() -> None:
    """Losses are bit for bit those of the loop anyone would write."""
    work = workload(data=in_order(8), batch_size=None, args={"momentum": 0.9})
    torch.manual_seed(4)
    expected = reference(4, 12, 0.05, plain(), 8)

    assert losses(work, seed=4) == expected


def test_accumulation_equals_a_larger_batch() -> None:
    """Four batches of 4 give the update of one of 16, for a mean loss without batch norm."""
    small = workload(data=in_order(4), batch_size=None, args={"momentum": 0.9}, accumulate=4)
    large = workload(data=in_order(16), batch_size=None, args={"momentum": 0.9})

    assert losses(small) == pytest.approx(losses(large), rel=1e-5)
    assert "batch 16" in small.title


def test_accumulation_draws_no_batch_twice() -> None:
    """An update of four takes the next four batches, across the end of a pass."""
    seen: list[int] = []

    def step(model: nn.Module, batch: Any, index: int) -> Tensor:
        seen.append(index)
        return functional.mse_loss(model(batch[0]), batch[1])

    losses(workload(data=in_order(8), batch_size=None, step=step, accumulate=4), steps=3)

    assert seen == list(range(12))


def test_clipping_bounds_the_norm_of_all_gradients() -> None:
    """The update has the length lr · limit, and the norm before clipping is told."""
    work = workload(clip_grad_norm=0.01)
    with work.open(0) as trainable:
        trainable.backward()
        norm = trainable.gradient_norm()
        before = [p.detach().clone() for p in trainable.model.parameters()]
        trainable.update(0.5)
        moves = [p - q for p, q in zip(trainable.model.parameters(), before, strict=True)]
        length = math.sqrt(sum(float(move.detach().square().sum()) for move in moves))

        assert norm > 0.01
        assert trainable.grad_norm == pytest.approx(norm)
        assert length == pytest.approx(0.5 * 0.01, rel=1e-4)


def test_bf16_computes_the_forward_pass_in_bf16() -> None:
    """Autocast reaches the model; weights and the loss that is read stay float32."""
    seen: list[torch.dtype] = []

    def step(model: nn.Module, batch: Any) -> Tensor:
        output = model(batch[0])
        seen.append(output.dtype)
        return functional.mse_loss(output.float(), batch[1])

    work = workload(step=step, precision="bf16")
    found = losses(work)

    assert set(seen) == {torch.bfloat16}
    assert found == pytest.approx(losses(workload()), rel=0.05)


def test_fp16_scales_the_loss_and_gives_the_same_update() -> None:
    """The scaled backward pass is unscaled before the update and before clipping."""
    parts: dict[str, Any] = {"data": [rows()], "batch_size": None, "clip_grad_norm": 1.0}

    assert losses(workload(precision="fp16", **parts)) == pytest.approx(
        losses(workload(**parts)), rel=0.01
    )


@pytest.mark.parametrize("clip", [None, 1.0])
def test_an_fp16_overflow_skips_the_update_and_keeps_the_lr(clip: float | None) -> None:
    """Where the scaled gradients overflow nothing is updated; the sweep tries the LR again."""

    class Narrow(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(torch.ones(1))

        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            # A gradient of 8 overflows in half precision at a loss scale of 2^16.
            return (self.w.half() * 8.0).float().sum() + 0 * x.sum() + 0 * y.sum()

    def model() -> nn.Module:
        return Narrow()

    work = workload(model, loss=None, precision="fp16", clip_grad_norm=clip)  # type: ignore[arg-type]
    with work.open(0) as trainable:
        trainable.backward()
        assert not trainable.update(0.1)
        assert trainable.model.w.item() == 1.0
    with work.open(0) as trainable:
        curve = run_sweep(trainable, LONG)

    assert curve.stop is StopReason.COMPLETED
    assert len(curve) == 8
    assert (curve.loss[:1] < 8.0).all()


def test_lbfgs_evaluates_the_loss_inside_its_step() -> None:
    """An optimizer that needs a closure gets one, and learns."""
    work = workload(optimizer=LBFGS, args={"max_iter": 4}, data=[rows()], batch_size=None)
    found = losses(work, lr=0.5, steps=6)

    assert found[-1] < 1e-3 * found[0]


def test_a_closure_sees_the_batch_once_drawn() -> None:
    """However often LBFGS evaluates, a step takes one batch, with one index."""
    seen: list[int] = []

    def step(model: nn.Module, batch: Any, index: int) -> Tensor:
        seen.append(index)
        return functional.mse_loss(model(batch[0]), batch[1])

    losses(workload(optimizer=LBFGS, step=step), steps=3, lr=0.1)

    assert sorted(set(seen)) == [0, 1, 2]
    assert len(seen) > 3


def test_a_closure_clips_too() -> None:
    """Gradients are clipped inside the closure, where LBFGS reads them."""
    work = workload(
        optimizer=LBFGS,
        args={"max_iter": 1, "line_search_fn": None},
        data=[rows()],
        batch_size=None,
        clip_grad_norm=1e-3,
    )
    with work.open(0) as trainable:
        before = [p.detach().clone() for p in trainable.model.parameters()]
        trainable.backward()
        trainable.update(1.0)
        moves = [p - q for p, q in zip(trainable.model.parameters(), before, strict=True)]
        # LBFGS takes its first step at min(1, 1/|g|₁)·lr along the gradient.
        assert math.sqrt(sum(float(m.detach().square().sum()) for m in moves)) <= 1.01e-3


def test_a_closure_and_a_loss_scaler_exclude_each_other() -> None:
    """LBFGS in fp16 is refused before the first step, with the remedy."""
    with (
        pytest.raises(InputError, match=r"sweep\.precision: = fp16 does not go with LBFGS.*bf16"),
        workload(optimizer=LBFGS, precision="fp16").open(0),
    ):
        pass


class ModedSGD(SGD):
    """An optimizer with train and eval modes, as schedule-free ones have."""

    def __init__(self, params: Any, lr: float) -> None:
        super().__init__(params, lr)
        self.modes: list[str] = []

    def train(self) -> None:
        """Enter train mode."""
        self.modes.append("train")

    def eval(self) -> None:
        """Enter evaluation mode."""
        self.modes.append("eval")


def test_an_optimizer_with_modes_trains_in_its_train_mode() -> None:
    """It is switched to train before the first step, and to eval around held-out losses."""
    work = workload(optimizer=ModedSGD, validation=in_order(8))
    with work.open(0) as trainable:
        run_sweep(trainable, Plan("linear", 0.01, 0.02, 2))
        modes = trainable.swept.optimizer.modes  # type: ignore[attr-defined]

    assert modes == ["train", *["eval", "train"] * 3]


def test_the_held_out_loss_is_taken_in_evaluation_mode() -> None:
    """Dropout and batch norm do not touch it; each module's own mode comes back."""
    X, y = rows()
    data = [(X[:8], y[:8]), (X[8:16], y[8:16])]
    with workload(Net, validation=data).open(0) as trainable:
        net = trainable.model
        net.norm.eval()  # type: ignore[operator, union-attr]
        modes = [module.training for module in net.modules()]
        values = {trainable.measure() for _ in range(3)}

        assert len(values) == 1
        assert [module.training for module in net.modules()] == modes
        net.eval()
        with torch.no_grad():
            expected = sum(float(functional.mse_loss(net(a), b)) for a, b in data) / 2
        assert values.pop() == pytest.approx(expected)


def test_modes_come_back_after_an_error_in_the_held_out_loss() -> None:
    """An exception while measuring leaves the modules in their training modes."""

    def step(model: nn.Module, batch: Any) -> Tensor:
        if not model.training:
            raise ZeroDivisionError
        return functional.mse_loss(model(batch[0]), batch[1])

    with workload(Net, step=step, validation=in_order(8)).open(0) as trainable:
        with pytest.raises(ZeroDivisionError):
            trainable.measure()
        assert all(module.training for module in trainable.model.modules())


def test_a_step_may_take_its_batch_apart() -> None:
    """`batch.pop` in a step leaves data and held-out batches as they are."""
    batches = [{"x": x, "labels": y} for x, y in in_order(8)]

    def step(model: nn.Module, batch: Any) -> Tensor:
        target = batch.pop("labels")
        return functional.mse_loss(model(batch["x"]), target)

    work = workload(data=batches, batch_size=None, step=step, validation=batches)
    with work.open(0) as trainable:
        curve = run_sweep(trainable, LONG)

    assert curve.stop is StopReason.COMPLETED
    assert all("labels" in batch for batch in batches)


def test_a_step_may_differentiate_on_its_own() -> None:
    """A gradient penalty inside the step works at every point of the sweep, the last included."""

    def step(model: nn.Module, batch: Any) -> Tensor:
        x = batch[0].clone().requires_grad_()
        output = model(x)
        (slope,) = torch.autograd.grad(output.sum(), x, create_graph=True)
        return functional.mse_loss(output, batch[1]) + 0.1 * slope.square().mean()

    with workload(step=step).open(0) as trainable:
        curve = run_sweep(trainable, LONG)

    assert (curve.stop, len(curve)) == (StopReason.COMPLETED, 8)


def test_the_last_loss_leaves_no_gradients() -> None:
    """The loss of the last point is computed without a backward pass."""
    with workload().open(0) as trainable:
        run_sweep(trainable, LONG)

        assert all(p.grad is None for p in trainable.model.parameters())


def test_gradients_do_not_add_up_over_steps() -> None:
    """Each update sees the gradients of its own batches only."""
    with workload().open(0) as trainable:
        trainable.backward()
        trainable.update(0.0)
        trainable.backward()
        first = trainable.gradient_norm()
        (x, y), model = trainable.draws.batches[0][1], trainable.model
        loss = functional.mse_loss(model(x), y)
        own = torch.autograd.grad(loss, list(model.parameters()))

        assert first == pytest.approx(math.sqrt(sum(float(g.square().sum()) for g in own)))


def phase_of(work: Workload) -> Phase:
    """Run until the user's code raises; the phase that is blamed for it."""
    with pytest.raises(ZeroDivisionError), work.open(0) as trainable:
        run_sweep(trainable, LONG)
    return work.phase


def broken(*_: Any, **__: Any) -> Any:
    """Raise as broken user code does."""
    raise ZeroDivisionError("user")


class BrokenSGD(SGD):
    """An optimizer whose step raises."""

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Raise."""
        broken(closure)


class BrokenBackward(torch.autograd.Function):
    """The identity, whose gradient raises."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Pass on."""
        return x.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Raise."""
        raise ZeroDivisionError("user")


def batches_then_broken() -> Any:
    """Yield a few batches, then raise."""
    yield from in_order(8)[:3]
    broken()


@pytest.mark.parametrize(
    ("parts", "phase"),
    [
        ({"model": broken}, Phase.MODEL),
        ({"data": broken}, Phase.DATA),
        ({"data": batches_then_broken, "batch_size": None}, Phase.DATA),
        ({"optimizer": broken}, Phase.OPTIMIZER),
        ({"optimizer": BrokenSGD}, Phase.UPDATE),
        ({"loss": broken}, Phase.FORWARD),
        ({"step": broken}, Phase.FORWARD),
        ({"validation": broken}, Phase.VALIDATION),
        ({"loss": lambda out, y: BrokenBackward.apply((out - y).square().mean())}, Phase.BACKWARD),
    ],
)
def test_the_phase_names_whom_to_blame(parts: dict[str, Any], phase: Phase) -> None:
    """Whatever of the user's code raises, the workload knows what was being done."""
    assert phase_of(workload(**parts)) is phase


def test_the_phase_of_a_later_seed_is_its_own() -> None:
    """A factory that raises for the second seed is not blamed on what the first one did last."""
    calls: list[int] = []

    def model() -> nn.Module:
        calls.append(1)
        return plain() if len(calls) == 1 else broken()

    work = workload(model)
    losses(work)

    assert phase_of(work) is Phase.MODEL


def test_a_workload_names_itself() -> None:
    """Model, optimizer and batch size stand in the title once a seed has run."""
    work = workload(batch_size=16)
    assert work.title == ""
    losses(work)

    assert work.title == "Linear (5 parameters) · SGD · batch 16"


def test_held_out_batches_are_read_once_and_are_the_same_for_all_seeds() -> None:
    """A shuffled held-out loader gives the same batches to every seed, alone or not."""
    made: list[int] = []

    def held_out() -> Any:
        made.append(1)
        data = torch.utils.data.TensorDataset(*rows())
        return torch.utils.data.DataLoader(data, batch_size=4, shuffle=True)

    def batches(work: Workload, seed: int) -> list[Tensor]:
        with work.open(seed) as trainable:
            return [x.clone() for x, _ in trainable.held_out]

    together, alone = workload(validation=held_out), workload(Net, validation=held_out)
    first, second = batches(together, 0), batches(together, 1)

    assert len(first) == 4
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(first, batches(alone, 1), strict=True))
    assert len(made) == 2


@pytest.mark.parametrize("short", [lambda: iter(in_order(8)[:2]), in_order(8)[:2]])
def test_held_out_data_may_be_shorter_than_asked_for(short: Any) -> None:
    """Two held-out batches where four are asked for are two, from streams as from lists."""
    with workload(validation=short).open(0) as trainable:
        assert len(trainable.held_out) == 2
        assert math.isfinite(trainable.measure())


def test_empty_held_out_data_are_an_error() -> None:
    """Nothing held out is told as such."""
    with (
        pytest.raises(InputError, match=r"sweep\.validation: is empty"),
        workload(validation=[], data=rows()).open(0),
    ):
        pass
    with (
        pytest.raises(InputError, match=r"sweep\.validation: is empty"),
        workload(validation=list).open(0),
    ):
        pass


def test_a_lazy_model_from_a_factory_is_swept() -> None:
    """Layers that learn their sizes from the first batch are trained from there on."""

    def lazy() -> nn.Module:
        return nn.Sequential(nn.LazyLinear(3), nn.ReLU(), nn.Linear(3, 1))

    found = losses(workload(lazy), lr=0.02)

    assert found[-1] < found[0]
