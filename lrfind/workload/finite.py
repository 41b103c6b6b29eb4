"""Which tensors hold infinite or NaN numbers, and how many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from lrfind.workload.batch import describe, tensors_of
from lrfind.workload.shards import own_part


def is_finite(tensor: Tensor) -> bool:
    """Tell whether all numbers of a tensor are finite, without a second tensor of its size."""
    values = _stored(tensor)
    if not values.numel() or not (values.is_floating_point() or values.is_complex()):
        return True
    if values.is_complex():
        values = torch.view_as_real(values.resolve_conj())
    # One NaN makes both ends NaN.
    return bool(torch.isfinite(torch.stack(torch.aminmax(values))).all())


def count_nonfinite(tensor: Tensor) -> int:
    """Count the infinite and NaN numbers of a tensor."""
    return int((~torch.isfinite(_stored(tensor))).sum())


def nonfinite(tensors: Mapping[str, Tensor]) -> list[str]:
    """Name the tensors that hold an infinite or NaN number."""
    return [name for name, tensor in tensors.items() if not is_finite(tensor)]


def spoilt_parts(batch: Any) -> Iterator[str]:
    """Describe the tensors of a batch that hold infinite or NaN numbers."""
    for tensor in tensors_of(batch):
        if (tensor.is_floating_point() or tensor.is_complex()) and (
            count := count_nonfinite(tensor)
        ):
            values = f"{count} infinite or NaN {'value' if count == 1 else 'values'}"
            yield f"{values} of {tensor.numel()} in its {describe(tensor)}"


def _stored(tensor: Tensor) -> Tensor:
    """Give the numbers that a tensor stores in this process as a dense one."""
    values = own_part(tensor.detach())
    if values.layout is torch.strided:
        return values
    return values.coalesce().values() if values.is_sparse else values.to_dense()
