"""Train a small convolutional network on scikit-learn's handwritten digits.

python train.py --epochs 5 --lr 0.05
"""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn, optim
from torch.utils.data import DataLoader, Dataset


class DigitsDataset(Dataset):
    """8 × 8 images with values in 0..1, shifted by up to a pixel while training."""

    def __init__(self, train=True, augment=None):
        digits = load_digits()
        images = digits.images.astype(np.float32) / 16
        split = train_test_split(
            images, digits.target, test_size=0.2, random_state=42, stratify=digits.target
        )
        self.images, self.labels = (split[0], split[2]) if train else (split[1], split[3])
        self.augment = train if augment is None else augment

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image = self.images[index]
        if self.augment:
            image = np.roll(image, random.randint(-1, 1), axis=1)
        return torch.from_numpy(image).unsqueeze(0), int(self.labels[index])


class ConvNet(nn.Module):
    """Two convolutions and a linear layer."""

    def __init__(self, width=16, dropout=0.1):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(width, 2 * width, 3, padding=1),
            nn.BatchNorm2d(2 * width),
            nn.ReLU(),
        )
        self.head = nn.Sequential(nn.Flatten(), nn.Dropout(dropout), nn.Linear(2 * width * 16, 10))

    def forward(self, x):
        """Return the logits."""
        return self.head(self.features(x))


def make_loader(train, batch_size=64, workers=0):
    """Return the batches of one of the two parts."""
    return DataLoader(
        DigitsDataset(train), batch_size=batch_size, shuffle=train, num_workers=workers
    )


def train_one_epoch(model, loader, criterion, optimizer, device):
    """Go through the training data once and return the mean loss."""
    model.train()
    total = 0.0
    for images, labels in loader:
        images, labels = images.to(device), labels.to(device)
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(images)
    return total / len(loader.dataset)


@torch.no_grad()
def evaluate(model, loader, device):
    """Return the share of images that are recognised."""
    model.eval()
    hits = sum(
        (model(images.to(device)).argmax(1) == labels.to(device)).sum().item()
        for images, labels in loader
    )
    return hits / len(loader.dataset)


def parse_args():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--momentum", type=float, default=0.9)
    parser.add_argument("--weight-decay", type=float, default=5e-4)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main():
    """Train and report after each epoch."""
    args = parse_args()
    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    train_loader = make_loader(True, args.batch_size)
    test_loader = make_loader(False, args.batch_size)
    model = ConvNet(args.width).to(device)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    optimizer = optim.SGD(
        model.parameters(), lr=args.lr, momentum=args.momentum, weight_decay=args.weight_decay
    )
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, args.epochs)
    for epoch in range(args.epochs):
        loss = train_one_epoch(model, train_loader, criterion, optimizer, device)
        scheduler.step()
        accuracy = evaluate(model, test_loader, device)
        print(f"epoch {epoch + 1}: loss {loss:.4f}, accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main()
