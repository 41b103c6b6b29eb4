"""Who gets which seeds: a suggestion is never judged on the run it was read from."""

ORACLE_SEEDS = (0, 1, 2)
"""Seeds of the ground truth."""

FINDER_SEEDS = (100, 101, 102, 103)
"""Seeds of everyone who suggests: initial weights and order of the batches."""
