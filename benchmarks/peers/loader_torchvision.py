"""Peer of data.py: torchvision's ImageFolder and PyTorch's DataLoader, as tutorials write them.

python loader_torchvision.py FOLDER SIZE WORKERS full|none EPOCHS

FOLDER holds train/ and val/ or test/ with a folder per class. Prints one JSON line: seconds from
after the imports to the first batch, of the first epoch and of each later one.
"""

import json
import resource
import sys
from pathlib import Path
from time import perf_counter

import torch
from torch.utils.data import ConcatDataset, DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

folder, size, workers, kind, epochs = sys.argv[1:]
side = int(size)
wide = side if side <= 64 else side * 8 // 7
BATCH = 32

torch.set_num_threads(2)
begun = perf_counter()
geometry = (
    [
        v2.RandomAffine(
            20,
            translate=(0.1, 0.1),
            scale=(0.85, 1.15),
            shear=10,
            interpolation=v2.InterpolationMode.BILINEAR,
        ),
        v2.RandomHorizontalFlip(),
    ]
    if kind == "full"
    else []
)
resize = [] if side <= 64 else [v2.Resize(wide, antialias=True), v2.CenterCrop(wide)]
transform = v2.Compose(
    [
        *resize,
        *geometry,
        v2.CenterCrop(side),
        v2.ToImage(),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    ]
)
parts = [ImageFolder(str(part), transform) for part in sorted(Path(folder).iterdir())]
data: ConcatDataset[tuple[torch.Tensor, int]] = ConcatDataset(parts)
loader = DataLoader(
    data,
    BATCH,
    shuffle=True,
    num_workers=int(workers),
    persistent_workers=workers != "0",
)

first_batch = 0.0
seconds = []
for _ in range(int(epochs)):
    start, seen = perf_counter(), 0
    for pictures, _targets in loader:
        first_batch = first_batch or perf_counter() - begun
        seen += len(pictures)
    seconds.append(perf_counter() - start)
own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(
    json.dumps(
        {
            "pictures": seen,
            "first_batch": round(first_batch, 3),
            "first_epoch": round(seconds[0], 3),
            "later_epochs": [round(one, 3) for one in seconds[1:]],
            "megabytes": round(own / 1024),
        }
    )
)
