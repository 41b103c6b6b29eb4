"""What to change, for the exceptions that models and data raise most often.

torch says what went wrong inside of it; which line of the user's code or config mends that, it
cannot know. One entry a mistake: a new one is a line here and a row in
`tests/faults/test_odd_workloads.py`.
"""

from __future__ import annotations

import re

_DTYPES = (
    "give data and parameters one dtype: x.float() in the dataset, or the model in the data's dtype"
)
_LABELS = "labels are classes from 0 to outputs - 1: mend them, or widen the model's last layer"

REMEDIES: tuple[tuple[str, str], ...] = (
    (
        r"Expected more than 1 value per channel when training",
        "batch norm needs 2 samples: raise data.batch_size to 2 or more, and set data.drop_last: "
        "true where the last batch of a pass holds one",
    ),
    (r"must have the same dtype|expected m1 and m2 to have the same dtype", _DTYPES),
    (r"Input type .* and (weight|bias) type .* should be the same", _DTYPES),
    (r"Target -?\d+ is out of bounds", _LABELS),
    (
        r"expected target dtype to be Long|expected scalar type Long but found",
        "cross_entropy takes classes as integers: return y.long() from the dataset; for numbers "
        "name another loss, such as mse_loss",
    ),
    (
        r"multi-target not supported",
        "cross_entropy takes labels of shape (samples,): return y.squeeze(-1) from the dataset",
    ),
    (
        r"argument #1 'indices' to have one of the following scalar types",
        "an embedding takes token ids as integers: return ids.long() from the dataset",
    ),
    (
        r"^IndexError: index out of range in self",
        "token ids are below the embedding's num_embeddings: raise it, or mend the ids",
    ),
    (
        r"SparseAdam does not support dense gradients",
        "name sgd or adagrad, which take sparse and dense gradients together",
    ),
    (
        r"does not support sparse gradients",
        "name sgd or adagrad as the optimizer, or build the embedding with sparse=False",
    ),
    (
        r"Cannot copy out of meta tensor",
        "make it on a real device: data on the meta device hold no numbers",
    ),
    (
        r"backward through the graph a second time",
        "a step and a model return the loss and leave backward() and optimizer.step() to the sweep",
    ),
    (
        r"device-side assert triggered",
        "run it once with --set device=cpu, where the index that is out of range is told",
    ),
)
"""Patterns of `Type: message`, and the remedy that each calls for; the first that fits counts."""


def remedy_for(text: str) -> str | None:
    """Find the remedy for an exception told as `Type: message`; None where none is known."""
    return next((remedy for pattern, remedy in REMEDIES if re.search(pattern, text)), None)
