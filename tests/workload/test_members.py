"""Members side by side: each seed's curve is the one it has alone, or they go one by one."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset
from workload_models import Net, plain, rows, workload

from lrfind import optim
from lrfind.config import load
from lrfind.curve import Curve, Step, StopReason
from lrfind.experiment import inspect_config
from lrfind.seed_sweeps import sweep_seeds
from lrfind.spec import GroupSection, SweepSection
from lrfind.workload.members import Seeds, Stack, why_alone
from lrfind.workload.workload import Workload

CONFIGS = Path(__file__).parents[2] / "configs"
SWEEP = {"start_lr": 1e-4, "end_lr": 3.0, "steps": 40, "seeds": 3}
ACTIVATIONS = [nn.ReLU, nn.Tanh, nn.Sigmoid, nn.GELU, nn.SiLU, nn.LeakyReLU, nn.ELU, nn.Identity]


def classes(count: int = 120, of: int = 5) -> TensorDataset:
    """Make images of 1 × 4 × 4 with a class each; the last batch of a pass is a small one."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(count, 1, 4, 4, generator=generator)
    return TensorDataset(images, torch.randint(0, of, (count,), generator=generator))


def mlp(activation: Callable[[], nn.Module] = nn.ReLU, outputs: int = 5) -> nn.Module:
    """Make a perceptron with everything that can be written out."""
    inner = nn.Sequential(nn.Linear(16, 24), activation())
    return nn.Sequential(nn.Flatten(), inner, nn.Linear(24, 8, bias=False), nn.Tanh(), _to(outputs))


def _to(outputs: int) -> nn.Module:
    return nn.Linear(8, outputs)


def classifier(model: Any = mlp, data: Any = None, **options: Any) -> Workload:
    """Describe three seeds of a perceptron on small images."""
    given = {"loss": functional.cross_entropy, "optimizer": optim.AdamW, "batch_size": 32}
    return workload(model, classes() if data is None else data, **(given | SWEEP | options))


def both_ways(work: Workload) -> tuple[list[Curve], list[Curve]]:
    """Sweep side by side, which must be possible, and one after another."""
    with work.open(0) as trainable:
        assert why_alone(work, trainable) is None
    one_by_one = work.sweep.model_copy(update={"side_by_side": False})
    return sweep_seeds(work, work.sweep, 0, []), sweep_seeds(work, one_by_one, 0, [])


def assert_same(found: list[Curve], expected: list[Curve], tolerance: float = 1e-5) -> None:
    """Compare curves: LRs and ends exactly, losses and update sizes to rounding."""
    assert [(c.seed, c.stop, len(c)) for c in found] == [(c.seed, c.stop, len(c)) for c in expected]
    for mine, other in zip(found, expected, strict=True):
        assert mine.initial_loss == pytest.approx(other.initial_loss, rel=tolerance)
        np.testing.assert_array_equal(mine.lr, other.lr)
        np.testing.assert_allclose(mine.loss, other.loss, rtol=tolerance)
        assert mine.update_ratio is not None
        assert other.update_ratio is not None
        np.testing.assert_allclose(mine.update_ratio, other.update_ratio, rtol=tolerance)


@pytest.mark.parametrize("name", optim.CATALOG)
def test_every_bundled_optimizer_gives_each_seed_its_own_curve(name: str) -> None:
    """Weights, order of data, LRs and the step of the end are those of the seed alone."""
    found, expected = both_ways(classifier(optimizer=name))

    assert_same(found, expected)
    assert len({curve.loss[0] for curve in found}) == 3


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_activation_has_the_gradient_that_autograd_finds(
    activation: type[nn.Module], dtype: torch.dtype
) -> None:
    """The written-out backward pass gives the parameters' gradients, in both precisions."""
    inputs, targets = classes().tensors
    data = TensorDataset(inputs.to(dtype), targets)
    work = classifier(lambda: mlp(activation).to(dtype), data)
    with work.open(0) as trainable:
        stack = Stack([trainable, trainable], is_in_step=True)
        loss = stack.backward(inputs[:9].to(dtype).expand(2, 9, 1, 4, 4), targets[:9].expand(2, 9))
        expected = functional.cross_entropy(trainable.model(data[:9][0]), targets[:9])
        expected.backward()
        norms = [p.grad.norm() for p in trainable.model.parameters() if p.grad is not None]
        mine = [p.grad.norm() / 2**0.5 for g in stack.optimizer.param_groups for p in g["params"]]

    torch.testing.assert_close(loss, expected.detach().expand(2))
    assert sum(m**2 for m in mine) * 2 == pytest.approx(float(sum(n**2 for n in norms)) * 2)


@pytest.mark.parametrize(
    ("loss", "outputs", "classes_of"),
    [
        (functional.mse_loss, 3, False),
        (nn.MSELoss(), 1, False),
        (functional.binary_cross_entropy_with_logits, 2, False),
        (nn.BCEWithLogitsLoss(), 1, False),
        (nn.CrossEntropyLoss(), 2, True),
        (functional.cross_entropy, 40, True),
    ],
)
def test_every_loss_that_is_written_out_gives_the_same_curves(
    loss: Callable[..., Tensor], outputs: int, *, classes_of: bool
) -> None:
    """Functions and modules, few outputs and many, with a small last batch."""
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(75, 16, generator=generator)
    targets: Tensor = torch.rand(75, outputs, generator=generator)
    if classes_of:
        targets = targets.argmax(1)
    work = classifier(lambda: mlp(nn.GELU, outputs), (inputs, targets), loss=loss, end_lr=1e-2)

    assert_same(*both_ways(work))


def test_groups_keep_their_ratios_and_options() -> None:
    """Each parameter group has its multiple of the LR and its own weight decay."""
    groups = [GroupSection(params=["*.bias"], lr_scale=3.0, args={"weight_decay": 0.0})]
    work = classifier(optimizer=optim.SGD, args={"momentum": 0.9, "weight_decay": 0.1})
    grouped = classifier(
        optimizer=optim.SGD, args={"momentum": 0.9, "weight_decay": 0.1}, groups=groups
    )

    found, expected = both_ways(grouped)

    assert_same(found, expected)
    assert found[0] != both_ways(work)[0][0]


def test_more_seeds_than_one_stack_holds_and_a_range_that_is_lowered() -> None:
    """A start that is too high is swept again from a lower one, also past the first stack."""
    work = classifier(start_lr=3.0, end_lr=3e3, steps=30, seeds=18, optimizer=optim.SGD)

    found, expected = both_ways(work)

    assert_same(found, expected, 1e-3)
    assert found[0].lr[0] == pytest.approx(3e-3)


def test_the_same_seeds_give_the_same_curves_to_the_bit() -> None:
    """A second run is the first, but for the time it took."""
    work = classifier()

    first, second = (sweep_seeds(work, work.sweep, 0, []) for _ in range(2))

    for mine, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(mine.loss, other.loss)
        np.testing.assert_array_equal(mine.update_ratio, other.update_ratio)


def test_a_ready_model_and_the_generators_are_left_as_they_were() -> None:
    """Members are copies: the caller's weights, gradients and generators do not move."""
    model = mlp()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    states = random.getstate(), torch.get_rng_state()

    found, expected = both_ways(classifier(model))

    assert_same(found, expected)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert random.getstate() == states[0]
    assert torch.equal(torch.get_rng_state(), states[1])


def test_ctrl_c_in_the_second_seed_keeps_the_first_and_a_partial_one() -> None:
    """What was trained ahead of a sweep that was interrupted is not part of its curve."""

    class Impatient:
        def begin(self, seed: int, index: int, count: int, steps: int) -> None:
            self.index = index

        def step(self, step: Step) -> None:
            if (self.index, step.index) == (1, 7):
                raise KeyboardInterrupt

        def end(self, stop: StopReason) -> None:
            """Nothing to do."""

    work = classifier()
    curves = sweep_seeds(work, work.sweep, 0, [Impatient()])

    assert [(len(c), c.stop) for c in curves][1:] == [(8, StopReason.INTERRUPTED)]
    assert work.title.endswith("AdamW · batch 32")


def hooked() -> nn.Module:
    """Make a perceptron that somebody watches."""
    model = mlp()
    model.register_forward_hook(lambda *_: None)
    return model


def tied() -> nn.Module:
    """Make a perceptron that uses a layer twice."""
    layer = nn.Linear(16, 16)
    return nn.Sequential(nn.Flatten(), layer, nn.ReLU(), layer, nn.Linear(16, 5))


def frozen() -> nn.Module:
    """Make a perceptron with a layer that is not trained."""
    model = mlp()
    model.get_parameter("1.0.weight").requires_grad_(requires_grad=False)
    return model


class MySGD(optim.SGD):
    """A subclass, which may do anything."""


MISFITS: dict[str, tuple[dict[str, Any], str]] = {
    "dropout": ({"model": lambda: nn.Sequential(mlp(), nn.Dropout(0.5))}, "Dropout is not among"),
    "own module": ({"model": Net, "data": rows(), "loss": functional.mse_loss}, "Net is not among"),
    "hook": ({"model": hooked}, "watched by hooks"),
    "layer used twice": ({"model": tied}, "used twice"),
    "frozen layer": ({"model": frozen}, "does not hold each"),
    "large": ({"model": lambda: _wide(6_000)},
              "more than 100,000 parameters"),
    "own optimizer": ({"optimizer": MySGD}, "MySGD is none of the bundled"),
    "clipping": ({"clip_grad_norm": 1.0}, "more than the gradient"),
    "accumulation": ({"accumulate": 2}, "more than the gradient"),
    "held-out data": ({"validation": classes(40)}, "more than the gradient"),
    "loss options": ({"loss": nn.CrossEntropyLoss(label_smoothing=0.1)}, "loss is not among"),
    "own loss": ({"loss": lambda y, t: functional.cross_entropy(y, t)}, "loss is not among"),
    "loader": ({"data": DataLoader(classes(), 32, shuffle=True), "batch_size": None}, "in memory"),
}  # fmt: skip


@pytest.mark.parametrize("case", MISFITS)
def test_what_cannot_be_written_out_goes_one_by_one(case: str) -> None:
    """The reason names what does not fit, and nothing changes but the time."""
    options, expected = MISFITS[case]
    work = classifier(**options)
    with work.open(0) as trainable:
        reason = why_alone(work, trainable)
    one_by_one = work.sweep.model_copy(update={"side_by_side": False})
    found = sweep_seeds(work, work.sweep, 0, [])

    assert reason is not None
    assert expected in reason
    for mine, other in zip(found, sweep_seeds(work, one_by_one, 0, []), strict=True):
        np.testing.assert_array_equal(mine.loss, other.loss)


def test_seeds_that_build_different_models_go_one_by_one() -> None:
    """A factory may draw its width; such members fit into no stack."""
    work = classifier(lambda: mlp() if torch.rand(()) < 0.5 else _wide())
    with Seeds(work, 0, 8, side_by_side=True) as seeds, seeds.open(0, lambda i: 1e-3):
        pass

    assert seeds.reason == "seeds give models that differ"


def test_a_model_that_fits_into_no_stack_is_made_once_a_seed() -> None:
    """Finding out costs no second model: the one that told why is swept."""
    made: list[int] = []

    def model() -> nn.Module:
        made.append(0)
        return Net()

    work = workload(model)
    curves = sweep_seeds(work, SweepSection(steps=8, seeds=3, auto_range=False), 0, [])

    assert (len(curves), len(made)) == (3, 3)


def _wide(outputs: int = 5) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(16, outputs))


def test_one_seed_is_swept_as_ever() -> None:
    """A stack of one has nothing to save."""
    with Seeds(classifier(plain), 0, 1, side_by_side=True) as seeds:
        assert seeds.reason == "there is one"


@pytest.mark.parametrize(
    ("config", "options", "expected"),
    [
        ("digits_seeds.yaml", [], "side by side"),
        (
            "digits_seeds.yaml",
            ["sweep.side_by_side=false"],
            "one after another: sweep.side_by_side",
        ),
        ("digits_cnn.yaml", ["sweep.seeds=2"], "one after another: "),
    ],
)
def test_validate_says_how_seeds_will_be_trained(
    config: str, options: list[str], expected: str
) -> None:
    """Where they go one after another, with the reason."""
    rows_of = dict(inspect_config(load(CONFIGS / config, [*options, "device=cpu"])))

    assert rows_of["seeds"].startswith(expected)
