"""Where a model keeps its tensors: each one once, with all the places that share it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn

Shape: TypeAlias = tuple[tuple[str, ...], tuple[int, ...], str, bool]
"""Of a tensor: the names of its places, its sizes, its type, whether it is trained."""


@dataclass(frozen=True)
class Slot:
    """A parameter or buffer of a model.

    Attributes:
        places: the modules that hold it, and under which name; several where it is tied.
        names: the same from the model's point of view.
    """

    places: tuple[tuple[nn.Module, str], ...]
    names: tuple[str, ...]

    @property
    def tensor(self) -> Tensor:
        """Give what is there now."""
        module, name = self.places[0]
        found: Tensor = getattr(module, name)
        return found

    @property
    def shape(self) -> Shape:
        """Describe it, as all ranks must have it."""
        tensor = self.tensor
        return self.names, tuple(tensor.shape), str(tensor.dtype), tensor.requires_grad

    def hold(self, tensor: Tensor) -> None:
        """Put a tensor into all places."""
        # Set as an attribute, since some modules (LSTM) keep a list of their own beside.
        for module, name in self.places:
            setattr(module, name, tensor)

    def empty(self) -> None:
        """Leave the shape and let go of the numbers."""
        tensor = self.tensor
        bare = torch.empty_like(tensor, device="meta", requires_grad=False)
        if isinstance(tensor, nn.Parameter):
            bare = nn.Parameter(bare, requires_grad=tensor.requires_grad)
        self.hold(bare)


def slots(model: nn.Module) -> list[Slot]:
    """List a model's parameters and buffers, in an order that its modules decide."""
    places: dict[int, list[tuple[nn.Module, str]]] = {}
    names: dict[int, list[str]] = {}
    for prefix, module in model.named_modules():
        for name, tensor in [*module._parameters.items(), *module._buffers.items()]:
            if tensor is not None:
                places.setdefault(id(tensor), []).append((module, name))
                names.setdefault(id(tensor), []).append(f"{prefix}.{name}".lstrip("."))
    return [Slot(tuple(places[key]), tuple(names[key])) for key in places]
