"""The bundled optimizers take torch's steps, in every case of torch's own table."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch

from tests.optim.cases import (
    IS_CURRENT,
    NAMES,
    OURS,
    THEIRS,
    Case,
    all_cases,
    assert_same_path,
    make_params,
)
from tests.optim.torch_table import Row, read_table

PATHS: dict[str, dict[str, Any]] = {
    "fast": {},
    "reference": {"foreach": False},
    "foreach": {"foreach": True},
}
EXACT = {"rtol": 1e-10, "atol": 1e-10}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("case", list(all_cases()), ids=str)
def test_float64_equals_torch(case: Case, path: str) -> None:
    """Every path follows torch to 1e-10 over 25 steps in float64."""
    if path == "foreach" and any(
        isinstance(value, torch.Tensor) for value in case.kwargs.values() if case.name == "Adam"
    ):
        pytest.skip("torch refuses a tensor lr with foreach=True")
    my_params, their_params = (make_params(torch.float64) for _ in range(2))
    mine = case.build(OURS[case.name], my_params, **PATHS[path])
    theirs = case.build(THEIRS[case.name], their_params, foreach=False)

    assert_same_path(mine, my_params, theirs, their_params, **EXACT)


@pytest.mark.parametrize("case", list(all_cases()), ids=str)
def test_float32_equals_torch_to_rounding(case: Case) -> None:
    """The fast path follows torch in float32 to a few units of rounding."""
    my_params, their_params = (make_params(torch.float32) for _ in range(2))
    mine = case.build(OURS[case.name], my_params)
    theirs = case.build(THEIRS[case.name], their_params)

    assert_same_path(mine, my_params, theirs, their_params, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("path", ["fast", "reference"])
def test_low_precision_follows_float32(name: str, dtype: torch.dtype, path: str) -> None:
    """Half-precision parameters follow the float32 path about as closely as their type allows."""
    kwargs = {"eps": 1e-3} if name != "SGD" else {"momentum": 0.5}
    low, high = make_params(dtype), make_params(torch.float32)
    mine = OURS[name](low, lr=1e-2, **kwargs, **PATHS[path])
    theirs = THEIRS[name](high, lr=1e-2, **kwargs)
    for step in range(10):
        for param, twin in zip(low, high, strict=True):
            generator = torch.Generator().manual_seed(step)
            grad = torch.randn(param.shape, generator=generator)
            param.grad, twin.grad = grad.to(dtype), grad
        mine.step()
        theirs.step()

    torch.testing.assert_close([p.float() for p in low], list(high), rtol=0.03, atol=0.05)


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128], ids=str)
@pytest.mark.parametrize("case", list(all_cases()), ids=str)
def test_complex_equals_torch(case: Case, dtype: torch.dtype) -> None:
    """Complex parameters follow torch's, with real ones beside them."""
    tolerance = EXACT if dtype == torch.complex128 else {"rtol": 2e-4, "atol": 2e-4}
    runs = []
    for classes in (OURS, THEIRS):
        torch.manual_seed(0)
        params = [
            torch.nn.Parameter(torch.randn(4, 3, dtype=dtype)),
            torch.nn.Parameter(torch.randn(3, dtype=dtype.to_real())),
        ]
        optimizer = case.build(classes[case.name], params)
        for _ in range(10):
            optimizer.zero_grad()
            (params[0] @ params[1].to(dtype) - 1).abs().pow(2).sum().backward()
            optimizer.step()
        runs.append([param.detach() for param in params])

    torch.testing.assert_close(*runs, **tolerance, equal_nan=True)


@pytest.mark.skipif(not IS_CURRENT, reason="this torch lacks keywords of newer ones")
@pytest.mark.parametrize("name", NAMES)
def test_signature_equals_torch(name: str) -> None:
    """Constructor keywords, their order, kinds and defaults are torch's."""
    mine, theirs = (inspect.signature(classes[name]) for classes in (OURS, THEIRS))

    assert [(p.name, p.kind, p.default) for p in mine.parameters.values()] == [
        (p.name, p.kind, p.default) for p in theirs.parameters.values()
    ]


@pytest.mark.skipif(not IS_CURRENT, reason="this torch lacks keywords of newer ones")
@pytest.mark.parametrize("name", NAMES)
def test_groups_and_state_have_torch_layout(name: str) -> None:
    """Group keys, state keys, and the type and device of every state tensor are torch's."""
    dicts = []
    for classes in (OURS, THEIRS):
        params = make_params(torch.float32)
        optimizer = classes[name](params, **({"momentum": 0.9} if name == "SGD" else {}))
        for param in params:
            param.grad = torch.ones_like(param)
        optimizer.step()
        dicts.append(optimizer.state_dict())
    mine, theirs = dicts

    assert mine["param_groups"] == theirs["param_groups"]
    assert mine["state"].keys() == theirs["state"].keys()
    for key, state in theirs["state"].items():
        assert {k: (v.dtype, v.shape, v.device) for k, v in mine["state"][key].items()} == {
            k: (v.dtype, v.shape, v.device) for k, v in state.items()
        }


@pytest.mark.parametrize(
    "row", [row for row in read_table() if row.error], ids=lambda row: f"{row.name}-{row.desc}"
)
def test_torch_error_table(row: Row) -> None:
    """What torch's table says must be refused is refused, with its type and its words."""
    assert row.error is not None
    params = [torch.nn.Parameter(torch.randn(1))] if row.params is None else row.params
    refuses = pytest.warns if issubclass(row.error, Warning) else pytest.raises
    with refuses(row.error, match=row.match):
        OURS[row.name](params, **row.kwargs)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("case", list(all_cases("cuda")), ids=str)
def test_cuda_equals_torch(case: Case) -> None:
    """On a CUDA device the fast path follows torch to 1e-10 over 25 steps in float64.

    With capturable=True torch corrects biases in float32, so there the bound is that rounding.
    """
    my_params, their_params = (make_params(torch.float64, "cuda") for _ in range(2))
    mine = case.build(OURS[case.name], my_params)
    theirs = case.build(THEIRS[case.name], their_params)

    bound = {"rtol": 1e-4, "atol": 1e-5} if case.kwargs.get("capturable") else EXACT

    assert_same_path(mine, my_params, theirs, their_params, **bound)
