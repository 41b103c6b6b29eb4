"""The sections that name a project written for a framework, in place of model and data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from lrfind.spec.section import Section
from lrfind.spec.sources import TargetSection

FRAMEWORKS = ("lightning", "huggingface")
"""Sections of which each brings all that is trained."""

BROUGHT = ("model", "data", "loss", "step", "optimizer")
"""Sections that a framework's section stands in place of."""


class LightningSection(Section):
    """A LightningModule with its own training step, optimizer and data."""

    module: TargetSection = Field(
        description="The LightningModule: a class or function, called with `args` for each seed."
    )
    datamodule: TargetSection | None = Field(
        default=None,
        description="A LightningDataModule, or a DataLoader as `Trainer.fit` takes it; left out "
        "where the module has a `train_dataloader`.",
    )
    optimizer_index: int | None = Field(
        default=None,
        ge=0,
        description="Which optimizer to sweep, counted from 0, where `configure_optimizers` gives "
        "several; with manual optimization (a GAN) the others train along at their own LR.",
    )


class HuggingFaceSection(Section):
    """A Hugging Face Trainer with its own model, data, loss, optimizer and precision."""

    trainer: TargetSection = Field(
        description="A function that builds a new `transformers.Trainer`; called for each seed."
    )


def source_errors(given: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Find what is wrong with the sections that say what is trained.

    Args:
        given: the sections by name, as values or as raw trees.

    Yields:
        The key, what is wrong with it, and the remedy.
    """
    frameworks = [name for name in FRAMEWORKS if given.get(name) is not None]
    if not frameworks:
        for key in ("model", "data"):
            example = f"for instance {key}: {{target: train.py:{key}}}"
            if key not in given:
                yield key, "is missing", f"add it, {example}"
            elif given[key] is None:
                what = "= null must be a section (key: value lines)"
                yield key, what, f"mend the value, {example}"
        return
    if len(frameworks) > 1:
        yield frameworks[1], f"and {frameworks[0]} are both given", "drop one of them"
    idle = [key for key in BROUGHT if given.get(key) is not None]
    if idle:
        verb = "is" if len(idle) == 1 else f"and {', '.join(idle[1:])} are"
        what = f"{verb} given beside {frameworks[0]}, which brings its own"
        yield idle[0], what, f"drop {' and '.join(idle)}, or {frameworks[0]}"
