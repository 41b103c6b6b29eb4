"""Images for models of torchvision and timm: scikit-learn's digits, enlarged, without a download.

Such models are named by import path in the config and need no code here; what they need is images
of the size and the number of channels that they expect.
"""

from __future__ import annotations

import torch
from sklearn.datasets import load_digits
from torch.nn import functional as F
from torch.utils.data import TensorDataset


def images(size: int = 32, channels: int = 3) -> TensorDataset:
    """Return all 1797 digits as images `(channels, size, size)` in −1..1, and their labels."""
    digits = load_digits()
    gray = torch.as_tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 8 - 1
    enlarged = F.interpolate(gray, size=(size, size), mode="bilinear", align_corners=False)
    return TensorDataset(enlarged.repeat(1, channels, 1, 1), torch.as_tensor(digits.target))
