"""A small table of every kind of column, and files that hold it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

ROWS = 60


def passengers(seed: int = 0) -> pd.DataFrame:
    """Make a frame with numbers, truth values, categories and two kinds of target."""
    rng = np.random.default_rng(seed)
    age = rng.uniform(1, 80, ROWS)
    return pd.DataFrame(
        {
            "age": age,
            "berths": rng.integers(1, 9, ROWS),
            "insured": rng.random(ROWS) < 0.5,
            "port": rng.choice(["Cork", "Brest", "Riga"], ROWS),
            "fare": 3 * age + rng.normal(0, 5, ROWS),
            "survived": np.where(np.arange(ROWS) % 3 == 0, "yes", "no"),
        }
    )


def written(frame: pd.DataFrame, path: Path, **options: object) -> Path:
    """Write a frame as CSV and name the file."""
    frame.to_csv(path, index=False, **options)  # type: ignore[call-overload]
    return path
