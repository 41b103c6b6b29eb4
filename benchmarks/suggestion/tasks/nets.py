"""Networks of the tasks, built of plain operations so that many of them can be stacked by vmap."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.suggestion.tasks.data import CHARACTERS


def mlp(sizes: Sequence[int], activation: Callable[[], nn.Module] = nn.ReLU) -> nn.Sequential:
    """Stack linear layers with an activation between them."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), activation()]
    return nn.Sequential(*layers[:-1])


def scaled_mlp(
    sizes: Sequence[int], activation: Callable[[], nn.Module], gain: float
) -> nn.Sequential:
    """Stack linear layers with weights N(0, gain² / inputs) and no bias at the start."""
    net = mlp(sizes, activation)
    for layer in linears(net):
        nn.init.normal_(layer.weight, std=gain / layer.in_features**0.5)
        nn.init.zeros_(layer.bias)
    return net


def linears(net: nn.Module) -> list[nn.Linear]:
    """List the linear layers in order."""
    return [module for module in net.modules() if isinstance(module, nn.Linear)]


def cnn(norm: bool) -> nn.Sequential:
    """Two convolutions with pooling and a linear head, with or without batch normalisation."""

    def block(inputs: int, outputs: int) -> list[nn.Module]:
        normed: list[nn.Module] = [nn.BatchNorm2d(outputs)] if norm else []
        convolution = nn.Conv2d(inputs, outputs, 3, padding=1)
        return [convolution, *normed, nn.ReLU(), nn.AvgPool2d(2)]

    return nn.Sequential(*block(1, 6), *block(6, 12), nn.Flatten(), nn.Linear(12 * 4, 10))


class Residual(nn.Module):
    """Three residual convolutions with batch normalisation on a stem of stride 2."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, width, 3, stride=2, padding=1)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(width, width, 3, padding=1, bias=False) for _ in range(3)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for _ in range(3))
        self.head = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = x + F.relu(norm(convolution(x)))
        logits: Tensor = self.head(x.mean((-1, -2)))
        return logits


class CharMlp(nn.Module):
    """Predict a character from the embeddings of the eight before it."""

    def __init__(self, context: int = 8, width: int = 8, hidden: int = 48) -> None:
        super().__init__()
        self.embedding = nn.Embedding(CHARACTERS, width)
        self.body = mlp([context * width, hidden, CHARACTERS], nn.Tanh)

    def forward(self, ids: Tensor) -> Tensor:
        logits: Tensor = self.body(self.embedding(ids).flatten(-2))
        return logits


class CharGru(nn.Module):
    """A gated recurrent layer (Cho et al., 2014) over characters, in plain operations."""

    def __init__(self, width: int = 16, hidden: int = 24) -> None:
        super().__init__()
        self.hidden = hidden
        self.embedding = nn.Embedding(CHARACTERS, width)
        self.inputs = nn.Linear(width, 3 * hidden)
        self.recurrence = nn.Linear(hidden, 3 * hidden)
        self.head = nn.Linear(hidden, CHARACTERS)

    def forward(self, ids: Tensor) -> Tensor:
        driven = self.inputs(self.embedding(ids))
        state = driven.new_zeros(ids.shape[0], self.hidden)
        states = []
        for t in range(ids.shape[1]):
            reset_x, update_x, new_x = driven[:, t].chunk(3, -1)
            reset_h, update_h, new_h = self.recurrence(state).chunk(3, -1)
            update = torch.sigmoid(update_x + update_h)
            new = torch.tanh(new_x + torch.sigmoid(reset_x + reset_h) * new_h)
            state = new + update * (state - new)
            states.append(state)
        logits: Tensor = self.head(torch.stack(states, 1))
        return logits


class CharTransformer(nn.Module):
    """One pre-norm block of causal attention over characters (Vaswani et al., 2017)."""

    def __init__(self, length: int = 12, width: int = 24, heads: int = 2) -> None:
        super().__init__()
        self.heads = heads
        self.embedding = nn.Embedding(CHARACTERS, width)
        self.positions = nn.Parameter(0.1 * torch.randn(length, width))
        self.first_norm, self.second_norm, self.last_norm = (nn.LayerNorm(width) for _ in range(3))
        self.mixed = nn.Linear(width, 3 * width)
        self.joined = nn.Linear(width, width)
        self.body = mlp([width, 3 * width, width], nn.GELU)
        self.head = nn.Linear(width, CHARACTERS)
        self.register_buffer("mask", torch.full((length, length), -1e9).triu(1), persistent=False)
        self.mask: Tensor

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embedding(ids) + self.positions
        x = x + self._attend(self.first_norm(x))
        x = x + self.body(self.second_norm(x))
        logits: Tensor = self.head(self.last_norm(x))
        return logits

    def _attend(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        split = (batch, length, self.heads, width // self.heads)
        query, key, value = (
            part.reshape(split).transpose(1, 2) for part in self.mixed(x).chunk(3, -1)
        )
        score = query @ key.transpose(-1, -2) / math.sqrt(width // self.heads) + self.mask
        seen = (score.softmax(-1) @ value).transpose(1, 2).reshape(batch, length, width)
        joined: Tensor = self.joined(seen)
        return joined


class Recurrent(nn.Module):
    """A plain tanh recurrence (Elman, 1990) that answers from its last state."""

    def __init__(self, hidden: int = 20) -> None:
        super().__init__()
        self.hidden = hidden
        self.inputs = nn.Linear(2, hidden)
        self.recurrence = nn.Linear(hidden, hidden, bias=False)
        self.head = nn.Linear(hidden, 1)
        nn.init.orthogonal_(self.recurrence.weight)

    def forward(self, x: Tensor) -> Tensor:
        driven = self.inputs(x)
        state = driven.new_zeros(x.shape[0], self.hidden)
        for t in range(x.shape[1]):
            state = torch.tanh(driven[:, t] + self.recurrence(state))
        answer: Tensor = self.head(state)
        return answer


class Factors(nn.Module):
    """A vector for every row and every column; an entry is their product."""

    def __init__(self, rows: int = 60, columns: int = 50, rank: int = 4) -> None:
        super().__init__()
        self.rows, self.columns = nn.Embedding(rows, rank), nn.Embedding(columns, rank)
        for embedding in (self.rows, self.columns):
            nn.init.normal_(embedding.weight, std=0.3)

    def forward(self, i: Tensor, j: Tensor) -> Tensor:
        entries: Tensor = (self.rows(i) * self.columns(j)).sum(-1)
        return entries


class Point(nn.Module):
    """A bare vector of parameters, for explicit functions."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.x = nn.Parameter(torch.randn(width))

    def forward(self) -> Tensor:
        return self.x


class Mixture(nn.Module):
    """A mixture of round Gaussians in the plane; returns log-densities."""

    def __init__(self, components: int = 8) -> None:
        super().__init__()
        self.means = nn.Parameter(0.05 * torch.randn(components, 2))
        self.log_scales = nn.Parameter(torch.full((components,), -1.5))
        self.logits = nn.Parameter(torch.zeros(components))

    def forward(self, x: Tensor) -> Tensor:
        squares = (x[:, None] - self.means).square().sum(-1)
        each = -0.5 * squares * torch.exp(-2.0 * self.log_scales) - 2.0 * self.log_scales
        return torch.logsumexp(each + self.logits.log_softmax(-1), -1) - math.log(2 * math.pi)


class Flow(nn.Module):
    """Four affine couplings (Dinh et al., 2017) behind a scale; returns log-densities."""

    def __init__(self, hidden: int = 16) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.full((2,), 1.5))
        self.couplings = nn.ModuleList(mlp([1, hidden, 2], nn.Tanh) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        z = x * self.log_scale.exp()
        volume = self.log_scale.sum()
        first, second = z[:, :1], z[:, 1:]
        for coupling in self.couplings:
            log_scale, shift = coupling(first).chunk(2, -1)
            log_scale = log_scale.tanh()
            first, second = second * log_scale.exp() + shift, first
            volume = volume + log_scale.squeeze(-1)
        base = -0.5 * (first.square() + second.square()).squeeze(-1) - math.log(2 * math.pi)
        return base + volume


class Normalised(nn.Module):
    """A layer whose weights count by their direction only (scale-invariant), and a head."""

    def __init__(self, inputs: int = 64, hidden: int = 32, classes: int = 10) -> None:
        super().__init__()
        self.weight = nn.Parameter(2.0 * torch.randn(hidden, inputs))
        self.last = nn.Parameter(2.0 * torch.randn(classes, hidden))

    def forward(self, x: Tensor) -> Tensor:
        hidden = F.relu(x @ F.normalize(self.weight, dim=-1).T)
        return 5.0 * hidden @ F.normalize(self.last, dim=-1).T
