"""Families of text, unsupervised, ill-conditioned and density tasks."""

from __future__ import annotations

from functools import partial

from torch import nn

from benchmarks.suggestion.tasks import data, losses, nets
from benchmarks.suggestion.tasks.task import Task

LANGUAGE = (
    Task(
        "char_transformer",
        "language",
        ("momentum", "adamw"),
        nets.CharTransformer,
        losses.every_next_character,
        partial(data.text, 12),
        batch_size=8,
    ),
    Task(
        "char_mlp",
        "language",
        ("sgd", "adam"),
        nets.CharMlp,
        losses.next_character,
        partial(data.text, 8),
    ),
    Task(
        "char_gru",
        "language",
        ("rmsprop", "adamw"),
        nets.CharGru,
        losses.every_next_character,
        partial(data.text, 10),
        batch_size=8,
    ),
)

UNSUPERVISED = (
    Task(
        "digits_autoencoder",
        "unsupervised",
        ("momentum", "adam"),
        partial(nets.mlp, [64, 32, 8, 32, 64]),
        losses.reconstruction,
        data.digits,
    ),
    Task(
        "matrix_factorisation",
        "unsupervised",
        ("sgd", "adagrad"),
        nets.Factors,
        losses.rating,
        data.ratings,
        batch_size=64,
    ),
    Task(
        "digits_contrastive",
        "unsupervised",
        ("sgd", "adam"),
        partial(nets.mlp, [64, 32, 12]),
        losses.contrastive,
        data.digit_views,
    ),
)

CURVATURE = (
    Task(
        "quadratic",
        "curvature",
        ("sgd", "momentum", "adam"),
        partial(nets.Point, 40),
        losses.quadratic,
        partial(data.noise, 40),
        batch_size=8,
    ),
    Task(
        "teacher_student",
        "curvature",
        ("sgd", "adamw"),
        partial(nets.mlp, [16, 24, 1], nn.Tanh),
        losses.squared,
        data.taught,
    ),
    Task(
        "deep_linear",
        "curvature",
        ("sgd", "adam"),
        partial(nets.mlp, [16, 16, 16, 16, 8], nn.Identity),
        losses.squared,
        partial(data.linear_map, 16, 8),
    ),
)

NEGATIVE = (
    Task(
        "gaussian_nll",
        "negative",
        ("momentum", "adam"),
        partial(nets.mlp, [1, 32, 2], nn.Tanh),
        losses.gaussian_nll,
        data.noisy_wave,
    ),
    Task(
        "mixture_density",
        "negative",
        ("sgd", "rmsprop"),
        nets.Mixture,
        losses.negative_log_density,
        data.small_rings,
    ),
    Task(
        "coupling_flow",
        "negative",
        ("adamw",),
        nets.Flow,
        losses.negative_log_density,
        data.small_moons,
    ),
)
