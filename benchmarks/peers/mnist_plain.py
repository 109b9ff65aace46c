"""The plain script: cnn3 with its first published recipe, as a course writes it.

DataLoader, PIL transforms, batch 64, Adam 0.001, negative log-likelihood, 4 epochs, NCHW.
Prints one JSON object with the test loss and accuracy. Usage: mnist_plain.py FOLDER_OF_MNIST
"""

import json
import sys

import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader
from torchvision import datasets, transforms


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.fc1 = nn.Linear(64 * 7 * 7, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.relu(functional.max_pool2d(self.conv1(x), 2))
        x = functional.relu(functional.max_pool2d(self.conv2(x), 2))
        x = functional.relu(self.fc1(x.flatten(1)))
        return functional.log_softmax(self.fc2(x), dim=1)


def main() -> None:
    torch.manual_seed(0)
    transform = transforms.Compose(
        [transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))]
    )
    train = DataLoader(
        datasets.MNIST(sys.argv[1], train=True, transform=transform), batch_size=64, shuffle=True
    )
    test = DataLoader(
        datasets.MNIST(sys.argv[1], train=False, transform=transform), batch_size=1000
    )
    net = Net()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.001)
    for _epoch in range(4):
        net.train()
        for pictures, labels in train:
            optimizer.zero_grad()
            functional.nll_loss(net(pictures), labels).backward()
            optimizer.step()
    net.eval()
    loss, correct = 0.0, 0
    with torch.no_grad():
        for pictures, labels in test:
            output = net(pictures)
            loss += functional.nll_loss(output, labels, reduction="sum").item()
            correct += int((output.argmax(1) == labels).sum())
    print(json.dumps({"loss": loss / 10_000, "accuracy": correct / 10_000}))


main()
