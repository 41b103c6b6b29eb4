"""Predict how diabetes progresses from a table of patients, with embeddings for the categories."""

from pathlib import Path

import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

CSV = Path(__file__).parent / "patients.csv"
TARGET = "progression"
NUMERIC = ["bmi", "bp", "tc", "ldl", "hdl", "glucose"]
CATEGORICAL = ["age_group", "sex", "hypertension"]


class PatientsDataset(Dataset):
    """One patient a sample, as a dictionary of tensors."""

    def __init__(self, train=True, fraction=0.8):
        frame = pd.read_csv(CSV, index_col="patient_id")
        frame = frame.sample(frac=1, random_state=0)
        cut = int(fraction * len(frame))
        head = frame.iloc[:cut]
        part = head if train else frame.iloc[cut:]
        numbers = (part[NUMERIC] - head[NUMERIC].mean()) / head[NUMERIC].std()
        score = (part[[TARGET]] - head[TARGET].mean()) / head[TARGET].std()
        codes = {
            name: pd.Categorical(part[name], categories=sorted(frame[name].unique())).codes
            for name in CATEGORICAL
        }
        self.numeric = torch.tensor(numbers.to_numpy(), dtype=torch.float32)
        self.categorical = torch.tensor(pd.DataFrame(codes).to_numpy(), dtype=torch.long)
        self.target = torch.tensor(score.to_numpy(), dtype=torch.float32)

    def __len__(self):
        return len(self.target)

    def __getitem__(self, index):
        return {
            "numeric": self.numeric[index],
            "categorical": self.categorical[index],
            "target": self.target[index],
        }


class TabularNet(nn.Module):
    """Embeddings beside the numbers, then two hidden layers."""

    def __init__(self, sizes=(4, 2, 2), embedding=3, hidden=64, dropout=0.1):
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(size, embedding) for size in sizes)
        self.layers = nn.Sequential(
            nn.Linear(len(NUMERIC) + embedding * len(sizes), hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 1),
        )

    def forward(self, numeric, categorical):
        """Return the standardised score, one column."""
        embedded = [table(categorical[:, i]) for i, table in enumerate(self.embeddings)]
        return self.layers(torch.cat([numeric, *embedded], dim=1))


def fit(model, epochs=30, lr=1e-3, batch_size=32):
    """Train and print the errors of both parts."""
    loader = DataLoader(PatientsDataset(), batch_size=batch_size, shuffle=True)
    held_out = PatientsDataset(train=False)
    criterion = nn.HuberLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.01)
    for epoch in range(epochs):
        for batch in loader:
            prediction = model(batch["numeric"], batch["categorical"])
            loss = criterion(prediction, batch["target"])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            error = criterion(model(held_out.numeric, held_out.categorical), held_out.target)
        print(f"epoch {epoch + 1}: loss {loss:.3f}, held out {error:.3f}")


if __name__ == "__main__":
    torch.manual_seed(0)
    fit(TabularNet())
