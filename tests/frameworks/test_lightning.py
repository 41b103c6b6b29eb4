"""Lightning modules as they stand, and what cannot be swept of them."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from torch.optim import SGD, Adam
from torch.optim.lr_scheduler import LambdaLR, OneCycleLR

from lrfind.errors import InputError
from lrfind.frameworks.lightning import LightningRecipe
from lrfind.spec import SweepSection
from lrfind.workload.workload import Workload
from tests.frameworks.framework_runs import CPU, swept
from tests.frameworks.lightning_modules import loader, module_class

Linear = module_class(L)


def recipe(module: Any = Linear, data: Any = None, index: int | None = None) -> LightningRecipe:
    """Sweep a module with all other settings at their defaults."""
    return LightningRecipe(module, data, index, SweepSection())


def groups(parameters: list[Any]) -> list[dict[str, Any]]:
    """Put the bias into a group of its own, at ten times the LR and without decay."""
    weight, bias = parameters
    return [{"params": [weight]}, {"params": [bias], "lr": 1.0, "weight_decay": 0.0}]


FORMS = {
    "optimizer": lambda p: SGD(groups(p), lr=0.1, weight_decay=0.5),
    "list": lambda p: [SGD(groups(p), lr=0.1, weight_decay=0.5)],
    "tuple": lambda p: (SGD(groups(p), lr=0.1, weight_decay=0.5),),
    "two lists": lambda p: (
        [o := SGD(groups(p), lr=0.1, weight_decay=0.5)],
        [LambdaLR(o, lambda step: step / 10)],
    ),
    "two lists with a dict": lambda p: (
        [o := SGD(groups(p), lr=0.1, weight_decay=0.5)],
        [{"scheduler": LambdaLR(o, lambda step: step / 10), "interval": "step"}],
    ),
    "dict": lambda p: {"optimizer": SGD(groups(p), lr=0.1, weight_decay=0.5)},
    "dict with a scheduler": lambda p: {
        "optimizer": (o := SGD(groups(p), lr=0.1, weight_decay=0.5)),
        "lr_scheduler": LambdaLR(o, lambda step: step / 10),
    },
    "dicts": lambda p: [
        {
            "optimizer": (o := SGD(groups(p), lr=0.1, weight_decay=0.5)),
            "lr_scheduler": {"scheduler": LambdaLR(o, lambda step: step / 10)},
        }
    ],
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_configure_optimizers_is_read(form: str) -> None:
    """Class, decay and LR ratios of the groups are taken over; a warmup from 0 is set aside."""
    workload = Workload(recipe(lambda: Linear(FORMS[form])), SweepSection(), CPU)
    with workload.open(0) as trainable:
        trainable.backward()
        trainable.update(0.01)
        optimizer = trainable.swept.optimizer

    assert type(optimizer) is SGD
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.01, 0.1])
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.5, 0.0]
    codes = [note.code for note in workload.notes[0]]
    assert codes == (["scheduler-set-aside"] if "LambdaLR" in str(notes_of(workload)) else [])
    assert ("two lists" in form or "scheduler" in form or form == "dicts") == bool(codes)


def notes_of(workload: Workload) -> list[str]:
    """Write notes out."""
    return [str(note) for note in workload.notes[0]]


def test_cycled_momentum_goes_back_to_the_optimizers_own() -> None:
    """OneCycleLR moves `betas` when it is built; a sweep trains with those of the optimizer."""

    def cycled(parameters: list[Any]) -> Any:
        optimizer = Adam(parameters, lr=0.1, betas=(0.8, 0.99))
        return [optimizer], [OneCycleLR(optimizer, max_lr=0.3, total_steps=50)]

    with Workload(recipe(lambda: Linear(cycled)), SweepSection(), CPU).open(0) as trainable:
        (group,) = trainable.swept.optimizer.param_groups

        assert group["betas"] == (0.8, 0.99)
        assert not hasattr(trainable.swept.optimizer.step, "_wrapped_by_lr_sched")


def two(parameters: list[Any]) -> list[Any]:
    """Give each parameter an optimizer."""
    return [SGD(parameters[:1], lr=0.1), Adam(parameters[1:], lr=0.1)]


def test_one_of_several_optimizers_is_chosen() -> None:
    """`optimizer_index` says which one moves; the other stands still."""
    with Workload(
        recipe(lambda: Linear(two), index=1), SweepSection(), CPU
    ).open(0) as trainable:  # fmt: skip
        before = [p.detach().clone() for p in trainable.model.parameters()]
        trainable.backward()
        trainable.update(0.1)
        weight, bias = trainable.model.parameters()

        assert type(trainable.swept.optimizer) is Adam
        assert torch.equal(weight, before[0])
        assert not torch.equal(bias, before[1])


class Skipping(Linear):  # type: ignore[misc, valid-type]
    """Has no loss for a batch."""

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        """Skip."""


class Homeless(Linear):  # type: ignore[misc, valid-type]
    """Has no data."""

    train_dataloader = L.LightningModule.train_dataloader


@pytest.mark.parametrize(
    ("module", "index", "told"),
    [
        (lambda: Linear(two), None, r"2 optimizers \(0: SGD over 2 .*1: Adam over 1 .*index"),
        (lambda: Linear(two), 2, r"= 2, but configure_optimizers gives 2 .*take 0 to 1"),
        (lambda: Linear(lambda p: 5), None, "returned a int, in which there is no optimizer"),
        (lambda: Linear(lambda p: [{"optim": 5}]), None, "dict without an 'optimizer'"),
        (Skipping, None, "training_step: returned None, which skips the batch"),
        (Homeless, None, "no datamodule, and Homeless has no train_dataloader"),
        (lambda: torch.nn.Linear(2, 1), None, "gave a Linear; it must be a LightningModule"),
    ],
)
def test_what_cannot_be_swept_is_told(module: Any, index: int | None, told: str) -> None:
    """Each with what to change."""
    with pytest.raises(InputError, match=told):
        swept(recipe(module, index=index), 1)


@pytest.mark.parametrize("package", ["lightning.pytorch", "pytorch_lightning"])
def test_modules_of_both_packages_are_swept(package: str) -> None:
    """`self.log`, the device and the counts work in either, with the module's own loader."""
    losses = swept(recipe(module_class(importlib.import_module(package))), 12)

    assert losses[-1] < losses[0]


def test_a_ready_module_and_a_plain_loader_are_put_back() -> None:
    """A module that was made before is as it was afterwards, and logs again."""
    module = Linear()
    before = {name: value.clone() for name, value in module.state_dict().items()}

    first, second = (swept(recipe(module, loader()), 10) for _ in range(2))

    assert first == second
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert "log" not in vars(module)
    assert module._trainer is None


@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")
@pytest.mark.filterwarnings("ignore:.*(many workers|implementation from):UserWarning")
def test_hooks_are_called_as_lightning_calls_them() -> None:
    """Two updates of two batches each, over an epoch's end: the same calls as in `Trainer.fit`."""
    names = [
        "on_fit_start", "on_train_start", "on_train_epoch_start", "on_train_epoch_end",
        "on_train_batch_start", "on_train_batch_end", "on_before_zero_grad", "on_before_backward",
        "on_after_backward", "on_before_optimizer_step", "on_after_batch_transfer",
    ]  # fmt: skip

    class Watched(Linear):  # type: ignore[misc, valid-type]
        def __init__(self) -> None:
            super().__init__()
            self.trace: list[str] = []

        def training_step(self, batch: Any, batch_idx: int) -> Any:
            self.trace.append(f"training_step {self.global_step} {self.current_epoch}")
            return super().training_step(batch, batch_idx)

    def watch(name: str) -> Any:
        def hook(self: Any, *args: Any) -> Any:
            self.trace.append(name)
            return args[0] if name == "on_after_batch_transfer" else None

        return hook

    for name in names:
        setattr(Watched, name, watch(name))
    module, fitted = Watched(), Watched()
    swept(recipe(module, loader(24)), 5)
    trainer = L.Trainer(
        accelerator="cpu", max_steps=5, max_epochs=9, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(fitted, loader(24))

    # An epoch that is cut short by max_steps ends; a sweep's does not.
    assert module.trace == fitted.trace[: len(module.trace)]
    assert len(fitted.trace) - len(module.trace) <= 1
    assert "training_step 4 1" in module.trace


def test_nothing_is_written_and_no_hook_of_the_sweep_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No `lightning_logs`; an override of `optimizer_step` is told instead of called."""
    monkeypatch.chdir(tmp_path)

    class Stepping(Linear):  # type: ignore[misc, valid-type]
        def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
            raise AssertionError

    workload = Workload(recipe(Stepping), SweepSection(), CPU)
    with workload.open(0) as trainable:
        trainable.backward()
        trainable.update(0.1)

    assert [note.code for note in workload.notes[0]] == ["hooks-set-aside"]
    assert "optimizer_step" in notes_of(workload)[0]
    assert [*tmp_path.iterdir()] == []
