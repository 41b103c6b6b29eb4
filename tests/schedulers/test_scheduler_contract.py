"""What torch's users rely on in a scheduler, beyond the numbers."""

from __future__ import annotations

import gc
import pickle
import subprocess
import sys
import types
import weakref
from typing import Any

import pytest
import torch
from scheduler_runs import adam, sgd, trace
from torch.optim import Adagrad
from torch.optim import lr_scheduler as theirs

import lrfind.schedulers as ours

MADE: dict[str, Any] = {
    "constant": lambda o: ours.Constant(o),
    "step": lambda o: ours.StepLR(o, 3),
    "multistep": lambda o: ours.MultiStepLR(o, [2, 5]),
    "cosine": lambda o: ours.CosineAnnealingLR(o, 10),
    "plateau": lambda o: ours.ReduceLROnPlateau(o),
    "cyclic": lambda o: ours.CyclicLR(o, 0.01, 0.1, 4),
    "onecycle": lambda o: ours.OneCycleLR(o, 0.1, 40),
    "warmup": lambda o: ours.Warmup(ours.CosineAnnealingLR(o, 10), 4),
    "exponential_sweep": lambda o: ours.ExponentialSweep(o, 1e-7, 10, 20),
    "linear_sweep": lambda o: ours.LinearSweep(o, 1e-7, 10, 20),
}
every = pytest.mark.parametrize("name", MADE)
stepped_alone = pytest.mark.parametrize("name", [name for name in MADE if name != "plateau"])


def test_the_catalog_names_what_is_there() -> None:
    """Each catalog entry loads, is exported under its class name, and is tested here."""
    assert set(ours.CATALOG) == set(MADE)
    for entry in ours.CATALOG.values():
        found = getattr(ours, entry.path.partition(":")[2])
        assert f"{found.__module__}:{found.__qualname__}" == entry.path
        assert issubclass(found, theirs.LRScheduler)
        assert entry.formula
        assert entry.source


def test_every_export_resolves_and_a_wrong_name_is_an_attribute_error() -> None:
    """All of `__all__` can be imported; anything else is refused as Python does."""
    assert all(hasattr(ours, name) for name in ours.__all__)
    assert set(ours.__all__) <= set(dir(ours))
    with pytest.raises(AttributeError, match="no attribute 'StepLr'"):
        _ = ours.StepLr


def test_schedulers_import_without_torch() -> None:
    """The catalog, the closed forms and the preview do not import torch."""
    run(
        "from lrfind.schedulers import CATALOG, exponential_sweep, cosine_annealing\n"
        "from lrfind.schedulers.preview import preview, paste\n"
        "import lrfind.scaling\n"
        "exponential_sweep(3, 1e-7, 10.0, 9); preview('onecycle', 0.1, 50, 5)\n"
        "assert 'torch' not in sys.modules\n"
    )
    run("from lrfind.schedulers import CATALOG; assert 'numpy' not in sys.modules\n")


def test_schedulers_do_not_import_the_compiler() -> None:
    """Building and stepping each scheduler leaves torch._dynamo and sympy unimported."""
    run(
        "import torch, lrfind.schedulers as s\n"
        "from lrfind.optim import SGD\n"
        "def o(): return SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1, momentum=0.9)\n"
        "made = [s.Constant(o()), s.StepLR(o(), 3), s.MultiStepLR(o(), [2]),\n"
        "        s.CosineAnnealingLR(o(), 9), s.CyclicLR(o(), 0.01, 0.1, 4),\n"
        "        s.OneCycleLR(o(), 0.1, 40), s.ExponentialSweep(o(), 1e-7, 10, 9),\n"
        "        s.LinearSweep(o(), 1e-7, 10, 9), s.Warmup(s.ReduceLROnPlateau(o()), 4)]\n"
        "for m in made: m.optimizer.step(); m.step()\n"
        "assert not {'torch._dynamo', 'sympy'} & set(sys.modules)\n"
    )


def run(code: str) -> None:
    """Run Python in a process of its own."""
    done = subprocess.run([sys.executable, "-c", "import sys\n" + code], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


@every
def test_state_is_picklable_and_restores_every_attribute(name: str) -> None:
    """After loading, a differently built scheduler has the saved one's state."""
    optimizer = sgd()
    scheduler = MADE[name](optimizer)
    metrics = [1.0] * 5 if name == "plateau" else None
    trace(optimizer, [scheduler], 5, metrics=metrics)
    state = pickle.loads(pickle.dumps(scheduler.state_dict()))
    twin = MADE[name](sgd())
    before = dict(state)
    twin.load_state_dict(state)

    assert state == before, "loading must not take entries out of the caller's dictionary"
    assert twin.state_dict() == scheduler.state_dict()
    assert twin.get_last_lr() == scheduler.get_last_lr()
    assert "optimizer" not in state


@stepped_alone
def test_stepping_before_the_optimizer_warns(name: str) -> None:
    """scheduler.step() before optimizer.step() gives torch's warning."""
    scheduler = MADE[name](sgd())
    with pytest.warns(UserWarning, match=r"`lr_scheduler.step\(\)` before `optimizer.step\(\)`"):
        scheduler.step()


@stepped_alone
def test_get_lr_by_hand_warns(name: str) -> None:
    """get_lr() outside of step() points to get_last_lr()."""
    scheduler = MADE[name](sgd())
    with pytest.warns(UserWarning, match=r"use `get_last_lr\(\)`"):
        scheduler.get_lr()


@every
def test_a_tensor_lr_keeps_its_identity_and_is_never_aliased(name: str) -> None:
    """A tensor LR is filled in place; what get_last_lr returns is a copy of it."""
    optimizer = sgd(("0.1", "0.5"))
    tensors = [group["lr"] for group in optimizer.param_groups]
    scheduler = MADE[name](optimizer)
    trace(optimizer, [scheduler], 8, metrics=[1.0] * 8 if name == "plateau" else None)

    if name != "onecycle":  # as torch's: the group's initial_lr, max_lr and min_lr are floats
        assert all(isinstance(lr, torch.Tensor) for lr in scheduler.get_last_lr())
    for group, tensor, last in zip(
        optimizer.param_groups, tensors, scheduler.get_last_lr(), strict=True
    ):
        assert group["lr"] is tensor
        assert last is not tensor
        assert float(last) == float(tensor)


@pytest.mark.parametrize("name", ["cosine", "step", "warmup", "exponential_sweep"])
def test_a_float32_tensor_lr_follows_the_float_one(name: str) -> None:
    """A float32 tensor LR goes where the float LR goes, to its own rounding."""
    a, b = sgd((0.1,)), sgd((0.1,))
    b.param_groups[0]["lr"] = torch.tensor(0.1)
    floats = trace(a, [MADE[name](a)], 30)
    tensors = trace(b, [MADE[name](b)], 30)

    for row, expected in zip(tensors, floats, strict=True):
        assert row == pytest.approx(expected, rel=1e-5, abs=1e-8)


@every
def test_a_scheduler_dies_with_its_last_name(name: str) -> None:
    """No reference cycle keeps a scheduler alive until the garbage collector comes."""
    optimizer = sgd()
    scheduler = MADE[name](optimizer)
    gc.disable()
    try:
        trace(optimizer, [scheduler], 3, metrics=[1.0] * 3 if name == "plateau" else None)
        gone = weakref.ref(scheduler)
        del scheduler
        assert gone() is None
    finally:
        gc.enable()


@every
def test_what_is_no_optimizer_is_refused(name: str) -> None:
    """A scheduler over something else raises torch's TypeError."""
    with pytest.raises(TypeError, match="is not an Optimizer"):
        MADE[name](torch.nn.Linear(1, 1))


def test_resuming_without_initial_lr_is_torchs_key_error() -> None:
    """last_epoch ≥ 0 needs initial_lr in the groups."""
    with pytest.raises(KeyError, match="initial_lr"):
        ours.StepLR(sgd(), 3, last_epoch=1)


@pytest.mark.parametrize("name", ["CyclicLR", "OneCycleLR"])
def test_momentum_cycling_needs_momentum(name: str) -> None:
    """An optimizer without momentum is refused by name, unless the cycling is switched off."""
    optimizer = Adagrad([torch.nn.Parameter(torch.zeros(1))])
    args: dict[str, Any] = (
        {"base_lr": 0.01, "max_lr": 0.1} if name == "CyclicLR" else {"max_lr": 1, "total_steps": 9}
    )
    with pytest.raises(ValueError, match=r"Adagrad has neither; pass cycle_momentum=False"):
        getattr(ours, name)(optimizer, **args)

    assert getattr(ours, name)(optimizer, **args, cycle_momentum=False).get_last_lr()


BAD: dict[str, Any] = {
    "StepLR: step_size = 0": lambda o: ours.StepLR(o, 0),
    "CosineAnnealingLR: T_max = -1": lambda o: ours.CosineAnnealingLR(o, -1),
    "CyclicLR: max_lr must have the same length": lambda o: ours.CyclicLR(o, 0.1, [1.0]),
    "CyclicLR: mode = 'cats'": lambda o: ours.CyclicLR(o, 0.1, 1.0, mode="cats"),
    "the number of steps is not given": lambda o: ours.OneCycleLR(o, 0.1),
    "epochs = 0 must be": lambda o: ours.OneCycleLR(o, 0.1, epochs=0, steps_per_epoch=3),
    "anneal_strategy = 'cats'": lambda o: ours.OneCycleLR(o, 0.1, 9, anneal_strategy="cats"),
    "factor = 1.0": lambda o: ours.ReduceLROnPlateau(o, factor=1.0),
    "expected 2 min_lrs, got 1": lambda o: ours.ReduceLROnPlateau(o, min_lr=[0.1]),
    "start_lr = 1 and end_lr = 0.1": lambda o: ours.ExponentialSweep(o, 1, 0.1, 9),
    "LinearSweep: steps = 1": lambda o: ours.LinearSweep(o, 0.1, 1, 1),
    "first group's lr = 0.0 must be": lambda o: ours.ExponentialSweep(sgd((0.0,)), 0.1, 1, 9),
    "Warmup: steps = -1": lambda o: ours.Warmup(ours.StepLR(o, 1), -1),
}


@pytest.mark.parametrize("text", BAD)
def test_constructors_refuse_senseless_arguments(text: str) -> None:
    """Each bad argument is a ValueError naming class, value and rule."""
    with pytest.raises(ValueError, match=text):
        BAD[text](sgd())


def test_one_cycle_ends_with_its_steps() -> None:
    """A step beyond total_steps is an error, as in torch."""
    optimizer = sgd()
    scheduler = ours.OneCycleLR(optimizer, 0.1, 5)
    trace(optimizer, [scheduler], 5)
    with pytest.raises(ValueError, match="step 6 is beyond total_steps = 5"):
        scheduler.step()


def test_a_one_cycle_state_of_an_old_torch_loads() -> None:
    """A state that holds the annealing function instead of its name is understood."""
    a, b = sgd(), sgd()
    scheduler = ours.OneCycleLR(a, 0.1, 10, anneal_strategy="cos")
    state = scheduler.state_dict()
    state["anneal_func"] = ours.OneCycleLR._annealing_linear
    del state["_anneal_func_type"], scheduler._anneal_func_type
    scheduler.load_state_dict(state)
    linear = ours.OneCycleLR(b, 0.1, 10, anneal_strategy="linear")

    assert trace(a, [scheduler], 9)[1:] == trace(b, [linear], 9)[1:]


class Height:
    """A height with state of its own."""

    def __init__(self, scale: float) -> None:
        self.scale = scale

    def __call__(self, cycle: float) -> float:  # noqa: D102
        return self.scale


def test_a_callable_height_is_saved_by_its_attributes() -> None:
    """A function is left out of the state, an object's attributes are kept and restored."""
    plain = ours.CyclicLR(sgd(), 0.01, 0.1, scale_fn=lambda x: 0.5)
    kept = ours.CyclicLR(sgd(), 0.01, 0.1, scale_fn=Height(0.5))
    other = ours.CyclicLR(sgd(), 0.01, 0.1, scale_fn=Height(0.9))
    other.load_state_dict(kept.state_dict())

    assert plain.state_dict()["_scale_fn_custom"] is None
    assert kept.state_dict()["_scale_fn_custom"] == {"scale": 0.5}
    assert other.scale_fn(1) == 0.5


def test_plateau_is_known_to_trainers_and_takes_new_groups() -> None:
    """It is an instance of torch's class, and a group added later gets the default floor."""
    optimizer = sgd()
    scheduler = ours.ReduceLROnPlateau(optimizer, patience=0)
    optimizer.add_param_group({"params": [torch.nn.Parameter(torch.zeros(1))], "lr": 0.3})
    trace(optimizer, [scheduler], 2, metrics=[1.0, 1.0])

    assert isinstance(scheduler, theirs.ReduceLROnPlateau)
    assert scheduler.get_last_lr() == pytest.approx([0.01, 0.05, 0.03])


def test_plateau_with_listed_floors_asks_for_one_more() -> None:
    """With one floor a group, a new group without one is an error that says what to do."""
    optimizer = sgd()
    scheduler = ours.ReduceLROnPlateau(optimizer, patience=0, min_lr=[0.0, 0.0])
    optimizer.add_param_group({"params": [torch.nn.Parameter(torch.zeros(1))]})
    scheduler.step(1.0)
    with pytest.raises(
        RuntimeError, match=r"number of param groups in the optimizer \(3\) must.*append one"
    ):
        scheduler.step(1.0)


@pytest.mark.parametrize("name", [name for name in MADE if name != "plateau"])
def test_arguments_and_state_do_not_alias_the_groups(name: str) -> None:
    """Changing a tensor LR in place reaches neither initial_lr nor base_lrs."""
    optimizer = sgd(("0.1",))
    group = optimizer.param_groups[0]
    scheduler = MADE[name](optimizer)
    initial, bases = float(group["initial_lr"]), [float(lr) for lr in scheduler.base_lrs]
    group["lr"].mul_(0.5)
    optimizer.step()
    scheduler.step()
    scheduler.get_last_lr()[0] *= 0.5

    assert float(group["initial_lr"]) == initial
    assert [float(lr) for lr in scheduler.base_lrs] == bases
    assert group["lr"] is not scheduler.base_lrs[0]


@pytest.mark.parametrize("name", ["cyclic", "onecycle"])
def test_tensor_arguments_are_copied(name: str) -> None:
    """Tensors passed as bounds may change afterwards: the cycle keeps what it was given."""
    low, high, base, peak = (torch.tensor(v, dtype=torch.float64) for v in (0.1, 0.2, 0.8, 0.9))
    a, b = sgd((0.1,)), sgd((0.1,))
    momentum: dict[str, Any] = {"base_momentum": base, "max_momentum": peak}
    if name == "cyclic":
        scheduler: Any = ours.CyclicLR(a, low, high, 4, **momentum)
        plain: Any = ours.CyclicLR(b, 0.1, 0.2, 4, base_momentum=0.8, max_momentum=0.9)
    else:
        scheduler = ours.OneCycleLR(a, high, 20, **momentum)
        plain = ours.OneCycleLR(b, 0.2, 20, base_momentum=0.8, max_momentum=0.9)
    for tensor in (low, high, base, peak):
        tensor.mul_(0.5)

    for row, expected in zip(trace(a, [scheduler], 12), trace(b, [plain], 12), strict=True):
        assert row == pytest.approx(expected)


@pytest.mark.parametrize("name", ["step", "multistep", "cosine", "cyclic", "onecycle"])
def test_rebuilding_over_a_loaded_optimizer_keeps_its_lr(name: str) -> None:
    """With last_epoch one below the saved one, a scheduler starts at the checkpoint's LR."""
    made: dict[str, Any] = {
        "step": lambda o, e: ours.StepLR(o, 30, last_epoch=e),
        "multistep": lambda o, e: ours.MultiStepLR(o, [30, 80], last_epoch=e),
        "cosine": lambda o, e: ours.CosineAnnealingLR(o, 10, last_epoch=e),
        "cyclic": lambda o, e: ours.CyclicLR(o, 0.01, 0.1, last_epoch=e),
        "onecycle": lambda o, e: ours.OneCycleLR(o, 0.01, 10, last_epoch=e),
    }
    first, second = adam(), adam()
    trace(first, [made[name](first, -1)], 1)
    second.load_state_dict(first.state_dict())
    rebuilt = made[name](second, 0)

    assert rebuilt.last_epoch == 1
    assert rebuilt.get_last_lr() == pytest.approx([group["lr"] for group in first.param_groups])


def test_plateau_warns_about_an_epoch() -> None:
    """step(metric, epoch) sets the count and gives torch's deprecation warning."""
    scheduler = ours.ReduceLROnPlateau(sgd())
    with pytest.warns(UserWarning, match="epoch parameter"):
        scheduler.step(1.0, 7)

    assert scheduler.last_epoch == 7


@pytest.mark.parametrize("name", ["ExponentialSweep", "LinearSweep"])
def test_a_sweep_keeps_the_ratios_of_groups_and_stays_at_its_end(name: str) -> None:
    """The first group sweeps from start to end to the bit, the others keep their ratio."""
    optimizer = sgd((0.1, 0.5))
    scheduler = getattr(ours, name)(optimizer, 1e-7, 10.0, 20)
    rows = trace(optimizer, [scheduler], 22)
    form = ours.exponential_sweep if name == "ExponentialSweep" else ours.linear_sweep

    assert [row[0] for row in rows] == [form(t, 1e-7, 10.0, 20) for t in range(23)]
    assert [row[2] / row[0] for row in rows] == pytest.approx([5.0] * 23)
    assert rows[0][0] == 1e-7
    assert rows[-1][0] == 10.0


@pytest.mark.parametrize("cut", [3, 4, 9])
def test_a_warmup_resumes_within_and_beyond(cut: int) -> None:
    """State loaded before, at and after the handover goes on as if nothing had happened."""
    optimizer, again = sgd(), sgd()
    first = MADE["warmup"](optimizer)
    rows = trace(optimizer, [first], cut)
    second = MADE["warmup"](again)
    second.load_state_dict(first.state_dict())
    again.load_state_dict(optimizer.state_dict())
    whole = sgd()

    assert rows + trace(again, [second], 12 - cut)[1:] == trace(whole, [MADE["warmup"](whole)], 12)


@pytest.mark.parametrize("cut", [2, 7])
def test_a_warmup_resumes_by_last_epoch(cut: int) -> None:
    """Rebuilt with last_epoch over the same groups, a warmup goes on where it was."""
    optimizer, whole = sgd(), sgd()
    expected = trace(whole, [ours.Warmup(ours.StepLR(whole, 5), 4)], 12)
    trace(optimizer, [ours.Warmup(ours.StepLR(optimizer, 5), 4)], cut)
    inner = ours.StepLR(optimizer, 5, last_epoch=max(cut - 4 - 1, -1))
    resumed = ours.Warmup(inner, 4, last_epoch=cut - 1)

    assert resumed.last_epoch == cut
    for row, other in zip(trace(optimizer, [resumed], 12 - cut), expected[cut:], strict=True):
        assert row == pytest.approx(other)


def test_a_warmup_carries_on_a_change_by_hand() -> None:
    """An LR halved during the warmup stays half of what it would have been, to its end."""
    a, b = sgd(), sgd()
    plain = trace(a, [ours.Warmup(ours.StepLR(a, 50), 6)], 10)
    halved = trace(b, [ours.Warmup(ours.StepLR(b, 50), 6)], 10, {2: 0.5})

    assert halved[3][0] == pytest.approx(plain[3][0] / 2)
    assert halved[10][0] == pytest.approx(plain[10][0] / 2)


def test_a_warmup_hands_metrics_to_a_plateau() -> None:
    """During the warmup metrics are not looked at; after it the plateau judges them."""
    optimizer = sgd()
    scheduler = ours.Warmup(ours.ReduceLROnPlateau(optimizer, patience=1), 3)
    rows = trace(optimizer, [scheduler], 7, metrics=[1.0] * 7)

    assert [row[0] for row in rows[3:]] == pytest.approx([0.1, 0.1, 0.1, 0.01, 0.01])
    with pytest.raises(ValueError, match="needs a metric"):
        scheduler.step()


def test_a_warmup_refuses_a_metric_that_nobody_judges() -> None:
    """step(5) on a warmed-up StepLR is an error, not an epoch."""
    with pytest.raises(ValueError, match="StepLR takes no metric"):
        ours.Warmup(ours.StepLR(sgd(), 1), 3).step(5)


def test_a_warmup_of_no_steps_is_the_scheduler_itself() -> None:
    """steps=0 changes nothing."""
    a, b = sgd(), sgd()

    assert trace(a, [ours.Warmup(ours.StepLR(a, 2), 0)], 9) == trace(b, [ours.StepLR(b, 2)], 9)


def test_bundled_heights_are_plain_functions() -> None:
    """`_scale_fn_ref` is a function, where torch keeps it, and not part of the state."""
    scheduler = ours.CyclicLR(adam(), 1, 5, cycle_momentum=False)

    assert isinstance(scheduler._scale_fn_ref, types.FunctionType)
    assert "_scale_fn_ref" not in scheduler.state_dict()


@pytest.mark.parametrize("lr", [0.1, "0.1"])
def test_a_scheduler_left_alone_does_not_drift(lr: Any) -> None:
    """After thousands of steps each LR is the closed form's to the bit, for floats and tensors."""
    optimizer = sgd((lr,))
    scheduler = ours.CosineAnnealingLR(optimizer, 17, eta_min=0.001)
    optimizer.step()
    for step in range(1, 5_000):
        scheduler.step()
        exact = ours.cosine_annealing(step, 0.1, 17, 0.001)
        assert float(optimizer.param_groups[0]["lr"]) == exact


def test_a_float32_tensor_left_alone_does_not_drift() -> None:
    """A float32 tensor LR comes back to its start, to the bit, after any number of periods."""
    optimizer = sgd((0.1,))
    optimizer.param_groups[0]["lr"] = torch.tensor(0.1)
    scheduler = ours.CosineAnnealingLR(optimizer, 17)
    trace(optimizer, [scheduler], 34 * 40)

    assert torch.equal(optimizer.param_groups[0]["lr"], torch.tensor(0.1))


@pytest.mark.parametrize("name", ["CyclicLR", "OneCycleLR"])
def test_a_cycle_begun_after_another_schedule_keeps_its_own_bounds(name: str) -> None:
    """An initial_lr left by an earlier scheduler does not become the base of a cycle."""
    args: dict[str, Any] = (
        {"base_lr": 0.01, "max_lr": 0.3, "step_size_up": 3}
        if name == "CyclicLR"
        else {"max_lr": 0.3, "total_steps": 20}
    )
    rows = []
    for package in (ours, theirs):
        optimizer = sgd()
        trace(optimizer, [package.CosineAnnealingLR(optimizer, 20)], 5)
        rows.append(trace(optimizer, [getattr(package, name)(optimizer, **args)], 9))

    for row, expected in zip(*rows, strict=True):
        assert row == pytest.approx(expected)


def test_a_warmup_around_torchs_scheduler_leaves_a_loaded_state_whole() -> None:
    """Loading takes nothing out of the caller's dictionary, though torch's CyclicLR would."""
    warmup = ours.Warmup(theirs.CyclicLR(sgd(), 0.01, 0.1), 3)
    state = warmup.state_dict()
    warmup.load_state_dict(state)

    assert state == warmup.state_dict()


def test_an_lr_that_becomes_a_tensor_is_driven_on() -> None:
    """A float LR replaced by a tensor of the same value between two steps goes on as before."""
    a, b = sgd((0.1,)), sgd((0.1,))
    mine, plain = ours.CosineAnnealingLR(a, 20), ours.CosineAnnealingLR(b, 20)
    trace(a, [mine], 4)
    a.param_groups[0]["lr"] = torch.tensor(a.param_groups[0]["lr"], dtype=torch.float64)
    trace(b, [plain], 4)

    assert trace(a, [mine], 9) == trace(b, [plain], 9)


def test_one_cycle_takes_epochs_and_their_length() -> None:
    """epochs × steps_per_epoch is total_steps."""
    assert ours.OneCycleLR(sgd(), 0.1, epochs=3, steps_per_epoch=7).total_steps == 21


def test_an_argument_error_survives_pickling() -> None:
    """The error can cross a process boundary with its three parts."""
    error = pickle.loads(pickle.dumps(ours.ArgumentError("StepLR", "step_size = 0", "raise it")))

    assert str(error) == "StepLR: step_size = 0; raise it"
