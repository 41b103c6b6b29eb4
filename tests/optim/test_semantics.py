"""The bundled optimizers behave as torch.optim classes do, outside the arithmetic too."""

from __future__ import annotations

import copy
import importlib
import io
import pickle
import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from lrfind import optim
from tests.optim.cases import (
    IS_CURRENT,
    NAMES,
    OURS,
    THEIRS,
    Case,
    all_cases,
    assert_same_path,
    make_params,
    set_grads,
)

EXACT = {"rtol": 1e-10, "atol": 1e-10}
MOMENTUM: dict[str, dict[str, Any]] = {"SGD": {"momentum": 0.9}}


def build(name: str, params: Any, classes: Any = OURS, **kwargs: Any) -> Any:
    """Construct an optimizer that has state."""
    return classes[name](params, **MOMENTUM.get(name, {}) | kwargs)


def through_disk(state: Any) -> Any:
    """Write a checkpoint and read it back, as a user would."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    buffer.seek(0)
    return torch.load(buffer, weights_only=True)


@pytest.mark.parametrize("direction", ["torch to ours", "ours to torch", "ours to ours"])
@pytest.mark.parametrize("case", list(all_cases()), ids=str)
def test_checkpoint_interchange(case: Case, direction: str) -> None:
    """Training goes on from a checkpoint of the other class as if nothing had happened."""
    before, after = {
        "torch to ours": (THEIRS, OURS),
        "ours to torch": (OURS, THEIRS),
        "ours to ours": (OURS, OURS),
    }[direction]
    straight, broken = make_params(torch.float64), make_params(torch.float64)
    whole = case.build(THEIRS[case.name], straight)
    first = case.build(before[case.name], broken)
    assert_same_path(first, broken, whole, straight, steps=5, **EXACT)
    second = case.build(after[case.name], broken)
    second.load_state_dict(through_disk(first.state_dict()))

    assert_same_path(second, broken, whole, straight, steps=8, first=5, **EXACT)


@pytest.mark.parametrize("copy_of", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
@pytest.mark.parametrize("name", NAMES)
def test_copies_are_independent(name: str, copy_of: Any) -> None:
    """A deep copy or an unpickled optimizer goes on like the original and shares nothing."""
    params, other = make_params(torch.float64), make_params(torch.float64)
    optimizer, theirs = build(name, params), build(name, other, THEIRS)
    assert_same_path(optimizer, params, theirs, other, steps=3, **EXACT)
    twin = copy_of(optimizer)
    twin_params = twin.param_groups[0]["params"]
    original = [param.detach().clone() for param in params]

    assert_same_path(twin, twin_params, theirs, other, steps=4, first=3, **EXACT)
    torch.testing.assert_close([param.detach() for param in params], original)


@pytest.mark.skipif(not IS_CURRENT, reason="this torch fails where newer ones do not")
@pytest.mark.parametrize("name", NAMES)
def test_late_params_groups_and_state_surgery(name: str) -> None:
    """Groups added later, state replaced or dropped between steps and edited groups all count."""
    params, other = make_params(torch.float64), make_params(torch.float64)
    mine, theirs = build(name, params), build(name, other, THEIRS)
    late = [torch.nn.Parameter(torch.ones(3, dtype=torch.float64)) for _ in range(2)]
    for step in range(12):
        for optimizer, mutable, extra in ((mine, params, late[0]), (theirs, other, late[1])):
            set_grads(mutable, step)
            extra.grad = torch.full((3,), 0.5, dtype=torch.float64)
            if step == 2:
                optimizer.add_param_group({"params": [extra], "lr": 0.05})
            if step == 4:
                for key, value in optimizer.state[mutable[0]].items():
                    if key != "step" and isinstance(value, Tensor):
                        optimizer.state[mutable[0]][key] = value * 0.5
            if step == 6:
                optimizer.state[mutable[2]] = {}
            if step == 8:
                optimizer.param_groups[0]["lr"] = 0.02
                optimizer.param_groups[0]["weight_decay"] = 0.1
            if step == 10 and name == "SGD":
                optimizer.param_groups[0]["momentum"] = 0.0
            optimizer.step()
        torch.testing.assert_close([*params, late[0]], [*other, late[1]], **EXACT)


@pytest.mark.parametrize("name", NAMES)
def test_closure_and_grad_mode(name: str) -> None:
    """The closure runs once with gradients enabled, its loss is returned, the mode restored."""
    param = torch.nn.Parameter(torch.ones(3))
    optimizer = build(name, [param])
    calls = []

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = param.square().sum()
        loss.backward()
        calls.append(torch.is_grad_enabled())
        return loss

    with torch.no_grad():
        loss = optimizer.step(closure)
        assert not torch.is_grad_enabled()

    assert calls == [True]
    assert loss.item() == 3.0
    assert param.detach().lt(1.0).all()


def test_hooks_run_once_each() -> None:
    """Step, state-dict and load hooks, and global step hooks, are called when torch calls them."""
    param = torch.nn.Parameter(torch.ones(1))
    param.grad = torch.ones(1)
    optimizer = optim.AdamW([param])
    seen: list[str] = []

    def note(label: str) -> Any:
        return lambda *_: seen.append(label)

    handles = [
        optimizer.register_step_pre_hook(note("pre")),
        optimizer.register_step_post_hook(note("post")),
        optimizer.register_state_dict_pre_hook(note("save")),
        optimizer.register_state_dict_post_hook(note("saved")),
        optimizer.register_load_state_dict_pre_hook(note("load")),
        optimizer.register_load_state_dict_post_hook(note("loaded")),
        register_optimizer_step_pre_hook(note("global pre")),
        register_optimizer_step_post_hook(note("global post")),
    ]
    optimizer.step()
    optimizer.load_state_dict(optimizer.state_dict())
    for handle in handles:
        handle.remove()
    optimizer.step()

    assert seen == ["global pre", "pre", "post", "global post", "save", "saved", "load", "loaded"]


def test_profiler_sees_the_step() -> None:
    """Under torch's profiler the step and zero_grad appear by the names that torch gives them."""
    param = torch.nn.Parameter(torch.ones(1))
    param.grad = torch.ones(1)
    optimizer = optim.SGD([param])
    with torch.profiler.profile() as profile:
        optimizer.step()
        optimizer.zero_grad()

    names = {event.key for event in profile.key_averages()}
    assert {"Optimizer.step#SGD.step", "Optimizer.zero_grad#SGD.zero_grad"} <= names


@pytest.mark.parametrize("set_to_none", [True, False])
def test_zero_grad(set_to_none: bool) -> None:
    """Gradients are dropped, or kept as zeros."""
    param = torch.nn.Parameter(torch.ones(2))
    param.grad = torch.ones(2)
    optim.SGD([param]).zero_grad(set_to_none)

    assert (param.grad is None) if set_to_none else param.grad.eq(0).all()


@pytest.mark.filterwarnings("ignore:Sparse invariant checks")
@pytest.mark.parametrize(
    ("name", "kwargs"),
    [("SGD", {"momentum": 0.9, "nesterov": True}), ("SGD", {}), ("Adagrad", {"lr_decay": 0.1})],
)
def test_sparse_gradients_equal_torch(name: str, kwargs: dict[str, Any]) -> None:
    """Sparse embeddings train as with torch, with a dense layer beside them."""
    ends = []
    for classes in (OURS, THEIRS):
        torch.manual_seed(0)
        table = torch.nn.Embedding(10, 3, sparse=True, dtype=torch.float64)
        layer = torch.nn.Linear(3, 1, dtype=torch.float64)
        params = [*table.parameters(), *layer.parameters()]
        optimizer = classes[name](params, lr=0.1, **kwargs)
        for step in range(6):
            optimizer.zero_grad()
            layer(table(torch.tensor([step, 2, 2, 7]))).square().sum().backward()
            optimizer.step()
        ends.append([param.detach() for param in params])

    torch.testing.assert_close(*ends, **EXACT)


@pytest.mark.parametrize("name", ["RMSprop", "Adadelta", "Adam", "AdamW"])
def test_sparse_gradients_are_refused(name: str) -> None:
    """A method without a sparse form says so, and what to do."""
    table = torch.nn.Embedding(4, 2, sparse=True)
    table(torch.tensor([1])).sum().backward()
    with pytest.raises(RuntimeError, match=r"does not support sparse gradients.*sparse=False"):
        OURS[name](table.parameters()).step()


@pytest.mark.parametrize("name", ["SGD", "Adagrad"])
def test_sparse_gradients_with_decay_are_refused(name: str) -> None:
    """Weight decay would make a sparse gradient dense, so it is refused."""
    table = torch.nn.Embedding(4, 2, sparse=True)
    table(torch.tensor([1])).sum().backward()
    with pytest.raises(RuntimeError, match="weight_decay"):
        OURS[name](table.parameters(), weight_decay=0.1).step()


@pytest.mark.parametrize("fused", [True, None])
@pytest.mark.parametrize("name", ["SGD", "Adagrad", "Adam", "AdamW"])
def test_grad_scaler(name: str, fused: bool | None) -> None:
    """GradScaler unscales, skips a step with an infinite gradient, and counts steps as torch."""
    ends = []
    for classes in (OURS, THEIRS):
        params = [torch.nn.Parameter(torch.full((40,), 0.5)) for _ in range(2)]
        optimizer = build(name, params, classes, lr=0.1, fused=fused)
        scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
        for step in range(5):
            optimizer.zero_grad()
            factor = float("inf") if step == 2 else 1.0
            loss = sum(((param - 0.1) ** 2).sum() for param in params) * factor
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
        ends.append((params, scaler.get_scale(), optimizer.state_dict()["state"]))

    torch.testing.assert_close(*ends)


def test_fused_true_insists() -> None:
    """With fused=True a parameter that no kernel takes is an error, as in torch."""
    param = torch.nn.Parameter(torch.ones(2, dtype=torch.complex64))
    param.grad = torch.ones_like(param)
    with pytest.raises(RuntimeError, match="`fused=True` requires"):
        optim.Adam([param], fused=True).step()


@pytest.mark.parametrize("name", NAMES)
def test_differentiable(name: str) -> None:
    """With differentiable=True gradients flow through a step to the initial parameter."""

    def end(start: Tensor) -> Tensor:
        param = start.clone()
        optimizer = build(name, [param], lr=0.1, differentiable=True)
        for factor in (1.0, 2.0):
            param.grad = factor * param.clone() ** 2 + 1.0
            optimizer.step()
        return param

    start = torch.tensor([0.3, 0.7], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(end, (start,))


@pytest.mark.filterwarnings("ignore")
def test_compiled_step() -> None:
    """A step inside torch.compile gives the numbers of an eager one."""
    ends = []
    for compiled in (True, False):
        torch.manual_seed(0)
        model = torch.nn.Linear(3, 2, dtype=torch.float64)
        optimizer = optim.AdamW(model.parameters(), lr=0.1)

        def advance(optimizer: Any = optimizer) -> None:
            optimizer.step()

        run = torch.compile(advance, backend="eager", fullgraph=True) if compiled else advance
        for i in range(4):
            optimizer.zero_grad()
            model(torch.full((1, 3), float(i), dtype=torch.float64)).square().sum().backward()
            run()
        ends.append(list(model.parameters()))

    torch.testing.assert_close(*ends, **EXACT)


def test_functional_gradients() -> None:
    """Gradients from torch.func and from vmapped models drive a step."""
    stacked = torch.nn.Parameter(torch.ones(4, 3))
    optimizer = optim.Adam([stacked], lr=0.1)
    grads = torch.func.vmap(torch.func.grad(lambda w: (w**2).sum()))(stacked)
    stacked.grad = grads.detach()
    optimizer.step()

    torch.testing.assert_close(stacked.detach(), torch.full((4, 3), 0.9))


@pytest.fixture
def process_group(tmp_path: Any) -> Any:
    """A gloo process group of one process."""
    if not torch.distributed.is_available():
        pytest.skip("torch was built without distributed")
    store = torch.distributed.FileStore(str(tmp_path / "store"), 1)
    torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()


def _fully_shard(module: torch.nn.Module) -> torch.nn.Module:
    if not IS_CURRENT:
        pytest.skip("this torch shards on accelerators only")
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    fully_shard(module, mesh=init_device_mesh("cpu", (1,)))
    return module


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("process_group")
@pytest.mark.parametrize("wrap", [torch.nn.parallel.DistributedDataParallel, _fully_shard])
def test_distributed_models(wrap: Any) -> None:
    """A model under DDP, or sharded by FSDP2 into DTensors, trains as a bare one."""
    ends = []
    for outer in (wrap, lambda module: module):
        torch.manual_seed(0)
        model = outer(torch.nn.Linear(3, 2))
        optimizer = optim.AdamW(model.parameters())
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.ones(4, 3)).square().sum().backward()
            optimizer.step()
        params = [param.detach() for param in model.parameters()]
        ends.append([getattr(param, "full_tensor", lambda p=param: p)() for param in params])

    torch.testing.assert_close(*ends)


@pytest.mark.parametrize("name", NAMES)
def test_is_a_torch_optimizer(name: str) -> None:
    """Wrappers that ask isinstance, and torch's schedulers, accept every class."""
    optimizer = build(name, make_params(torch.float32), lr=1.0)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5)
    optimizer.step()
    scheduler.step()

    assert isinstance(optimizer, torch.optim.Optimizer)
    assert optimizer.param_groups[0]["lr"] == 0.5


def test_float64_default_dtype() -> None:
    """With a float64 default the step counters are float64, as torch's, and steps still agree."""
    torch.set_default_dtype(torch.float64)
    try:
        params, other = make_params(torch.float64), make_params(torch.float64)
        mine, theirs = optim.Adam(params), torch.optim.Adam(other)
        assert_same_path(mine, params, theirs, other, steps=5, **EXACT)
        assert mine.state[params[0]]["step"].dtype == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("value", [-1.0, float("nan")])
@pytest.mark.parametrize("name", NAMES)
def test_bad_lr_names_rule_and_remedy(name: str, value: float) -> None:
    """A negative or NaN LR is refused in a sentence with class, value, rule and remedy."""
    with pytest.raises(ValueError, match=rf"{name}: Invalid learning rate: {value} must be ≥ 0; "):
        OURS[name](make_params(torch.float32), lr=value)


@pytest.mark.parametrize("name", optim.CATALOG)
def test_catalogue_entries_build(name: str) -> None:
    """Every name of the catalogue leads to a class that takes its arguments."""
    entry = optim.CATALOG[name]
    module, _, attr = entry.path.partition(":")
    cls = getattr(importlib.import_module(module), attr)
    param = torch.nn.Parameter(torch.ones(2))
    param.grad = torch.ones(2)
    cls([param], lr=0.1, **entry.args).step()

    assert cls is getattr(optim, cls.__name__)
    assert any(year in entry.source for year in ("19", "20"))
    assert param.detach().lt(1.0).all()


def _run_python(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True)


def test_catalogue_needs_no_torch() -> None:
    """Reading the catalogue imports neither torch nor numpy."""
    _run_python(
        "import sys, lrfind.optim as o; assert 'adam' in o.CATALOG\n"
        "assert not {'torch', 'numpy'} & set(sys.modules)\n"
    )


def test_training_imports_no_compiler() -> None:
    """Building, stepping, saving and loading all six classes leaves torch._dynamo unimported."""
    _run_python(
        "import sys, torch, lrfind.optim as o\n"
        "for name in ('SGD', 'Adagrad', 'RMSprop', 'Adadelta', 'Adam', 'AdamW'):\n"
        "    model = torch.nn.Linear(2, 2)\n"
        "    optimizer = getattr(o, name)(model.parameters(), lr=0.1)\n"
        "    for _ in range(2):\n"
        "        optimizer.zero_grad()\n"
        "        model(torch.ones(1, 2)).sum().backward()\n"
        "        optimizer.step()\n"
        "    optimizer.zero_grad(set_to_none=False)\n"
        "    optimizer.load_state_dict(optimizer.state_dict())\n"
        "    repr(optimizer)\n"
        "heavy = ('torch._dynamo', 'torch._inductor', 'sympy')\n"
        "bad = {name for name in sys.modules if name.startswith(heavy)}\n"
        "assert not bad, bad\n"
    )
