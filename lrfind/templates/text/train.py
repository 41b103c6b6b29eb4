"""The model and the data that `lrfind.yaml` names; put your own here.

Nothing in this file knows of lrfind. The text is that of Python's own `help()`.
"""

import pydoc_data.topics

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import Dataset


class Windows(Dataset[dict[str, Tensor]]):
    """Windows of a text as character codes; the keys are the model's argument names."""

    def __init__(self, context: int = 64) -> None:
        text = "\n".join(pydoc_data.topics.topics.values())  # or Path("my.txt").read_text()
        codes = list(text.encode("ascii", errors="replace"))
        self.windows = torch.tensor(codes).unfold(0, context + 1, context)

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"input_ids": self.windows[index, :-1], "labels": self.windows[index, 1:]}


class Transformer(nn.Module):
    """A causal transformer over characters that returns its own loss."""

    def __init__(self, width: int = 64, layers: int = 2, context: int = 64) -> None:
        super().__init__()
        self.embed = nn.Embedding(128, width)
        self.position = nn.Parameter(0.02 * torch.randn(context, width))
        block = nn.TransformerEncoderLayer(
            width, nhead=4, dim_feedforward=4 * width, dropout=0.0, batch_first=True
        )
        self.blocks = nn.TransformerEncoder(block, layers)
        self.head = nn.Linear(width, 128)

    def forward(self, input_ids: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Compute the logits of each next character, and their loss."""
        time = input_ids.shape[1]
        future = nn.Transformer.generate_square_subsequent_mask(time, device=input_ids.device)
        x = self.embed(input_ids) + self.position[:time]
        logits = self.head(self.blocks(x, mask=future, is_causal=True))
        return {"logits": logits, "loss": F.cross_entropy(logits.flatten(0, 1), labels.flatten())}
