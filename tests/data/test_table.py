"""Columns to tensors: what is inferred, how it is split, and what is learned from which part."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from lrfind.data import Table, mlp, table
from lrfind.data.split import split_rows
from lrfind.workload.feed import Feed
from tests.data.tables import ROWS, passengers


def test_numbers_truth_values_and_categories_become_one_float_tensor() -> None:
    """Standardised numbers, 0/1 truth values and one-hot categories, as scikit-learn has them."""
    frame = passengers()

    features, target = table(frame, "survived").tensors

    numbers = StandardScaler().fit_transform(frame[["age", "berths", "fare"]])
    ports = OneHotEncoder(sparse_output=False).fit_transform(frame[["port"]])
    expected = np.column_stack([numbers[:, :2], frame["insured"], numbers[:, 2], ports])
    assert features.dtype is torch.float32
    np.testing.assert_allclose(features.numpy(), expected, atol=1e-6)
    assert target.dtype is torch.int64
    assert target.tolist() == [int(value == "yes") for value in frame["survived"]]


def test_a_number_is_predicted_as_one_column() -> None:
    """A float target is float32 `(n, 1)`, standardised unless told not to be."""
    frame = passengers()

    scaled, plain = (table(frame, "fare", normalise=n).tensors[1] for n in ("all", "features"))

    assert scaled.shape == (ROWS, 1)
    np.testing.assert_allclose(scaled.mean(), 0, atol=1e-6)
    np.testing.assert_allclose(scaled.std(correction=0), 1, atol=1e-6)
    np.testing.assert_allclose(plain[:, 0], frame["fare"], rtol=1e-6)


def test_nothing_is_changed_without_normalisation() -> None:
    """`normalise: none` leaves numbers as they are."""
    frame = passengers()

    features, _ = table(frame, "survived", normalise="none").tensors

    np.testing.assert_allclose(features[:, 0], frame["age"], rtol=1e-6)


def test_the_held_out_part_is_encoded_by_the_training_part() -> None:
    """Mean, deviation and categories come from the training rows alone."""
    frame = passengers()
    train = table(frame, "survived", split=0.75)
    # Held-out rows far away, of another port, move nothing in the training part.
    rows, held_out = split_rows(ROWS, 0.75, 0, (frame["survived"] == "yes").to_numpy(np.int64))
    moved = frame.copy()
    moved.loc[held_out, "age"] += 1000
    moved.loc[held_out[0], "port"] = "Oslo"

    test = table(moved, "survived", split=0.75, part="test")

    assert torch.equal(table(moved, "survived", split=0.75).tensors[0], train.tensors[0])
    age = frame["age"].to_numpy()
    expected = (age[held_out] + 1000 - age[rows].mean()) / age[rows].std()
    np.testing.assert_allclose(test.tensors[0][:, 0], expected, rtol=1e-5)
    assert test.tensors[0][0, 4:].tolist() == [0, 0, 0]
    assert "categories that the training part does not have: port (1)" in test.told.features


@settings(deadline=None, max_examples=50)
@given(
    codes=st.lists(st.integers(0, 3), min_size=2, max_size=80),
    share=st.floats(0.05, 0.95),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_split_uses_each_row_once_and_treats_classes_alike(
    codes: list[int], share: float, seed: int
) -> None:
    """Parts are disjoint, complete and the same for a seed; each class is split by the share."""
    labels = np.array(codes)

    train, test = split_rows(len(labels), share, seed, labels)

    assert sorted([*train, *test]) == list(range(len(labels)))
    assert np.array_equal(train, split_rows(len(labels), share, seed, labels)[0])
    for code in set(codes):
        count, taken = codes.count(code), int((labels[train] == code).sum())
        assert abs(taken - share * count) <= 1
        assert taken >= 1
        assert count == 1 or taken < count


def test_a_constant_column_is_left_out_and_named() -> None:
    """A column with one value in the training part would be divided by zero; it is told instead."""
    found = table(passengers().assign(deck=3, line="east"), "survived")

    assert found.n_features == table(passengers(), "survived").n_features
    assert "left out as constant: deck, line" in found.told.features


@pytest.mark.parametrize(
    ("values", "task", "n_outputs"),
    [
        ([0, 1] * 30, None, 2),
        ([3, 4, 5] * 20, None, 3),
        ([True, False] * 30, None, 2),
        (list("abc") * 20, None, 3),
        ([0.0, 1.0] * 30, None, 1),
        ([0, 5, 90] * 20, None, 1),
        (list(range(60)), None, 1),
        ([0, 1] * 30, "regression", 1),
        ([0.0, 1.0] * 30, "classification", 2),
        ([0, 5, 90] * 20, "classification", 3),
    ],
    ids=str,
)
def test_the_task_follows_from_the_target_unless_given(
    values: list[object], task: str | None, n_outputs: int
) -> None:
    """Texts, truth values and consecutive whole numbers are classes; all others are numbers."""
    frame = passengers().assign(y=values)

    found = table(frame, "y", task=task)  # type: ignore[arg-type]

    assert found.n_outputs == n_outputs
    assert ("classes" in found.told.target) == (n_outputs > 1)


def test_whole_numbers_taken_for_codes_are_told_with_the_way_out() -> None:
    """An integer target may mean either, so the guess and the option against it are named."""
    found = table(passengers().assign(grade=[1, 2, 3] * 20), "grade")

    assert found.told.target == (
        "target grade: 3 classes (1 20, 2 20, 3 20), read as codes (task: regression for a number)"
    )


def test_categories_by_index_are_an_input_of_their_own() -> None:
    """Floats and int64 indices, 0 for what training has not seen, sized for embeddings."""
    frame = passengers()

    found = table(frame, "survived", categories="index", categorical=["berths"])

    floats, indices, _ = found.tensors
    assert (floats.shape[1], indices.dtype, indices.shape[1]) == (3, torch.int64, 2)
    assert found.n_categories == (frame["berths"].nunique() + 1, 4)
    ports = {"Brest": 1, "Cork": 2, "Riga": 3}
    assert indices[:, 1].tolist() == [ports[port] for port in frame["port"]]


def test_a_table_is_read_whole_batches_at_a_time() -> None:
    """Its batches come by the fast path, and are those of a plain TensorDataset bit for bit."""
    found = table(passengers(), "survived")

    def batches(data: TensorDataset) -> list[torch.Tensor]:
        generator = torch.Generator().manual_seed(3)
        feed = Feed(DataLoader(data, batch_size=7, shuffle=True, generator=generator))
        return [part for _ in range(12) for part in feed.next()]

    assert type(Feed(DataLoader(found, batch_size=7))._source).__name__ == "_WholeBatches"
    pairs = zip(batches(found), batches(TensorDataset(*found.tensors)), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("categories", ["one-hot", "index"])
@pytest.mark.parametrize("frame", [passengers(), passengers()[["port", "survived"]]], ids=len)
def test_the_perceptron_fits_the_table(frame: pd.DataFrame, categories: str) -> None:
    """`mlp` takes the table's inputs and gives one output a class, with gradients everywhere."""
    found = table(frame, "survived", categories=categories)  # type: ignore[arg-type]
    model = mlp(found, [16, 8])

    *inputs, target = found.tensors
    nn.functional.cross_entropy(model(*inputs), target).backward()

    assert all(parameter.grad is not None for parameter in model.parameters())


def test_a_table_is_a_dataset_for_any_loop() -> None:
    """It has a length and gives rows, as any TensorDataset."""
    found = table(passengers(), "survived")

    assert isinstance(found, Table)
    assert isinstance(found, TensorDataset)
    assert len(found) == ROWS
    assert [part.shape for part in found[0]] == [(7,), ()]
