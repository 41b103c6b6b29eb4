"""A script in the form of torch-lr-finder's README: model, criterion, optimizer, trainloader.

Written for this test; only the names and the last four lines of calls are the README's. The
config beside it points here, and nothing here changes for lrfind.
"""

import torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
inputs = torch.randn(2048, 20)
labels = (inputs @ torch.randn(20, 5)).argmax(dim=1)
trainset = TensorDataset(inputs, labels)
trainloader = DataLoader(trainset, batch_size=64, shuffle=True)

model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 5))
criterion = nn.CrossEntropyLoss()
optimizer = optim.Adam(model.parameters(), lr=1e-7, weight_decay=1e-2)


if __name__ == "__main__":
    from torch_lr_finder import LRFinder

    lr_finder = LRFinder(model, optimizer, criterion, device="cpu")
    lr_finder.range_test(trainloader, end_lr=100, num_iter=100)
    lr_finder.plot()
    lr_finder.reset()
