"""Families that range tests find hard: trained starts, plateaus, chaotic depth, large optima."""

from __future__ import annotations

from functools import cache, partial

import torch
from torch import Tensor, nn

from benchmarks.suggestion.tasks import data, losses, nets
from benchmarks.suggestion.tasks.task import Rows, Task

TRAINING_STEPS = 300
"""Steps of Adam at 2e-3 behind a task that starts from a trained model."""


@cache
def trained_digits(low: int, high: int) -> dict[str, Tensor]:
    """Train the digits MLP on some classes once; returns its parameters."""

    def rows() -> Rows:
        return data.some_digits(low, high)

    model = partial(nets.mlp, [64, 32, high - low])
    task = Task("", "", (), model, losses.cross_entropy, rows)
    net = task.build_model(1234)
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    for _, batch in zip(range(TRAINING_STEPS), task.batches(1234), strict=False):
        optimizer.zero_grad()
        torch.autograd.backward(task.loss(net, batch))
        optimizer.step()
    return {name: value.detach().clone() for name, value in net.state_dict().items()}


def trained() -> nn.Module:
    """Start from the MLP trained on all digits."""
    net = nets.mlp([64, 32, 10])
    net.load_state_dict(trained_digits(0, 10))
    return net


def new_head() -> nn.Module:
    """Start from the body trained on digits 0 … 4 and a fresh head for the others."""
    net = nets.mlp([64, 32, 5])
    body = {name: value for name, value in trained_digits(0, 5).items() if name[0] == "0"}
    net.load_state_dict(body, strict=False)
    return net


def zeroed(sizes: list[int]) -> nn.Module:
    """Start with the last two layers near zero: a saddle that takes a while to leave."""
    net = nets.mlp(sizes, nn.Tanh)
    for layer in nets.linears(net)[-2:]:
        nn.init.normal_(layer.weight, std=1e-3)
        nn.init.zeros_(layer.bias)
    return net


def saturated() -> nn.Module:
    """Start with hidden units that stand far out on the flat parts of their sigmoid."""
    net = nets.mlp([64, 32, 10], nn.Sigmoid)
    nn.init.normal_(nets.linears(net)[0].weight, std=4.0)
    return net


START = (
    Task(
        "finetune_turned",
        "start",
        ("sgd", "adamw"),
        trained,
        losses.cross_entropy,
        data.turned_digits,
    ),
    Task(
        "finetune_continued",
        "start",
        ("momentum", "adam"),
        trained,
        losses.cross_entropy,
        data.digits,
    ),
    Task(
        "finetune_head",
        "start",
        ("momentum", "adamw"),
        new_head,
        losses.cross_entropy,
        partial(data.some_digits, 5, 10),
    ),
)

PLATEAU = (
    Task(
        "zero_init",
        "plateau",
        ("momentum", "adam"),
        partial(zeroed, [64, 32, 32, 10]),
        losses.cross_entropy,
        data.digits,
    ),
    Task(
        "saturated_sigmoid",
        "plateau",
        ("sgd", "adam"),
        saturated,
        losses.cross_entropy,
        data.digits,
    ),
    Task(
        "parity",
        "plateau",
        ("momentum", "adamw"),
        partial(nets.mlp, [8, 24, 2]),
        losses.cross_entropy,
        data.parity,
    ),
)

DEEP = (
    Task(
        "deep_tanh_chaotic",
        "deep",
        ("sgd", "adam"),
        partial(nets.scaled_mlp, [64, *[24] * 9, 10], nn.Tanh, 2.0),
        losses.cross_entropy,
        data.digits,
    ),
    Task(
        "deep_relu_plain",
        "deep",
        ("momentum", "adamw"),
        partial(nets.scaled_mlp, [64, *[24] * 11, 10], nn.ReLU, 2.0**0.5),
        losses.cross_entropy,
        data.digits,
    ),
    Task(
        "recurrent_sum",
        "deep",
        ("sgd", "rmsprop"),
        nets.Recurrent,
        losses.squared,
        partial(data.sums, 12),
    ),
)

LARGE = (
    Task(
        "faint_features",
        "large",
        ("sgd", "momentum"),
        partial(nn.Linear, 12, 1, bias=False),
        losses.squared,
        data.faint,
    ),
    Task(
        "cool_softmax",
        "large",
        ("sgd", "adam"),
        partial(nets.mlp, [64, 32, 10]),
        losses.cool_cross_entropy,
        data.digits,
    ),
    Task(
        "weight_normalised",
        "large",
        ("sgd", "momentum"),
        nets.Normalised,
        losses.cross_entropy,
        data.digits,
    ),
)
