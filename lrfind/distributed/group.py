"""The joined processes of a run: what they agree on, and what they leave for each other.

Numbers that decide the course of a run are gathered and added up in the order of the ranks by each
of them, so that they are the same to the last bit and no rank can stop where another goes on.
What need not be waited for in step (notes, errors) goes through the store that joined them, where
nobody can wait for ever.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed import PrefixStore, Store  # type: ignore[attr-defined]
from torch.distributed.rendezvous import rendezvous

from lrfind.distributed.failure import PeerError, lost_a_peer
from lrfind.distributed.world import World
from lrfind.errors import ExitCode, LrfindError

PATIENCE = timedelta(seconds=2)
"""Time to wait for what another rank may leave in the store."""

SIGN_OF_LIFE = timedelta(seconds=1)
"""Time in which a rank that lives says so, after another one was lost."""

LOOK_S = 0.05
"""Time between two looks at what another rank may have left."""

LONG = timedelta(days=30)
"""Time that ranks may work on their own; one that is lost is noticed at once all the same."""

_FAILED = "failed"

_STORE_ERRORS = (RuntimeError, dist.DistError)


class Group:
    """The processes of a run, joined while a `with joined(device)` block lasts.

    Args:
        world: which of them this is.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.device = torch.device("cpu")
        self._root: Store | None = None
        self._store: Store | None = None
        self._waits = 0

    @contextmanager
    def joined(self, device: torch.device, timeout: timedelta | None = None) -> Iterator[None]:
        """Join the others, with NCCL between GPUs and Gloo between CPUs; an error is left for them.

        Args:
            device: where this rank computes.
            timeout: how long an exchange may take; None: what torch thinks.
        """
        rank, size = self.world.rank, self.world.size
        if self._root is None:
            self._root = next(iter(rendezvous("env://")))[0]
        # One joining after another over the same store must not read what the one before left.
        count = self._root.add(f"lrfind/joined/{rank}", 1)
        self._store = PrefixStore(f"lrfind/{count}", self._root)
        self.device = device
        if device.type == "cuda":
            torch.cuda.set_device(device)
        backend = "nccl" if device.type == "cuda" else "gloo"
        dist.init_process_group(
            backend,
            store=PrefixStore("torch", self._store),
            rank=rank,
            world_size=size,
            timeout=timeout,
        )
        try:
            yield
        except BaseException as error:
            if not isinstance(error, KeyboardInterrupt) and not lost_a_peer(error):
                self._tell(error)
            raise
        self._leave_together()
        dist.destroy_process_group()

    @contextmanager
    def joined_apart(self) -> Iterator[None]:
        """Join ranks that work on their own and rarely meet, wherever each of them computes."""
        with self.joined(torch.device("cpu"), LONG):
            yield

    def exchanged(self, value: Any) -> list[Any]:
        """Give what every rank has, in their order; waits for all of them."""
        found: list[Any] = [None] * self.world.size
        dist.all_gather_object(found, value)
        return found

    def first_has(self, value: Any) -> Any:
        """Give what the first rank has; waits for it."""
        found = [value]
        dist.broadcast_object_list(found, 0)
        return found[0]

    def wait_for_first(self) -> None:
        """Wait until the first rank comes to the same place, for longer than an exchange would.

        Raises:
            PeerError: a rank failed.
        """
        self._waits += 1
        key = f"waits/{self._waits}"
        if self.world.leads:
            self.post(key, True)
        # Where the store is gone with the first rank, the next exchange tells of it.
        with suppress(*_STORE_ERRORS):
            while not self._open_store().check([f"posted/{key}"]):
                if (failure := self._failure(None)) is not None:
                    raise PeerError(f"rank {failure[0]}: {failure[2]}", failure[1])
                time.sleep(LOOK_S)

    def mean(self, value: Tensor, weight: float) -> tuple[Tensor, Tensor]:
        """Give the weighted mean of a number over all ranks, and the sum of the weights.

        Σ wᵣ·vᵣ / Σ wᵣ, in float64 and the same bits everywhere; NaN where one of them is NaN.

        Args:
            value: 0-dimensional, without gradient.
            weight: of this rank, > 0.
        """
        own = torch.stack([value.double() * weight, torch.full_like(value, weight).double()])
        rows = torch.stack(self._gathered(own))
        total, weights = rows.sum(0)
        return total / weights, weights

    def highest(self, number: int) -> int:
        """Give the highest of the numbers that the ranks have."""
        own = torch.tensor(number, device=self.device)
        return int(torch.stack(self._gathered(own)).max())

    def are_equal(self, number: int) -> bool:
        """Tell whether all ranks have the same number."""
        rows = torch.stack(self._gathered(torch.tensor(number, device=self.device)))
        return bool((rows == rows[0]).all())

    def share_random_state(self) -> None:
        """Give every rank the first one's random state, from which loaders draw their order."""
        state = torch.get_rng_state().to(self.device)
        dist.broadcast(state, 0)
        torch.set_rng_state(state.cpu())

    def leave(self, key: str, value: Any) -> None:
        """Leave what JSON can hold for the first rank to find, and wait for nothing."""
        with suppress(*_STORE_ERRORS):
            self._open_store().set(f"{key}/{self.world.rank}", json.dumps(value))

    def found(self, key: str, patience: timedelta = PATIENCE) -> dict[int, Any]:
        """Find what other ranks left under a key, by rank, for as long as patience lasts."""
        found = {}
        for rank in range(self.world.size):
            with suppress(*_STORE_ERRORS):
                if rank != self.world.rank:
                    self._open_store().wait([f"{key}/{rank}"], patience)
                    found[rank] = json.loads(self._open_store().get(f"{key}/{rank}"))
        return found

    def take(self, key: str) -> int:
        """Take the next number under a key, from 0; no two ranks get the same one."""
        return self._open_store().add(f"taken/{key}", 1) - 1

    def post(self, key: str, value: Any) -> None:
        """Leave what JSON can hold under a key of which there is one for all ranks."""
        self._open_store().set(f"posted/{key}", json.dumps(value))

    def posted(self, key: str) -> Any:
        """Find what a rank posted, at once; None where none has."""
        with suppress(*_STORE_ERRORS):
            if self._open_store().check([f"posted/{key}"]):
                return json.loads(self._open_store().get(f"posted/{key}"))
        return None

    def agree_with_leader(self, number: int, patience: timedelta) -> int:
        """Give every rank the first one's number, also after the ranks have parted.

        Args:
            number: this rank's own, which it keeps where the first one says nothing in time.
            patience: time for the first rank to say it, and for it to be heard.
        """
        if self.world.leads:
            self.leave("number", number)
            self.found("heard")
            return number
        end = time.monotonic() + patience.total_seconds()
        with suppress(*_STORE_ERRORS):
            # Looked for again and again, since nothing can interrupt a store that waits.
            while not self._open_store().check(["number/0"]) and time.monotonic() < end:
                time.sleep(LOOK_S)
            number = int(self._open_store().get("number/0"))
        self.leave("heard", True)
        return number

    @property
    def has_failed(self) -> bool:
        """Tell whether a rank left an error."""
        return self._failure(None) is not None

    def explained(self, error: BaseException, *, was_told_to_end: bool = False) -> BaseException:
        """Replace an error that another rank's failure brought about by what that rank says.

        Args:
            error: what was raised here.
            was_told_to_end: a launcher ends the ranks that are left; a connection that is lost
                then means nothing by itself.
        """
        if self._store is None:
            return error
        is_lost = lost_a_peer(error)
        failure = self._failure(SIGN_OF_LIFE if is_lost and not was_told_to_end else None)
        if failure is not None and failure[0] != self.world.rank:
            return PeerError(f"rank {failure[0]}: {failure[2]}", failure[1])
        if is_lost and not was_told_to_end:
            return PeerError(self._obituary())
        return error

    def _gathered(self, own: Tensor) -> list[Tensor]:
        rows = [torch.empty_like(own) for _ in range(self.world.size)]
        dist.all_gather(rows, own)
        return rows

    def _open_store(self) -> Store:
        if self._store is None:
            raise RuntimeError("the ranks have not been joined")
        return self._store

    def _tell(self, error: BaseException) -> None:
        """Leave an error for the others; the first one counts."""
        code = error.exit_code if isinstance(error, LrfindError) else ExitCode.INTERNAL
        text = f"{self.world.rank}\n{int(code)}\n{error or type(error).__name__}"
        with suppress(*_STORE_ERRORS):
            self._open_store().compare_set(_FAILED, "", text)

    def _failure(self, patience: timedelta | None) -> tuple[int, ExitCode, str] | None:
        """Read which rank failed first, with what exit code, and of what."""
        store = self._open_store()
        with suppress(*_STORE_ERRORS):
            if patience is not None:
                store.wait([_FAILED], patience)
            elif not store.check([_FAILED]):
                return None
            rank, code, text = store.get(_FAILED).decode(errors="replace").split("\n", 2)
            return int(rank), ExitCode(int(code)), text
        return None

    def _obituary(self) -> str:
        """Say which ranks are gone without a word."""
        self.leave("alive", True)
        alive = {self.world.rank, *self.found("alive", SIGN_OF_LIFE)}
        gone = [str(rank) for rank in range(self.world.size) if rank not in alive]
        who = f"rank {', '.join(gone)}" if gone else "another rank"
        return f"{who}: died without a word, or its machine did; its launcher may know more"

    def _leave_together(self) -> None:
        """Stay until the others need the store no more, which may live in the first rank."""
        self.leave("done", True)
        if self.world.leads:
            self.found("done")
