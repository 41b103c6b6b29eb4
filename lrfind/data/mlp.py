"""A perceptron of the right size for a table."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from lrfind.data.table import Table
from lrfind.errors import InputError, Problem

WIDEST = 16
"""Numbers that stand for a category at most."""


def mlp(data: Table, hidden: int | Sequence[int] = 64) -> nn.Module:
    """Build a perceptron with ReLU between its layers, sized for a table.

    Args:
        data: a table; in a config lrfind passes what `data` gave.
        hidden: width of the hidden layer, or of each of several.

    Raises:
        InputError: the data are no table.
    """
    if not isinstance(data, Table):
        what = f"(lrfind.data:mlp) is sized by a table, but data gives a {type(data).__name__}"
        raise InputError(Problem("model", what, "name a model of your own"))
    widths = [hidden] if isinstance(hidden, int) else list(hidden)
    embedded = [min(WIDEST, (size + 1) // 2) for size in data.n_categories]
    sizes = [data.n_features + sum(embedded), *widths]
    layers = [part for a, b in pairwise(sizes) for part in (nn.Linear(a, b), nn.ReLU())]
    body = nn.Sequential(*layers, nn.Linear(sizes[-1], data.n_outputs))
    if not data.n_categories:
        return body
    tables = (nn.Embedding(n, k) for n, k in zip(data.n_categories, embedded, strict=True))
    return _Embedded(list(tables), body)


class _Embedded(nn.Module):
    """A network over numbers and the embeddings of categories."""

    def __init__(self, tables: Sequence[nn.Embedding], body: nn.Module) -> None:
        super().__init__()
        self.tables = nn.ModuleList(tables)
        self.body = body

    def forward(self, *inputs: Tensor) -> Tensor:
        """Compute outputs from numbers, where there are any, and indices, which come last."""
        *numbers, indices = inputs
        parts = [table(indices[:, i]) for i, table in enumerate(self.tables)]
        output: Tensor = self.body(torch.cat([*numbers, *parts], dim=1))
        return output
