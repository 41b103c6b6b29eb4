"""Which process of how many this is, as a launcher says it; free of torch."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass

from lrfind.errors import InputError, Problem

_NEEDED = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
"""What torchrun, Kubernetes' PyTorchJob and the like put into the environment."""


_OTHERS = ("LOCAL_RANK", "LOCAL_WORLD_SIZE", "GROUP_RANK", "GROUP_WORLD_SIZE", "ROLE_RANK")
"""What some set besides."""


@dataclass(frozen=True)
class World:
    """The processes of a run, seen from one of them.

    Attributes:
        rank: number of this process, from 0; the first one leads: it writes and speaks.
        size: how many there are.
        local_rank: its number on its machine, which is the number of its GPU.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @property
    def leads(self) -> bool:
        """Tell whether this process writes the files and speaks."""
        return self.rank == 0

    @property
    def is_alone(self) -> bool:
        """Tell whether there is no other process."""
        return self.size == 1


ALONE = World()
"""One process, and no launcher."""


def world_of(environ: Mapping[str, str]) -> World:
    """Read what a launcher set; without all of it this process is alone.

    Raises:
        InputError: a variable holds no number that fits.
    """
    if any(name not in environ for name in _NEEDED):
        return ALONE
    size = _number(environ, "WORLD_SIZE", 1, None)
    rank = _number(environ, "RANK", 0, size)
    # A launcher of one process a machine may leave it out.
    local = _number(environ, "LOCAL_RANK", 0, size) if "LOCAL_RANK" in environ else 0
    return World(rank, size, local)


def forget_launcher(environ: MutableMapping[str, str]) -> None:
    """Take away what a launcher set, for work that a process does as if it were alone."""
    for name in [*_NEEDED, *_OTHERS, *(n for n in environ if n.startswith("TORCHELASTIC_"))]:
        environ.pop(name, None)


def who_speaks(environ: Mapping[str, str]) -> str:
    """Begin an error line, as ranks share a terminal: `rank 1: `; nothing for the first one.

    Never raises: it is asked while an error is told.
    """
    is_first = environ.get("RANK", "0") == "0" or any(name not in environ for name in _NEEDED)
    return "" if is_first else f"rank {environ['RANK']}: "


def _number(environ: Mapping[str, str], name: str, least: int, below: int | None) -> int:
    text = environ[name]
    if text.isdecimal() and int(text) >= least and (below is None or int(text) < below):
        return int(text)
    rule = f"a whole number from {least}" + ("" if below is None else f" to {below - 1}")
    raise InputError(
        Problem(
            f"environment variable {name}",
            f"= {text!r} must be {rule}",
            "let torchrun set it, or unset it to run one process",
        )
    )
