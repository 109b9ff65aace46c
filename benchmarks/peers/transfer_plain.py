"""Peer of transfer.py: PyTorch's transfer-learning tutorial, all but the last layer frozen.

    python transfer_plain.py FOLDER TRAIN TEST --epochs 5 --seed 0

FOLDER holds the parts TRAIN and TEST with a folder per class. ImageFolder, DataLoader with 2 workers,
RandomResizedCrop and flip, batches of 4, SGD at 0.001 with momentum 0.9, a tenth of it every 7 epochs:
the tutorial's. It judges each epoch and keeps the best one by the part it reports; here the last one is
judged, once. With --adam Adam at 0.001 takes the place of SGD and of its schedule: where an epoch is a
handful of steps, the tutorial's rate hardly leaves the start. Prints one JSON line.
"""

import argparse
import json
from pathlib import Path

import timm
import torch
from lite0 import DEVIATION, MEAN, NAME, SIZE, fill
from torch import nn, optim
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

BATCH = 4


def loader(folder: Path, transform: transforms.Compose, *, train: bool) -> DataLoader:
    pictures = datasets.ImageFolder(str(folder), transform)
    return DataLoader(pictures, batch_size=BATCH, shuffle=train, num_workers=2)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("train")
    parser.add_argument("test")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--adam", action="store_true")
    given = parser.parse_args()
    torch.manual_seed(given.seed)
    scaling = [transforms.ToTensor(), transforms.Normalize(MEAN, DEVIATION)]
    varied = [transforms.RandomResizedCrop(SIZE), transforms.RandomHorizontalFlip()]
    centre = [transforms.Resize(SIZE + 32), transforms.CenterCrop(SIZE)]
    train = loader(given.folder / given.train, transforms.Compose(varied + scaling), train=True)
    test = loader(given.folder / given.test, transforms.Compose(centre + scaling), train=False)
    network = timm.create_model(NAME)
    fill(network)
    for parameter in network.parameters():
        parameter.requires_grad = False
    network.classifier = nn.Linear(network.num_features, len(train.dataset.classes))
    judge = nn.CrossEntropyLoss()
    if given.adam:
        optimizer: optim.Optimizer = optim.Adam(network.classifier.parameters(), lr=0.001)
    else:
        optimizer = optim.SGD(network.classifier.parameters(), lr=0.001, momentum=0.9)
    fade = 1.0 if given.adam else 0.1
    schedule = optim.lr_scheduler.StepLR(optimizer, step_size=7, gamma=fade)
    for _epoch in range(given.epochs):
        network.train()
        for pictures, classes in train:
            optimizer.zero_grad()
            judge(network(pictures), classes).backward()
            optimizer.step()
        schedule.step()
    network.eval()
    correct = 0
    with torch.no_grad():
        for pictures, classes in test:
            correct += int((network(pictures).argmax(1) == classes).sum())
    figures = {
        "accuracy": correct / len(test.dataset),
        "trained_on": len(train.dataset),
        "judged_on": len(test.dataset),
        "epochs": given.epochs,
        "optimizer": "adam" if given.adam else "sgd",
    }
    print(json.dumps(figures))


# The workers start anew where processes can't be forked.
if __name__ == "__main__":
    main()
