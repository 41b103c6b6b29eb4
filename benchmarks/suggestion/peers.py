"""Other LR finders, run as their READMEs show, on the pairs, weights and batches lrfind gets.

Needs the extra `bench`; each package is the real one, with its own defaults. What a README leaves
to the optimizer (its initial LR, from which torch-lr-finder and ignite start) is taken from the
README's own example. An exception or an answer that is no LR counts as no suggestion; its text is
kept. The answers lie in `peers/`, a file a pair, with the versions they were made with.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import logging
import math
import os
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from benchmarks.suggestion.answers import Answer
from benchmarks.suggestion.feeding import (
    TORCH_OPTIMIZERS,
    ReturnsLoss,
    loader,
    output_is_loss,
    torch_optimizer,
)
from benchmarks.suggestion.seeds import FINDER_SEEDS
from benchmarks.suggestion.tasks import PAIRS, Pair

FOLDER = Path(__file__).parent / "peers"

PACKAGES = ("torch-lr-finder", "fastai", "lightning", "pytorch-ignite", "torch")

MODULES = ("torch_lr_finder", "fastai.learner", "lightning.pytorch.tuner", "ignite.handlers")

Found = tuple[dict[str, float | None], int]
"""System → suggested LR, and the steps of the sweep they share."""


def torch_lr_finder(pair: Pair, seed: int) -> Found:
    """`range_test(loader, end_lr=100, num_iter=100)` from 1e-7, then `plot()`, as the README."""
    import matplotlib.pyplot as plt
    from torch_lr_finder import LRFinder

    model = ReturnsLoss(pair.task, seed)
    finder = LRFinder(model, torch_optimizer(pair, model, 1e-7), output_is_loss, device="cpu")
    finder.range_test(loader(pair, seed, nested=True), end_lr=100, num_iter=100)
    steps = len(finder.history["lr"])
    figure, axes = plt.subplots()
    try:
        shown = finder.plot(ax=axes)
    finally:
        plt.close(figure)
    return {"torch-lr-finder": shown[1] if isinstance(shown, tuple) else None}, steps


def fastai(pair: Pair, seed: int) -> Found:
    """`learn.lr_find(suggest_funcs=(minimum, steep, valley, slide))`, as the documentation."""
    from fastai.callback.schedule import minimum, slide, steep, valley
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner
    from fastai.optimizer import OptimWrapper

    kind, args = TORCH_OPTIMIZERS[pair.optimizer]
    batches = loader(pair, seed, nested=False)
    with tempfile.TemporaryDirectory() as folder:
        learn = Learner(
            DataLoaders(batches, batches),
            ReturnsLoss(pair.task, seed),
            loss_func=output_is_loss,
            opt_func=partial(OptimWrapper, opt=kind, **args),
            path=folder,
        )
        with learn.no_bar():
            found = learn.lr_find(show_plot=False, suggest_funcs=(minimum, steep, valley, slide))
        steps = len(learn.recorder.lrs)
    return {f"fastai {name}": float(lr) for name, lr in found._asdict().items()}, steps


def lightning(pair: Pair, seed: int) -> Found:
    """`Tuner(trainer).lr_find(module, loader).suggestion()`, as the documentation."""
    import lightning
    from lightning.pytorch.tuner.tuning import Tuner

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.lr = 1e-3
            self.net = ReturnsLoss(pair.task, seed)

        def training_step(self, batch: Any, index: int) -> torch.Tensor:
            loss: torch.Tensor = self.net(*batch[:-1])
            return loss

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch_optimizer(pair, self, self.lr)

    with tempfile.TemporaryDirectory() as folder:
        trainer = lightning.Trainer(
            accelerator="cpu",
            devices=1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=folder,
        )
        found = Tuner(trainer).lr_find(Module(), loader(pair, seed, nested=False))
        assert found is not None
        return {"Lightning": found.suggestion()}, len(found.results["loss"])


def ignite(pair: Pair, seed: int) -> Found:
    """`finder.attach(trainer, to_save)`, 100 iterations from 1e-6, then `lr_suggestion()`."""
    from ignite.engine import create_supervised_trainer
    from ignite.handlers import FastaiLRFinder

    model = ReturnsLoss(pair.task, seed)
    optimizer = torch_optimizer(pair, model, 1e-6)
    trainer = create_supervised_trainer(model, optimizer, output_is_loss)
    finder = FastaiLRFinder()
    to_save = {"model": model, "optimizer": optimizer}
    with finder.attach(trainer, to_save=to_save, num_iter=100) as attached:
        attached.run(loader(pair, seed, nested=True))
    steps = len(finder.get_results()["lr"])
    return {"ignite": finder.lr_suggestion()}, steps


FINDERS: dict[str, tuple[Callable[[Pair, int], Found], tuple[str, ...]]] = {
    "torch-lr-finder": (torch_lr_finder, ("torch-lr-finder",)),
    "fastai": (fastai, ("fastai minimum", "fastai steep", "fastai valley", "fastai slide")),
    "lightning": (lightning, ("Lightning",)),
    "ignite": (ignite, ("ignite",)),
}
"""Package → how it is asked, and the systems that come of it."""


def ask(package: str, pair: Pair, seed: int) -> dict[str, dict[str, Any]]:
    """Ask one package about one pair; system → LR (or None), steps and, if it failed, why."""
    finder, systems = FINDERS[package]
    torch.manual_seed(seed)
    with _silence():
        try:
            found, steps = finder(pair, seed)
        except ImportError:
            raise
        except Exception as error:  # whatever a package raises is its answer
            why = f"{type(error).__name__}: {error}".splitlines()[0][:120]
            return {system: {"lr": None, "steps": 0, "error": why} for system in systems}
    return {
        system: {"lr": float(f"{lr:.6g}") if _is_lr(lr) else None, "steps": steps}
        for system, lr in found.items()
    }


def run(names: Iterable[str], told: Callable[[str], None]) -> None:
    """Ask every package about every pair that has no file yet."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    for module in MODULES:  # a broken installation must not pass for a finder's failure
        importlib.import_module(module)
    FOLDER.mkdir(exist_ok=True)
    versions = {package: metadata.version(package) for package in PACKAGES}
    for name in names:
        path = FOLDER / f"{name}.json"
        if path.exists():
            continue
        systems: dict[str, list[dict[str, Any]]] = {}
        for seed in FINDER_SEEDS:
            for package in FINDERS:
                for system, answer in ask(package, PAIRS[name], seed).items():
                    systems.setdefault(system, []).append(answer)
        lines = [f"{json.dumps(system)}: {json.dumps(rows)}" for system, rows in systems.items()]
        head = f'"pair": {json.dumps(name)},\n"versions": {json.dumps(versions)},\n"answers": {{\n'
        path.write_text("{\n" + head + ",\n".join(lines) + "\n}\n}\n")
        told(f"{name}: asked {len(systems)} peers {len(FINDER_SEEDS)} times")


def peer_systems(pairs: Iterable[Pair]) -> dict[str, list[Answer]]:
    """Read the peers' answers; system → answers, empty where the peers were not run."""
    found: dict[str, list[Answer]] = {}
    for pair in pairs:
        path = FOLDER / f"{pair.name}.json"
        if not path.exists():
            continue
        for system, rows in json.loads(path.read_text())["answers"].items():
            for seed, row in zip(FINDER_SEEDS, rows, strict=True):
                answer = Answer(pair.name, seed, row["lr"], row["lr"], row["steps"])
                found.setdefault(system, []).append(answer)
    return found


def peer_versions() -> dict[str, str]:
    """Read with which versions the peers' answers were made."""
    found: dict[str, str] = {}
    for path in sorted(FOLDER.glob("*.json")):
        found |= json.loads(path.read_text())["versions"]
    return found


def _is_lr(value: Any) -> bool:
    return value is not None and math.isfinite(value) and value > 0.0


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep what the packages print and warn out of the terminal."""
    logging.disable(logging.WARNING)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
