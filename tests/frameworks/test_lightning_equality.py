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
        self.losses: list[float] = []

    def on_train_epoch_start(self, trainer: Any, module: Any) -> None:
        """Seed before the first epoch."""
        if not self.losses:
            seed_everything(self.seed)
            torch.empty((), dtype=torch.int64).random_()

    def on_train_batch_start(self, trainer: Any, module: Any, batch: Any, index: int) -> None:
        """Set the LR."""
        for group, scale in zip(trainer.optimizers[0].param_groups, self.scales, strict=True):
            group["lr"] = scale * ramp(len(self.losses) // self.accumulate)

    def on_train_batch_end(
        self, trainer: Any, module: Any, outputs: Any, batch: Any, index: int
    ) -> None:
        """Keep the loss."""
        self.losses.append(float(outputs["loss"]))


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
    """Run `Trainer.fit`; the loss of each update, of which its batches give parts."""
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
    parts = torch.tensor(driver.losses).reshape(-1, accumulate)
    return parts.sum(dim=1).tolist()


@pytest.mark.parametrize(
    ("seed", "accumulate", "clip", "precision"),
    [
        (0, 1, None, "32-true"),
        (3, 1, 0.5, "32-true"),
        (1, 2, None, "32-true"),
        (0, 1, None, "bf16-mixed"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")
@pytest.mark.filterwarnings("ignore:.*(many workers|implementation from):UserWarning")
def test_the_losses_are_those_of_fit(
    seed: int, accumulate: int, clip: float | None, precision: str
) -> None:
    """Over two epochs, with dropout, augmentation on the device, groups, clipping, accumulation."""
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
    assert ours[-1] < 0.8 * ours[0]
