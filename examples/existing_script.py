"""Find an LR inside a training script that was written without lrfind: the five lines to add.

Run with `python examples/existing_script.py`. Model, loss, loop and optimizer are the script's own;
behind the block the model is untouched, so that training starts as if nothing had been.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

# What the script has: data, model, loss, optimizer, and a loop that does one update a batch.
images, labels = load_digits(return_X_y=True)
digits = TensorDataset(torch.tensor(images / 16, dtype=torch.float32), torch.tensor(labels))
loader = DataLoader(digits, batch_size=64, shuffle=True)
model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)


def train_step(batch):
    """Do one update and return its loss."""
    inputs, targets = batch
    loss = criterion(model(inputs), targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


# The five lines: `batches` reads the loader again where it is shorter than the sweep, and ends
# with it.
import lrfind  # noqa: E402 - the five lines stand together

with lrfind.sweep(optimizer, model=model, steps=200) as sweep:
    for batch in sweep.batches(loader):
        sweep.record(train_step(batch))
print(sweep.report.suggestion)

# Then the script goes on, at the LR that was found.
if sweep.report.suggestion is not None:
    for group in optimizer.param_groups:
        group["lr"] = sweep.report.suggestion.lr
for epoch in range(3):
    losses = [train_step(batch).item() for batch in loader]
    print(f"epoch {epoch}: loss {sum(losses) / len(losses):.4f}")
