"""A loss that is the same on every rank: the mean over all of their samples."""

from __future__ import annotations

import zlib
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from lrfind.distributed.group import Group
from lrfind.errors import InputError, Problem
from lrfind.workload.batch import batch_length, tensors_of
from lrfind.workload.objective import Objective


class MeanObjective:
    """Batch to the mean loss of all ranks, with the gradient of this rank's part of it.

    A rank with n of N samples counts n / N. Since the gradients are averaged over R ranks, that of
    its own loss is scaled by n·R / N, which is 1 where all shares are equal. A NaN on one rank is
    a NaN on all, so that they stop together.

    Args:
        objective: batch to this rank's loss.
        network: the model as the ranks train it together; called in place of the model itself.
        group: the ranks.
        accumulate: batches whose gradients make one update; those before the last need no
            exchange.

    Attributes:
        read_the_same: all ranks began with the same batch; None before it.
    """

    def __init__(
        self, objective: Objective, network: nn.Module, group: Group, accumulate: int
    ) -> None:
        self.read_the_same: bool | None = None
        self._objective = objective
        self._network = network
        self._group = group
        self._accumulate = accumulate
        self._calls = 0
        network.register_forward_pre_hook(self._count)

    def __call__(self, model: nn.Module, batch: Any, index: int) -> Tensor:
        """Compute the mean loss.

        Raises:
            InputError: the loss was computed past the network, whose gradients nobody would share.
        """
        if self.read_the_same is None:
            self.read_the_same = self._group.are_equal(_checksum(batch))
        calls = self._calls
        with self._exchange(index):
            loss = self._objective(self._network, batch, index)
        if calls == self._calls:
            raise InputError(
                Problem(
                    "step",
                    "computed the loss without calling the model it was given, so that the ranks "
                    "would not share its gradients",
                    "call model(...) itself, not a method or a part of it",
                )
            )
        weight = float(batch_length(batch) or 1)
        mean, total = self._group.mean(loss.detach(), weight)
        mean = mean.to(loss.dtype)
        if not loss.requires_grad:
            return mean
        agreed: Tensor = _Agreed.apply(loss, mean, weight * self._group.world.size / total)  # type: ignore[no-untyped-call]
        return agreed

    def _count(self, *_: object) -> None:
        self._calls += 1

    def _exchange(self, index: int) -> AbstractContextManager[None]:
        is_last = (index + 1) % self._accumulate == 0
        if is_last or not isinstance(self._network, DistributedDataParallel):
            return nullcontext()
        return self._network.no_sync()


class _Agreed(torch.autograd.Function):
    """The value of another tensor, with the gradient of a loss times a factor."""

    @staticmethod
    def forward(ctx: Any, loss: Tensor, value: Tensor, factor: Tensor) -> Tensor:
        ctx.factor = factor
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return (gradients[0] * ctx.factor).to(gradients[0].dtype), None, None


def _checksum(batch: Any) -> int:
    """Tell batches apart by the bytes of their tensors."""
    sums = [
        zlib.crc32(t.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
        for t in tensors_of(batch)
        if t.layout is torch.strided and t.numel() and t.ndim
    ]
    return zlib.crc32(repr(sums).encode())
