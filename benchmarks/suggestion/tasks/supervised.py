"""Families of plain supervised tasks: classifiers, convolutions, raw tables, scaled tables."""

from __future__ import annotations

from functools import partial

from torch import nn

from benchmarks.suggestion.tasks import data, losses, nets
from benchmarks.suggestion.tasks.task import Task

CLASSIFIER = (
    Task(
        "digits_mlp",
        "classifier",
        ("sgd", "momentum", "adam"),
        partial(nets.mlp, [64, 32, 10]),
        losses.cross_entropy,
        data.digits,
    ),
    Task(
        "digits_logistic",
        "classifier",
        ("sgd", "adagrad"),
        partial(nn.Linear, 64, 10),
        losses.cross_entropy,
        data.digits,
        batch_size=64,
    ),
    Task(
        "digits_batch4",
        "classifier",
        ("sgd", "adam"),
        partial(nets.mlp, [64, 32, 10], nn.Tanh),
        losses.cross_entropy,
        data.digits,
        batch_size=4,
    ),
)

CONVOLUTION = (
    Task(
        "digits_cnn",
        "convolution",
        ("momentum", "adamw"),
        partial(nets.cnn, norm=False),
        losses.cross_entropy,
        data.digit_images,
        batch_size=16,
    ),
    Task(
        "digits_cnn_bn",
        "convolution",
        ("sgd", "adam"),
        partial(nets.cnn, norm=True),
        losses.cross_entropy,
        data.digit_images,
        batch_size=16,
    ),
    Task(
        "digits_residual_bn",
        "convolution",
        ("momentum", "rmsprop"),
        nets.Residual,
        losses.cross_entropy,
        data.digit_images,
        batch_size=16,
    ),
)

RAW = (
    Task(
        "wine_logistic_raw",
        "raw",
        ("sgd", "adam"),
        partial(nn.Linear, 13, 3),
        losses.cross_entropy,
        partial(data.wine, raw=True),
        batch_size=16,
    ),
    Task(
        "diabetes_mlp_raw",
        "raw",
        ("momentum", "adam"),
        partial(nets.mlp, [10, 24, 1]),
        losses.squared,
        data.diabetes_raw,
    ),
    Task(
        "cancer_mlp_raw",
        "raw",
        ("sgd", "rmsprop"),
        partial(nets.mlp, [30, 16, 2]),
        losses.cross_entropy,
        partial(data.cancer, raw=True),
    ),
)

TABULAR = (
    Task(
        "wine_mlp",
        "tabular",
        ("adamw",),
        partial(nets.mlp, [13, 16, 3]),
        losses.cross_entropy,
        data.wine,
        batch_size=16,
    ),
    Task(
        "cancer_logistic",
        "tabular",
        ("sgd", "momentum"),
        partial(nn.Linear, 30, 2),
        losses.cross_entropy,
        data.cancer,
    ),
    Task(
        "friedman_mlp",
        "tabular",
        ("adam", "adagrad"),
        partial(nets.mlp, [10, 32, 32, 1]),
        losses.squared,
        data.friedman,
    ),
)
