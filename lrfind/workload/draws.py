"""The batches of one update, drawn from endless ones."""

from __future__ import annotations

from typing import Any

from lrfind.workload.batch import batch_length, describe
from lrfind.workload.feed import Feed
from lrfind.workload.loop import Loop


class Draws:
    """Draws as many batches as an update is made of, and brings them to the device.

    Args:
        feed: endless batches.
        loop: knows the device and where an update ends, and is told of the batches.
        accumulate: batches an update, where the loop does not want fewer.

    Attributes:
        batches: those of the update at hand, each with its number since the start.
        batch_size: samples of an update's batches, once one was seen.
    """

    def __init__(self, feed: Feed, loop: Loop, accumulate: int) -> None:
        self.batches: list[tuple[int, Any]] = []
        self.batch_size: int | None = None
        self._feed = feed
        self._loop = loop
        self._accumulate = accumulate
        self._drawn = 0

    @property
    def is_first(self) -> bool:
        """Tell whether the batches at hand are the first ones."""
        return self._drawn == len(self.batches)

    @property
    def shape(self) -> str:
        """Describe the tensors of the last batch."""
        return describe(self.batches[-1][1]) if self.batches else "none"

    def next(self) -> None:
        """Draw the batches of the next update.

        Raises:
            DataExhaustedError: the data ran out and cannot be read again.
        """
        self.batches = []
        for _ in range(self._loop.size(self._drawn, self._accumulate)):
            self.batches.append((self._drawn, self._loop.move(self._feed.next())))
            self._drawn += 1
        self._loop.drawn([batch for _, batch in self.batches])
        if self.batch_size is None:
            self.batch_size = sum(batch_length(batch) or 0 for _, batch in self.batches) or None

    def take(self) -> Any:
        """Draw one batch as it comes, for other ends than an update.

        Raises:
            DataExhaustedError: the data ran out and cannot be read again.
        """
        return self._feed.next()

    def close(self) -> None:
        """Let go of the data."""
        self._feed.close()
