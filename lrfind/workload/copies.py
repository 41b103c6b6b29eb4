"""Where copies of tensors are kept until they are put back: in memory, or on disk.

One copy serves all who ask for one: a second copy of a tensor that has not changed since is the
first one. So a ready model costs a sweep with trials one copy, as it does a sweep without.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Protocol

import torch
from torch import Tensor, nn

from lrfind.errors import InputError, Problem

SMALL_BYTES = 2**16
"""Size up to which a tensor is not worth a file."""

_PLAIN = (Tensor, nn.Parameter)

Fetch = Callable[[], Tensor]
"""Gives a copy's values; they are the keeper's, and must not be written to."""


class Copies(Protocol):
    """A keeper of copies."""

    def keep(self, tensor: Tensor) -> Fetch:
        """Copy a tensor; what is returned gives its values of now, as often as it is called."""


class InMemory:
    """Copies where the tensors themselves are."""

    def __init__(self) -> None:
        self._kept: dict[Tensor, Tensor] = {}

    def keep(self, tensor: Tensor) -> Fetch:
        """Clone a tensor, unless the clone that there is still has its values."""
        known = self._kept.get(tensor)
        values = tensor.detach().clone() if known is None or not _is_same(tensor, known) else known
        self._kept[tensor] = values
        return lambda: values


class OnDisk:
    """Copies of all but small and unusual tensors in files, read one by one to be put back.

    Args:
        folder: for these files alone.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[Tensor, Path] = {}
        self._rest = InMemory()
        self._count = 0

    def keep(self, tensor: Tensor) -> Fetch:
        """Write a tensor to a file of its own, unless its last file still holds its values.

        Raises:
            InputError: the file cannot be written.
        """
        is_large = tensor.numel() * tensor.element_size() > SMALL_BYTES
        if not is_large or tensor.layout is not torch.strided or type(tensor) not in _PLAIN:
            return self._rest.keep(tensor)
        path = self._files.get(tensor)
        if path is None or not _is_same(tensor, _read(path)):
            path = self._folder / f"{self._count}.pt"
            self._count += 1
            _write(tensor.detach(), path)
        self._files[tensor] = path
        return lambda: _read(path)


@contextmanager
def copies(where: Literal["memory", "disk"]) -> Iterator[Copies]:
    """Make a keeper for the time of the block; files are gone afterwards."""
    if where == "memory":
        yield InMemory()
        return
    with tempfile.TemporaryDirectory(prefix="lrfind-") as folder:
        yield OnDisk(Path(folder))


def _write(values: Tensor, path: Path) -> None:
    # A file holds the whole memory that a tensor is a view of.
    is_whole = values.untyped_storage().nbytes() == values.numel() * values.element_size()
    try:
        torch.save(values if is_whole else values.clone(), path)
    except (OSError, RuntimeError) as error:
        raise InputError(
            Problem(
                "sweep.snapshot",
                f"= disk, but the model's copy could not be written to {path.parent} "
                f"({str(error).splitlines()[0]})",
                "set TMPDIR to a folder with room for it, or write snapshot: memory",
            )
        ) from error


def _read(path: Path) -> Tensor:
    found: Tensor = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
    return found


def _is_same(tensor: Tensor, values: Tensor) -> bool:
    """Tell whether a tensor holds these values to the last bit; False where it cannot be told."""
    a, b = tensor.detach(), values
    if (a.dtype, a.shape, a.layout, a.device) != (b.dtype, b.shape, b.layout, b.device):
        return False
    if a.layout is not torch.strided or a.is_conj() or a.is_neg() or a.is_quantized:
        return False
    return torch.equal(_bits(a), _bits(b))


def _bits(tensor: Tensor) -> Tensor:
    real = torch.view_as_real(tensor) if tensor.is_complex() else tensor
    kinds = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
    return real.view(kinds[real.element_size()])
