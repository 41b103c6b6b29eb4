"""Frozen projects, written without lrfind in mind, from their configs alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lrfind.errors import ExitCode
from tests.frameworks.framework_runs import PROJECTS

NAMES = ("lightning_images", "lightning_gan", "hf_text")


@pytest.mark.parametrize("name", NAMES)
def test_a_project_is_swept_untouched(
    name: str, lrfind: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A config of at most 12 lines gives an answer, with seeds and trials; nothing else is left."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    config = PROJECTS / name / "lrfind.yaml"
    text = config.read_text()

    outcome = lrfind(
        "run", config, "--out", "out", "--set", "sweep.seeds=2", "--set", "sweep.steps=40",
        "--refine", "--budget", "120", "-q",
    )  # fmt: skip

    assert outcome.code == ExitCode.OK, outcome.err
    assert text.splitlines()[0] == f"# lrfind run tests/projects/{name}/lrfind.yaml"
    assert len(text.splitlines()) <= 12
    assert "lrfind" not in (PROJECTS / name / "train.py").read_text()
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert {path.name for path in tmp_path.iterdir()} == {"out"}
    assert not {"model", "data", "optimizer"} & report["spec"].keys()
    assert 1e-5 < report["suggestion"]["lr"] < 1e-1


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("lightning_images", ("AdamW, 3 groups", "lr × 1, 1, 2", "SequentialLR", "64 samples")),
        ("lightning_gan", ("Adam, 24,961 parameters", "ExponentialLR", "others train along")),
        ("hf_text", ("AdamW, 2 groups", "2 batches of 16", "norm of 1", "cosine schedule")),
    ],
)
def test_validate_says_what_was_found(
    name: str, told: tuple[str, ...], lrfind: Callable[..., Any]
) -> None:
    """Optimizer with its groups, batch size, accumulation and the scheduler set aside."""
    outcome = lrfind("validate", PROJECTS / name / "lrfind.yaml")

    assert outcome.code == ExitCode.OK, outcome.err
    assert all(part in outcome.out for part in told), outcome.out


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "{lightning: {module: t.py:M}, model: t.py:m}",
            "c.yaml:1: model is given beside lightning",
        ),
        (
            "{lightning: {module: t.py:M}, huggingface: {trainer: t.py:t}}",
            "c.yaml:1: huggingface and lightning are both given",
        ),
        ("{lightning: {datamodule: t.py:D}}", "lightning.module is missing"),
        ("{huggingface: {trainer: t.py:T, model: 3}}", "huggingface.model is not a known key"),
        ("{huggingface: {trainer: gone.py:T}}", "there is no file gone.py"),
        ("{huggingface: {trainer: t.py:raises}}", "building the model raised ValueError: no"),
        (
            "{lightning: {module: t.py:raises}}",
            "lightning.module (t.py:raises): building the model",
        ),
    ],
)
def test_a_wrong_section_is_told_with_its_line(
    text: str,
    told: str,
    lrfind: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Exit 2, with the key that the user wrote."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.yaml").write_text(text)
    (tmp_path / "t.py").write_text(
        "M = D = T = m = t = int\ndef raises(): raise ValueError('no')\n"
    )

    outcome = lrfind("validate", "c.yaml")

    assert outcome.code == ExitCode.BAD_INPUT
    assert told in outcome.err


def test_batch_sizes_belong_to_the_loader(lrfind: Callable[..., Any]) -> None:
    """`--batch-sizes` cannot reach into a framework's loader, and says so."""
    path = PROJECTS / "lightning_images" / "lrfind.yaml"
    outcome = lrfind("run", path, "--batch-sizes", "16,32", "--out", "unused")

    assert outcome.code == ExitCode.BAD_INPUT
    assert "--batch-sizes" in outcome.err
    assert "whose loader has its own batch size" in outcome.err
