"""Unusual and wrong workloads: each is swept, or refused with rule, remedy and config line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from odd_workloads import Lazy, evaluating, rows
from torch import nn

from lrfind import range_test
from lrfind.config import load
from lrfind.errors import InputError
from lrfind.experiment import run_config
from lrfind.optim import CATALOG
from lrfind.report import Report
from lrfind.workload.remedies import REMEDIES

SOUND = {
    "device": "cpu",
    "model": "odd_workloads:line",
    "data": "odd_workloads:regression",
    "loss": "mse_loss",
    "optimizer": "sgd",
    "sweep": "{steps: 24, auto_range: false}",
}
HALF = "{steps: 24, precision: fp16}"


def config_of(folder: Path, changes: dict[str, str]) -> Path:
    """Write a config of six lines or more, in the order of `SOUND`."""
    path = folder / "config.yaml"
    sections = {**SOUND, **changes}
    path.write_text("".join(f"{key}: {text}\n" for key, text in sections.items() if text))
    return path


def model(target: str, **args: object) -> str:
    """Write a section with arguments."""
    given = ", ".join(f"{key}: {str(value).lower()}" for key, value in args.items())
    return f'{{target: "odd_workloads:{target}", args: {{{given}}}}}'


SWEPT: dict[str, dict[str, str]] = {
    "one sample": {"data": model("regression", count=1)},
    "a batch larger than the data": {
        "data": model("regression")[:-1] + ", batch_size: 1000}",
    },
    "a last batch of one without batch norm": {
        "data": model("regression", count=17)[:-1] + ", batch_size: 16}",
    },
    "batch norm with drop_last": {
        "model": "odd_workloads:normed",
        "data": model("regression", count=17)[:-1] + ", batch_size: 16, drop_last: true}",
    },
    "frozen parameters": {"model": "odd_workloads:frozen"},
    "unused parameters": {"model": "odd_workloads:Unused"},
    "tied weights": {"model": "odd_workloads:Tied"},
    "a lazy model": {"model": "odd_workloads:Lazy"},
    "a model in evaluation mode": {"model": "odd_workloads:evaluating"},
    "a compiled model": {"model": model("compiled", backend="aot_eager")},
    "complex parameters": {"model": "odd_workloads:Complex", "optimizer": "adamw"},
    "complex parameters, clipped": {
        "model": "odd_workloads:Complex",
        "sweep": "{steps: 24, clip_grad_norm: 1.0}",
    },
    "float16": {
        "model": model("line", dtype="float16"),
        "data": model("regression", dtype="float16"),
    },
    "bfloat16": {
        "model": model("line", dtype="bfloat16"),
        "data": model("regression", dtype="bfloat16"),
    },
    "float64": {
        "model": model("line", dtype="float64"),
        "data": model("regression", dtype="float64"),
    },
    "float64 targets": {"data": model("regression", target_dtype="float64")},
    "sparse gradients, clipped": {
        "model": model("Lookup", dense=True),
        "data": "odd_workloads:tokens",
        "sweep": "{steps: 24, clip_grad_norm: 1.0}",
    },
    "sparse gradients in fp16": {
        "model": model("Lookup", dense=True),
        "data": "odd_workloads:tokens",
        "sweep": HALF,
    },
    "a model that writes the optimizer's lr": {
        "model": "odd_workloads:Meddling",
        "optimizer": '{target: "odd_workloads:remembered"}',
    },
}
"""Workloads that are unusual, and right."""


@pytest.mark.parametrize("name", SWEPT)
def test_an_unusual_workload_is_swept(name: str, tmp_path: Path) -> None:
    """The sweep runs to its end or its divergence, with finite losses before it."""
    (curve,) = run_config(load(config_of(tmp_path, SWEPT[name]))).curves

    assert len(curve) >= 15
    assert curve.stop in ("completed", "diverged", "nonfinite")
    assert (curve.loss[:-1] < float("inf")).all()
    # Something was trained: the loss after large updates is not the one before them.
    assert abs(curve.loss[-2] - curve.initial_loss) > 1e-6


@pytest.mark.parametrize(
    ("name", "size"), [("one sample", "batch 1"), ("a batch larger than the data", "batch 48")]
)
def test_the_title_tells_the_true_batch_size(name: str, size: str, tmp_path: Path) -> None:
    """A batch that the data could not fill is told by what it held."""
    assert run_config(load(config_of(tmp_path, SWEPT[name]))).title.endswith(size)


def test_unused_parameters_are_told(tmp_path: Path) -> None:
    """What the loss gives no gradient is named, and it is no error."""
    report = run_config(load(config_of(tmp_path, SWEPT["unused parameters"])))

    (note,) = (note for note in report.notes if note.code == "without-gradient")
    assert "unused.weight, unused.bias (2 of 4 trained parameters)" in note.message


@pytest.mark.parametrize("optimizer", CATALOG)
@pytest.mark.parametrize("dense", [False, True])
def test_sparse_gradients_are_swept_or_refused(optimizer: str, dense: bool, tmp_path: Path) -> None:
    """SGD, its momenta and Adagrad take sparse gradients; the others say which ones do."""
    changes = {
        "model": model("Lookup", dense=dense),
        "data": "odd_workloads:tokens",
        "optimizer": optimizer,
    }
    config = load(config_of(tmp_path, changes))
    if optimizer in ("sgd", "momentum", "nesterov", "adagrad"):
        assert len(run_config(config).curves[0]) >= 15
        return
    with pytest.raises(InputError) as refused:
        run_config(config)

    (problem,) = refused.value.problems
    assert problem.where == f"{config.path}:5"
    assert "does not support sparse gradients" in problem.what
    assert "sgd or adagrad" in problem.remedy


REFUSED: dict[str, tuple[dict[str, str], int, str, str]] = {
    "batch norm on one sample": (
        {
            "model": "odd_workloads:normed",
            "data": model("regression")[:-1] + ", batch_size: 1}",
        },
        2,
        "Expected more than 1 value per channel",
        "raise data.batch_size to 2 or more",
    ),
    "batch norm on a last batch of one": (
        {
            "model": "odd_workloads:normed",
            "data": model("regression", count=17)[:-1] + ", batch_size: 16}",
        },
        2,
        "Expected more than 1 value per channel",
        "data.drop_last: true",
    ),
    "no batch of the asked size": (
        {"data": model("regression")[:-1] + ", batch_size: 100, drop_last: true}"},
        3,
        "is empty; a sweep needs at least one batch",
        "drop_last with a batch_size above its length",
    ),
    "everything frozen": (
        {"model": model("frozen", all_of_it=True)},
        2,
        "has no parameter that requires a gradient",
        "unfreeze",
    ),
    "no parameters": (
        {"model": '{target: "torch.nn:Identity"}'},
        2,
        "has no parameter that requires a gradient",
        "unfreeze",
    ),
    "a layer made anew at each call": (
        {"model": "odd_workloads:Remade"},
        5,
        "holds layer.weight, layer.bias, and the loss gave none of them a gradient",
        "no layers made anew in forward",
    ),
    "a meta model": (
        {"model": "odd_workloads:without_numbers"},
        2,
        "is on the meta device, where weight and all others hold no numbers",
        "outside torch.device('meta')",
    ),
    "meta data": ({"data": "odd_workloads:on_meta"}, 3, "meta tensor", "make it on a real device"),
    "a float16 model under float32 data": (
        {"model": model("line", dtype="float16")},
        2,
        "same dtype",
        "x.float() in the dataset",
    ),
    "a float64 convolution under float32 data": (
        {"model": "odd_workloads:convolution"},
        2,
        "should be the same",
        "x.float() in the dataset",
    ),
    "a float16 model with a loss scaler": (
        {
            "model": model("line", dtype="float16"),
            "data": model("regression", dtype="float16"),
            "sweep": HALF,
        },
        6,
        "sweep.precision = fp16 does not go with float16 parameters",
        "build the model in float32",
    ),
    "complex parameters with a loss scaler": (
        {"model": "odd_workloads:Complex", "sweep": HALF},
        6,
        "sweep.precision = fp16 does not go with complex64 parameters",
        "precision: fp32",
    ),
    "labels above the classes": (
        {"model": model("line", out=3), "data": model("classes", high=4), "loss": "cross_entropy"},
        2,
        "Target 3 is out of bounds",
        "from 0 to outputs - 1",
    ),
    "labels below zero": (
        {"model": model("line", out=3), "data": model("classes", low=-1), "loss": "cross_entropy"},
        2,
        "Target -1 is out of bounds",
        "from 0 to outputs - 1",
    ),
    "labels as floats": (
        {
            "model": model("line", out=3),
            "data": model("classes", dtype="float32"),
            "loss": "cross_entropy",
        },
        2,
        "Long",
        "return y.long()",
    ),
    "labels as a column": (
        {
            "model": model("line", out=3),
            "data": model("classes", column=True),
            "loss": "cross_entropy",
        },
        2,
        "multi-target not supported",
        "y.squeeze(-1)",
    ),
    "tokens as floats": (
        {"model": "odd_workloads:Lookup", "data": model("tokens", dtype="float32")},
        2,
        "scalar types",
        "ids.long()",
    ),
    "tokens beyond the embedding": (
        {"model": "odd_workloads:Lookup", "data": model("tokens", highest=10)},
        2,
        "index out of range",
        "num_embeddings",
    ),
    "SparseAdam with dense layers": (
        {
            "model": model("Lookup", dense=True),
            "data": "odd_workloads:tokens",
            "optimizer": "torch.optim:SparseAdam",
        },
        5,
        "does not support dense gradients",
        "sgd or adagrad",
    ),
    "an optimizer with an LR rule of its own": (
        {"optimizer": "odd_workloads:OwnRate"},
        5,
        "changed its own lr from 1e-07 to 5e-08 during its step",
        "switch its own LR rule",
    ),
    "a parameter group more at each call": (
        {
            "model": model("Meddling", adds_group=True),
            "optimizer": '{target: "odd_workloads:remembered"}',
        },
        5,
        "has 2 parameter groups where the sweep began with 1",
        "make all groups before the sweep",
    ),
    "a step that calls backward": (
        {"loss": "", "step": "odd_workloads:whole_step"},
        6,
        "backward through the graph a second time",
        "leave backward() and optimizer.step() to the sweep",
    ),
}
"""Workloads that cannot be swept: changes, the line that is blamed, the rule, the remedy."""


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_workload_is_refused(name: str, tmp_path: Path, lrfind: Callable[..., Any]) -> None:
    """Exit 2 with the config's line, the rule that was broken, a remedy, and no frame of ours."""
    changes, line, rule, remedy = REFUSED[name]
    config = config_of(tmp_path, changes)

    outcome = lrfind("run", config, "--out", tmp_path / "out", "--quiet")

    assert outcome.code == 2
    told = " ".join(outcome.err.split("\n\n")[0].split())
    assert f"error: {config}:{line}: " in told
    assert rule in told
    assert remedy in told
    assert "lrfind/" not in outcome.err.replace(str(tmp_path), "")
    assert outcome.out == ""


def test_a_ready_model_is_given_back_as_it_was() -> None:
    """A model in evaluation mode is trained in training mode, and evaluates again afterwards."""
    ready = evaluating()
    report = range_test(ready, rows(), "mse_loss", optimizer="sgd", steps=24, device="cpu")

    assert isinstance(report, Report)
    assert not any(module.training for module in ready.modules())


def test_a_ready_lazy_model_is_refused() -> None:
    """Layers without sizes could not be put back; the error says how to pass them instead."""
    with pytest.raises(InputError, match="give a function that makes it"):
        range_test(Lazy(), rows(), "mse_loss", steps=24, device="cpu")


def test_clipping_sparse_gradients_bounds_the_norm_of_all() -> None:
    """A sparse gradient counts by the sum of its duplicates, as its dense twin does."""
    from lrfind.workload.gradients import clip_gradients, gradient_norm

    twins = []
    for sparse in (True, False):
        torch.manual_seed(0)
        embed, head = nn.Embedding(10, 4, sparse=sparse), nn.Linear(4, 1)
        head(embed(torch.tensor([1, 1, 7]))).square().sum().backward()
        parameters = [embed.weight, *head.parameters()]
        norm = gradient_norm(parameters)
        clip_gradients(parameters, 0.01, norm)
        twins.append((float(norm), parameters))

    (norm, sparse_twin), (expected, dense_twin) = twins
    assert norm == pytest.approx(expected)
    for mine, other in zip(sparse_twin, dense_twin, strict=True):
        assert mine.grad is not None
        assert other.grad is not None
        torch.testing.assert_close(mine.grad.to_dense(), other.grad)


def test_every_remedy_is_reached() -> None:
    """No remedy stands for an error that nothing here raises; CUDA's own aside."""
    asked = [row[3] for row in REFUSED.values()]
    # The optimizers' refusal has a test of its own above.
    asked += ["--set device=cpu", "build the embedding with sparse=False"]

    unreached = [remedy for _, remedy in REMEDIES if not any(part in remedy for part in asked)]

    assert unreached == []
