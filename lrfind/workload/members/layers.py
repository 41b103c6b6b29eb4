"""Layers of several networks at once: forward and backward written out, without autograd.

All data have shape `(members, batch, features)`. A layer keeps what its backward needs from the
forward just before, so they run strictly in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn

aten = torch.ops.aten


class Layer(Protocol):
    """One layer of all members."""

    def forward(self, x: Tensor) -> Tensor:
        """Compute the outputs; `x` may be overwritten later on, but not by this layer."""

    def backward(self, grad: Tensor, *, wants_inputs: bool) -> Tensor:
        """Turn the gradient of the outputs into that of the inputs, and keep the parameters'.

        Without `wants_inputs` what comes back has no meaning.
        """


@dataclass
class Linear:
    """y = x Wᵀ + b.

    Attributes:
        weight: W, shape `(members, outputs, inputs)`.
        bias: b, shape `(members, 1, outputs)`, or None.
        weight_grad: where the gradient of `weight` is written.
        bias_grad: where that of `bias` is written, shape `(members, outputs)`.
    """

    weight: Tensor
    weight_grad: Tensor
    bias: Tensor | None = None
    bias_grad: Tensor | None = None
    _x: Tensor = field(init=False)

    def forward(self, x: Tensor) -> Tensor:
        """Multiply and add."""
        self._x = x
        if self.bias is None:
            return torch.bmm(x, self.weight.mT)
        return torch.baddbmm(self.bias, x, self.weight.mT)

    def backward(self, grad: Tensor, *, wants_inputs: bool) -> Tensor:
        """∂W = ∂yᵀ x, ∂b = Σ ∂y, ∂x = ∂y W."""
        torch.bmm(grad.mT, self._x, out=self.weight_grad)
        if self.bias_grad is not None:
            torch.sum(grad, 1, out=self.bias_grad)
        return torch.bmm(grad, self.weight) if wants_inputs else grad


@dataclass
class Activation:
    """An elementwise function and its derivative, by torch's own kernels.

    Attributes:
        function: inputs to outputs.
        derivative: `(gradient, seen) -> gradient`.
        sees_output: whether `seen` are the outputs, else the inputs.
    """

    function: Callable[[Tensor], Tensor]
    derivative: Callable[[Tensor, Tensor], Tensor]
    sees_output: bool = False
    _seen: Tensor = field(init=False)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the function."""
        y = self.function(x)
        self._seen = y if self.sees_output else x
        return y

    def backward(self, grad: Tensor, *, wants_inputs: bool) -> Tensor:
        """Apply the chain rule."""
        return self.derivative(grad, self._seen) if wants_inputs else grad


def _relu(module: Any) -> Activation:
    return Activation(torch.relu, lambda g, y: aten.threshold_backward(g, y, 0), sees_output=True)


def _tanh(module: Any) -> Activation:
    return Activation(torch.tanh, aten.tanh_backward, sees_output=True)


def _sigmoid(module: Any) -> Activation:
    return Activation(torch.sigmoid, aten.sigmoid_backward, sees_output=True)


def _gelu(module: Any) -> Activation:
    kind = module.approximate
    return Activation(
        lambda x: aten.gelu(x, approximate=kind),
        lambda g, x: aten.gelu_backward(g, x, approximate=kind),
    )


def _silu(module: Any) -> Activation:
    return Activation(aten.silu, aten.silu_backward)


def _leaky_relu(module: Any) -> Activation:
    slope = module.negative_slope
    return Activation(
        lambda x: aten.leaky_relu(x, slope),
        lambda g, x: aten.leaky_relu_backward(g, x, slope, False),
    )


def _elu(module: Any) -> Activation:
    alpha = module.alpha
    return Activation(
        lambda x: aten.elu(x, alpha),
        lambda g, x: aten.elu_backward(g, alpha, 1.0, 1.0, False, x),
    )


_ACTIVATIONS: Mapping[type[nn.Module], Callable[[Any], Activation]] = {
    nn.ReLU: _relu,
    nn.Tanh: _tanh,
    nn.Sigmoid: _sigmoid,
    nn.GELU: _gelu,
    nn.SiLU: _silu,
    nn.LeakyReLU: _leaky_relu,
    nn.ELU: _elu,
}


def flat_modules(model: nn.Module) -> list[nn.Module]:
    """List the modules that a model runs through in order, nested Sequentials opened."""
    if type(model) is not nn.Sequential:
        return [model]
    return [inner for module in model for inner in flat_modules(module)]


def is_known(module: nn.Module) -> bool:
    """Tell whether a module can be written out; a subclass may do anything, so none can."""
    if type(module) is nn.Flatten:
        return (module.start_dim, module.end_dim) == (1, -1)
    return type(module) in {nn.Linear, nn.Identity, *_ACTIVATIONS}


Place = tuple[Tensor, Tensor]
"""A parameter's values and gradients of all members, shapes `(members, *shape)`."""


def make_layers(model: nn.Module, places: Mapping[nn.Parameter, Place]) -> list[Layer]:
    """Write a model out, over parameters that are stacked already.

    Args:
        model: of modules that are all known.
        places: where the values and gradients of each of its parameters are.
    """
    layers: list[Layer] = []
    for module in flat_modules(model):
        if type(module) in _ACTIVATIONS:
            layers.append(_ACTIVATIONS[type(module)](module))
        elif isinstance(module, nn.Linear):
            own = dict(module.named_parameters())
            layer = Linear(*places[own["weight"]])
            if "bias" in own:
                values, layer.bias_grad = places[own["bias"]]
                layer.bias = values.unsqueeze(1)
            layers.append(layer)
    return layers
