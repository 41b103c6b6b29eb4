"""Whether a tensor holds infinite or NaN numbers, and how many."""

from __future__ import annotations

import torch
from torch import Tensor

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


def _stored(tensor: Tensor) -> Tensor:
    """Give the numbers that a tensor stores in this process as a dense one."""
    values = own_part(tensor.detach())
    if values.layout is torch.strided:
        return values
    return values.coalesce().values() if values.is_sparse else values.to_dense()
