"""A sweep of a Lightning module gives the losses that `Trainer.fit` gives at the same LRs."""

from __future__ import annotations

from functools import partial
from typing import Any

import lightning as L
import pytest
import torch

from lrfind.frameworks.lightning import LightningRecipe
from lrfind.spec import SweepSection
from lrfind.workload.snapshot import DATA_SEED, seed_everything
from tests.frameworks.framework_runs import project, ramp, swept

STEPS = 30


class Driver(L.Callback):
    """Sets the LR of every update, keeping the groups' ratios, and keeps the losses.

    Before its first batch it seeds as a sweep does; the loader's iterator is there already, so
    the number that it would draw is drawn here.
    """

    def __init__(self, seed: int, scales: list[float], accumulate: int) -> None:
        self.seed, self.scales, self.accumulate = seed, scales, accumulate
        self.parts: list[float] = []
        self.losses: list[float] = []

    def on_train_epoch_start(self, trainer: Any, module: Any) -> None:
        """Seed before the first epoch."""
        if not self.losses:
            seed_everything(self.seed)
            torch.empty((), dtype=torch.int64).random_()

    def on_before_backward(self, trainer: Any, module: Any, loss: torch.Tensor) -> None:
        """Keep the loss of a batch, which Lightning has divided."""
        self.parts.append(float(loss.detach()) * self.accumulate)

    def on_before_optimizer_step(self, trainer: Any, module: Any, optimizer: Any) -> None:
        """Set the LR; the update's loss is the mean of its batches, fewer at an epoch's end."""
        for group, scale in zip(optimizer.param_groups, self.scales, strict=True):
            group["lr"] = scale * ramp(len(self.losses))
        self.losses.append(sum(self.parts) / len(self.parts))
        self.parts = []


def classifier(accumulate: int) -> Any:
    """Build the module; one without random numbers where a sweep draws two batches at once."""
    train = project("lightning_images")
    if accumulate == 1:
        return train.DigitsClassifier()

    class Still(train.DigitsClassifier):  # type: ignore[misc, name-defined]
        def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
            return batch

    return Still(dropout=0.0)


def fitted(seed: int, accumulate: int, clip: float | None, precision: str) -> list[float]:
    """Run `Trainer.fit`; the loss of each update."""
    train = project("lightning_images")
    seed_everything(DATA_SEED)
    data = train.DigitsDataModule()
    data.setup("fit")
    data.setup = lambda stage: None
    seed_everything(seed)
    module = classifier(accumulate)
    driver = Driver(seed, [1.0, 1.0, 2.0], accumulate)
    trainer = L.Trainer(
        accelerator="cpu", max_steps=STEPS, callbacks=[driver], limit_val_batches=0,
        accumulate_grad_batches=accumulate, gradient_clip_val=clip, precision=precision,
        logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(module, datamodule=data)
    return driver.losses


@pytest.mark.parametrize(
    ("seed", "accumulate", "clip", "precision"),
    [
        (0, 1, None, "32-true"),
        (3, 1, 0.5, "32-true"),
        (1, 3, None, "32-true"),  # an epoch of 22 batches ends with an update of one
        (0, 1, None, "bf16-mixed"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")
@pytest.mark.filterwarnings("ignore:.*(many workers|implementation from):UserWarning")
def test_the_losses_are_those_of_fit(
    seed: int, accumulate: int, clip: float | None, precision: str
) -> None:
    """Over epochs' ends, with dropout, augmentation, groups, clipping and accumulation."""
    train = project("lightning_images")
    sweep = SweepSection(
        accumulate=accumulate,
        clip_grad_norm=clip,
        precision="bf16" if precision == "bf16-mixed" else "fp32",
    )
    recipe = LightningRecipe(partial(classifier, accumulate), train.DigitsDataModule, None, sweep)

    ours = swept(recipe, STEPS, seed)
    theirs = fitted(seed, accumulate, clip, precision)

    assert ours == pytest.approx(theirs, rel=1e-5)
    assert min(ours) < 0.9 * ours[0]
