"""A module that steps its optimizers itself gives the losses of `Trainer.fit` at the same LRs."""

from __future__ import annotations

from typing import Any

import lightning as L
import pytest
import torch
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from lrfind.frameworks.lightning import LightningRecipe
from lrfind.spec import SweepSection
from lrfind.workload.snapshot import seed_everything
from tests.frameworks.framework_runs import project, ramp, swept

gan = project("lightning_gan")


def data() -> Any:
    """Batch 72 rows by eight: an epoch has nine batches."""
    x = torch.linspace(-1, 1, 144).reshape(72, 2).sin()
    return DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=8, shuffle=True)


class Fitted(L.LightningModule):
    """A small network with dropout, trained by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.net = torch.nn.Sequential(
            torch.nn.Linear(2, 16), torch.nn.Tanh(), torch.nn.Dropout(0.2), torch.nn.Linear(16, 1)
        )

    def loss(self, batch: Any) -> torch.Tensor:
        """Compute the error of a batch."""
        return functional.mse_loss(self.net(batch[0]), batch[1])

    def configure_optimizers(self) -> Any:
        """Return Adam with a warmup."""
        optimizer = torch.optim.Adam(self.parameters(), lr=1e-3)
        return [optimizer], [torch.optim.lr_scheduler.LinearLR(optimizer, 0.1)]


class Accumulating(Fitted):
    """Accumulates four batches by hand, fewer at an epoch's end, and clips."""

    def training_step(self, batch: Any, batch_idx: int) -> None:
        """Step where four gradients are together."""
        optimizer = self.optimizers()
        self.manual_backward(self.loss(batch) / 4)
        if (batch_idx + 1) % 4 == 0 or self.trainer.is_last_batch:
            self.clip_gradients(optimizer, gradient_clip_val=0.1)
            optimizer.step()
            optimizer.zero_grad()
            self.lr_schedulers().step()


class Closing(Fitted):
    """Steps with a closure, twice a batch; cleared gradients are zeros."""

    def training_step(self, batch: Any) -> Any:
        """Take two steps on a batch and return the last loss."""
        optimizer = self.optimizers()
        found = []

        def closure() -> torch.Tensor:
            optimizer.zero_grad(set_to_none=False)
            found.append(self.loss(batch))
            self.manual_backward(found[-1])
            return found[-1]

        optimizer.step(closure)
        optimizer.step(closure=closure)
        self.log("loss", found[-1])
        return {"loss": found[-1], "more": 3}

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Look at what training_step returned."""
        assert outputs["more"] == 3
        assert not outputs["loss"].requires_grad


class Critic(gan.GAN):  # type: ignore[misc, name-defined]
    """Steps its generator every third batch, clears all gradients at once, and toggles nothing."""

    def training_step(self, batch: Any, batch_idx: int) -> None:
        """Step the critic, and seldom the generator."""
        optimizer_g, optimizer_d = self.optimizers()
        self.zero_grad()
        fake = self.sample(len(batch[0]))
        loss_d = self.discriminator(fake.detach()).mean() - self.discriminator(batch[0]).mean()
        self.manual_backward(loss_d)
        optimizer_d.step()
        for weights in self.discriminator.parameters():
            weights.data.clamp_(-0.1, 0.1)
        if self.global_step % 4 == 3:
            self.manual_backward(-self.discriminator(fake).mean())
            optimizer_g.step()
            self.lr_schedulers()[0].step()


class Driver(L.Callback):
    """Sets the LR of one optimizer's updates and keeps the losses of the passes before each.

    Args:
        seed: set before the first batch.
        index: of the optimizer.
        last: how many of them, at most; 0: all since its last step.
    """

    def __init__(self, seed: int, index: int, last: int) -> None:
        self.seed, self.index, self.last = seed, index, last
        self.passes: list[float] = []
        self.losses: list[float] = []
        self.is_seeded = False

    def on_train_epoch_start(self, trainer: Any, module: Any) -> None:
        """Seed before the first epoch, and draw what its loader's iterator has drawn already."""
        if not self.is_seeded:
            seed_everything(self.seed)
            torch.empty((), dtype=torch.int64).random_()
        self.is_seeded = True

    def on_before_backward(self, trainer: Any, module: Any, loss: torch.Tensor) -> None:
        """Keep the loss."""
        self.passes.append(float(loss.detach()))

    def on_before_optimizer_step(self, trainer: Any, module: Any, optimizer: Any) -> None:
        """Set the LR."""
        if optimizer is trainer.optimizers[self.index]:
            self.losses.append(sum(self.passes[-self.last :]))
            for group in optimizer.param_groups:
                group["lr"] = ramp(len(self.losses) - 1)
            self.passes = []


def casts_anew() -> bool:
    """Tell whether autocast of the installed Lightning keeps no casts while weights change."""
    precision = L.Trainer(
        accelerator="cpu", precision="bf16-mixed", logger=False, enable_checkpointing=False
    ).precision_plugin
    with precision.forward_context():
        return not torch.is_autocast_cache_enabled()


def fitted(module: Any, loader: Any, driver: Driver, steps: int, precision: str) -> list[float]:
    """Run `Trainer.fit` for so many training steps; the loss of each update."""
    trainer = L.Trainer(
        accelerator="cpu", max_steps=-1, max_epochs=99, callbacks=[driver], limit_val_batches=0,
        precision=precision, logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False,
    )  # fmt: skip
    trainer.fit_loop.epoch_loop.max_steps = steps
    trainer.fit(module, loader)
    return driver.losses


@pytest.mark.parametrize(
    ("build", "loader", "index", "last", "precision"),
    [
        (gan.GAN, gan.Digits, 0, 1, "32-true"),
        (gan.GAN, gan.Digits, 1, 1, "32-true"),
        (gan.GAN, gan.Digits, 1, 1, "bf16-mixed"),
        (Accumulating, data, 0, 0, "32-true"),
        (Closing, data, 0, 1, "32-true"),
        (Critic, gan.Digits, 0, 1, "32-true"),
        (Critic, gan.Digits, 1, 1, "32-true"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")
@pytest.mark.filterwarnings("ignore:.*(many workers|implementation from):UserWarning")
@pytest.mark.filterwarnings("ignore:Detected call of .lr_scheduler.step:UserWarning")
def test_the_losses_are_those_of_fit(
    build: Any, loader: Any, index: int, last: int, precision: str
) -> None:
    """Of either network of a GAN, several batches by hand over an epoch's end, and closures."""
    if precision == "bf16-mixed" and not casts_anew():
        pytest.skip("this Lightning reads casts of weights from before their update")
    sweep = SweepSection(precision="bf16" if precision == "bf16-mixed" else "fp32")
    recipe = LightningRecipe(build, loader, index, sweep)

    ours = swept(recipe, 33, 3, precision=sweep.precision)
    seed_everything(3)
    theirs = fitted(build(), loader(), Driver(3, index, last), 140, precision)

    assert len(theirs) > 33
    assert ours == pytest.approx(theirs[:33], rel=1e-5)
    assert ours[-1] != pytest.approx(ours[0], rel=1e-2)
