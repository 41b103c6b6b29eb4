"""Numbers on their way from a GPU, fetched without making it wait."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from lrfind.curve import Measurement
from lrfind.workload.update_size import ratio_of

LAG = 8
"""Steps that a GPU may be ahead of the loop that reads its losses."""


class LateMeasurement:
    """What a step measured, once the device is done with it: `lrfind.ramp.Late` for torch.

    Args:
        losses: scalars, of which the mean is the step's loss.
        grad_norm: ℓ2 norm of the last update's gradients, where they were clipped.
        moved: |Δw| and |w| of the last update, where it was measured.
        explain: called with the losses where one is infinite or NaN.
        is_paced: read only when its turn has come: several processes must stop at the same step,
            however fast each of them is.
    """

    def __init__(
        self,
        losses: Sequence[Tensor],
        grad_norm: Tensor | None,
        moved: Tensor | None,
        explain: Callable[[Sequence[float]], None],
        *,
        is_paced: bool = False,
    ) -> None:
        self._explain = explain
        self._is_paced = is_paced
        self._count = len(losses)
        self._is_clipped, self._is_moved = grad_norm is not None, moved is not None
        rest = [part for part in (grad_norm, moved) if part is not None]
        self._later = _Later([*losses, *rest])

    def is_ready(self) -> bool:
        """Tell whether reading would wait for nothing."""
        return not self._is_paced and self._later.is_ready()

    def read(self) -> Measurement:
        """Wait for the step, not for later ones, and give what it measured."""
        numbers = self._later.numbers()
        losses, rest = numbers[: self._count], numbers[self._count :]
        # Added up as a loop that reads each loss at once adds them up.
        loss = sum(losses) / self._count
        if not math.isfinite(loss):
            self._explain(losses)
        grad_norm = rest.pop(0) if self._is_clipped else None
        return Measurement(loss, grad_norm, ratio_of(*rest) if self._is_moved else None)


class _Later:
    """A few numbers as exact floats.

    Towards pinned memory a copy is queued like any other work, and an event behind it tells when
    it is done. On the CPU the numbers are there at once.

    Args:
        values: tensors on one device, read one after the other.
    """

    def __init__(self, values: Sequence[Tensor]) -> None:
        found = torch.cat([value.detach().reshape(-1).to(torch.float64) for value in values])
        self._numbers = found
        self._event: torch.cuda.Event | None = None
        if found.is_cuda:
            self._numbers = torch.empty(found.shape, dtype=found.dtype, pin_memory=True)
            self._numbers.copy_(found, non_blocking=True)
            self._event = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._event.record(torch.cuda.current_stream(found.device))

    def is_ready(self) -> bool:
        """Tell whether reading would wait for nothing."""
        return self._event is None or bool(self._event.query())  # type: ignore[no-untyped-call]

    def numbers(self) -> list[float]:
        """Read them, when their step is done; later steps are not waited for."""
        if self._event is not None:
            self._event.synchronize()
        found: list[float] = self._numbers.tolist()
        return found
