"""Libraries that are older than an extra's bound are told, whatever they would do."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lrfind.data import table
from lrfind.errors import InputError
from lrfind.extras import require_recent
from lrfind.frameworks.fit import require_fit
from lrfind.html import require_libraries
from lrfind.spec import Spec
from lrfind.trackers.destination import parse_destination

ROOT = Path(__file__).parents[1]
EXTRAS: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))[
    "project"
]["optional-dependencies"]


@pytest.fixture(name="install")
def _install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Install distributions as far as their metadata go, before all others; lrfind's own first.

    What is installed of lrfind may be older than the tree.
    """
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)

    def install(name: str, version: str, *lines: str) -> None:
        info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        text = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *lines]
        (info / "METADATA").write_text("\n".join(text) + "\n")

    needs = [f"{text}; extra == '{extra}'" for extra, texts in EXTRAS.items() for text in texts]
    install("lrfind", "1.0", *(f"Requires-Dist: {need}" for need in ["torch>=2.6", *needs]))
    return install


def bound(extra: str, name: str) -> str:
    """Read the bound of a library from pyproject.toml."""
    (found,) = (text for text in EXTRAS[extra] if text.startswith(name))
    return found.removeprefix(name)


@pytest.mark.parametrize(
    ("extra", "name", "version"),
    [
        ("lightning", "lightning", "2.0.9"),
        ("huggingface", "transformers", "4.49.0"),
        ("huggingface", "accelerate", "1.1.0rc1"),
        ("parquet", "pyarrow", "14.0.1"),
        ("html", "mpld3", "0.5.9"),
        ("html", "jinja2", "3.0.3"),
        ("tensorboard", "tensorboard", "2.11.0"),
        ("mlflow", "mlflow-skinny", "2.22.1"),
        ("wandb", "wandb", "0.18.7"),
    ],
)
def test_what_is_too_old_is_told_with_its_bound(
    extra: str, name: str, version: str, install: Callable[..., None]
) -> None:
    """The library, what pyproject.toml asks for, what is there, and the command that mends it."""
    install(name, version)

    with pytest.raises(InputError) as told:
        require_recent(extra, "here")

    assert str(told.value) == (
        f"here: needs {name}{bound(extra, name)}, and {version} is installed; "
        f"pip install -U 'lrfind[{extra}]'"
    )


def test_the_same_code_under_another_name_is_held_to_the_same_bound(
    install: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`pytorch_lightning` counts as Lightning where that is absent, MLflow as its own client."""
    install("pytorch-lightning", "1.9.5")
    install("mlflow", "2.5.0")
    require_recent("lightning", "here")
    monkeypatch.setattr(sys, "path", sys.path[:1])

    with pytest.raises(InputError, match=r"needs pytorch-lightning>=\S+, and 1\.9\.5 is installed"):
        require_recent("lightning", "here")
    with pytest.raises(InputError, match=r"needs mlflow>=\S+, and 2\.5\.0 is installed"):
        require_recent("mlflow", "here")


def test_every_one_that_is_too_old_is_told_at_once(install: Callable[..., None]) -> None:
    """Who has two old libraries is not sent to pip twice."""
    install("transformers", "4.30.2")
    install("accelerate", "0.20.3")

    with pytest.raises(InputError) as told:
        require_recent("huggingface", "here")

    assert [problem.what.split(">=")[0] for problem in told.value.problems] == [
        "needs transformers",
        "needs accelerate",
    ]


def test_what_is_new_enough_or_unknown_passes(install: Callable[..., None]) -> None:
    """The bound itself, a release to come, and what has no metadata or belongs to other extras."""
    install("transformers", bound("huggingface", "transformers").removeprefix(">="))
    install("accelerate", "99.0.0.dev1")
    install("wandb", "0.1")

    require_recent("huggingface", "here")
    require_recent("an-extra-of-nobody", "here")


@pytest.mark.parametrize("door", ["lightning", "huggingface", "wandb", "html", "parquet"])
def test_every_door_asks(door: str, install: Callable[..., None], tmp_path: Path) -> None:
    """A config's section, `--log`, `--html` and a Parquet file look before they use."""
    pd.DataFrame({"x": np.arange(9.0), "y": np.arange(9.0)}).to_parquet(tmp_path / "p.parquet")
    opened: dict[str, Callable[[], object]] = {
        "lightning": lambda: require_fit(
            Spec.model_validate({"lightning": {"module": "train.py:Module"}}), is_alone=True
        ),
        "huggingface": lambda: require_fit(
            Spec.model_validate({"huggingface": {"trainer": "train.py:build"}}), is_alone=True
        ),
        "wandb": lambda: parse_destination("wandb"),
        "html": require_libraries,
        "parquet": lambda: table(tmp_path / "p.parquet", "y"),
    }
    for name in ("lightning", "transformers", "wandb", "jinja2", "pyarrow"):
        install(name, "0.0.1")

    with pytest.raises(InputError, match=rf"and 0\.0\.1 is .*pip install -U 'lrfind\[{door}\]'"):
        opened[door]()
