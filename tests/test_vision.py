"""Models of torchvision and timm by import path, with random weights and images made here.

The two are no dependency of the tests: the only torchvision that an index has may be built for
another torch than the one installed. `.ci/run` puts them beside the environment for this file.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from lrfind.errors import ExitCode

ROOT = Path(__file__).parents[1]

UNDECLARED = [
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
]
"""Operators that `import torchvision` describes, whether or not its compiled part is there."""


@pytest.fixture(scope="module", autouse=True)
def _torchvision() -> Any:
    """Make torchvision importable where its compiled part was built for another torch.

    No classifier uses that part. Without it the import alone fails, since it describes operators
    that nothing has declared; so they are declared, and stay without an implementation.
    """
    found = importlib.util.find_spec("torchvision")
    if found is None or found.origin is None:
        pytest.skip("torchvision is not installed beside these tests; .ci/run does that")
    try:
        for compiled in Path(found.origin).parent.glob("_C*"):
            torch.ops.load_library(str(compiled))
    except OSError:
        library = torch.library.Library("torchvision", "DEF")
        for operator in UNDECLARED:
            library.define(operator)
        yield library
        return
    yield None


@pytest.mark.parametrize(
    ("name", "library", "model"),
    [("torchvision", "torchvision", "ResNet"), ("timm", "timm", "VisionTransformer")],
)
# Of their own imports; none of it is ours to mend.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore:Failed to load image:UserWarning")
def test_a_model_is_swept_by_its_import_path(
    name: str, library: str, model: str, lrfind: Callable[..., Any], tmp_path: Path
) -> None:
    """The config names the library's own function; nothing of lrfind's stands between."""
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed beside these tests; .ci/run does that")

    outcome = lrfind("run", ROOT / "configs" / f"{name}.yaml", "--out", tmp_path)

    assert outcome.code == ExitCode.OK, outcome.err
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["title"].startswith(f"{name}: {model} (")
    assert report["suggestion"]["verdict"] in ("ok", "low-confidence")


def test_the_recipe_names_the_configs_that_are_run_here() -> None:
    """Every command of docs/recipes/vision.md is one of the two above."""
    page = (ROOT / "docs" / "recipes" / "vision.md").read_text("utf-8")

    commands = re.findall(r"^lrfind .*$", page, flags=re.MULTILINE)

    assert commands == ["lrfind run configs/torchvision.yaml", "lrfind run configs/timm.yaml"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore:Failed to load image:UserWarning")
def test_what_the_recipe_says_of_weights_and_optimizers_is_so(lrfind: Callable[..., Any]) -> None:
    """timm's own optimizers go by import path."""
    if importlib.util.find_spec("timm") is None:
        pytest.skip("timm is not installed beside these tests; .ci/run does that")

    outcome = lrfind(
        "validate", ROOT / "configs" / "timm.yaml", "--set", "optimizer={target: 'timm.optim:Lamb'}"
    )

    assert outcome.code == ExitCode.OK, outcome.err
    assert "Lamb" in outcome.out
