"""The swept optimizer: built or adopted, group ratios kept at every step."""

from __future__ import annotations

import functools
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import LBFGS, SGD, Adam, Optimizer
from torch.optim.lr_scheduler import StepLR
from workload_models import plain, workload

from lrfind.errors import InputError
from lrfind.spec import GroupSection
from lrfind.workload.optimizer import SweptOptimizer, adopt, build, bundled, needs_closure
from lrfind.workload.parts import bound_loss, functional_loss, optimizer_of

BIAS = GroupSection(params=["*bias"], lr_scale=0.1)


def swept_lrs(swept: SweptOptimizer, *lrs: float) -> list[list[float]]:
    """Write LRs one after the other; what each group then holds."""
    found = []
    for lr in lrs:
        swept.set_lr(lr)
        found.append([float(group["lr"]) for group in swept.optimizer.param_groups])
    return found


def test_groups_keep_their_ratios_at_every_lr() -> None:
    """`lr_scale` is the ratio to the swept LR, from the first step to the last."""
    swept = build(plain(), SGD, {"momentum": 0.9}, [BIAS])

    assert swept.scales == (1.0, 0.1)
    assert swept_lrs(swept, 1e-7, 2.0) == [
        [1e-7, pytest.approx(1e-8)],
        [2.0, pytest.approx(0.2)],
    ]


def test_an_lr_in_a_group_counts_by_its_ratio() -> None:
    """`lr` of a group over `lr` of the optimizer is the group's multiplier."""
    group = GroupSection(params=["bias"], args={"lr": 0.5, "weight_decay": 0.25})
    swept = build(plain(), SGD, {"lr": 0.1}, [group])

    assert swept.scales == (1.0, 5.0)
    assert [g["weight_decay"] for g in swept.optimizer.param_groups] == [0, 0.25]


def test_an_lr_in_a_group_needs_one_to_compare_with() -> None:
    """A group's `lr` without an optimizer's `lr` is an error with its remedy."""
    with pytest.raises(InputError, match=r"param_groups\.0\.args: lr = 0.5 has nothing.*lr_scale"):
        build(plain(), SGD, {}, [GroupSection(params=["bias"], args={"lr": 0.5})])


def test_tensor_lrs_of_groups_keep_their_ratios() -> None:
    """torch gives all groups the same LR tensor; here each gets its own, written in place."""
    swept = build(
        plain(), lambda ps: SGD(ps, lr=torch.tensor(0.1, dtype=torch.float64)), {}, [BIAS]
    )
    tensors = [group["lr"] for group in swept.optimizer.param_groups]

    assert swept_lrs(swept, 0.5, 2.0) == [[0.5, pytest.approx(0.05)], [2.0, pytest.approx(0.2)]]
    assert all(g["lr"] is t for g, t in zip(swept.optimizer.param_groups, tensors, strict=True))


def test_an_adopted_optimizer_keeps_the_ratios_it_came_with() -> None:
    """Groups of a ready optimizer keep their LRs relative to its own LR."""
    model = plain()
    groups = [{"params": [model.weight]}, {"params": [model.bias], "lr": 0.4}]
    swept = adopt(SGD(groups, lr=0.1), model)

    assert swept.scales == (1.0, pytest.approx(4.0))
    assert swept_lrs(swept, 1.0) == [[1.0, pytest.approx(4.0)]]


def test_an_adopted_optimizer_whose_lr_no_group_has_scales_by_the_largest() -> None:
    """Where the optimizer's own LR is in no group, the largest is the swept one."""
    model = plain()
    groups = [{"params": [model.weight], "lr": 0.01}, {"params": [model.bias], "lr": 0.04}]

    assert adopt(SGD(groups, lr=0.5), model).scales == (0.25, 1.0)


@pytest.mark.parametrize("lr", [0.0, torch.tensor(0.0)])
def test_an_optimizer_at_lr_zero_can_be_swept(lr: Any) -> None:
    """An LR of zero has no ratios: all groups get the swept LR."""
    model = plain()
    groups = [{"params": [model.weight]}, {"params": [model.bias]}]

    assert adopt(SGD(groups, lr=lr), model).scales == (1.0, 1.0)


def test_an_optimizer_without_an_lr_is_refused() -> None:
    """A group whose LR is no number cannot be swept, and is told so."""
    model = plain()
    optimizer = SGD(model.parameters(), lr=0.1)
    optimizer.param_groups[0]["lr"] = None

    with pytest.raises(InputError, match=r"lr = None; a sweep needs a number"):
        adopt(optimizer, model)


def test_an_attached_scheduler_is_an_error() -> None:
    """Built or ready made, an optimizer with a scheduler is refused."""
    model = plain()

    def with_scheduler(parameters: Any) -> Optimizer:
        optimizer = SGD(parameters, lr=0.1)
        StepLR(optimizer, 1)
        return optimizer

    with pytest.raises(InputError, match="scheduler attached"):
        adopt(with_scheduler(model.parameters()), model)
    with pytest.raises(InputError, match="scheduler attached"):
        build(model, with_scheduler, {})


def test_an_optimizer_of_another_model_is_refused() -> None:
    """An optimizer that holds nothing of the model would train something else."""
    with pytest.raises(InputError, match="holds no parameter of the model"):
        adopt(SGD(plain().parameters(), lr=0.1), plain())


def test_a_model_without_trainable_parameters_is_refused() -> None:
    """With everything frozen there is nothing to train."""
    with pytest.raises(InputError, match="no parameter that requires a gradient"):
        build(plain().requires_grad_(False), SGD, {})


def test_frozen_parameters_stay_out() -> None:
    """Only what requires a gradient is handed to the optimizer."""
    model = plain()
    model.bias.requires_grad_(False)

    assert build(model, SGD, {}).optimizer.param_groups[0]["params"] == [model.weight]


def test_a_pattern_that_matches_nothing_is_an_error() -> None:
    """A misspelt pattern is told with the nearest parameter name."""
    with pytest.raises(InputError, match=r"params = biass matches no parameter.*'bias'"):
        build(plain(), SGD, {}, [GroupSection(params=["biass"])])


def test_groups_that_take_everything_leave_no_rest() -> None:
    """Where patterns take all parameters there is no group beside theirs."""
    groups = [GroupSection(params=["weight"]), GroupSection(params=["*"], lr_scale=3.0)]

    assert build(plain(), SGD, {}, groups).scales == (1.0, 3.0)


def test_a_function_that_makes_its_own_groups_cannot_be_given_others() -> None:
    """Groups of the config that do not arrive in the optimizer are an error."""
    model = plain()

    with pytest.raises(InputError, match=r"gave 1 parameter groups where .* makes 2"):
        build(model, lambda groups: SGD(model.parameters(), lr=0.1), {}, [BIAS])


@pytest.mark.parametrize(
    "factory",
    [
        SGD,
        Adam,
        functools.partial(SGD, lr=3.0),
        lambda ps: SGD(ps, lr=0.1),
        lambda ps, **kw: SGD(ps, **kw),
    ],
)
def test_any_class_or_function_of_the_parameters_builds_an_optimizer(factory: Any) -> None:
    """Classes, partials and functions with or without an `lr` will do."""
    swept = build(plain(), factory, {})

    assert swept_lrs(swept, 0.25) == [[0.25]]


def test_a_function_that_gives_no_optimizer_is_refused() -> None:
    """What comes back must be an Optimizer."""
    with pytest.raises(InputError, match=r"gave a list; it must be a torch\.optim\.Optimizer"):
        build(plain(), list, {})


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    """Bundled names have did-you-mean."""
    with pytest.raises(InputError, match=r"'adamv' is not bundled; did you mean 'adamw?'"):
        bundled("adamv")


def test_a_ready_optimizer_takes_no_arguments() -> None:
    """Arguments beside a ready optimizer would have no effect."""
    with pytest.raises(InputError, match="ready made"):
        optimizer_of(SGD(plain().parameters(), lr=0.1), {"momentum": 0.9}, [])


def test_closures_are_for_those_that_require_one() -> None:
    """LBFGS evaluates the loss itself; SGD may, and is not made to."""
    model = plain()

    assert needs_closure(LBFGS(model.parameters()))
    assert not needs_closure(SGD(model.parameters(), lr=0.1))


def test_losses_by_name_class_and_function() -> None:
    """A functional name, a class with arguments and a bound function are losses."""
    assert functional_loss("mse_loss") is nn.functional.mse_loss
    assert bound_loss(nn.HuberLoss, {"delta": 2.0}).delta == 2.0  # type: ignore[attr-defined]
    assert bound_loss(max, {"default": 3})([]) == 3


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("cross_entropi", "cross_entropy"),
        ("CrossEntropyLoss", "cross_entropy"),
        ("mse", "mse_loss"),
        ("KLDivLoss", "kl_div"),
        ("BCELoss", "binary_cross_entropy"),
        ("BCEWithLogitsLoss", "binary_cross_entropy_with_logits"),
    ],
)
def test_a_loss_is_found_by_what_it_is_called_elsewhere(name: str, meant: str) -> None:
    """Abbreviations and the classes of torch.nn lead to their function."""
    with pytest.raises(InputError, match=rf"'{name}'.*did you mean '{meant}'"):
        functional_loss(name)


def test_a_workload_tells_the_scales_of_its_groups() -> None:
    """The multipliers are known once a seed has run, where there are several groups."""
    work = workload(groups=[BIAS])
    with work.open(0):
        pass

    assert work.group_scales == (1.0, 0.1)
