"""The relative update size against an oracle: the weights before and after each update."""

from __future__ import annotations

import csv
import itertools
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from workload_models import Net, rows, workload

from lrfind.curve_csv import to_csv
from lrfind.optim import SGD, AdamW
from lrfind.ramp import Plan, run_sweep
from lrfind.spec import GroupSection
from lrfind.workload.trainable import TorchTrainable
from lrfind.workload.update_size import BLOCK, EVERY, SAMPLE, UpdateSize
from lrfind.workload.workload import Workload

PLAN = Plan("exponential", 1e-4, 1e-1, 3 * EVERY)


def trained(trainable: TorchTrainable) -> Tensor:
    """Join all trained parameters into one float64 vector."""
    parts = [p.detach().double().reshape(-1) for p in trainable.model.parameters()]
    return torch.cat(
        [v for v, p in zip(parts, trainable.model.parameters(), strict=True) if p.requires_grad]
    )


def check(work: Workload, rel: float = 1e-4) -> list[float]:
    """Sweep, and compare every measured ratio with the weights before and after its update."""
    found: list[float] = []
    with work.open(0) as trainable:
        apart = trainable.measures_apart
        if not apart:
            trainable.backward()
        for i in range(PLAN.steps):
            if apart:
                trainable.backward()
            before = trained(trainable)
            while not trainable.update(PLAN.lr(i)):
                trainable.backward()
            moved = (trained(trainable) - before).norm() / before.norm()
            trainable.measure() if apart else trainable.backward()
            if i % EVERY:
                assert trainable.update_ratio is None
            else:
                assert trainable.update_ratio == pytest.approx(float(moved), rel=rel)
                found.append(float(moved))
    assert len(found) == 3
    assert min(found) > 0.0
    return found


GROUPS = [{"params": "first.*", "lr_scale": 10.0}, {"params": "norm.*", "lr_scale": 0.1}]


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"optimizer": SGD, "args": {"momentum": 0.9}},
        {"optimizer": AdamW, "args": {"weight_decay": 0.1}},
        {"optimizer": torch.optim.RMSprop},
        {"optimizer": torch.optim.LBFGS, "args": {"max_iter": 2}},
        {"accumulate": 3},
        {"clip_grad_norm": 0.01},
        {"precision": "bf16"},
        {"precision": "fp16"},
        {"validation": rows()},
    ],
    ids=str,
)
def test_the_ratio_is_that_of_the_weights_before_and_after(parts: dict[str, Any]) -> None:
    """Whatever makes the update, every fifth one is measured as the norms over all weights."""
    check(workload(Net, **parts))


def test_groups_count_together() -> None:
    """With one LR a group, the norms run over the parameters of all groups."""
    groups = [GroupSection(**group) for group in GROUPS]
    plain, grouped = check(workload(Net)), check(workload(Net, groups=groups))

    assert plain[0] != pytest.approx(grouped[0], rel=0.1)


def test_a_loss_scaler_that_skips_delays_no_measurement() -> None:
    """A skipped update is none: the first one that is made is the first one that is measured."""

    class Narrow(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(torch.ones(1))

        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return (self.w.half() * 8.0).float().sum() + 0 * x.sum() + 0 * y.sum()

    with workload(Narrow, loss=None, precision="fp16").open(0) as trainable:  # type: ignore[arg-type]
        curve = run_sweep(trainable, Plan("linear", 0.01, 0.02, 2))

    assert curve.update_ratio is not None
    # Plain SGD with a gradient of 8 at a weight of 1.
    assert curve.update_ratio[0] == pytest.approx(0.08, rel=1e-5)


def test_any_dense_layout_is_measured() -> None:
    """Strides, dtypes and sizes of parameters do not matter; frozen ones do not count."""
    torch.manual_seed(0)
    tensors = [
        torch.randn(3, 4).t(),
        torch.randn(2, 3, 2, 2).to(memory_format=torch.channels_last),
        torch.empty(0),
        torch.tensor(2.0),
        torch.randn(5).bfloat16(),
        torch.randn(3, dtype=torch.complex64),
        torch.randn(10)[3:7],
    ]
    parameters = [nn.Parameter(tensor) for tensor in tensors]
    parameters.append(nn.Parameter(torch.full((9,), 100.0), requires_grad=False))
    size = UpdateSize(parameters)
    before = [p.detach().clone() for p in parameters]
    size.begin()
    with torch.no_grad():
        for p in parameters:
            if p.requires_grad:
                p.mul_(1.01)
    size.end()
    size.read()
    pairs = [(a, b) for a, b in zip(parameters, before, strict=True) if a.requires_grad]
    moved = math.sqrt(sum(float((a.detach() - b).abs().double().square().sum()) for a, b in pairs))
    norm = math.sqrt(sum(float(b.abs().double().square().sum()) for _, b in pairs))

    assert size.ratio == pytest.approx(moved / norm, rel=1e-5)


def test_memory_replaced_by_the_optimizer_is_followed() -> None:
    """An optimizer that writes `p.data = …` is measured all the same."""

    class Replacing(torch.optim.SGD):
        def step(self, closure: Any = None) -> None:  # type: ignore[override]
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        p.data = p.data - group["lr"] * p.grad

    check(workload(Net, optimizer=Replacing))


@pytest.mark.parametrize("kind", ["adam", "sgd", "rows"])
def test_a_large_model_is_estimated_from_a_bounded_sample(kind: str) -> None:
    """From at most a few per mille of 5M weights the ratio comes out within a few per cent."""
    generator = torch.Generator().manual_seed(1)
    shapes = [(2000, 512), (512, 2048), (2048,), (2048, 1000), (1000,), (16,), (512, 1500)]
    parameters = [
        nn.Parameter(torch.randn(s, generator=generator) * 10.0 ** (-i / 3))
        for i, s in enumerate(shapes)
    ]
    moves = [1e-3 * torch.randn(p.shape, generator=generator) for p in parameters]
    if kind == "adam":
        moves = [1e-3 * move.sign() for move in moves]
    if kind == "rows":
        # An embedding of which a batch touches a third of the rows.
        moves[0][torch.rand(2000, generator=generator) > 0.3] = 0.0
    size = UpdateSize(parameters)
    size.begin()
    before = math.sqrt(sum(float(p.detach().double().square().sum()) for p in parameters))
    with torch.no_grad():
        for p, move in zip(parameters, moves, strict=True):
            p.add_(move)
    size.end()
    size.read()
    moved = math.sqrt(sum(float(move.double().square().sum()) for move in moves))
    held = size._sample._rows.shape[1]  # type: ignore[union-attr]

    assert sum(p.numel() for p in parameters) > 4e6
    assert held < 2 * SAMPLE + len(shapes) * 2 * BLOCK
    assert size.ratio == pytest.approx(moved / before, rel=0.05)


def test_zero_weights_have_no_ratio() -> None:
    """Where |w| is 0 the ratio is NaN, not an error and not infinite."""
    p = nn.Parameter(torch.zeros(3))
    size = UpdateSize([p])
    size.begin()
    with torch.no_grad():
        p.add_(1.0)
    size.end()
    size.read()

    assert size.ratio is not None
    assert math.isnan(size.ratio)


@pytest.mark.parametrize(
    "parameter",
    [
        nn.Parameter(torch.ones(1).expand(4)),
        nn.Parameter(torch.eye(3).to_sparse()),
        nn.Parameter(torch.ones(3), requires_grad=False),
        nn.Parameter(torch.empty(0)),
    ],
    ids=["expanded", "sparse", "frozen", "empty"],
)
def test_what_cannot_be_measured_is_left_out(parameter: nn.Parameter) -> None:
    """Parameters without dense memory of their own give no ratio, and no error."""
    size = UpdateSize([parameter])
    for _ in range(2 * EVERY):
        size.begin()
        size.end()
        size.read()

        assert size.ratio is None


def test_two_runs_write_the_same_bytes() -> None:
    """The column is a function of the config: two sweeps give the same CSV to the last byte."""

    def text() -> str:
        with workload(Net, loss=functional.mse_loss).open(3) as trainable:
            return to_csv([run_sweep(trainable, PLAN, seed=3)])

    first, second = text(), text()
    cells = [row["update_ratio"] for row in csv.DictReader(first.splitlines())]

    assert first == second
    assert [bool(cell) for cell in cells] == [i % EVERY == 0 for i in range(len(cells))]


def test_measuring_changes_no_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    """The curve's losses are the same bits with and without it."""

    def swept() -> list[float]:
        with workload(Net).open(0) as trainable:
            return run_sweep(trainable, PLAN).loss.tolist()  # type: ignore[no-any-return]

    measured = swept()
    for name in ("begin", "end"):
        monkeypatch.setattr(UpdateSize, name, lambda self: None)

    assert all(a == b for a, b in itertools.zip_longest(measured, swept()))
