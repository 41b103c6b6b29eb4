"""Train a character-level transformer on English prose: the texts of Python's own `help()`.

Shows the Hugging Face shape: a batch is a dict, its keys are the model's arguments, and the model
returns its own loss, so the config has no `loss:` at all. Nothing is downloaded.
"""

from __future__ import annotations

import pydoc_data.topics

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import Dataset

VOCABULARY = 128
"""A character is its ASCII code; the few others of the text become a question mark."""


class Windows(Dataset[dict[str, Tensor]]):
    """Consecutive windows of the text, each with the same window one character later.

    Args:
        context: characters a window.
    """

    def __init__(self, context: int = 64) -> None:
        text = "\n\n".join(pydoc_data.topics.topics.values())
        codes = bytearray(text.encode("ascii", errors="replace"))
        self.codes = torch.frombuffer(codes, dtype=torch.uint8).long()
        self.context = context

    def __len__(self) -> int:
        return (len(self.codes) - 1) // self.context

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        if not 0 <= index < len(self):
            raise IndexError(f"window {index} of {len(self)}")
        window = self.codes[index * self.context :][: self.context + 1]
        return {"input_ids": window[:-1], "labels": window[1:]}


class Transformer(nn.Module):
    """A pre-norm causal transformer that predicts the next character.

    Args:
        width: size of the residual stream.
        layers: number of blocks.
        heads: attention heads a block; must divide `width`.
        context: longest window it can read.
    """

    def __init__(self, width: int = 64, layers: int = 2, heads: int = 4, context: int = 64) -> None:
        super().__init__()
        self.embed = nn.Embedding(VOCABULARY, width)
        self.position = nn.Parameter(0.02 * torch.randn(context, width))
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, VOCABULARY)

    def forward(self, input_ids: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
        """Map codes `(batch, time)` to `logits`, and with labels to the `loss` as well."""
        x = self.embed(input_ids) + self.position[: input_ids.shape[1]]
        for block in self.blocks:
            x = block(x)
        output = {"logits": self.head(self.norm(x))}
        if labels is not None:
            output["loss"] = F.cross_entropy(output["logits"].flatten(0, 1), labels.flatten())
        return output


class Block(nn.Module):
    """Attention to the past, then a two-layer perceptron, each added to the residual stream."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map `(batch, time, width)` to the same shape."""
        batch, time, width = x.shape
        joint = self.query_key_value(self.attention_norm(x))
        query, key, value = (
            part.view(batch, time, self.heads, -1).transpose(1, 2) for part in joint.chunk(3, -1)
        )
        seen = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.project(seen.transpose(1, 2).reshape(batch, time, width))
        return x + self.mlp(self.mlp_norm(x))
