"""A model without numbers: the modules and the shapes of their tensors, which take no memory."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn

from lrfind.workload.snapshot import preserved


class NoSkeletonError(Exception):
    """A model cannot be built without numbers; the text says why."""


def skeleton(make: Callable[[], nn.Module]) -> nn.Module:
    """Build a model on the meta device; random generators are left as they were.

    Parameters and buffers that the function took from elsewhere (NumPy, a file) may hold numbers
    all the same; nobody will read them.

    Raises:
        NoSkeletonError: the function looks at numbers as it builds, or keeps some in a tensor that
            is neither a parameter nor a buffer, into which nobody could put them later.
    """
    before = _meta_tensors()
    with preserved(), warnings.catch_warnings(), torch.device("meta"):
        # Weights from a file that go nowhere, which torch warns of, come from the first rank.
        warnings.simplefilter("ignore")
        try:
            model = make()
        except Exception as error:
            said = str(error).strip().partition("\n")[0]
            what = f"building it on the meta device raised {type(error).__name__}: {said}"
            raise NoSkeletonError(what) from error
    known = {id(t) for t in [*before, *model.parameters(), *model.buffers()]}
    if _strangers(known):
        gc.collect()
    if found := _strangers(known):
        shape = tuple(found[0].shape)
        what = f"it keeps a tensor of shape {shape} that is neither a parameter nor a buffer"
        raise NoSkeletonError(what)
    return model


def _strangers(known: set[int]) -> list[Tensor]:
    return [tensor for tensor in _meta_tensors() if id(tensor) not in known]


def _meta_tensors() -> list[Tensor]:
    """List the living tensors on the meta device, wherever they are kept."""
    # By type: asking an object for its class may make a lazy module import itself.
    tensors = (found for found in gc.get_objects() if issubclass(type(found), Tensor))
    return [tensor for tensor in tensors if tensor.is_meta]
