"""A model that holds numbers, from the function that makes it."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from lrfind.errors import InputError, Problem


def whole_model(make: Callable[[], nn.Module]) -> nn.Module:
    """Make a model that can be trained.

    Raises:
        InputError: it is on the meta device, where tensors have a shape and no numbers.
    """
    model = make()
    tensors = [*model.named_parameters(), *model.named_buffers()]
    on_meta = [name for name, tensor in tensors if tensor.is_meta]
    if on_meta:
        raise InputError(
            Problem(
                "model",
                f"({type(model).__name__}) is on the meta device, where {on_meta[0]} and all "
                "others hold no numbers; a sweep needs some to train",
                "build it on a real device, outside torch.device('meta')",
            )
        )
    return model
