"""Data sets of the tasks: scikit-learn's bundled tables, the Python manual as text, generated rows.

Everything is deterministic, needs no download and is made once a process.
"""

from __future__ import annotations

from functools import cache
from pydoc_data.topics import topics

import torch
from sklearn import datasets
from torch import Tensor

from benchmarks.suggestion.tasks.task import Rows, split

CHARACTERS = 40
"""Size of the text's alphabet: the commonest characters, the last one standing for the rest."""


def generator(seed: int) -> torch.Generator:
    """Make a generator of its own, so that data never depend on a run's seed."""
    return torch.Generator().manual_seed(seed)


@cache
def digits() -> Rows:
    """8 × 8 grey images of digits in 0 … 1, flat, with their class: 1797 rows."""
    X, y = datasets.load_digits(return_X_y=True)
    return split(torch.tensor(X, dtype=torch.float32) / 16.0, torch.tensor(y))


@cache
def digit_images() -> Rows:
    """The digits as images of one channel, centred."""
    rows = digits()

    def as_images(part: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return (part[0].reshape(-1, 1, 8, 8) - 0.3) * 2.5, part[1]

    return Rows(as_images(rows.train), as_images(rows.evaluation))


@cache
def turned_digits() -> Rows:
    """The digits with rows and columns exchanged: a shift of the data for fine-tuning."""
    rows = digits()

    def turned(part: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return part[0].reshape(-1, 8, 8).transpose(1, 2).reshape(-1, 64).contiguous(), part[1]

    return Rows(turned(rows.train), turned(rows.evaluation))


@cache
def some_digits(low: int, high: int) -> Rows:
    """The digits `low` … `high − 1`, their classes counted from zero."""
    rows = digits()

    def chosen(part: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        X, y = part
        kept = (y >= low) & (y < high)
        return X[kept], y[kept] - low

    return Rows(chosen(rows.train), chosen(rows.evaluation))


@cache
def digit_views() -> Rows:
    """Two noisy views of every digit, for contrastive learning."""
    rows, noise = digits(), generator(1)

    def views(part: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        X = part[0]
        first, second = (X + 0.2 * torch.randn(X.shape, generator=noise) for _ in range(2))
        return first, second

    return Rows(views(rows.train), views(rows.evaluation))


def _standardised(values: Tensor) -> Tensor:
    return (values - values.mean(0)) / values.std(0)


@cache
def wine(raw: bool = False) -> Rows:
    """Chemistry of 178 wines, 13 features, 3 classes; raw features reach from 0.1 to 1700."""
    X, y = datasets.load_wine(return_X_y=True)
    features = torch.tensor(X, dtype=torch.float32)
    return split(features if raw else _standardised(features), torch.tensor(y))


@cache
def cancer(raw: bool = False) -> Rows:
    """Measures of 569 tumours, 30 features, 2 classes; raw features reach from 0.001 to 4000."""
    X, y = datasets.load_breast_cancer(return_X_y=True)
    features = torch.tensor(X, dtype=torch.float32)
    return split(features if raw else _standardised(features), torch.tensor(y))


@cache
def diabetes_raw() -> Rows:
    """Progression of diabetes in 442 patients, 10 raw features, raw targets from 25 to 346."""
    X, y = datasets.load_diabetes(return_X_y=True, scaled=False)
    return split(
        torch.tensor(X, dtype=torch.float32), torch.tensor(y, dtype=torch.float32).reshape(-1, 1)
    )


@cache
def friedman() -> Rows:
    """Friedman's first function: 10 uniform features of which 5 count, standardised target."""
    X, y = datasets.make_friedman1(n_samples=2400, noise=1.0, random_state=0)
    target = torch.tensor(y, dtype=torch.float32).reshape(-1, 1)
    return split(torch.tensor(X, dtype=torch.float32) * 2.0 - 1.0, _standardised(target))


@cache
def text(length: int) -> Rows:
    """Windows of `length + 1` characters of the Python manual, as numbers below `CHARACTERS`."""
    joined = "\n".join(topics[name] for name in sorted(topics)).lower()[:200_000]
    counts = sorted({c: joined.count(c) for c in set(joined)}.items(), key=lambda kv: (-kv[1], kv))
    number = {c: i for i, (c, _) in enumerate(counts[: CHARACTERS - 1])}
    ids = torch.tensor([number.get(c, CHARACTERS - 1) for c in joined])
    starts = torch.randint(len(ids) - length - 1, (6000,), generator=generator(2))
    return split(ids[starts[:, None] + torch.arange(length + 1)])


@cache
def ratings() -> Rows:
    """4000 noisy entries of a 60 × 50 matrix of rank 4: row, column, value."""
    g = generator(3)
    rows, columns = torch.randn(60, 4, generator=g), torch.randn(50, 4, generator=g)
    i = torch.randint(60, (4000,), generator=g)
    j = torch.randint(50, (4000,), generator=g)
    value = (rows[i] * columns[j]).sum(-1) / 2.0
    return split(i, j, value + 0.1 * torch.randn(4000, generator=g))


@cache
def taught() -> Rows:
    """16 normal features and the answers of a small tanh network."""
    g = generator(4)
    X = torch.randn(3000, 16, generator=g)
    first, last = torch.randn(16, 8, generator=g) / 4.0, torch.randn(8, 1, generator=g)
    return split(X, (X @ first * 1.5).tanh() @ last)


@cache
def linear_map(inputs: int, outputs: int) -> Rows:
    """Normal features and a random linear map of them with falling singular values."""
    g = generator(5)
    X = torch.randn(3000, inputs, generator=g)
    map_ = torch.randn(inputs, outputs, generator=g) * torch.logspace(0, -1.5, outputs)
    return split(X, X @ map_ / inputs**0.5 * 3.0)


@cache
def noise(width: int) -> Rows:
    """Normal rows that perturb the gradient of an explicit function; none when it is judged."""
    rows = torch.randn(3000, width, generator=generator(6))
    return Rows((rows,), (torch.zeros(1, width),))


@cache
def noisy_wave() -> Rows:
    """A sine whose noise grows along x, with small targets: log-densities above zero."""
    g = generator(7)
    x = torch.rand(3000, 1, generator=g) * 4.0 - 2.0
    spread = 0.02 + 0.06 * (x + 2.0) / 4.0
    return split(x, 0.2 * (2.0 * x).sin() + spread * torch.randn(x.shape, generator=g))


@cache
def small_rings() -> Rows:
    """Points of two rings about a tenth wide."""
    X, _ = datasets.make_circles(n_samples=3000, factor=0.4, noise=0.06, random_state=0)
    return split(torch.tensor(X, dtype=torch.float32) * 0.1)


@cache
def small_moons() -> Rows:
    """Points of two half moons about a fifth wide, centred."""
    X, _ = datasets.make_moons(n_samples=3000, noise=0.08, random_state=0)
    points = torch.tensor(X, dtype=torch.float32)
    return split((points - points.mean(0)) * 0.2)


@cache
def parity() -> Rows:
    """8 signs and the product of the first two, which no single feature predicts."""
    X = torch.randint(2, (3000, 8), generator=generator(8)).float() * 2.0 - 1.0
    return split(X, ((X[:, 0] * X[:, 1]) > 0).long())


@cache
def sums(length: int) -> Rows:
    """Sequences of numbers with two marked ones, whose sum is asked: `(n, length, 2)`."""
    g = generator(9)
    values = torch.rand(3000, length, generator=g)
    marks = torch.zeros(3000, length)
    half = length // 2
    for low in (0, half):
        at = torch.randint(low, low + half, (3000, 1), generator=g)
        marks.scatter_(1, at, 1.0)
    return split(torch.stack([values, marks], -1), (values * marks).sum(1, keepdim=True))


@cache
def faint() -> Rows:
    """12 features of standard deviation 0.05 and a linear target of deviation 1."""
    g = generator(10)
    X = 0.05 * torch.randn(3000, 12, generator=g)
    y = X @ torch.randn(12, 1, generator=g)
    return split(X, y / y.std() + 0.1 * torch.randn(y.shape, generator=g))
