"""The same work by hand: a loop over torch.optim, a CSV file, and a picture by pyplot."""

from __future__ import annotations

import sys
from itertools import cycle
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from digits import build_model, train_dataset
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader

STEPS, START_LR, END_LR = 100, 1e-7, 10.0

torch.manual_seed(0)
out = Path(sys.argv[1])
model = build_model()
optimizer = torch.optim.AdamW(model.parameters(), lr=START_LR, weight_decay=0.01)
batches = cycle(DataLoader(train_dataset(), batch_size=64, shuffle=True))
lrs, losses = [], []
for i in range(STEPS):
    lr = START_LR * (END_LR / START_LR) ** (i / (STEPS - 1))
    optimizer.param_groups[0]["lr"] = lr
    images, labels = next(batches)
    loss = cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    lrs.append(lr)
    losses.append(loss.item())
    if losses[-1] > 4 * min(losses):
        break
rows = (f"{lr},{loss}\n" for lr, loss in zip(lrs, losses, strict=True))
(out / "curve.csv").write_text("lr,loss\n" + "".join(rows))
plt.semilogx(lrs, losses)
plt.xlabel("lr")
plt.ylabel("loss")
plt.savefig(out / "curve.png", dpi=200)
