"""A Lightning module as it stands: its own step, optimizer, data and hooks.

The module gets a real `Trainer` that is built and never fit, so that whatever it reads off
`self.trainer` is there, from `estimated_stepping_batches` to `datamodule`. The sweep does the
steps; `lightning_loop` calls the hooks around them. Both packages are known: `lightning` and
`pytorch_lightning`.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import torch

from lrfind.errors import InputError, Problem
from lrfind.frameworks.configured import WHERE, parsed
from lrfind.frameworks.lightning_loop import Epochs, LightningLoop, overrides
from lrfind.frameworks.lightning_manual import manual, require_fit, trained_along
from lrfind.spec import SweepSection
from lrfind.suggest.answer import Note
from lrfind.workload.optimizer import adopt
from lrfind.workload.phase import Phase
from lrfind.workload.plain import is_factory
from lrfind.workload.recipe import Making, Parts
from lrfind.workload.scheduled import detach, set_aside
from lrfind.workload.snapshot import DATA_SEED, preserved, seed_everything

PACKAGES = ("lightning.pytorch", "pytorch_lightning")
"""Where a LightningModule may come from."""

USUAL_EPOCHS = 1000
"""Epochs of a Trainer that is told nothing."""

_NOT_CALLED = ("optimizer_step", "optimizer_zero_grad", "backward", "configure_callbacks")
"""Hooks that would replace what the sweep itself does."""


@dataclass
class LightningRecipe:
    """A LightningModule and its data.

    Attributes:
        module: a LightningModule, restored after each seed, or a factory that is called for each.
        datamodule: a LightningDataModule, a DataLoader, or a factory of one; None: the module has
            its own.
        optimizer_index: which optimizer to sweep; None where there is one.
        sweep: accumulation, precision, clipping.
    """

    module: Any
    datamodule: Any
    optimizer_index: int | None
    sweep: SweepSection
    _data: Any = field(default=None, init=False)

    can_repeat = True

    def columns(self) -> None:
        """Return none: batches are drawn by the module's own loader."""

    @contextmanager
    def opened(self, making: Making) -> Iterator[Parts]:
        """Make module, data and optimizer as `Trainer.fit` would, up to the first batch."""
        own = None if is_factory(self.module) else self.module
        with (
            preserved(model=own, copies=making.copies),
            tempfile.TemporaryDirectory() as folder,
            ExitStack() as undo,
        ):
            making.doing(Phase.DATA)
            seed_everything(DATA_SEED)
            is_new = self._open_data()
            making.doing(Phase.MODEL)
            seed_everything(making.seed)
            module = self.module() if own is None else own
            package = package_of(module)
            with _quiet(package):
                trainer = _trainer(package, making.device, self.sweep, folder)
            undo.callback(setattr, module, "trainer", None)
            self._attach(trainer, module, package)
            for part in module.modules():
                if hasattr(part, "log_dict"):
                    part.log = part.log_dict = _not_logged
                    undo.callback(_log_again, part)
            making.doing(Phase.DATA)
            with preserved():
                seed_everything(DATA_SEED)
                self._prepare(module, is_new)
            making.doing(Phase.MODEL)
            module.setup("fit")
            module.configure_model()
            making.made(lambda: module)
            making.doing(Phase.DATA)
            with preserved(), _quiet(package):
                seed_everything(DATA_SEED)
                trainer.fit_loop.setup_data()
                trainer.fit_loop.teardown()
            yield self._parts(module, trainer, making, undo)

    def _open_data(self) -> bool:
        """Make the datamodule, once for all seeds; True where it is new."""
        if self._data is not None or self.datamodule is None:
            return False
        self._data = self.datamodule() if is_factory(self.datamodule) else self.datamodule
        return True

    def _attach(self, trainer: Any, module: Any, package: str) -> None:
        """Let trainer, module and data know each other, as the beginning of `Trainer.fit` does."""
        states = import_module(f"{package}.trainer.states")
        trainer.state.fn = states.TrainerFn.FITTING
        trainer.state.status = states.TrainerStatus.RUNNING
        trainer.training = True
        trainer.strategy.connect(module)
        is_module = isinstance(self._data, import_module(package).LightningDataModule)
        if self._data is None and not overrides(module, "train_dataloader"):
            what = f"has no datamodule, and {type(module).__name__} has no train_dataloader"
            raise InputError(Problem("lightning", what, "name one: datamodule: train.py:Data"))
        data = {"datamodule" if is_module else "train_dataloaders": self._data}
        trainer._data_connector.attach_data(module, **data)

    def _prepare(self, module: Any, is_new: bool) -> None:
        if is_new and hasattr(self._data, "prepare_data"):
            self._data.prepare_data()
            self._data.setup("fit")
        module.prepare_data()

    def _parts(self, module: Any, trainer: Any, making: Making, undo: ExitStack) -> Parts:
        making.doing(Phase.OPTIMIZER)
        is_manual = not module.automatic_optimization
        configured = parsed(module.configure_optimizers())
        optimizer = configured.chosen(self.optimizer_index)
        # Where only one is stepped, there is no other LR that a scheduler could move.
        aside = configured.schedulers_of(optimizer) if is_manual else configured.schedulers
        detach(optimizer, aside)
        swept = adopt(optimizer, module)
        trainer.optimizers = configured.optimizers
        clip = self.sweep.clip_grad_norm
        loop = LightningLoop(
            module,
            trainer,
            self._data if hasattr(self._data, "prepare_data") else None,
            optimizer,
            making.device,
            self.sweep.accumulate,
            clip,
        )
        training = None
        if is_manual:
            require_fit(optimizer, self.sweep)
            training = undo.enter_context(
                manual(module, configured, swept, loop, self.sweep, making.device)
            )
        making.doing(Phase.MODEL)
        module.train()
        module.on_fit_start()
        module.on_train_start()
        making.doing(Phase.DATA)
        return Parts(
            module,
            swept,
            loop.objective,
            Epochs(_loader(trainer), module, trainer),
            loop,
            making.device,
            accumulate=self.sweep.accumulate,
            precision=self.sweep.precision,
            clip_grad_norm=None if overrides(module, "configure_gradient_clipping") else clip,
            notes=[
                *set_aside(aside, "configure_optimizers"),
                *_not_called(module),
                *(trained_along(configured, optimizer) if is_manual else ()),
            ],
            training=training,
        )


def package_of(module: Any) -> str:
    """Find the package whose LightningModule a module is.

    Raises:
        InputError: it is no LightningModule.
    """
    for base in type(module).__mro__:
        package = next((p for p in PACKAGES if base.__module__.startswith(f"{p}.")), None)
        if base.__name__ == "LightningModule" and package is not None:
            return package
    what = f"gave a {type(module).__name__}; it must be a LightningModule"
    raise InputError(Problem(WHERE, what, "for any other model write model: and data: instead"))


def _trainer(package: str, device: torch.device, sweep: SweepSection, folder: str) -> Any:
    """Build a Trainer that writes nothing and says nothing."""
    loggers = import_module(f"{package}.loggers.logger")
    on_cpu = device.type == "cpu"
    return import_module(package).Trainer(
        accelerator="cpu" if on_cpu else {"cuda": "gpu"}.get(device.type, device.type),
        devices=1 if on_cpu or device.index is None else [device.index],
        accumulate_grad_batches=sweep.accumulate,
        gradient_clip_val=sweep.clip_grad_norm,
        max_epochs=USUAL_EPOCHS,
        num_sanity_val_steps=0,
        logger=loggers.DummyLogger(),
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
    )


def _loader(trainer: Any) -> Iterable[Any]:
    """Return what `train_dataloader` gave; several loaders as Lightning combines them."""
    loader = trainer.train_dataloader
    if isinstance(loader, dict | list | tuple):
        return _Combined(trainer.fit_loop._combined_loader)
    batches: Iterable[Any] = loader
    return batches


class _Combined:
    """Several loaders side by side; a batch holds one of each."""

    def __init__(self, loader: Iterable[Any]) -> None:
        self._loader = loader

    def __iter__(self) -> Iterator[Any]:
        return (batch for batch, *_ in self._loader)


def _not_called(module: Any) -> list[Note]:
    # A module that updates itself has its `backward` called, and the others by nobody.
    hooks = _NOT_CALLED if module.automatic_optimization else ("configure_callbacks",)
    names = [hook for hook in hooks if overrides(module, hook)]
    if not names:
        return []
    what = f"{type(module).__name__} overrides {', '.join(names)}, which a sweep does not call"
    advice = "see that the LR is for the same training; write a step: where it is not"
    return [Note("hooks-set-aside", what, advice)]


def _not_logged(*args: Any, **kwargs: Any) -> None:
    """Stand in for `self.log`: nothing is logged in a sweep."""


def _log_again(module: Any) -> None:
    vars(module).pop("log", None)
    vars(module).pop("log_dict", None)


@contextmanager
def _quiet(package: str) -> Iterator[None]:
    """Keep Lightning's advice on hardware and loader workers to itself."""
    logger = logging.getLogger(package)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=rf"{package}|lightning\.fabric")
            warnings.filterwarnings("ignore", message=".*(many workers|is available but not used)")
            yield
    finally:
        logger.setLevel(level)
