"""The named data sets: what they hold, where their files come from, and on what terms."""

from dataclasses import dataclass

_FASHION = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


@dataclass(frozen=True, kw_only=True)
class NamedFile:
    """One published file.

    Attributes:
        name: its name.
        md5: MD5 of the file, as its publishers or PyTorch's torchvision give it.
        content_md5: MD5 of what a gzip file holds, where known: a file that was unpacked or packed
            anew has it too.
        size: a file larger than this many bytes is not downloaded to its end.
    """

    name: str
    md5: str
    content_md5: str = ""
    size: int = 256 * 2**20


@dataclass(frozen=True, kw_only=True)
class NamedSource:
    """A data set that is opened by its name.

    Attributes:
        name: what the user types.
        title: what it shows, in a few words.
        pictures: how many, by part.
        classes: number of classes.
        size: height × width × channels.
        licence, citation: the terms, and whom to cite.
        url: folder on the net from which `files` can be fetched; "" for the embedded one.
        files: published files; none for the embedded one.
        folders: where files may lie below a data folder, the most telling first.
        class_names: names of the classes where the files don't say.
        orientation_matters: see `Source`.
    """

    name: str
    title: str
    pictures: str
    classes: int
    size: str
    licence: str
    citation: str
    url: str = ""
    files: tuple[NamedFile, ...] = ()
    folders: tuple[str, ...] = ()
    class_names: tuple[str, ...] | None = None
    orientation_matters: bool = False


_IDX_FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
_MNIST = (
    ("f68b3c2dcbeaaa9fbdd348bbdeb94873", "6bbc9ace898e44ae57da46a324031adb"),
    ("d53e105ee54ea40749a09fcbcd1e9432", "a25bea736e30d166cdddb491f175f624"),
    ("9fb629c4189551a2d022fa330f9573f3", "2646ac647ad5339dbf082846283269ea"),
    ("ec29112dd5afa0611ce80d1b7f02629c", "27ae3e4e09519cfbb04c329615203637"),
)
_FASHION_MNIST = (
    "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "25c81989df183df01b3e8a0aad5dffbe",
    "bef4ecab320f06d8554ea6380940ec79",
    "bb300cfdad3c16e7a12a480ee83cd310",
)
_KRIZHEVSKY = (
    "A. Krizhevsky: Learning Multiple Layers of Features from Tiny Images, University of Toronto, "
    "2009"
)

REGISTRY = (
    NamedSource(
        name="digits",
        title="handwritten digits, embedded: needs no network",
        pictures="1,437 train, 360 test",
        classes=10,
        size="8 × 8 × 1",
        licence="CC BY 4.0",
        citation="E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI Machine "
        "Learning Repository, 1998, doi:10.24432/C50P49",
        orientation_matters=True,
    ),
    NamedSource(
        name="mnist",
        title="handwritten digits",
        pictures="60,000 train, 10,000 test",
        classes=10,
        size="28 × 28 × 1",
        licence="CC BY-SA 3.0",
        citation="Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-Based Learning Applied to "
        "Document Recognition, Proceedings of the IEEE 86(11), 1998",
        url="https://ossci-datasets.s3.amazonaws.com/mnist/",
        files=tuple(
            NamedFile(name=name, md5=md5, content_md5=content)
            for name, (md5, content) in zip(_IDX_FILES, _MNIST, strict=True)
        ),
        folders=("mnist/MNIST/raw", "mnist", "MNIST/raw", ""),
        orientation_matters=True,
    ),
    NamedSource(
        name="fashion-mnist",
        title="photographs of clothes",
        pictures="60,000 train, 10,000 test",
        classes=10,
        size="28 × 28 × 1",
        licence="MIT",
        citation="H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST: a Novel Image Dataset for "
        "Benchmarking Machine Learning Algorithms, arXiv:1708.07747, 2017",
        url="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        files=tuple(
            NamedFile(name=name, md5=md5)
            for name, md5 in zip(_IDX_FILES, _FASHION_MNIST, strict=True)
        ),
        folders=("fashion-mnist/FashionMNIST/raw", "fashion-mnist", "FashionMNIST/raw", ""),
        class_names=_FASHION,
    ),
    NamedSource(
        name="cifar10",
        title="photographs of animals and vehicles",
        pictures="50,000 train, 10,000 test",
        classes=10,
        size="32 × 32 × 3",
        licence="not stated by its authors",
        citation=_KRIZHEVSKY,
        url="https://www.cs.toronto.edu/~kriz/",
        files=(NamedFile(name="cifar-10-binary.tar.gz", md5="c32a1d4ab5d03f1284b67883e8d87530"),),
        folders=("cifar10", ""),
    ),
    NamedSource(
        name="cifar100",
        title="photographs of 100 kinds of things",
        pictures="50,000 train, 10,000 test",
        classes=100,
        size="32 × 32 × 3",
        licence="not stated by its authors",
        citation=_KRIZHEVSKY,
        url="https://www.cs.toronto.edu/~kriz/",
        files=(NamedFile(name="cifar-100-binary.tar.gz", md5="03b5dce01913d631647c71ecec9e9cb8"),),
        folders=("cifar100", ""),
    ),
)
"""All named data sets, in the order of the documentation."""
