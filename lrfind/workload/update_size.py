"""How far an update moves the weights, relative to them, at next to no cost.

A copy of the weights before every update would cost memory and a pass over it. What is kept is a
sample of bounded size (all of a small model, evenly spread blocks of a large one), around every
fifth update: update sizes change smoothly over a sweep, and a training step of a small model takes
hardly longer than ten measurements.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

EVERY = 5
"""Distance of measured updates: the first, the sixth, …"""

SAMPLE = 2**14
"""Weights up to which a model is measured whole; about as many are sampled of a larger one."""

BLOCK = 64
"""Neighbouring weights sampled together: a few cache lines of them."""

_PLAIN = (Tensor, torch.nn.Parameter)


class UpdateSize:
    """Measures |Δw| / |w| of every fifth update, with ℓ2 norms over all trained parameters.

    w are the weights right before the update, Δw how far it moves them. Of models beyond
    `SAMPLE` weights both norms are estimated: from each tensor of n weights s are taken, in blocks
    at even distances, and count n / s times each.

    Without a value: models on several devices, and parameters that are no plain dense tensors
    (sharded, sparse). NaN where |w| is 0.

    Args:
        parameters: those that the optimizer holds; those without `requires_grad` are left out.

    Attributes:
        ratio: |Δw| / |w| of the last update, once it was read; None where it was not measured.
    """

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        self.ratio: float | None = None
        self._parameters = parameters
        self._updates = 0
        self._sample: _Sample | None = None
        self._norms: Tensor | None = None

    def begin(self) -> None:
        """Look at the weights before an update."""
        self.ratio = self._norms = None
        if self._updates % EVERY:
            return
        if self._updates == 0:
            # Not in the constructor: a lazy layer has no sizes before its first batch.
            trained = [p for p in self._parameters if p.requires_grad]
            self._sample = _Sample(trained) if _is_measurable(trained) else None
        if self._sample is not None:
            self._sample.take_before()

    def end(self) -> None:
        """Look at the weights after an update; on a GPU this is queued and waits for nothing."""
        if self._sample is not None and self._updates % EVERY == 0:
            self._norms = self._sample.norms_after()
        self._updates += 1

    def read(self) -> None:
        """Fetch what `end` computed into `ratio`; cheap once a later result was waited for."""
        norms = self.take()
        if norms is not None:
            self.ratio = ratio_of(*norms.tolist())

    def take(self) -> Tensor | None:
        """Hand over |Δw| and |w| of the last update, shape `(2,)`, where it was measured."""
        norms, self._norms = self._norms, None
        return norms


def ratio_of(moved: float, size: float) -> float:
    """Divide |Δw| by |w|; NaN where |w| is 0."""
    return moved / size if size > 0.0 else math.nan


class _Sample:
    """The same places of the weights, looked at before and after an update."""

    def __init__(self, parameters: list[Tensor]) -> None:
        self._parameters = parameters
        self._layout = [_layout(p) for p in parameters]
        flats = [_flat(p) for p in parameters]
        counts = [flat.numel() for flat in flats]
        rate = min(1.0, SAMPLE / sum(counts))
        self._blocks = [_blocks(count, rate) for count in counts]
        self._aim()
        root = _root_weights(counts, self._blocks)
        is_double = any(flat.dtype is torch.float64 for flat in flats)
        # Rows: the change of the weights and the weights before it, so that one pass norms both.
        self._rows = torch.zeros(
            (2, len(root)),
            dtype=torch.float64 if is_double else torch.float32,
            device=flats[0].device,
        )
        self._change, self._before = self._rows
        self._parts = [_cut(row, self._whole) for row in self._rows]
        if self._block_views:
            on_gpu = self._rows.is_cuda
            root = root.to(self._rows.device, self._rows.dtype, non_blocking=on_gpu)
        self._root = root if self._block_views else None

    def take_before(self) -> None:
        """Copy the sampled weights."""
        if [*map(Tensor.data_ptr, self._parameters)] != self._addresses:
            self._aim()
        self._gather(*self._parts[1])

    def norms_after(self) -> Tensor:
        """Compute |Δw| and |w|: shape `(2,)`, on the weights' device."""
        if [*map(Tensor.data_ptr, self._parameters)] != self._addresses:
            self._aim()
        self._gather(*self._parts[0])
        self._change.sub_(self._before)
        rows = self._rows if self._root is None else self._rows * self._root
        norms: Tensor = torch.linalg.vector_norm(rows, dim=1)
        return norms

    def _aim(self) -> None:
        """Make the views that are read; again where memory was replaced (`p.data = …`)."""
        if [_layout(p) for p in self._parameters] != self._layout:
            return
        self._addresses = [*map(Tensor.data_ptr, self._parameters)]
        self._whole_views: list[Tensor] = []
        self._block_views: list[Tensor] = []
        for parameter, (count, stride) in zip(self._parameters, self._blocks, strict=True):
            flat = _flat(parameter)
            if count:
                where = flat.storage_offset()
                self._block_views.append(flat.as_strided((count, BLOCK), (stride, 1), where))
            else:
                self._whole_views.append(flat)
        self._whole = sum(view.numel() for view in self._whole_views)

    def _gather(self, whole: Tensor, blocks: Tensor) -> None:
        if self._whole_views:
            torch.cat(self._whole_views, out=whole)
        if self._block_views:
            torch.cat(self._block_views, out=blocks)


def _is_measurable(parameters: list[Tensor]) -> bool:
    return (
        sum(p.numel() for p in parameters) > 0
        and all(type(p) in _PLAIN and p.layout is torch.strided for p in parameters)
        and all(p.is_floating_point() or p.is_complex() for p in parameters)
        and len({p.device for p in parameters}) == 1
        and all(torch.ops.aten.is_non_overlapping_and_dense(p) for p in parameters)
    )


def _layout(parameter: Tensor) -> tuple[object, ...]:
    return (parameter.shape, parameter.stride(), parameter.dtype, parameter.device)


def _flat(parameter: Tensor) -> Tensor:
    """View all elements of a dense tensor, in whatever order they lie in memory."""
    values = parameter.detach()
    vector = values.as_strided((values.numel(),), (1,), values.storage_offset())
    return torch.view_as_real(vector).view(-1) if vector.is_complex() else vector


def _blocks(count: int, rate: float) -> tuple[int, int]:
    """How many blocks of a tensor are sampled, and their distance; 0 blocks: all of it.

    The distance is odd, so that blocks do not fall on the same columns of every row.
    """
    blocks = max(1, round(count * rate / BLOCK))
    if rate == 1.0 or count < 2 * blocks * BLOCK:
        return 0, 0
    return blocks, (count // blocks - 1) | 1


def _cut(row: Tensor, whole: int) -> tuple[Tensor, Tensor]:
    """Cut a row into the part of tensors taken whole and the part of blocks."""
    return row[:whole], row[whole:].view(-1, BLOCK)


def _root_weights(counts: list[int], blocks: list[tuple[int, int]]) -> Tensor:
    """Root of how many weights each sampled one stands for: whole tensors first, then blocks."""
    pairs = list(zip(counts, blocks, strict=True))
    roots = [torch.ones(sum(n for n, (taken, _) in pairs if not taken))]
    for n, (taken, _) in pairs:
        if taken:
            roots.append(torch.full((taken * BLOCK,), math.sqrt(n / (taken * BLOCK))))
    return torch.cat(roots)
