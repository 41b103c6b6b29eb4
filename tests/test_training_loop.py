"""The 60-second example trains exactly as with torch's own classes."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch.utils.data import TensorDataset

from lrfind.registry import import_file
from tests import nursery

EXAMPLE = Path(__file__).parents[1] / "examples" / "training_loop.py"


def test_both_give_the_same_losses() -> None:
    """With lrfind's AdamW, warmup and cosine each of 300 losses is torch's, to 1e-6."""
    example = import_file(EXAMPLE)
    ours, theirs = example.train(), example.train(uses_torch=True)

    assert len(ours) == 300
    assert ours == pytest.approx(theirs, rel=0, abs=1e-6)
    assert ours[-1] < 0.1 < ours[0]


def test_in_double_precision_they_stay_equal_at_a_rough_lr(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At an LR that amplifies rounding, float64 shows that only rounding differs."""
    example = import_file(EXAMPLE)
    build, data = example.build_model, example.train_dataset
    images, labels = data().tensors
    monkeypatch.setattr(example, "build_model", lambda: build().double())
    monkeypatch.setattr(example, "train_dataset", lambda: TensorDataset(images.double(), labels))
    held_out = TensorDataset(images[:10].double(), labels[:10])
    monkeypatch.setattr(example, "held_out_dataset", lambda: held_out)

    ours, theirs = example.train(lr=1e-2), example.train(uses_torch=True, lr=1e-2)

    assert ours == pytest.approx(theirs, rel=0, abs=1e-9)


def test_another_lr_gives_other_losses() -> None:
    """The comparison would notice a difference: 1 % more LR moves the losses by far more."""
    example = import_file(EXAMPLE)
    ours, other = example.train(lr=3e-3), example.train(lr=3.03e-3)

    assert max(abs(a - b) for a, b in zip(ours, other, strict=True)) > 1e-4


def test_the_example_is_a_script(tmp_path: Path) -> None:
    """`python examples/training_loop.py` trains and says how well."""
    run = nursery.ran(EXAMPLE, cwd=tmp_path)

    assert (run.returncode, run.stderr) == (0, "")
    assert "of held-out digits right" in run.stdout
