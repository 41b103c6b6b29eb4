"""TensorBoard event files, one folder a run, through torch's own writer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from lrfind.atomic import claim_folder
from lrfind.trackers.entry import Entry, answer_of, series_of, settings_of, words_of

if TYPE_CHECKING:
    from lrfind.trackers.destination import Destination, Log


def open_tensorboard(destination: Destination) -> Log:
    """Prepare to write below a folder, `DIR/<config>-<time>`.

    Raises:
        OutputError: it cannot be written to.
    """
    from torch.utils.tensorboard import SummaryWriter

    root = Path(destination.place)
    claim_folder(root, ())

    def log(entry: Entry) -> str:
        time = entry.report.environment.time.replace(":", "").replace("+0000", "Z")
        folder = root / f"{entry.name}-{time}"
        with SummaryWriter(str(folder)) as writer:
            for series in series_of(entry.report):
                for step, value in enumerate(series.values):
                    writer.add_scalar(series.name, value, step)
            for name, number in answer_of(entry.report).items():
                writer.add_scalar(name, number, 0)
            writer.add_text("answer", _as_text(words_of(entry.report)))
            writer.add_text("config", _as_text(settings_of(entry.report)))
            if entry.picture is not None:
                writer.add_image("curve", _pixels(entry.picture), dataformats="HWC")
        return str(folder)

    return log


def _as_text(rows: dict[str, str]) -> str:
    """Write rows as a block of code in Markdown, which TensorBoard shows as it is."""
    return "".join(f"    {name}: {json.dumps(text)[1:-1]}\n" for name, text in rows.items())


def _pixels(picture: Path) -> object:
    import numpy as np
    from PIL import Image

    with Image.open(picture) as image:
        return np.asarray(image.convert("RGB"))
