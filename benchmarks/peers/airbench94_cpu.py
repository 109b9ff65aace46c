"""The CIFAR-10 record recipe, rewritten for the CPU: the peer of `benchmarks/cifar.py`.

Follows `airbench94_muon.py` of KellerJordan/cifar10-airbench (arXiv:2404.00498), which reaches
94.01 % on the original pictures in 2.6 s on an A100: whitening layer, three groups of two
convolutions, Muon for the kernels, SGD for biases and head, 8 epochs of batches of 2,000, pictures
mirrored every other epoch and shifted by up to 2 pixels, six views at test time. What differs: float32
instead of half precision, no compiler, pictures from JPEG files.

python airbench94_cpu.py FOLDER [--seed N] [--threads N] [--precision float32|bfloat16] [--steps N]

FOLDER holds train/<class>/ and test/<class>/. Prints one JSON line. `--steps` ends after that many
steps, to time them.
"""

import argparse
import json
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional

EPOCHS, BATCH, BIAS_EPOCHS = 8, 2000, 3
BIAS_RATE, HEAD_RATE, KERNEL_RATE = 0.053, 0.67, 0.24
DECAY = 2e-6 * BATCH
MEAN, DEVIATION = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


def read(folder: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Return standardised pictures (N, 3, 32, 32) in channels_last memory, and labels (N,)."""
    classes = sorted(one.name for one in folder.iterdir() if one.is_dir())
    pixels, labels = [], []
    for label, name in enumerate(classes):
        for file in sorted((folder / name).iterdir()):
            with Image.open(file) as picture:
                pixels.append(np.asarray(picture.convert("RGB")))
            labels.append(label)
    images = torch.from_numpy(np.stack(pixels)).float().div_(255).permute(0, 3, 1, 2)
    mean, deviation = (torch.tensor(v).view(1, 3, 1, 1) for v in (MEAN, DEVIATION))
    return (images - mean) / deviation, torch.tensor(labels)


class Group(nn.Module):
    """Convolution, pooling, norm, GELU, convolution, norm, GELU."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = (
            nn.Conv2d(n, after, 3, padding="same", bias=False) for n in (before, after)
        )
        for conv in (self.conv1, self.conv2):
            # The first filters hand their channel on unchanged.
            nn.init.dirac_(conv.weight.data[: conv.in_channels])
        self.norm1, self.norm2 = (nn.BatchNorm2d(after, eps=1e-12, momentum=0.4) for _ in "12")
        for norm in (self.norm1, self.norm2):
            norm.weight.requires_grad = False

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.gelu(self.norm1(functional.max_pool2d(self.conv1(x), 2)))
        return functional.gelu(self.norm2(self.conv2(x)))


class Net(nn.Module):
    """24 whitening filters of 2×2, groups of 64, 256 and 256, maximum over 3×3, a linear head."""

    def __init__(self, pictures: torch.Tensor) -> None:
        super().__init__()
        self.whiten = nn.Conv2d(3, 24, 2)
        self.whiten.weight.requires_grad = False
        self.whiten.weight.data[:] = whitening(pictures)
        self.groups = nn.Sequential(Group(24, 64), Group(64, 256), Group(256, 256))
        self.head = nn.Linear(256, 10, bias=False)
        self.head.weight.data /= self.head.weight.data.std()

    def forward(self, x: torch.Tensor, learn_bias: bool = True) -> torch.Tensor:
        bias = self.whiten.bias if learn_bias else self.whiten.bias.detach()
        x = functional.gelu(functional.conv2d(x, self.whiten.weight, bias))
        x = functional.max_pool2d(self.groups(x), 3).flatten(1)
        return self.head(x) / x.shape[1]


def whitening(pictures: torch.Tensor) -> torch.Tensor:
    """Return (24, 3, 2, 2): the patches' principal axes, each scaled to unit variance, and −1 ×."""
    patches = functional.unfold(pictures, 2).transpose(1, 2).reshape(-1, 12)
    values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
    filters = vectors.T.reshape(12, 3, 2, 2) / (values + 5e-4).sqrt().view(-1, 1, 1, 1)
    return torch.cat((filters, -filters))


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, made orthogonal by three Newton-Schulz steps; weights keep their norm."""

    def __init__(self, parameters: list[nn.Parameter]) -> None:
        super().__init__(parameters, {"lr": KERNEL_RATE})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                momentum = self.state[p].setdefault("momentum", torch.zeros_like(p))
                momentum.mul_(0.6).add_(p.grad)
                x = p.grad.add(momentum, alpha=0.6).reshape(len(p), -1)
                x = x / (x.norm() + 1e-7)
                flip = x.shape[0] > x.shape[1]
                x = x.T if flip else x
                for _ in range(3):
                    a = x @ x.T
                    x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
                p.mul_(len(p) ** 0.5 / p.norm())
                p.sub_((x.T if flip else x).reshape(p.shape), alpha=group["lr"])


def epochs(
    pictures: torch.Tensor, labels: torch.Tensor
) -> Iterator[list[tuple[torch.Tensor, torch.Tensor]]]:
    """Yield each epoch's batches: mirrored every other epoch, shifted by −2 to 2 pixels."""
    mirror = (torch.rand(len(pictures)) < 0.5).view(-1, 1, 1, 1)
    padded = functional.pad(torch.where(mirror, pictures.flip(-1), pictures), (2,) * 4, "reflect")
    for epoch in range(EPOCHS):
        down, right = torch.randint(0, 5, (2, len(pictures)))
        shifted = torch.empty_like(pictures, memory_format=torch.channels_last)
        for y in range(5):
            for x in range(5):
                these = (down == y) & (right == x)
                shifted[these] = padded[these, :, y : y + 32, x : x + 32]
        shifted = shifted.flip(-1) if epoch % 2 else shifted
        order = torch.randperm(len(pictures))
        yield [
            (shifted[part].contiguous(memory_format=torch.channels_last), labels[part])
            for part in order.split(BATCH)
            if len(part) == BATCH
        ]


@torch.no_grad()
def accuracy(net: Net, pictures: torch.Tensor, labels: torch.Tensor, *, six: bool) -> float:
    """Return the accuracy with one view, or with six: mirrored, and shifted by a pixel."""

    def mirrored(x: torch.Tensor) -> torch.Tensor:
        return 0.5 * net(x) + 0.5 * net(x.flip(-1))

    net.eval()
    right = 0
    for x, y in zip(pictures.split(2000), labels.split(2000), strict=True):
        if six:
            padded = functional.pad(x, (1,) * 4, "reflect")
            corners = mirrored(padded[:, :, :32, :32]) + mirrored(padded[:, :, 2:, 2:])
            logits = 0.5 * mirrored(x) + 0.25 * corners
        else:
            logits = net(x)
        right += int((logits.argmax(1) == y).sum())
    net.train()
    return right / len(labels)


def main() -> None:
    """Train once and print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--steps", type=int, default=10**9)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    begun = perf_counter()
    pictures, labels = read(arguments.folder / "train")
    test_pictures, test_labels = read(arguments.folder / "test")
    reading = perf_counter() - begun

    net = Net(pictures[:5000]).to(memory_format=torch.channels_last)
    kernels = [p for p in net.parameters() if p.ndim == 4 and p.requires_grad]
    biases = [p for n, p in net.named_parameters() if "norm" in n and p.requires_grad]
    sgd = torch.optim.SGD(
        [
            {"params": group, "lr": rate, "first": rate, "weight_decay": DECAY / rate}
            for group, rate in (
                ([net.whiten.bias], BIAS_RATE),
                (biases, BIAS_RATE),
                ([net.head.weight], HEAD_RATE),
            )
        ],
        momentum=0.85,
        nesterov=True,
        fused=True,
    )
    muon = Muon(kernels)
    an_epoch = len(pictures) // BATCH
    steps, bias_steps = EPOCHS * an_epoch, BIAS_EPOCHS * an_epoch
    autocast = (
        torch.autocast("cpu", dtype=torch.bfloat16)
        if arguments.precision == "bfloat16"
        else nullcontext()
    )
    step, step_seconds, rows = 0, [], []
    for batches in epochs(pictures, labels):
        for x, y in batches:
            started = perf_counter()
            with autocast:
                logits = net(x, learn_bias=step < bias_steps)
            loss = functional.cross_entropy(logits.float(), y, label_smoothing=0.2, reduction="sum")
            loss.backward()
            sgd.param_groups[0]["lr"] = BIAS_RATE * (1 - step / bias_steps)
            for group in sgd.param_groups[1:]:
                group["lr"] = group["first"] * (1 - step / steps)
            muon.param_groups[0]["lr"] = KERNEL_RATE * (1 - step / steps)
            sgd.step()
            muon.step()
            net.zero_grad(set_to_none=True)
            step += 1
            step_seconds.append(perf_counter() - started)
            if step >= arguments.steps:
                break
        if step >= arguments.steps:
            break
        rows.append(accuracy(net, test_pictures, test_labels, six=False))
        print(f"epoch {len(rows)}: {rows[-1]:.4f}, {perf_counter() - begun:.0f} s", flush=True)
    line = {"step_seconds": float(np.median(step_seconds)), "reading_seconds": reading}
    if rows:
        six = accuracy(net, test_pictures, test_labels, six=True)
        line |= {"accuracy": rows[-1], "six_views": six, "epochs": rows}
    line |= {"seconds": perf_counter() - begun, "cpu_seconds": process_time()}
    print(json.dumps(line))


if __name__ == "__main__":
    main()
