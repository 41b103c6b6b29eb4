"""Which losses an optimizer's next step follows, where a training step calls backward by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor


class TakenLosses:
    """The losses whose gradients the parameters hold.

    A backward pass counts where it changed the gradient of any of them: the generator's loss of a
    GAN is none of the discriminator's, whichever of the two comes first. Several that come before
    one step (gradient accumulation) count together, as their gradients do.

    Args:
        parameters: those of the optimizer.
    """

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        self._parameters = parameters
        self._losses: list[Tensor] = []

    def backward(self, run: Callable[..., None], loss: Tensor, *args: Any, **kwargs: Any) -> None:
        """Run a backward pass of a loss, and count it where it reaches a parameter."""
        if all(parameter.grad is None for parameter in self._parameters):
            self._losses.clear()
        before = [_stamp(parameter) for parameter in self._parameters]
        run(loss, *args, **kwargs)
        after = (_stamp(parameter) for parameter in self._parameters)
        # Held until here, so that no new gradient can have an old one's address.
        if any(
            now is not then or version != old
            for (now, version), (then, old) in zip(after, before, strict=True)
        ):
            self._losses.append(loss.detach())

    def clear(self) -> None:
        """Forget them: the gradients were used or cleared."""
        self._losses.clear()

    def total(self) -> float | None:
        """Add them up; None where there are none."""
        return sum(float(loss) for loss in self._losses) if self._losses else None


def _stamp(parameter: Tensor) -> tuple[Tensor | None, int]:
    """Give a gradient and how often it was written to."""
    gradient = parameter.grad
    return gradient, 0 if gradient is None else gradient._version
