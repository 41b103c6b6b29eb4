"""A training step made with `accelerate.Accelerator`, as a script has it, swept through `step:`.

Nothing in this file knows of lrfind. The script's own loop is at the end; `training_step` is the
part of it that computes a loss, under the accelerator's autocast. Backward pass and update are the
sweep's.
"""

import torch
from accelerate import Accelerator
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

accelerator = Accelerator(mixed_precision="no")


def build_model(hidden: int = 64) -> nn.Module:
    """Build a perceptron and prepare it."""
    model = nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, 10))
    return accelerator.prepare(model)


def build_loader(batch_size: int = 64) -> DataLoader:
    """Batch handwritten digits, and prepare the loader."""
    images, labels = load_digits(return_X_y=True)
    pixels = torch.tensor(images / 16, dtype=torch.float32)
    data = TensorDataset(pixels, torch.tensor(labels))
    return accelerator.prepare(DataLoader(data, batch_size, shuffle=True))


def training_step(model: nn.Module, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """Return the loss of a batch."""
    images, labels = batch
    with accelerator.autocast():
        return F.cross_entropy(model(images), labels)


def main(lr: float = 6e-3) -> None:
    """Train for an epoch."""
    model, loader = build_model(), build_loader()
    optimizer = accelerator.prepare(torch.optim.AdamW(model.parameters(), lr=lr))
    for batch in loader:
        loss = training_step(model, batch)
        accelerator.backward(loss)
        optimizer.step()
        optimizer.zero_grad()
    print(f"loss {loss.item():.3f}")


if __name__ == "__main__":
    main()
