"""Find an LR from Python, in five lines; each `# %%` below is a notebook cell.

Run with `python examples/notebook.py`, or open in an editor that knows cells.
"""

# %% What any training script has: data and a model
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

images, labels = load_digits(return_X_y=True)
digits = TensorDataset(torch.tensor(images / 16, dtype=torch.float32), torch.tensor(labels))


def build_model() -> nn.Module:
    """Build a perceptron; a function, so that each seed of a sweep has new weights."""
    return nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


# %% The five lines
from lrfind import range_test  # noqa: E402 - the cell shows all it needs

batches = DataLoader(digits, batch_size=64, shuffle=True)
report = range_test(build_model, batches, nn.functional.cross_entropy, optimizer="adamw")
print(report.suggestion)

# %% The same engine as `lrfind run`: curves for a plot of your own, notes with advice
curve = report.curves[0]
print(f"{len(curve)} steps up to lr {curve.lr[-1]:.1e}; {curve.stop.sentence}")
for note in report.notes:
    print(note)
