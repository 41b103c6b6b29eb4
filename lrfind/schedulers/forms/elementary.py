"""The few functions on numbers, numpy arrays and torch tensors that the schedules are made of.

Chooses by the value's own kind, so that torch (or numpy) is used where the caller already brought
it and imported nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

X = TypeVar("X", float, "NDArray[Any]", "Tensor")
"""A number, an array of numbers or a tensor of numbers."""


def power(base: float, exponent: X) -> X:
    """Raise a number to a power; what is too large for a float is infinite."""
    result: Any
    try:
        result = float(base) ** exponent
    except OverflowError:
        result = math.inf
    value: X = result
    return value


def cos(x: X) -> X:
    """Compute the cosine of an angle in radians."""
    value: X = _elementwise("cos", x)
    return value


def clip(x: X, low: float, high: float) -> X:
    """Limit to `[low, high]`."""
    value: X = _elementwise("clip", x, low, high)
    return value


def smaller(a: X, b: X) -> X:
    """Take the smaller of two, elementwise."""
    value: X = _elementwise("minimum", a, b)
    return value


def where(condition: Any, then: X, otherwise: X) -> X:
    """Choose elementwise; both sides are computed, whichever is chosen."""
    if isinstance(condition, bool):
        return then if condition else otherwise
    chosen: Any
    if type(condition).__module__ == "numpy":
        import numpy as np

        chosen = np.where(condition, then, otherwise)
    else:
        chosen = cast(Any, then).where(condition, otherwise)
    value: X = chosen
    return value


_ON_NUMBERS: Mapping[str, Callable[..., float]] = {
    "cos": math.cos,
    "clip": lambda x, low, high: min(max(x, low), high),
    "minimum": min,
}


def _elementwise(name: str, x: Any, *rest: Any) -> Any:
    if isinstance(x, int | float):
        return _ON_NUMBERS[name](x, *rest)
    if type(x).__module__ == "numpy":
        import numpy as np

        return getattr(np, name)(x, *rest)
    # torch's methods bear numpy's names, and a method works inside vmap and compile as well.
    return getattr(x, name)(*rest)
