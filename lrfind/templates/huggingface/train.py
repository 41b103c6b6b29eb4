"""The Trainer that `lrfind.yaml` names; put your own here.

Nothing in this file knows of lrfind. The model is small and starts from random weights, so nothing
is downloaded.
"""

from pydoc_data.topics import topics

import torch
from torch.utils.data import Dataset
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

LENGTH = 32


class Letters(Dataset[dict[str, torch.Tensor]]):
    """Windows of the Python manual, a character a token."""

    def __init__(self) -> None:
        text = "\n".join(topics[key] for key in ("assert", "class", "for", "try", "with"))
        self.codes = torch.tensor([min(ord(character), 127) for character in text])

    def __len__(self) -> int:
        return len(self.codes) // LENGTH

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        window = self.codes[index * LENGTH : (index + 1) * LENGTH]
        return {"input_ids": window, "labels": window}


def build_trainer(width: int = 32, learning_rate: float = 1e-3) -> Trainer:
    """Build a fresh model and its Trainer; a sweep calls this once a seed."""
    config = GPT2Config(
        vocab_size=128, n_positions=LENGTH, n_embd=width, n_layer=2, n_head=2,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    args = TrainingArguments(
        output_dir="out",
        per_device_train_batch_size=16,
        learning_rate=learning_rate,
        weight_decay=0.01,
        dataloader_pin_memory=torch.cuda.is_available(),
        report_to="none",
    )
    return Trainer(model=GPT2LMHeadModel(config), args=args, train_dataset=Letters())


if __name__ == "__main__":
    build_trainer().train()
