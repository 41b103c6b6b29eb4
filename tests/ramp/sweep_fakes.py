"""A trainable without a model, and an observer that remembers, for tests of the loop."""

from __future__ import annotations

from collections.abc import Callable

from lrfind.curve import Step, StopReason
from lrfind.ramp.engine import Queue


class FakeTrainable:
    """Losses from a list: loss `i` is what the model shows after `i` updates.

    Args:
        losses: training loss after 0, 1, 2, … updates.
        held_out: the same for held-out data; with it `measure` reads there.
        skips: numbers of `update` calls (from 0) that a loss scaler skips.
        before: called with the name of each call, before it.
    """

    grad_norm: float | None = None
    update_ratio: float | None = None
    queue: Queue | None = None

    def __init__(
        self,
        losses: list[float],
        held_out: list[float] | None = None,
        skips: frozenset[int] = frozenset(),
        before: Callable[[str, int], None] = lambda name, updates: None,
    ) -> None:
        self.updates = 0
        self.lrs: list[float] = []
        self.calls: list[str] = []
        self._asked = 0
        self._losses, self._held_out, self._skips = losses, held_out, skips
        self._before = before

    @property
    def measures_apart(self) -> bool:
        """Tell whether there are held-out losses."""
        return self._held_out is not None

    def backward(self) -> float:
        """Give the training loss of now."""
        self._note("backward")
        return self._losses[self.updates]

    def update(self, lr: float) -> bool:
        """Count an update, unless it is one to skip."""
        self._note("update")
        self._asked += 1
        if self._asked - 1 in self._skips:
            return False
        self.updates += 1
        self.lrs.append(lr)
        return True

    def measure(self) -> float:
        """Give the held-out loss of now, else the training loss."""
        self._note("measure")
        return (self._held_out or self._losses)[self.updates]

    def _note(self, name: str) -> None:
        self._before(name, self.updates)
        self.calls.append(name)


class Diary:
    """An observer that writes everything down."""

    def __init__(self) -> None:
        self.begun: list[tuple[int, int, int, int]] = []
        self.steps: list[Step] = []
        self.ended: list[StopReason] = []

    def begin(self, seed: int, index: int, count: int, steps: int) -> None:
        """Write the start down."""
        self.begun.append((seed, index, count, steps))

    def step(self, step: Step) -> None:
        """Write a point down."""
        self.steps.append(step)

    def end(self, stop: StopReason) -> None:
        """Write the end down."""
        self.ended.append(stop)
