"""Sweep a training script as it is: its model, its DataLoader, its collate function.

Everything stands at module level, as in most training scripts, and the config names it:
`model: {target: "own_loader.py:model"}`. A ready model is good for one seed; for several, name a
function that builds it. The training loop is behind `__main__`, so that importing trains nothing.

The task: read one line of Python's help texts, its indentation cut off, and say whether it was
indented (mostly code) or not (mostly prose). Lines differ in length, hence the collate function.
"""

from __future__ import annotations

import argparse
import inspect
import logging
import pydoc_data.topics
import typing

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

PADDING = 0
LONGEST = 80


class LineClassifier(nn.Module):
    """Average what a small convolution sees along a line, then decide."""

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        self.embed = nn.Embedding(128, width, padding_idx=PADDING)
        self.convolve = nn.Conv1d(width, width, kernel_size=3, padding=1)
        self.classify = nn.Linear(width, 2)

    def forward(self, characters: Tensor, lengths: Tensor) -> Tensor:
        """Map codes `(batch, time)` and true lengths `(batch,)` to logits `(batch, 2)`."""
        features = F.relu(self.convolve(self.embed(characters).transpose(1, 2)))
        inside = torch.arange(characters.shape[1], device=lengths.device) < lengths[:, None]
        mean = (features * inside[:, None]).sum(dim=2) / lengths[:, None]
        return self.classify(mean)


def read_lines() -> list[tuple[str, bool]]:
    """Return lines of prose and lines of Python, indentation cut off, with whether it is Python."""
    prose = "\n".join(pydoc_data.topics.topics.values())
    lines = [(line, False) for line in prose.splitlines() if not line.startswith(" ")]
    for module in (argparse, logging, typing):
        lines += [(line, True) for line in inspect.getsource(module).splitlines()]
    return [(line.strip()[:LONGEST], label) for line, label in lines if line.strip()]


def collate(lines: list[tuple[str, bool]]) -> dict[str, Tensor]:
    """Pad lines to the longest of the batch.

    The keys are the model's argument names, and `label`, which lrfind hands to the loss.
    """
    codes = [torch.tensor(list(line.encode("ascii", errors="replace"))) for line, _ in lines]
    return {
        "characters": pad_sequence(codes, batch_first=True, padding_value=PADDING),
        "lengths": torch.tensor([len(row) for row in codes]),
        "label": torch.tensor([int(indented) for _, indented in lines]),
    }


torch.manual_seed(0)
model = LineClassifier()
loader = DataLoader(read_lines(), batch_size=64, shuffle=True, collate_fn=collate)


if __name__ == "__main__":
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)  # the number lrfind is asked for
    for batch in loader:
        logits = model(batch["characters"], batch["lengths"])
        loss = F.cross_entropy(logits, batch["label"])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"last loss: {loss.item():.3f}")
