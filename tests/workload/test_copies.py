"""How often the weights are in memory, and copies of them on disk."""

from __future__ import annotations

import gc
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional
from workload_models import Net, rows

from lrfind import range_test
from lrfind.errors import InputError
from lrfind.workload.copies import InMemory, OnDisk
from lrfind.workload.snapshot import preserved

WEIGHTS = 4 * 40_000
"""Elements of the one large tensor of `model`; no other tensor of these tests is as large."""


def model() -> nn.Module:
    """Make a net of nearly one large tensor."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, WEIGHTS // 4, bias=False), nn.AvgPool1d(WEIGHTS // 4))


@pytest.fixture(autouse=True)
def _no_collector() -> Iterator[None]:
    """Keep cycles of references alive: nothing may wait for the collector to be freed.

    What is there already is out of sight, so that looking through all objects takes a moment.
    """
    gc.collect()
    gc.freeze()
    gc.disable()
    yield
    gc.enable()


def large_tensors() -> int:
    """Count the large tensors that are alive, those that share memory once."""
    # Tensors of a subclass are others': a compiler keeps some that hold no numbers.
    plain = (Tensor, nn.Parameter)
    found = [o for o in gc.get_objects() if type(o) in plain and o.numel() >= WEIGHTS]
    return len({tensor.untyped_storage().data_ptr() for tensor in found})


def most_alive(given: Any, **options: Any) -> int:
    """Sweep; count before each loss, when the gradients of the one before are gone."""
    counts = []
    seen = itertools.count()
    every = 60 if "refine" in options else 9  # looking through all objects takes a while

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        if next(seen) % every == 5:
            counts.append(large_tensors())
        return functional.mse_loss(outputs, targets)

    options = {"optimizer": "sgd", "steps": 12, "batch_size": 2, "device": "cpu"} | options
    before = large_tensors() - isinstance(given, nn.Module)
    report = range_test(given, rows(), loss, auto_range=False, **options)
    assert bool(report.trials) == ("refine" in options)
    assert large_tensors() - isinstance(given, nn.Module) == before
    return max(counts) - before


REFINED: dict[str, Any] = {"steps": 60, "refine": 400, "start_lr": 1e-2, "end_lr": 1e4}
"""A sweep with an answer, and trials around it."""


@pytest.mark.parametrize(
    ("options", "most"),
    [
        pytest.param({}, 1, id="the weights"),
        pytest.param({"optimizer": "adam"}, 3, id="two moments"),
        pytest.param({"seeds": 3}, 1, id="a seed's model is gone before the next"),
        pytest.param({"seeds": 3, "optimizer": "adam", "low_memory": True}, 3, id="low memory"),
        pytest.param(REFINED, 2, id="one state for all trials"),
        pytest.param(REFINED | {"snapshot": "disk"}, 1, id="that state on disk"),
    ],
)
def test_a_model_that_is_thrown_away_is_not_copied(options: dict[str, Any], most: int) -> None:
    """Nothing is put back after a sweep of a factory's model; trials share one copy."""
    assert most_alive(model, **options) == most


@pytest.mark.parametrize(
    ("options", "most"),
    [
        pytest.param({}, 2, id="memory"),
        pytest.param({"seeds": 2}, 2, id="seeds"),
        pytest.param({"snapshot": "disk"}, 1, id="disk"),
        pytest.param(REFINED, 2, id="trials take the copy that there is"),
        pytest.param(REFINED | {"snapshot": "disk"}, 1, id="trials on disk"),
    ],
)
def test_a_ready_model_is_copied_once(options: dict[str, Any], most: int) -> None:
    """One copy of what must be put back serves the trials too; on disk it takes no memory."""
    ready = model()
    weight = ready[0].weight  # type: ignore[index]
    before = weight.detach().numpy().tobytes()

    assert most_alive(ready, **options) == most
    assert weight.detach().numpy().tobytes() == before


def test_a_ready_model_and_optimizer_come_back_from_disk(tmp_path: Path) -> None:
    """Byte for byte, views and odd values included; the files are gone afterwards."""
    net = nn.Sequential(Net(), nn.Linear(1, 30_000), nn.Linear(30_000, 1))
    net.register_buffer("part", torch.randn(3, 30_000)[1:].t())
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    X, y = rows()
    (net(X) - y).square().mean().backward()
    optimizer.step()
    with torch.no_grad():
        net[1].weight[0], net[1].weight[1] = float("nan"), -0.0
    held = [t for s in optimizer.state.values() for t in s.values()]
    tensors = [*net.state_dict().values()]
    before = [bytes(t.contiguous().numpy().tobytes()) for t in [*tensors, *held]]

    with preserved(model=net, optimizer=optimizer, copies=OnDisk(tmp_path)):
        assert len(list(tmp_path.iterdir())) == 10  # three wide tensors, their moments, a view
        assert sum(f.stat().st_size for f in tmp_path.iterdir()) < 11 * 4 * 30_000 + 2**15
        for _ in range(3):
            (net(X) - y).square().mean().backward()
            optimizer.step()
        net.part.zero_()

    state = [t for s in optimizer.state.values() for t in s.values()]
    after = [t.contiguous().numpy().tobytes() for t in [*net.state_dict().values(), *state]]
    assert before == after


def test_files_are_gone_when_a_sweep_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is a temporary one, also where the sweep ends in an error."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen: list[int] = []

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        seen.append(len(list(tmp_path.glob("lrfind-*/*.pt"))))
        if len(seen) > 3:
            raise RuntimeError("enough")
        return functional.mse_loss(outputs, targets)

    with pytest.raises(RuntimeError, match="enough"):
        range_test(model(), rows(), loss, device="cpu", snapshot="disk")

    assert set(seen) == {1}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_disk_without_room_is_told(tmp_path: Path) -> None:
    """A write that really finds no room names the option, the folder and the way out."""
    (tmp_path / "0.pt").symlink_to("/dev/full")

    with pytest.raises(InputError, match=rf"snapshot: = disk, but .*{tmp_path}.*set TMPDIR"):
        OnDisk(tmp_path).keep(torch.zeros(WEIGHTS))


DTYPES = (torch.float32, torch.bfloat16, torch.complex64, torch.complex128, torch.int64, torch.bool)


@settings(deadline=None, max_examples=40)
@given(
    dtype=st.sampled_from(DTYPES),
    on_disk=st.booleans(),
    change=st.sampled_from(["no", "bit", "all"]),
)
def test_a_copy_is_shared_until_the_values_change(
    dtype: torch.dtype, on_disk: bool, change: str
) -> None:
    """A second copy is the first one exactly where no bit has changed, the sign of 0 included."""
    with tempfile.TemporaryDirectory() as folder:
        kept = OnDisk(Path(folder)) if on_disk else InMemory()
        tensor = torch.zeros(70_000).to(dtype)
        first = kept.keep(tensor)
        if change == "bit":
            tensor[7] = True if dtype in (torch.bool, torch.int64) else -0.0
        elif change == "all":
            tensor += torch.ones_like(tensor)
        expected = tensor.clone()
        second = kept.keep(tensor)
        tensor.zero_()

        assert not first().any()
        assert torch.equal(second(), expected)
        if on_disk:
            assert len(list(Path(folder).iterdir())) == (1 if change == "no" else 2)
        else:
            assert (first() is second()) == (change == "no")
