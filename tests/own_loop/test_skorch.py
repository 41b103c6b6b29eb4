"""A skorch net is swept by its own training loop, through a callback of three lines."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import lrfind
from lrfind.suggest import Verdict


# skorch 1.x calls a function that torch 2.x deprecates.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_skorch_net_is_swept_and_left_as_it_was() -> None:
    """`partial_fit` ends with the sweep, and module, optimizer and LR are as before."""
    skorch = pytest.importorskip("skorch")
    from skorch.callbacks import Callback

    rng = np.random.default_rng(0)
    features = rng.normal(size=(512, 8)).astype(np.float32)
    labels = (features[:, 0] * features[:, 1] > 0).astype(np.int64)
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 2))
    net = skorch.NeuralNetClassifier(
        module,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=1e-3,
        batch_size=32,
        max_epochs=100,
        train_split=None,
        verbose=0,
    )

    class Record(Callback):  # type: ignore[misc]
        """Tell a sweep every loss."""

        def on_batch_end(self, net: Any, training: bool = True, **found: Any) -> None:
            """Pass the loss of an update on."""
            if training:
                sweep.record(found["loss"])

    net.set_params(callbacks=[("record", Record)])
    net.initialize()
    before = copy.deepcopy(net.module_.state_dict())
    with lrfind.sweep(net.optimizer_, model=net.module_, start_lr=1e-6, steps=120) as sweep:
        net.partial_fit(features, labels)

    assert sweep.report.suggestion is not None
    assert sweep.report.suggestion.verdict in (Verdict.OK, Verdict.LOW_CONFIDENCE)
    assert net.optimizer_.param_groups[0]["lr"] == 1e-3
    assert all(torch.equal(net.module_.state_dict()[k], v) for k, v in before.items())
