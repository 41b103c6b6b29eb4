"""torch.compile: the same curves, compiled once for all seeds, refused where it does not hold."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from workload_models import plain, workload

from lrfind import Report, range_test
from lrfind.errors import InputError
from lrfind.frameworks.fit import require_fit as require_framework_fit
from lrfind.spec import Spec
from lrfind.workload.compilation import CompiledObjective
from lrfind.workload.members import why_alone
from lrfind.workload.parallel import require_fit

COMPILER = pytest.mark.skipif(
    shutil.which("g++") is None, reason="needs a C++ compiler to compile with"
)
TORCHS_OWN = pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated")


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Compile in this process, from nothing, and forget it all afterwards."""
    from torch._inductor import config

    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    with config.patch(compile_threads=1):
        yield
    torch.compiler.reset()


def pictures() -> tuple[Tensor, Tensor]:
    """Make small pictures of four classes."""
    generator = torch.Generator().manual_seed(0)
    classes = torch.randint(0, 4, (96,), generator=generator)
    noise = torch.randn(96, 1, 8, 8, generator=generator)
    return noise + classes.reshape(-1, 1, 1, 1), classes


def perceptron() -> nn.Module:
    """Make a small perceptron."""
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 4))


def convolutions() -> nn.Module:
    """Make a small convolutional network with running statistics."""
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 4)
    )


def reported(model: Any, **options: Any) -> Report:
    """Sweep two seeds one after another."""
    return range_test(
        model,
        pictures(),
        "cross_entropy",
        optimizer="sgd",
        start_lr=1e-3,
        end_lr=0.3,
        steps=20,
        seeds=2,
        batch_size=32,
        device="cpu",
        auto_range=False,
        side_by_side=False,
        **options,
    )


@COMPILER
@TORCHS_OWN
@pytest.mark.usefixtures("compiler")
def test_compiled_curves_are_the_curves_and_seeds_share_what_was_compiled() -> None:
    """Two seeds of a ready CNN share one graph, and the model is afterwards what it was."""
    from torch._dynamo.utils import counters

    model = convolutions()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    counters.clear()
    found = reported(model, compile=True)
    graphs = counters["stats"]["unique_graphs"]
    wanted = reported(model)

    for curve, other in zip(found.curves, wanted.curves, strict=True):
        assert list(curve.loss) == pytest.approx(list(other.loss), rel=1e-3)
    assert graphs == 1
    assert found.title == wanted.title
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


@TORCHS_OWN
@pytest.mark.usefixtures("compiler")
def test_a_missing_compiler_is_told_with_what_to_do() -> None:
    """torch looks for the compiler that CXX names; where it finds none, so does the error."""
    from torch._inductor import config

    with (
        config.patch({"cpp.cxx": (None, "/nonexistent/g++")}),
        pytest.raises(InputError) as caught,
    ):
        reported(perceptron, compile=True)

    (problem,) = caught.value.problems
    assert problem.where == "sweep.compile"
    assert problem.what == (
        "= true, but torch could not compile the model (found no working C++ compiler)"
    )
    assert problem.remedy.startswith("install one (g++, or name it in CXX), or leave it out")


def test_a_fault_of_the_model_is_told_as_without_a_compiler() -> None:
    """The first batch is computed by the model itself, whose own exception comes through."""

    def step(model: nn.Module, batch: Any) -> Tensor:
        return functional.mse_loss(model(batch[0][:, :3]), batch[1])

    with (
        pytest.raises(RuntimeError, match="shapes cannot be multiplied") as caught,
        workload(step=step, compile={"mode": "default"}).open(0) as trainable,
    ):
        trainable.backward()

    assert not isinstance(caught.value, InputError)


def test_seeds_of_a_compiled_model_are_not_stacked() -> None:
    """Members side by side run no model at all, so a model that is compiled is swept alone."""
    work = workload(perceptron, pictures(), loss=functional.cross_entropy, compile=True)
    with work.open(0) as trainable:
        assert isinstance(trainable.objective, CompiledObjective)
        assert why_alone(work, trainable) == "the model is compiled"


@pytest.mark.parametrize("value", [False, {"enabled": False}])
def test_switched_off_nothing_stands_between_objective_and_model(value: Any) -> None:
    """`false` and a section that says so leave the objective as it is."""
    work = workload(compile=value)
    with work.open(0) as trainable:
        assert trainable.objective is work.recipe.objective  # type: ignore[attr-defined]


def spec(**more: Any) -> Spec:
    """Make a config that compiles."""
    return Spec.model_validate({"sweep": {"compile": True}, **more})


def test_what_it_does_not_go_with_is_refused() -> None:
    """low_memory, ranks that train one model, and a framework's own calls of the model."""
    own = {"model": "m:f", "data": "m:d"}

    with pytest.raises(ValueError, match="does not go with low_memory, since compiled code"):
        workload(compile=True, low_memory=True)
    with pytest.raises(InputError, match=r"sweep\.compile: = true was not tried with several"):
        require_fit(spec(**own, distributed="ddp"), plain())
    pytest.importorskip("transformers")
    with pytest.raises(InputError, match=r"sweep\.compile: = true does not go with huggingface"):
        require_framework_fit(spec(huggingface={"trainer": "m:f"}), is_alone=True)


def test_modes_with_cuda_graphs_are_not_offered() -> None:
    """`reduce-overhead` captures CUDA graphs, whose losses would be overwritten unread."""
    with pytest.raises(ValueError, match=r"max-autotune-no-cudagraphs"):
        workload(compile={"mode": "reduce-overhead"})
