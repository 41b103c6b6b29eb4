"""A process as it was before transformers and accelerate, and nothing of theirs written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch


@contextmanager
def contained() -> Iterator[None]:
    """Put global states back when the block ends, and let no Trainer write or upload within it.

    Put back are the environment, accelerate's states (which are the process's), torch's
    determinism and the verbosity of transformers. A Trainer that is built makes no output folder
    and no repository on the Hub.
    """
    from accelerate.state import AcceleratorState, GradientState, PartialState
    from transformers import Trainer, TrainingArguments
    from transformers.utils import logging

    states = [kind._shared_state for kind in (PartialState, AcceleratorState, GradientState)]
    before = [dict(state) for state in states]
    environment, verbosity = dict(os.environ), logging.get_verbosity()
    with _determinism_put_back(), ExitStack() as undo:
        undo.callback(_put_back, os.environ, environment)
        undo.callback(logging.set_verbosity, verbosity)
        for state, own in zip(states, before, strict=True):
            undo.callback(_put_back, state, own)
        for owner, name, stand_in in (
            (TrainingArguments, "should_save", property(lambda self: False)),
            (Trainer, "init_hf_repo", lambda self, *args, **kwargs: None),
        ):
            undo.callback(setattr, owner, name, vars(owner)[name])
            setattr(owner, name, stand_in)
        yield


def _put_back(now: Any, before: dict[str, Any]) -> None:
    for name in now.keys() - before.keys():
        del now[name]
    now.update(before)


@contextmanager
def _determinism_put_back() -> Iterator[None]:
    cudnn = torch.backends.cudnn
    flags = (cudnn.deterministic, cudnn.benchmark)
    is_asked = torch.are_deterministic_algorithms_enabled()
    warns = torch.is_deterministic_algorithms_warn_only_enabled()
    matmul = torch.get_float32_matmul_precision()
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(is_asked, warn_only=warns)
        cudnn.deterministic, cudnn.benchmark = flags
        torch.set_float32_matmul_precision(matmul)
