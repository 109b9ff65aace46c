"""The classic networks, by name; no PyTorch here.

Parameters and FLOPs are those of the modules at the default input, counted by `summary` and held by
tests/network/test_network_classics.py; so listing them imports no library.
"""

from striate.network._entry import Entry, Origin
from striate.network._options import Option

IMAGENET = (3, 224, 224)

STEM = Option(
    name="stem",
    default="auto",
    choices=("auto", "published", "small"),
    meaning="The first layers; auto: small where a side of the picture is too short for the "
    "published ones.",
)
CUT = Option(
    name="cut",
    default="",
    meaning="The layer of the backbone that the head reads, by its name in `striate summary`; by "
    "default the last.",
)


def head_options(pooling: str, dense: tuple[int, ...], dropout: float) -> tuple[Option, ...]:
    """Return the options of a head, with the published ones as defaults."""
    own = () if pooling in ("average", "max", "flatten") else (pooling,)
    return (
        Option(
            name="pooling",
            default=pooling,
            choices=(*own, "average", "max", "flatten"),
            meaning="What makes a vector of the backbone's map.",
        ),
        Option(
            name="known_classes",
            default=0,
            low=0,
            meaning="Classes of the pretrained classifier, whose answers the head reads beside the "
            "features; 0 for none.",
        ),
        Option(
            name="dense",
            default=dense,
            empty=True,
            meaning="Units of the head's dense layers before the last; [] for none.",
        ),
        Option(
            name="dropout",
            default=dropout,
            low=0,
            below=1,
            meaning="Probability of dropout at each of the head's dense layers.",
        ),
    )


def _classic(
    name: str,
    title: str,
    year: int,
    source: str,
    idea: str,
    origin: Origin,
    *,
    pooling: str = "average",
    dense: tuple[int, ...] = (),
    dropout: float = 0.0,
    side: int = 224,
    outputs: int = 1000,
) -> Entry:
    return Entry(
        name=name,
        title=title,
        year=year,
        source=source,
        idea=f"{idea} Pictures below {origin.small_below} px: {origin.small}.",
        default_input=(3, side, side),
        default_outputs=outputs,
        origin=origin,
        options=(*head_options(pooling, dense, dropout), STEM, CUT),
    )


def _vgg(depth: int, parameters: int, flops: int) -> Entry:
    return _classic(
        f"vgg{depth}",
        f"VGG-{depth}",
        2014,
        'K. Simonyan, A. Zisserman, "Very deep convolutional networks for large-scale image '
        'recognition"',
        f"{depth - 3} convolutions of 3×3 only, and three dense layers that hold most parameters.",
        Origin(
            library="torchvision",
            model=f"vgg{depth}",
            small_below=32,
            small=VGG_SMALL,
            grid=7,
            parameters=parameters,
            flops=flops,
        ),
        pooling="grid",
        dense=(4096, 4096),
        dropout=0.5,
    )


def _resnet(depth: int, idea: str, parameters: int, flops: int) -> Entry:
    return _classic(
        f"resnet{depth}",
        f"ResNet-{depth}",
        2015,
        'K. He et al., "Deep residual learning for image recognition"',
        idea,
        Origin(
            library="torchvision",
            model=f"resnet{depth}",
            small="a first convolution of 3×3 with stride 1, and no pooling after it",
            parameters=parameters,
            flops=flops,
        ),
    )


def _lite(number: int, side: int, dropout: float, parameters: int, flops: int) -> Entry:
    return _classic(
        f"efficientnet-lite{number}",
        f"EfficientNet-Lite{number}",
        2020,
        'R. Liu, "Higher accuracy on vision models with EfficientNet-Lite"; M. Tan, Q. Le, '
        '"EfficientNet"',
        "Narrow blocks opened wide, with a convolution for each channel alone; made for phones.",
        Origin(
            library="timm",
            model=f"tf_efficientnet_lite{number}",
            small="stride 1 in the first convolution",
            parameters=parameters,
            flops=flops,
        ),
        side=side,
        dropout=dropout,
    )


VGG_SMALL = "no first pooling"

CLASSICS = (
    _classic(
        "alexnet",
        "AlexNet",
        2012,
        'A. Krizhevsky, I. Sutskever, G. Hinton, "ImageNet classification with deep convolutional '
        'neural networks"; in the form of A. Krizhevsky, "One weird trick" (2014)',
        "Five convolutions and three dense layers with ReLU and dropout; began deep learning on "
        "photographs.",
        Origin(
            library="torchvision",
            model="alexnet",
            small="a first convolution of 3×3 with stride 1",
            grid=6,
            dropout_first=True,
            parameters=61_100_840,
            flops=1_428_376_960,
        ),
        pooling="grid",
        dense=(4096, 4096),
        dropout=0.5,
    ),
    _vgg(16, 138_357_544, 30_940_528_640),
    _vgg(19, 143_667_240, 39_264_124_928),
    _classic(
        "vgg16-binary",
        "VGG-16 without its top, for two classes",
        2014,
        'Course network; K. Simonyan, A. Zisserman, "Very deep convolutional networks"',
        "VGG-16's convolutions, flattened, 256 dense units and one output.",
        Origin(
            library="torchvision",
            model="vgg16",
            small_below=32,
            small=VGG_SMALL,
            parameters=21_137_729,
            flops=30_706_106_880,
        ),
        pooling="flatten",
        dense=(256,),
        outputs=1,
    ),
    _classic(
        "googlenet",
        "GoogLeNet",
        2014,
        'C. Szegedy et al., "Going deeper with convolutions"',
        "Nine inception modules: convolutions of several sizes side by side. Without its auxiliary "
        "heads.",
        Origin(
            library="torchvision",
            model="googlenet",
            small="a first convolution of 3×3 with stride 1, and no pooling after it",
            parameters=6_624_904,
            flops=3_003_254_880,
        ),
        dropout=0.2,
    ),
    _classic(
        "inception-v3",
        "Inception v3",
        2015,
        'C. Szegedy et al., "Rethinking the Inception architecture for computer vision"',
        "Inception modules with 7×7 written as 1×7 and 7×1. Without its auxiliary head.",
        Origin(
            library="torchvision",
            model="inception_v3",
            small_below=75,
            small="stride 1 in the first convolution, and no first pooling",
            parameters=23_834_568,
            flops=11_444_498_240,
        ),
        side=299,
        dropout=0.5,
    ),
    _resnet(
        18, "Eight blocks of two convolutions, each added to its input.", 11_689_512, 3_633_139_200
    ),
    _resnet(
        34,
        "Sixteen blocks of two convolutions, each added to its input.",
        21_797_672,
        7_335_024_128,
    ),
    _resnet(
        50, "Sixteen blocks of 1×1, 3×3, 1×1, each added to its input.", 25_557_032, 8_200_696_832
    ),
    _resnet(
        101, "33 blocks of 1×1, 3×3, 1×1, each added to its input.", 44_549_160, 15_635_375_104
    ),
    _lite(0, 224, 0.2, 4_652_008, 783_913_216),
    _lite(1, 240, 0.2, 5_416_680, 1_220_736_640),
    _lite(2, 260, 0.3, 6_092_072, 1_745_365_424),
)
