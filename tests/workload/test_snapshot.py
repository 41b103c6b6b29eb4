"""What a state_dict forgets is put back too."""

from __future__ import annotations

import multiprocessing
import threading
from typing import Any

import pytest
import torch
from torch import nn
from workload_models import Net, rows

from lrfind import range_test
from lrfind.errors import InputError
from lrfind.workload.snapshot import preserved, preserved_order, seed_everything


def test_type_and_shape_of_tensors_come_back() -> None:
    """A model that was converted in place, as `.to(device)` does it, is converted back."""
    model = Net()
    before = {name: t.detach().clone() for name, t in model.state_dict().items()}
    held = list(model.parameters())
    with preserved(model=model):
        model.double()
        model.last.weight.data = torch.zeros(3, 3, dtype=torch.float64)

    after = model.state_dict()
    assert all(a is b for a, b in zip(model.parameters(), held, strict=True))
    assert all(after[name].dtype == t.dtype for name, t in before.items())
    assert all(torch.equal(after[name], t) for name, t in before.items())


def test_gradients_are_set_aside_while_the_block_runs() -> None:
    """Nothing adds to the caller's gradients, also those of parameters nobody optimises."""
    model = nn.Linear(2, 1)
    model(torch.ones(1, 2)).sum().backward()
    held = model.weight.grad
    with preserved(model=model):
        assert model.weight.grad is None
        model(torch.ones(1, 2)).sum().backward()

    assert model.weight.grad is held
    assert held is not None
    assert held.tolist() == [[1.0, 1.0]]


def test_tied_weights_stay_tied() -> None:
    """A parameter that stands in two places is one parameter before and after."""
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[1].weight = model[0].weight
    values = model[0].weight.detach().clone()
    with preserved(model=model), torch.no_grad():
        model[1].weight.add_(1.0)

    assert model[1].weight is model[0].weight
    assert torch.equal(model[0].weight, values)


def test_a_parameter_that_was_replaced_is_back_in_its_place() -> None:
    """A new Parameter object in the old one's slot does not stay, nor does a new slot."""
    model = nn.Linear(2, 1)
    weight = model.weight
    with preserved(model=model):
        model.weight = nn.Parameter(torch.zeros(1, 2))
        model.extra = nn.Parameter(torch.zeros(1))
        model.bias = None

    assert model.weight is weight
    assert list(dict(model.named_parameters())) == ["weight", "bias"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_scripted_model_is_put_back() -> None:
    """TorchScript modules keep their tensors in C++ and are restored all the same."""
    model = torch.jit.script(nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)))
    before = {name: t.clone() for name, t in model.state_dict().items()}
    report = range_test(model, rows(), "mse_loss", steps=20, device="cpu")

    assert len(report.curves[0]) > 0
    assert all(torch.equal(t, before[name]) for name, t in model.state_dict().items())


def test_a_lazy_model_that_could_not_be_put_back_is_refused() -> None:
    """An instance whose layers have no sizes yet is told, with the remedy."""
    with pytest.raises(InputError, match=r"layers without sizes yet.*give a function"):
        range_test(nn.LazyLinear(1), rows(), "mse_loss", steps=20, device="cpu")


def test_a_sweep_leaves_no_loader_process() -> None:
    """Worker processes end with the sweep, also after an error; the generator is put back."""
    generator = torch.Generator().manual_seed(0)
    data = torch.utils.data.TensorDataset(*rows())
    loader = torch.utils.data.DataLoader(
        data, batch_size=16, shuffle=True, num_workers=2, generator=generator
    )
    state = generator.get_state()

    def broken(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        raise ZeroDivisionError

    range_test(lambda: nn.Linear(4, 1), loader, "mse_loss", steps=5, device="cpu")
    assert not multiprocessing.active_children()
    with pytest.raises(ZeroDivisionError):
        range_test(lambda: nn.Linear(4, 1), loader, broken, steps=5, device="cpu")

    assert not multiprocessing.active_children()
    assert torch.equal(generator.get_state(), state)


def test_restoring_goes_on_where_one_part_fails() -> None:
    """When the optimizer cannot be restored the generators still are, and the error is told."""
    model = nn.Linear(2, 1)
    group = {"params": model.parameters(), "mix": torch.ones(2)}
    optimizer = torch.optim.SGD([group], lr=0.1)
    rng, weight = torch.get_rng_state(), model.weight.detach().clone()

    def meddle() -> None:
        with preserved(model=model, optimizer=optimizer):
            model.weight.data.fill_(torch.rand(()))
            optimizer.param_groups[0]["mix"].resize_(3)

    with pytest.raises(RuntimeError):
        meddle()

    assert torch.equal(torch.get_rng_state(), rng)
    assert torch.equal(model.weight, weight)


def test_a_seed_seeds_every_generator() -> None:
    """Python, NumPy and torch draw the same again, for any size of seed."""
    import random

    import numpy as np

    def draw(seed: int) -> list[Any]:
        seed_everything(seed)
        return [random.random(), float(np.random.rand()), torch.rand(1).item()]

    with preserved():
        assert draw(2**40) == draw(2**40)
        assert all(a != b for a, b in zip(draw(1), draw(2), strict=True))


def test_the_generators_of_a_loader_and_its_samplers_come_back() -> None:
    """The loader's own generator and its sampler's are put back; data without any are fine."""
    own, samplers = torch.Generator().manual_seed(1), torch.Generator().manual_seed(2)
    data = torch.utils.data.TensorDataset(*rows())
    sampler = torch.utils.data.RandomSampler(data, generator=samplers)
    loader = torch.utils.data.DataLoader(data, sampler=sampler, generator=own)
    states = own.get_state(), samplers.get_state()
    with preserved_order(loader), preserved_order([1, 2]):
        list(loader)
        assert not torch.equal(samplers.get_state(), states[1])

    assert torch.equal(own.get_state(), states[0])
    assert torch.equal(samplers.get_state(), states[1])


def test_a_range_test_runs_in_any_thread() -> None:
    """Signals belong to the main thread; elsewhere nothing is held back and nothing breaks."""
    found: list[Any] = []

    def work() -> None:
        report = range_test(lambda: nn.Linear(4, 1), rows(), "mse_loss", steps=20, device="cpu")
        found.append(report.curves[0])

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert len(found[0]) > 0


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_model_is_swept_on_the_gpu_and_comes_back() -> None:
    """A CPU model and its trained optimizer go to the GPU for the sweep and are put back."""
    model = Net()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    X, y = rows()
    nn.functional.mse_loss(model(X), y).backward()
    optimizer.step()
    values = [p.detach().clone() for p in model.parameters()]
    torch.cuda.init()
    rng = torch.cuda.get_rng_state()
    report = range_test(model, (X, y), "mse_loss", optimizer=optimizer, steps=20, device="cuda")

    assert len(report.curves[0]) > 0
    assert {p.device.type for p in model.parameters()} == {"cpu"}
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), values, strict=True))
    assert torch.equal(torch.cuda.get_rng_state(), rng)
    optimizer.step()
