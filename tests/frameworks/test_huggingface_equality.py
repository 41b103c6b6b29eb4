"""A sweep of a Hugging Face Trainer gives the losses that `Trainer.train` gives at the same LRs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from accelerate.state import AcceleratorState
from torch.utils.data import Dataset
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    ViTConfig,
    ViTForImageClassification,
)

from lrfind.frameworks.huggingface import HuggingFaceRecipe
from lrfind.workload.snapshot import seed_everything
from tests.frameworks.framework_runs import project, ramp, swept

STEPS = 16


class Rows(Dataset[dict[str, Any]]):
    """Samples in a list."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return dict(self.rows[index])


def arguments(folder: Path, **options: Any) -> TrainingArguments:
    """Train on the CPU and write nothing."""
    given = {"per_device_train_batch_size": 4, "report_to": "none", "save_strategy": "no"}
    return TrainingArguments(
        output_dir=str(folder), use_cpu=True, disable_tqdm=True, **{**given, **options}
    )


def bert(folder: Path, **options: Any) -> Trainer:
    """Classify text, in the frozen project's own way: smoothed labels, two batches an update."""
    trainer: Trainer = project("hf_text").build_trainer(output_dir=str(folder), batch_size=8)
    return trainer


def gpt2(folder: Path, **options: Any) -> Trainer:
    """Predict the next of few tokens; some labels are masked, as many as the row says."""
    generator = torch.Generator().manual_seed(0)
    rows = []
    for i in range(options.pop("rows", 96)):
        ids = torch.randint(0, 32, (16,), generator=generator).cumsum(0) % 32
        labels = ids.clone()
        labels[: i % 9] = -100
        rows.append({"input_ids": ids, "labels": labels})
    config = GPT2Config(vocab_size=32, n_positions=16, n_embd=32, n_layer=2, n_head=2)
    args = arguments(folder, gradient_accumulation_steps=3, weight_decay=0.1, **options)
    return Trainer(model_init=lambda: GPT2LMHeadModel(config), args=args, train_dataset=Rows(rows))


def gpt2_with_own_loss(folder: Path, **options: Any) -> Trainer:
    """Predict tokens by a loss function of one's own, which divides by the items it is told of."""
    trainer = gpt2(folder, **options)

    def loss(outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
        logits = outputs["logits"][:, :-1].flatten(0, 1)
        return (
            F.cross_entropy(logits, labels[:, 1:].flatten(), reduction="sum") / num_items_in_batch
        )

    return Trainer(
        model_init=trainer.model_init,
        args=trainer.args,
        train_dataset=trainer.train_dataset,
        compute_loss_func=loss,
    )


def vit(folder: Path, **options: Any) -> Trainer:
    """Tell brighter halves of small images apart."""
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(64, 1, 8, 8, generator=generator)
    labels = (images[..., :4].mean((1, 2, 3)) > images[..., 4:].mean((1, 2, 3))).long()
    rows = [
        {"pixel_values": x, "labels": int(y)} for x, y in zip(images, labels.tolist(), strict=True)
    ]
    config = ViTConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        image_size=8, patch_size=4, num_channels=1, num_labels=2,
    )  # fmt: skip
    model = ViTForImageClassification(config)
    args = arguments(folder, **{"max_grad_norm": 0.3, **options})
    return Trainer(model=model, args=args, train_dataset=Rows(rows))


class Driver(TrainerCallback):
    """Sets the LR of every update, and seeds before the first epoch as a sweep does."""

    def __init__(self, trainer: Trainer, seed: int) -> None:
        self.seed = seed
        self.losses: list[float] = []
        self.batches: list[int] = []
        step = trainer.training_step

        def training_step(*args: Any, **kwargs: Any) -> torch.Tensor:
            loss = step(*args, **kwargs)
            self.losses[-1] += float(loss)
            self.batches[-1] += 1
            return loss

        trainer.training_step = training_step  # type: ignore[method-assign]

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Seed before the first epoch."""
        if not self.losses:
            seed_everything(self.seed)

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Set the LR."""
        self.losses.append(0.0)
        self.batches.append(0)
        for group in kwargs["optimizer"].param_groups:
            group["lr"] = ramp(len(self.losses) - 1)


def trained(build: Callable[..., Trainer], folder: Path, seed: int, **options: Any) -> list[float]:
    """Run `Trainer.train`; the loss of each update."""
    seed_everything(seed)
    trainer = build(folder, **options)
    trainer.args.seed = seed
    trainer.args.max_steps = STEPS
    driver = Driver(trainer, seed)
    trainer.add_callback(driver)
    seed_everything(seed)
    trainer.train()
    # The precision of this Trainer would be the whole process's.
    AcceleratorState._reset_state(reset_partial_state=True)
    whole = trainer.args.gradient_accumulation_steps
    if trainer.model_accepts_loss_kwargs or hasattr(trainer, "current_gradient_accumulation_steps"):
        return driver.losses
    # Before 4.52 each loss is divided by the batches of a whole update, in an epoch's last one too.
    told = zip(driver.losses, driver.batches, strict=True)
    return [loss * whole / batches for loss, batches in told]


@pytest.mark.parametrize(
    ("build", "options", "seed", "tolerance"),
    # In bf16 a rounding of the last bit is a change of a percent of a percent.
    [
        (bert, {}, 0, 1e-5),
        (gpt2, {}, 1, 1e-5),
        (gpt2, {"bf16": True}, 0, 1e-3),
        (gpt2_with_own_loss, {}, 0, 1e-5),
        (vit, {}, 2, 1e-5),
        # An epoch's last update has two of three batches, and one of three.
        (gpt2, {"rows": 92}, 1, 1e-5),
        # SGD without clipping, since that and Adam hide by what an update was divided.
        (
            vit,
            {"gradient_accumulation_steps": 3, "optim": "sgd", "max_grad_norm": 9.0},
            2,
            1e-5,
        ),
    ],
)
def test_the_losses_are_those_of_train(
    build: Callable[..., Trainer],
    options: dict[str, Any],
    seed: int,
    tolerance: float,
    tmp_path: Path,
) -> None:
    """With smoothing, masked labels, clipping, decay groups, bf16, and over an epoch's end."""
    ours = swept(HuggingFaceRecipe(lambda: build(tmp_path, **options)), STEPS, seed)
    theirs = trained(build, tmp_path, seed, **options)

    assert ours == pytest.approx(theirs, rel=tolerance)
    assert ours[-1] != pytest.approx(ours[0], rel=tolerance)
