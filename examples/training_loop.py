"""Train digits by hand with the bundled AdamW, warmup and cosine decay: `lrfind.optim` anywhere.

    python examples/training_loop.py            # lrfind's classes
    python examples/training_loop.py --torch    # torch's own: the same losses
    python examples/training_loop.py --lr 1e-2  # about what `lrfind run configs/digits.yaml` says

A range test gives the LR; this is the loop that uses it, without a config and without a command.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from torch.nn import functional as F
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torch.utils.data import DataLoader

sys.path.append(str(Path(__file__).parent))
from digits import build_model, held_out_dataset, train_dataset

STEPS, WARMUP = 300, 30


def with_lrfind(model: torch.nn.Module, lr: float) -> tuple[Optimizer, LRScheduler]:
    """Build lrfind's optimizer and schedule."""
    from lrfind.optim import AdamW
    from lrfind.schedulers import CosineAnnealingLR, Warmup

    optimizer = AdamW(model.parameters(), lr=lr, weight_decay=0.01)
    scheduler = CosineAnnealingLR(optimizer, T_max=STEPS - WARMUP)
    return optimizer, Warmup(scheduler, steps=WARMUP, start_factor=0.01)


def with_torch(model: torch.nn.Module, lr: float) -> tuple[Optimizer, LRScheduler]:
    """Build the same of torch's parts."""
    from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR

    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.01)
    warmup = LinearLR(optimizer, start_factor=0.01, total_iters=WARMUP)
    cosine = CosineAnnealingLR(optimizer, T_max=STEPS - WARMUP)
    return optimizer, SequentialLR(optimizer, [warmup, cosine], milestones=[WARMUP])


def train(uses_torch: bool = False, lr: float = 3e-3, seed: int = 0) -> list[float]:
    """Train for `STEPS` updates and return the loss of each batch."""
    torch.manual_seed(seed)
    model = build_model()
    loader = DataLoader(train_dataset(), batch_size=64, shuffle=True)
    optimizer, scheduler = (with_torch if uses_torch else with_lrfind)(model, lr)
    losses: list[float] = []
    while len(losses) < STEPS:
        for images, labels in loader:
            loss = F.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            losses.append(loss.item())
            if len(losses) == STEPS:
                break
    images, labels = held_out_dataset().tensors
    correct = (model(images).argmax(1) == labels).float().mean().item()
    print(f"loss {losses[0]:.3f} → {losses[-1]:.3f}, {correct:.1%} of held-out digits right")
    return losses


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--torch", action="store_true", help="use torch's own classes")
    parser.add_argument("--lr", type=float, default=3e-3, help="peak LR")
    options = parser.parse_args()
    train(options.torch, options.lr)
