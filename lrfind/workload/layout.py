"""Weights of convolutions in the order in memory that their kernels are fastest in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def laid_out(*, channels_last: bool) -> Iterator[Callable[[nn.Module], nn.Module]]:
    """Yield what lays a model's weights out; at the end they lie as they did.

    With `channels_last` every weight of four dimensions has its channels innermost (NHWC). A
    convolution gives its outputs in the order of its weights, so that what flows from layer to
    layer follows, whatever the inputs are. Values and gradients are the same to rounding.
    """
    turned: list[nn.Parameter] = []

    def lay_out(model: nn.Module) -> nn.Module:
        if channels_last:
            for parameter in model.parameters():
                if parameter.ndim == 4 and parameter.is_contiguous():
                    parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
                    turned.append(parameter)
        return model

    try:
        yield lay_out
    finally:
        for parameter in turned:
            parameter.data = parameter.data.contiguous()
