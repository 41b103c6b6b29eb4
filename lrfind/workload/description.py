"""What an opened workload is, in words."""

from __future__ import annotations

from collections.abc import Iterator

from torch.nn.parameter import is_lazy
from torch.optim import Optimizer

from lrfind.workload.training import Training


def describe_trainable(trainable: Training, ranks: int = 1) -> str:
    """Name model, optimizer and batch size: `MLP (4,810 parameters) · AdamW · batch 64`.

    Of several ranks the batch is `2 × 32`.
    """
    model = trainable.model
    count = sum(p.numel() for p in model.parameters() if not is_lazy(p))
    parts = [
        f"{type(model).__name__} ({count:,} parameters)",
        type(trainable.swept.optimizer).__name__,
    ]
    if trainable.batch_size is not None:
        times = f"{ranks} × " if ranks > 1 else ""
        parts.append(f"batch {times}{trainable.batch_size}")
    return " · ".join(parts)


def describe_update(trainable: Training) -> Iterator[tuple[str, str]]:
    """Say what a framework's project decided of an update: a name and a description a row."""
    optimizer = trainable.swept.optimizer
    yield "optimizer", f"{type(optimizer).__name__}, {_groups(optimizer)}"
    size, accumulate = trainable.batch_size, trainable.accumulate
    if size is not None:
        batches = f"{accumulate} batches of {size // accumulate}, " if accumulate > 1 else ""
        yield "update", f"{batches}{size} samples"
    if trainable.clip_grad_norm is not None:
        yield "clipping", f"gradients to an ℓ2 norm of {trainable.clip_grad_norm:g}"


def _groups(optimizer: Optimizer) -> str:
    """Count parameters and weight decay of each group."""
    groups = []
    for group in optimizer.param_groups:
        count = sum(parameter.numel() for parameter in group["params"])
        decay = group.get("weight_decay")
        told = "" if decay is None else f", weight decay {float(decay):g}"
        groups.append(f"{count:,} parameters{told}")
    return f"{len(groups)} groups: {'; '.join(groups)}" if len(groups) > 1 else groups[0]
