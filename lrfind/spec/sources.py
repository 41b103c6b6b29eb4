"""The sections that name the user's own model, data and step."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from lrfind.spec.section import SHORT_FORM, Section

DEFAULT_BATCH_SIZE = 32
"""Samples a batch where `data.target` gives a dataset and `data.batch_size` is left out."""


class TargetSection(Section):
    """The user's own object; a bare string is short for `{target: …}`."""

    model_config = SHORT_FORM

    target: str = Field(
        description="Import path of the object: `package.module:attr` or `file.py:attr`, a file "
        "relative to the config's own folder. A class or function is called with `args`; any "
        "other object is used as it is.",
        examples=["train.py:build_model"],
    )
    args: dict[str, Any] = Field(
        default_factory=dict, description="Keyword arguments for the target."
    )

    @model_validator(mode="before")
    @classmethod
    def _from_string(cls, value: Any) -> Any:
        return {"target": value} if isinstance(value, str) else value


class ModelSection(TargetSection):
    """What is trained: a `torch.nn.Module`, or what returns one."""


class StepSection(TargetSection):
    """The user's own training step: `step(model, batch) -> loss`."""


class LoaderSection(TargetSection):
    """Where batches come from, and how a bare dataset is batched."""

    item: int | str | None = Field(
        default=None,
        description="Which of several, where the target gives a tuple, list or mapping of them: "
        "its index or key. `0` of `return train, test` is the first.",
    )
    batch_size: int | None = Field(
        default=None,
        ge=1,
        description="Samples a batch, for a dataset (32 where left out). A DataLoader or an "
        "iterable of batches brings its own.",
    )
    num_workers: int = Field(
        default=0, ge=0, description="Loader processes, for a dataset; 0 loads in the main one."
    )


class DataSection(LoaderSection):
    """The training data: a Dataset, IterableDataset, DataLoader or iterable of batches."""

    shuffle: bool | None = Field(
        default=None,
        description="Shuffle a dataset anew each pass. Left out: true, and false for an "
        "IterableDataset, which orders itself.",
    )
    drop_last: bool = Field(
        default=False, description="Leave out the last, smaller batch of a pass, for a dataset."
    )
    pin_memory: bool | None = Field(
        default=None,
        description="Make the batches of a dataset in page-locked memory, from where they are "
        "copied to a GPU while it computes. Left out: true on CUDA. Anywhere else it changes "
        "nothing; a DataLoader brings its own. Not yet run on a GPU.",
    )


class ValidationSection(LoaderSection):
    """Held-out data: with this section the curve holds its mean loss after each update."""

    batches: int = Field(
        default=4, ge=1, description="Batches of it measured after every update, always the same."
    )
