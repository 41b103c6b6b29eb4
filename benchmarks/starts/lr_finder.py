"""The same work with torch-lr-finder, as its README has it."""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from digits import build_model, train_dataset
from torch import nn
from torch.utils.data import DataLoader
from torch_lr_finder import LRFinder

torch.manual_seed(0)
model = build_model()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-7, weight_decay=0.01)
loader = DataLoader(train_dataset(), batch_size=64, shuffle=True)
finder = LRFinder(model, optimizer, nn.CrossEntropyLoss(), device="cpu")
finder.range_test(loader, end_lr=10, num_iter=100)
finder.plot()
plt.savefig(Path(sys.argv[1], "curve.png"), dpi=200)
