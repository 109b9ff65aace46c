"""striate's side of data.py: store and batches alone, to the network's float input.

python loader_striate.py FOLDER SIZE full|none EPOCHS

Prints one JSON line like that of loader_torchvision.py, and the shares of building the store.
"""

import json
import resource
import sys
from time import perf_counter

import numpy as np
import torch

from striate.data import Augmentation, Batches, open_source, store
from striate.image import Shape
from striate.training._pixels import InputStage

folder, size, kind, epochs = sys.argv[1:]
side = int(size)
BATCH = 32

torch.set_num_threads(2)
begun = perf_counter()
source = open_source(folder)
shape = Shape(height=side, width=side, channels=3, margin=0 if side <= 64 else side // 14)
stored = store(source, shape, threads=2)
built = perf_counter() - begun
full = Augmentation(rotation=20, shift=0.1, zoom=0.15, shear=10, horizontal_flip=True)
batches = Batches(
    stored,
    targets=source.targets,
    ids=source.ids,
    positions=np.arange(len(source)),
    batch_size=BATCH,
    augmentation=full if kind == "full" else None,
    shuffle=True,
    threads=2,
)
stage = InputStage([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
first_batch = 0.0
seconds = []
for epoch in range(1, int(epochs) + 1):
    start, seen = perf_counter(), 0
    for batch in batches.epoch(epoch):
        pictures = stage(torch.from_numpy(batch.pictures_BHWC))
        first_batch = first_batch or perf_counter() - begun
        seen += len(pictures)
    seconds.append(perf_counter() - start)
own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(
    json.dumps(
        {
            "pictures": seen,
            "first_batch": round(first_batch, 3),
            # The peer decodes within its first epoch; here that is building the store.
            "first_epoch": round(built + seconds[0], 3),
            "building": round(built, 3),
            "later_epochs": [round(one, 3) for one in seconds[1:]],
            "megabytes": round(own / 1024),
        }
    )
)
