"""Write docs/optimizers.md from the docstrings, and its picture.

    python docs/make_optimizers.py            # text and picture; keeps the measured table
    python docs/make_optimizers.py --measure  # runs the range test with each optimizer anew

A test compares the page with `text`.
"""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

sys.path.append(str(Path(__file__).parent))
from bundled_pages import DOCS, DPI, IMAGES, head, measured, section, small_multiples, table

from lrfind import __version__
from lrfind.config import load
from lrfind.console.manual import read_manual
from lrfind.experiment import run_config
from lrfind.frame import lr_text
from lrfind.optim import CATALOG
from lrfind.plot import style
from lrfind.plot.files import write_figure
from lrfind.plot.sheet import Run, footnote, isolated
from lrfind.registry import load_entry

PAGE = DOCS / "optimizers.md"
PICTURE = IMAGES / "optimizers.png"
CONFIG = DOCS.parent / "configs" / "digits.yaml"

START, STEPS, STEEPNESS = (-3.0, 1.0), 60, 25.0
LRS = {
    "sgd": 0.07, "momentum": 0.01, "nesterov": 0.01, "adagrad": 0.5,
    "rmsprop": 0.03, "adadelta": 1.0, "adam": 0.2, "adamw": 0.2,
}  # fmt: skip

INTRO = """# Optimizers

`lrfind.optim`: torch's keywords, defaults and checkpoints. They are swept by name
(`optimizer: adam`), and work in any training loop:

```python
from lrfind.optim import AdamW

optimizer = AdamW(model.parameters(), lr=3e-4)
```

`lrfind list optimizer adam` shows one of these pages in the terminal. This page is written by
`docs/make_optimizers.py` from the docstrings.

{table}

## On a narrow valley

f(x, y) = ½ (x² + {steepness:g} y²), {steps} steps from ({x:g}, {y:g}). Plain gradient descent
zigzags across the valley and creeps along it; momentum swings; methods that scale each coordinate
do not see that the valley is narrow. Adadelta takes long to find the size of its steps.

![Trajectories of every optimizer on a narrow valley](images/optimizers.png)

## On the digits

`lrfind run configs/digits.yaml` with each optimizer, by name and with its default arguments:

<!-- measured -->
{measured}<!-- end -->

"""


@dataclass(frozen=True)
class Descent:
    """One optimizer on the valley: where it was, shape `(steps + 1, 2)`, and the last f."""

    path: NDArray[np.float64]
    value: float


def main() -> None:
    """Write the page and its picture."""
    old = PAGE.read_text("utf-8") if PAGE.exists() else ""
    results = measure() if "--measure" in sys.argv or not measured(old) else measured(old)
    IMAGES.mkdir(exist_ok=True)
    write_figure(draw(), PICTURE, dpi=DPI)
    PAGE.write_text(text(results), encoding="utf-8")


def text(results: str) -> str:
    """Return the whole page around the measured table."""
    rows = [
        (f"`{name}`", f"`{_call(name)}`", entry.formula, entry.source)
        for name, entry in CATALOG.items()
    ]
    manuals = [read_manual(name, CATALOG) for name in CATALOG]
    intro = INTRO.format(
        table=table(("name", "class", "formula", "source"), rows), steepness=STEEPNESS,
        steps=STEPS, x=START[0], y=START[1], measured=results,
    )  # fmt: skip
    return intro + "\n".join(section(list(g)) for _, g in groupby(manuals, lambda m: m.attr))


def measure() -> str:
    """Run the range test with each optimizer and write what it suggests."""
    rows = []
    for name in CATALOG:
        report = run_config(load(CONFIG, [f"optimizer={name}"]))
        found, answer = report.suggestion, report.no_answer
        if found is None:
            rows.append((f"`{name}`", "none", "", "", str(answer.verdict) if answer else ""))
            continue
        span = f"{lr_text(found.low)} … {lr_text(found.high)}"
        numbers = (lr_text(found.lr), lr_text(found.peak_lr), span)
        rows.append((f"`{name}`", *numbers, str(found.verdict)))
    stamp = (
        f"lrfind {__version__}, torch {torch.__version__}, Python {platform.python_version()}, "
        f"{_processor()}, {datetime.now(UTC):%Y-%m-%d}; one sweep of 200 steps each, seed 0."
    )
    header = ("optimizer", "lr (constant)", "peak_lr (warmup + decay)", "usable range", "verdict")
    return f"{table(header, rows)}\n\n{stamp}\n"


def descend(name: str) -> Descent:
    """Run one optimizer down the valley."""
    entry = CATALOG[name]
    point = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    weights = torch.tensor([1.0, STEEPNESS], dtype=torch.float64)
    optimizer = load_entry(entry)([point], lr=LRS[name], **entry.args)
    path, value = [START], torch.tensor(0.0)
    for _ in range(STEPS):
        optimizer.zero_grad()
        (0.5 * (weights * point**2).sum()).backward()
        optimizer.step()
        path.append(tuple(point.tolist()))
    with torch.no_grad():
        value = 0.5 * (weights * point**2).sum()
    return Descent(np.array(path), value.item())


@isolated
def draw() -> Figure:
    """Draw every optimizer's way through the valley."""
    formula = Run(
        "",
        f"½ (x² + {STEEPNESS:g} y²), {STEPS} steps from ({START[0]:g}, {START[1]:g})",
        style.BLACK,
    )
    sheet, panels = small_multiples("A narrow valley", [formula], len(CATALOG), 2, 1.25)
    for axes, name in zip(panels, CATALOG, strict=True):
        descent = descend(name)
        _draw_valley(axes)
        color = style.BLUE
        axes.plot(*descent.path.T, color=color, linewidth=1.2, zorder=4)
        axes.plot(*descent.path.T, ".", color=color, markersize=4, zorder=5)
        axes.plot(*START, "o", color="white", markeredgecolor=style.BLACK, markersize=7, zorder=6)
        axes.plot(
            *descent.path[-1], "o", color=style.VERMILLION, markeredgecolor="white", markersize=9,
            markeredgewidth=1.2, zorder=7,
        )  # fmt: skip
        head(sheet, axes, name, f"lr {LRS[name]:g}, at the end f = {descent.value:.1e}")
    footnote(sheet, "white: start · vermillion: end · a dot a step")
    return sheet.figure


def _draw_valley(axes: Axes) -> None:
    x, y = np.meshgrid(np.linspace(-3.4, 1.4, 193), np.linspace(-1.25, 1.25, 101))
    f = 0.5 * (x**2 + STEEPNESS * y**2)
    axes.contour(
        x, y, f, levels=[0.05, 0.25, 1, 2.5, 5, 9, 14], colors=style.GREY, linewidths=0.5, alpha=0.6
    )
    axes.set_xlim(-3.4, 1.4)
    axes.set_ylim(-1.25, 1.25)
    axes.set_xticks([-3, -2, -1, 0, 1])
    axes.set_yticks([-1, 0, 1])
    axes.tick_params(labelsize=style.SIZE_SMALL, color=style.GREY)
    for side in axes.spines.values():
        side.set_color(style.GREY)


def _call(name: str) -> str:
    entry = CATALOG[name]
    preset = ", ".join(f"{key}={value}" for key, value in entry.args.items())
    return f"{entry.path.partition(':')[2]}({preset})"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if sys.platform == "linux" else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


if __name__ == "__main__":
    main()
