"""Share of a ResNet-18's training at 224 px that is spent waiting for pictures.

python waiting_resnet18.py FOLDER          # prints one JSON line: history.csv's column `waiting`
"""

import csv
import json
import sys
import tempfile

from torchvision.models import resnet18

import striate

with tempfile.TemporaryDirectory() as name:
    run = striate.train(
        sys.argv[1],
        network=resnet18(num_classes=2),
        image_size=224,
        epochs=2,
        out=name,
        settings={
            "augmentation": {
                "rotation": 20,
                "shift": 0.1,
                "zoom": 0.15,
                "shear": 10,
                "horizontal_flip": True,
            },
            "training": {"samples": "none"},
        },
    )
    with (run.folder / "history.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
print(
    json.dumps(
        {
            "waiting": [float(row["waiting"]) for row in rows],
            "images_per_second": [float(row["images_per_second"]) for row in rows],
        }
    )
)
