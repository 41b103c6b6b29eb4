"""Write docs/schedulers.md from the docstrings, and its picture.

Run `python docs/make_schedulers.py` after a change; a test compares the page with `text`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from matplotlib.figure import Figure

sys.path.append(str(Path(__file__).parent))
from bundled_pages import DOCS, DPI, IMAGES, head, section, small_multiples, table

from lrfind.console.manual import read_manual
from lrfind.plot import style
from lrfind.plot.files import write_figure
from lrfind.plot.schedule import dress_schedule, stairs
from lrfind.plot.sheet import Run, isolated
from lrfind.schedulers import CATALOG
from lrfind.schedulers.planned import Planned, plan

PAGE = DOCS / "schedulers.md"
PICTURE = IMAGES / "schedulers.png"

LR, STEPS = 0.1, 1000
ARGS = {
    "step": {"gamma": 0.5},
    "plateau": {"patience": 150, "factor": 0.5},
    "cyclic": {"mode": "triangular2"},
}

INTRO = """# Schedulers

Ten schedules, `lrfind.schedulers`: torch's names, arguments and checkpoints over pure closed
forms. Warmup wraps any of them, torch's own too:

```python
from lrfind.optim import AdamW
from lrfind.schedulers import CosineAnnealingLR, Warmup

optimizer = AdamW(model.parameters(), lr=3e-4)
scheduler = Warmup(CosineAnnealingLR(optimizer, T_max=950), steps=50)
...
optimizer.step()
scheduler.step()
```

`lrfind schedule cosine --lr 3e-4 --steps 1000 --warmup 50` draws one and writes these lines;
`lrfind list scheduler cosine` shows its page in the terminal. This page is written by
`docs/make_schedulers.py` from the docstrings.

{table}

![The curve of every schedule](images/schedulers.png)

Without torch, by config name or as a closed form:

```python
from lrfind.schedulers import cosine_annealing
from lrfind.schedulers.preview import preview

preview("cosine", lr=0.1, steps=1000, warmup=50)  # an array of 1000 LRs
cosine_annealing(500, 0.1, T_max=1000)  # the LR of one step
```

{differences}

"""


def main() -> None:
    """Write the page and its picture."""
    IMAGES.mkdir(exist_ok=True)
    write_figure(draw(), PICTURE, dpi=DPI)
    PAGE.write_text(text(), encoding="utf-8")


def text() -> str:
    """Return the whole page."""
    rows = [
        (f"`{name}`", f"`{entry.path.partition(':')[2]}`", entry.formula, entry.source)
        for name, entry in CATALOG.items()
    ]
    sections = (section([read_manual(name, CATALOG)], formula=True) for name in CATALOG)
    intro = INTRO.format(
        table=table(("name", "class", "formula", "source"), rows), differences=differences()
    )
    return intro + "\n".join(sections)


def differences() -> str:
    """Take what the package says of torch's schedulers."""
    from lrfind import schedulers

    return (schedulers.__doc__ or "").partition("\n\n")[2].partition("\n\n")[2].strip()


def drawn(name: str) -> Planned:
    """Plan a schedule as the picture shows it."""
    return plan(name, LR, STEPS, args=ARGS.get(name))


@isolated
def draw() -> Figure:
    """Draw the LR of every step of each schedule."""
    words = f"LR against step, built with lr {LR:g}, {STEPS} steps"
    sheet, panels = small_multiples(
        "Every schedule", [Run("", words, style.BLACK)], len(CATALOG), 2, 1.0
    )
    for axes, name in zip(panels, CATALOG, strict=True):
        planned = drawn(name)
        dress_schedule(axes, planned)
        axes.set_yticks([0, LR / 2, LR])
        axes.tick_params(labelsize=style.SIZE_SMALL)
        stairs(axes, planned)
        head(sheet, axes, name, _short(planned))
    return sheet.figure


def _short(planned: Planned) -> str:
    """Write the arguments that the axes do not show."""
    seen = ("base_lr", "start_lr")
    return ", ".join(
        f"{key} = {value}"
        for key, value in planned.args.items()
        if key not in seen and value not in (LR, STEPS)
    )


if __name__ == "__main__":
    main()
