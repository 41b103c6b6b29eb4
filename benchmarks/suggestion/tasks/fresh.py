"""Nine tasks written after the held-out ones had been looked at.

That look showed a flaw of the rule, which was mended; what a mended rule is worth only tasks can
tell that nobody had seen. Nothing was fitted on these, and nothing was changed because of them.
"""

from __future__ import annotations

from functools import cache, partial

import torch
from sklearn import datasets
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.suggestion.tasks import data, losses, nets
from benchmarks.suggestion.tasks.task import Batch, Rows, Task, split


@cache
def iris() -> Rows:
    """Four measures of 150 flowers, 3 species, as they were taken."""
    X, y = datasets.load_iris(return_X_y=True)
    return split(torch.tensor(X, dtype=torch.float32), torch.tensor(y))


@cache
def mislabelled() -> Rows:
    """20 features of 4 classes, a fifth of the labels wrong."""
    X, y = datasets.make_classification(
        n_samples=2400, n_informative=8, n_classes=4, flip_y=0.2, random_state=1
    )
    return split(torch.tensor(X, dtype=torch.float32), torch.tensor(y))


@cache
def swiss_roll() -> Rows:
    """Points of a rolled sheet in space, and where along it they lie."""
    X, along = datasets.make_swiss_roll(n_samples=2400, noise=0.3, random_state=2)
    target = torch.tensor(along, dtype=torch.float32).reshape(-1, 1)
    return split(torch.tensor(X, dtype=torch.float32) / 10.0, target)


@cache
def picture() -> Rows:
    """Coordinates from −1 to 1 and grey values of a photograph, every tenth pixel."""
    grey = torch.tensor(datasets.load_sample_image("china.jpg"), dtype=torch.float32)
    grey = grey[::10, ::10].mean(-1) / 127.5 - 1.0
    height, width = grey.shape
    y, x = torch.meshgrid(
        torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij"
    )
    return split(torch.stack([x, y], -1).reshape(-1, 2), grey.reshape(-1, 1))


@cache
def coarse_digits() -> Rows:
    """Digits at half their resolution, and in full."""
    rows = data.digits()

    def coarse(part: Batch) -> Batch:
        whole = part[0].reshape(-1, 1, 8, 8)
        return F.avg_pool2d(whole, 2), whole

    return Rows(coarse(rows.train), coarse(rows.evaluation))


class Sine(nn.Module):
    """sin(w₀ x) with w₀ = 15 (Sitzmann et al., 2020)."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(15.0 * x)


class Patches(nn.Module):
    """One attention block over the sixteen 2 × 2 patches of a digit."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.inputs = nn.Linear(4, width)
        self.places = nn.Parameter(0.02 * torch.randn(16, width))
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mix = nn.Linear(width, 3 * width)
        self.body = nets.mlp([width, 2 * width, width], nn.GELU)
        self.head = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        patches = x.reshape(-1, 4, 2, 4, 2).transpose(2, 3).reshape(-1, 16, 4)
        h = self.inputs(patches) + self.places
        query, key, value = self.mix(self.first(h)).chunk(3, -1)
        h = h + torch.softmax(query @ key.transpose(1, 2) / query.shape[-1] ** 0.5, -1) @ value
        h = h + self.body(self.second(h))
        logits: Tensor = self.head(h.mean(1))
        return logits


class Bigram(nn.Module):
    """A table of logits: each character from the one before it; convex."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(data.CHARACTERS, data.CHARACTERS)

    def forward(self, ids: Tensor) -> Tensor:
        logits: Tensor = self.table(ids)
        return logits


class DeepResidual(nn.Module):
    """Twelve residual tanh layers without normalisation."""

    def __init__(self, inputs: int = 20, width: int = 32, outputs: int = 4) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(inputs, width), nn.Linear(width, outputs)
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(12))

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(x)
        for layer in self.layers:
            h = h + torch.tanh(layer(h))
        logits: Tensor = self.last(h)
        return logits


def normalised_mlp() -> nn.Sequential:
    """64 – 48 – 48 – 10 with layer normalisation and GELU."""
    hidden = [nn.Linear(64, 48), nn.LayerNorm(48), nn.GELU()]
    return nn.Sequential(*hidden, nn.Linear(48, 48), nn.LayerNorm(48), nn.GELU(), nn.Linear(48, 10))


def enlarger() -> nn.Sequential:
    """Convolve, then double the resolution by rearranging channels."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 4, 3, padding=1),
        nn.PixelShuffle(2),
    )


def hinge(model: nn.Module, batch: Batch) -> Tensor:
    """Separate `(x, class)` by a margin, with a little weight decay: a support vector machine."""
    x, y = batch
    decay = sum((p.square().sum() for p in model.parameters()), torch.zeros(()))
    return F.multi_margin_loss(model(x), y) + 1e-3 * decay


def robust(model: nn.Module, batch: Batch) -> Tensor:
    """Regress `(x, target)` by Huber's loss."""
    x, y = batch
    return F.smooth_l1_loss(model(x), y)


FRESH = (
    Task("iris_mlp", "fresh", ("sgd", "adamw"), partial(nets.mlp, [4, 16, 3]),
         losses.cross_entropy, iris, batch_size=16),
    Task("mislabelled_residual", "fresh", ("momentum", "adam"), DeepResidual,
         losses.cross_entropy, mislabelled),
    Task("digits_layernorm", "fresh", ("momentum", "adamw"), normalised_mlp,
         losses.cross_entropy, data.digits),
    Task("digits_patches", "fresh", ("sgd", "adam"), Patches, losses.cross_entropy, data.digits),
    Task("char_bigram", "fresh", ("sgd", "adagrad"), Bigram, losses.every_next_character,
         partial(data.text, 6), batch_size=8),
    Task("swiss_roll", "fresh", ("sgd", "rmsprop"),
         partial(nets.mlp, [3, 32, 32, 1], nn.SiLU), robust, swiss_roll),
    Task("cancer_hinge", "fresh", ("sgd", "momentum"), partial(nn.Linear, 30, 2), hinge,
         data.cancer),
    Task("picture_sine", "fresh", ("momentum", "adam"),
         partial(nets.mlp, [2, 48, 48, 1], Sine), losses.squared, picture, batch_size=64),
    Task("digits_enlarger", "fresh", ("momentum", "adamw"), enlarger, losses.squared,
         coarse_digits),
)  # fmt: skip
