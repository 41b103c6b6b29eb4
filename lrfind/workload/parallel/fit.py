"""What of a config does not go with several ranks."""

from __future__ import annotations

from typing import Any

from torch import nn

from lrfind.errors import InputError, Problem
from lrfind.spec import Spec


def require_fit(spec: Spec, model: Any) -> None:
    """Refuse what cannot be trained by several ranks together.

    Args:
        spec: what is wanted.
        model: what the config names: a factory, or a module.

    Raises:
        InputError: the update is wanted inside the backward pass, where gradients are still being
            averaged; the model is to be compiled; or with fsdp, a ready module, a loss scaler or
            weights with channels last.
    """
    if spec.distributed.strategy == "fsdp":
        if isinstance(model, nn.Module):
            what = f"is a ready {type(model).__name__}, which fsdp would shard for good"
            raise InputError(Problem("model", what, "give a function that makes it"))
        if spec.sweep.precision == "fp16":
            what = "= fp16 scales the loss, which each rank would do on its own under fsdp"
            raise InputError(Problem("sweep.precision", what, "write bf16, or strategy: ddp"))
        if spec.sweep.channels_last:
            what = "= true turns the weights of convolutions, but fsdp shards contiguous ones only"
            raise InputError(Problem("sweep.channels_last", what, "leave it out, or take ddp"))
    if spec.sweep.compile.enabled:
        what = "= true was not tried with several ranks that train one model"
        remedy = "leave it out, or take strategy: replicas"
        raise InputError(Problem("sweep.compile", what, remedy))
    if spec.sweep.low_memory:
        raise InputError(
            Problem(
                "sweep.low_memory",
                "= true updates inside the backward pass, while the ranks still average their "
                f"gradients for distributed.strategy = {spec.distributed.strategy}",
                "leave it out, or run one process",
            )
        )
