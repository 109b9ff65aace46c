"""The networks that have a name; no PyTorch here."""

from striate.errors import NetworkError, unknown
from striate.network._classics import CLASSICS
from striate.network._compact import compact
from striate.network._course import airbench, cnn3, cnn5, cnn64, cnn64_small, cnn_gap, lenet5, mlp
from striate.network._entry import Entry
from striate.network._options import Option, Value
from striate.network._timm import TIMM, timm_entry
from striate.network._written import is_written, written_entry

DROPOUT = Option(
    name="dropout",
    default=0.0,
    low=0,
    below=1,
    meaning="Probability of dropout before the last layer.",
)
BATCH_NORM = Option(name="batch_norm", default=False, meaning="Batch norm after every convolution.")
COURSE = "Course network for MNIST"
COURSE_64 = "Course network for two classes of 64×64 colour pictures"
GREY_28 = (1, 28, 28)


def _cnn3(name: str, title: str, idea: str, **defaults: Value) -> Entry:
    """Return an entry for `cnn3`, or for a variant with other defaults."""
    options = (
        Option(**{**vars(option), "default": defaults.get(option.name, option.default)})
        for option in (DROPOUT, BATCH_NORM)
    )
    return Entry(
        name=name,
        title=title,
        year=None,
        source=COURSE,
        idea=idea,
        default_input=GREY_28,
        default_outputs=10,
        builder=cnn3,
        options=tuple(options),
    )


ENTRIES = (
    Entry(
        name="compact",
        title="compact",
        year=2026,
        source="striate",
        idea="A 5×5 convolution with stride 2, then convolution and pooling as often as the picture "
        "allows; striate's default.",
        default_input=GREY_28,
        default_outputs=10,
        builder=compact,
        options=(
            Option(
                name="width",
                default=0,
                low=0,
                meaning="Channels of the first convolution; 0: 16 for grey, 32 for colour up to 64 px, "
                "24 above.",
            ),
            DROPOUT,
        ),
    ),
    _cnn3("cnn3", "cnn3", "Two 3×3 convolutions with max pooling, then two dense layers."),
    _cnn3(
        "cnn3-dropout", "cnn3 with dropout", "cnn3 with dropout before its last layer.", dropout=0.5
    ),
    _cnn3(
        "cnn3-batchnorm",
        "cnn3 with batch norm",
        "cnn3 with batch norm after both convolutions.",
        batch_norm=True,
    ),
    Entry(
        name="cnn5",
        title="cnn5",
        year=None,
        source=COURSE,
        idea="Two 5×5 convolutions; its two dense layers have no activation between them and do "
        "what one could.",
        default_input=GREY_28,
        default_outputs=10,
        builder=cnn5,
    ),
    Entry(
        name="cnn64",
        title="cnn64",
        year=None,
        source=COURSE_64,
        idea="Two 3×3 convolutions without padding; one output for two classes.",
        default_input=(3, 64, 64),
        default_outputs=1,
        builder=cnn64,
    ),
    Entry(
        name="cnn64-small",
        title="cnn64 with one convolution",
        year=None,
        source=COURSE_64,
        idea="One convolution fewer than cnn64 and 2.4 times its parameters: the dense layer reads "
        "a larger map.",
        default_input=(3, 64, 64),
        default_outputs=1,
        builder=cnn64_small,
    ),
    Entry(
        name="cnn-gap",
        title="cnn with global average pooling",
        year=2013,
        source='M. Lin, Q. Chen, S. Yan, "Network in network", for the pooling',
        idea="The global average replaces flatten, so parameters don't grow with the picture.",
        default_input=GREY_28,
        default_outputs=10,
        builder=cnn_gap,
        options=(
            Option(name="widths", default=(32, 64), meaning="Channels of each block."),
            Option(
                name="pooling",
                default="max",
                choices=("max", "min", "average"),
                meaning="Pooling at the end of each block.",
            ),
            Option(name="batch_norm", default=True, meaning=BATCH_NORM.meaning),
            Option(name="dense", default=128, meaning="Units of the first dense layer."),
        ),
    ),
    Entry(
        name="airbench",
        title="Network of cifar10-airbench",
        year=2024,
        source='K. Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU"',
        idea="A 2×2 convolution that starts as the pictures' whitening, then three groups of two "
        "convolutions.",
        default_input=(3, 32, 32),
        default_outputs=10,
        builder=airbench,
        options=(Option(name="widths", default=(64, 256, 256), meaning="Channels of each group."),),
    ),
    Entry(
        name="lenet5",
        title="LeNet-5",
        year=1998,
        source='Y. LeCun et al., "Gradient-based learning applied to document recognition"',
        idea="Convolution and pooling in turn, then dense layers; read cheques. Here with all of "
        "C3's connections.",
        default_input=(1, 32, 32),
        default_outputs=10,
        builder=lenet5,
    ),
    Entry(
        name="mlp",
        title="Multilayer perceptron",
        year=1986,
        source='D. Rumelhart, G. Hinton, R. Williams, "Learning representations by '
        'back-propagating errors"',
        idea="Dense layers only: the baseline that doesn't know which pixels are neighbours.",
        default_input=GREY_28,
        default_outputs=10,
        builder=mlp,
        options=(Option(name="hidden", default=(512,), meaning="Units of each hidden layer."),),
    ),
    *CLASSICS,
)


def networks() -> tuple[Entry, ...]:
    """Return every registered network, striate's default first."""
    return ENTRIES


def entry(name: str) -> Entry:
    """Return a registered network, one of timm ("timm:NAME"), or one written in words or a file.

    Raises NetworkError for an unknown name and for words that aren't understood.
    """
    known = {one.name: one for one in ENTRIES}
    if name in known:
        return known[name]
    if name.startswith(TIMM):
        return timm_entry(name)
    if is_written(name):
        return written_entry(name)
    raise NetworkError(unknown("network", name, known, do="'striate networks' says what each is."))


def has_backbone(name: str) -> bool:
    """Return whether a network comes from a library, in two parts: a backbone and a head.

    Raises NetworkError for a name that isn't there.
    """
    return name.startswith(TIMM) or entry(name).origin is not None
