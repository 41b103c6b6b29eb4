"""Hugging Face Trainers as they stand, what they leave behind, and what cannot be swept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from accelerate.state import AcceleratorState, PartialState
from transformers import Trainer

from lrfind.errors import InputError
from lrfind.frameworks import fit
from lrfind.frameworks.fit import require_fit
from lrfind.frameworks.huggingface import HuggingFaceRecipe
from lrfind.spec import Spec, SweepSection
from lrfind.workload.workload import Workload
from tests.frameworks.framework_runs import CPU, swept
from tests.frameworks.test_huggingface_equality import arguments, gpt2, vit


def test_every_seed_has_its_own_weights_and_the_same_again(tmp_path: Path) -> None:
    """Seeds decide a `model_init` in spite of the Trainer's own seed; twice is once."""
    recipe = HuggingFaceRecipe(lambda: gpt2(tmp_path, data_seed=7))

    first, other, again = (swept(recipe, 3, seed) for seed in (0, 1, 0))

    assert first == again
    assert abs(first[0] - other[0]) > 1e-4


def test_the_process_and_the_folder_are_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No output folder, and accelerate's states, environment and verbosity are put back."""
    monkeypatch.chdir(tmp_path)
    transformers.logging.set_verbosity_error()
    states = dict(PartialState._shared_state), dict(AcceleratorState._shared_state)
    environment, random = dict(os.environ), torch.get_rng_state()

    swept(HuggingFaceRecipe(lambda: vit(tmp_path / "out", bf16=True, log_level="info")), 2)

    assert [*tmp_path.iterdir()] == []
    assert (PartialState._shared_state, AcceleratorState._shared_state) == states
    assert dict(os.environ) == environment
    assert torch.equal(torch.get_rng_state(), random)
    assert transformers.logging.get_verbosity() == transformers.logging.ERROR
    assert isinstance(transformers.TrainingArguments.should_save, property)


def test_decay_groups_and_an_optimizer_of_ones_own_are_taken_over(tmp_path: Path) -> None:
    """`create_optimizer` decides the groups; a class passed to the Trainer is the one swept."""

    def build() -> Trainer:
        trainer = gpt2(tmp_path)
        kind = (torch.optim.SGD, {"lr": 0.1, "momentum": 0.5})
        return Trainer(
            model_init=trainer.model_init,
            args=trainer.args,
            train_dataset=trainer.train_dataset,
            optimizer_cls_and_kwargs=kind,
        )

    kinds = []
    for recipe in (HuggingFaceRecipe(lambda: gpt2(tmp_path)), HuggingFaceRecipe(build)):
        with Workload(recipe, SweepSection(), CPU).open(0) as trainable:
            optimizer = trainable.swept.optimizer
            kinds.append(type(optimizer).__name__)
            assert [g["weight_decay"] for g in optimizer.param_groups] == [0.1, 0.0]
            assert trainable.swept.scales == (1.0, 1.0)

    assert kinds == ["AdamW", "SGD"]


def ready() -> Trainer:
    """Build a Trainer once and for all."""
    return SHARED


SHARED: Any = None


def test_a_model_that_was_trained_already_is_refused(tmp_path: Path) -> None:
    """A function that returns the same Trainer again would go on from where it ended."""
    global SHARED
    SHARED = vit(tmp_path)
    recipe = HuggingFaceRecipe(ready)
    swept(recipe, 1)

    with pytest.raises(InputError, match=r"the same model again.*build the model inside"):
        swept(recipe, 1)
    with pytest.raises(InputError, match=r"is a ready Trainer.*name a function that builds it"):
        swept(HuggingFaceRecipe(SHARED), 1)


@pytest.mark.parametrize(
    ("build", "told"),
    [
        (lambda: None, "gave None; it must be a transformers.Trainer"),
        (lambda: torch.nn.Linear(1, 1), "gave a Linear; it must be a transformers.Trainer"),
    ],
)
def test_what_is_no_trainer_is_told(build: Any, told: str) -> None:
    """With what to return."""
    with pytest.raises(InputError, match=told):
        swept(HuggingFaceRecipe(build), 1)


def test_a_device_that_the_arguments_do_not_choose_is_refused(tmp_path: Path) -> None:
    """`device: cuda` beside `use_cpu` names both."""
    recipe = HuggingFaceRecipe(lambda: vit(tmp_path), is_free=False)
    with pytest.raises(InputError, match="'meta', but the TrainingArguments choose cpu"):
        recipe._require_fit(vit(tmp_path), torch.device("meta"))


@pytest.mark.parametrize(
    ("sweep", "told"),
    [
        ({"precision": "bf16"}, "sweep.precision: = bf16 would rival bf16 or fp16"),
        ({"accumulate": 2}, "sweep.accumulate: = 2 would rival gradient_accumulation_steps"),
        ({"clip_grad_norm": 2.0}, "sweep.clip_grad_norm: = 2.0 would rival max_grad_norm"),
        ({"low_memory": True}, "sweep.low_memory: = true does not go with huggingface"),
    ],
)
def test_what_the_arguments_decide_is_not_decided_twice(sweep: dict[str, Any], told: str) -> None:
    """Precision, accumulation and clipping are the TrainingArguments' own."""
    spec = Spec.model_validate({"huggingface": {"trainer": "t.py:build"}, "sweep": sweep})

    with pytest.raises(InputError, match=told):
        require_fit(spec, is_alone=True)
    with pytest.raises(InputError, match="one process"):
        require_fit(spec, is_alone=False)


def test_a_library_that_is_missing_is_told_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Trainer takes transformers and accelerate; either one is told by its name."""
    libraries = (("transformers",), ("a_module_that_nobody_has",))
    monkeypatch.setitem(fit._LIBRARIES, "huggingface", libraries)
    spec = Spec.model_validate({"huggingface": {"trainer": "t.py:build"}})

    with pytest.raises(InputError, match=r"a_module_that_nobody_has.*'lrfind\[huggingface\]'"):
        require_fit(spec, is_alone=True)


@pytest.mark.parametrize(("is_scaled", "low"), [(False, 5), (None, 10)])
def test_a_compute_loss_of_ones_own_is_used(
    is_scaled: bool | None, low: float, tmp_path: Path
) -> None:
    """An override counts as the Trainer counts it.

    Beside a model that takes `num_items_in_batch` the Trainer adds the losses of two batches up,
    unless it is told that each is a mean.
    """

    class Own(Trainer):
        loss_is_scaled_for_ga = is_scaled

        def compute_loss(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            inputs.pop("labels")
            return model(**inputs).logits.square().mean() + 5

    def build() -> Trainer:
        trainer = vit(tmp_path)
        trainer.model.accepts_loss_kwargs = True
        args = arguments(tmp_path, gradient_accumulation_steps=2)
        return Own(model=trainer.model, args=args, train_dataset=trainer.train_dataset)

    losses = swept(HuggingFaceRecipe(build), 3)

    assert all(low < loss < low + 1 for loss in losses)
