"""`striate arithmetic`: the courses' examples, every letter, and pictures."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from command_line import striate
from pictures import save

SIXTEEN = "1 2 3 4; 5 6 7 8; 9 10 11 12; 13 14 15 16"
ONES = "1 1 1; 1 1 1; 1 1 1"
EDGE = "1 0 -1; 1 0 -1; 1 0 -1"


def answered(*words: object) -> str:
    done = striate("arithmetic", *words)
    assert (done.code, done.err) == (0, "")
    return done.out


def document(*words: object) -> Any:
    return json.loads(answered(*words, "--json"))


def refused(*words: object, code: int = 2) -> str:
    done = striate("arithmetic", *words)
    assert (done.code, done.out) == (code, "")
    return done.err.removeprefix("striate: ").removesuffix("\n")


@pytest.mark.parametrize(
    ("words", "output"),
    [
        (("conv", "--kernel", ONES), [[54, 63], [90, 99]]),
        (("conv", "--kernel", EDGE), [[-6, -6], [-6, -6]]),
        (("pool", "--window", "2"), [[6, 8], [14, 16]]),
        (("pool", "--window", "2", "--kind", "average"), [[3.5, 5.5], [11.5, 13.5]]),
        (("pool", "--window", "2", "--kind", "min"), [[1, 3], [9, 11]]),
    ],
)
def test_the_courses_examples(words: tuple[str, ...], output: list[list[float]]) -> None:
    found = document(*words, "--input", SIXTEEN)
    # The same numbers in the same type: 54, not 54.0.
    assert repr(found["output"]) == repr([output])
    line = "; ".join(" ".join(f"{number:g}" for number in row) for row in output)
    assert answered(*words, "--input", SIXTEEN).endswith(f"\nin one line: {line}\n")


def test_the_maximum_is_not_always_the_last_number() -> None:
    found = document("pool", "--input", "9 1 2 3; 4 5 6 0; 0 0 8 7; 1 0 0 0", "--window", 2)
    assert found["output"] == [[[9, 6], [1, 8]]]


@pytest.mark.parametrize(
    ("words", "size", "unread"),
    [
        (("conv", "--size", 4, "--kernel", 3), [2, 2], [0, 0]),
        (("conv", "--size", 4, "--kernel", 3, "--padding", 1), [4, 4], [0, 0]),
        (("pool", "--size", 5, "--window", 2), [2, 2], [1, 1]),
        (("pool", "--size", 5, "--window", 3, "--stride", 2), [2, 2], [0, 0]),
        (("pool", "--size", 5, "--window", 3, "--stride", 2, "--padding", 1), [3, 3], [0, 0]),
        (("pool", "--size", 5, "--window", 2, "--ceil"), [3, 3], [0, 0]),
        (("pool", "--size", 5, "--window", 2, "--padding", "same"), [3, 3], [0, 0]),
        (("conv", "--size", 32, "--kernel", 3), [30, 30], [0, 0]),
        (("conv", "--size", 32, "--kernel", 3, "--padding", 1), [32, 32], [0, 0]),
        (("conv", "--size", 8, "--kernel", 1, "--padding", 1), [10, 10], [0, 0]),
        (("pool", "--size", 112, "--window", 3, "--stride", 2, "--ceil"), [56, 56], [0, 0]),
        (("pool", "--size", 112, "--window", 3, "--stride", 2), [55, 55], [1, 1]),
        (("conv", "--size", "28x32", "--kernel", "3x5"), [26, 28], [0, 0]),
        (("conv", "--size", "28x32", "--kernel", "3x5", "--padding", "1x2"), [28, 32], [0, 0]),
        (("conv", "--size", 8, "--kernel", 3, "--padding", "valid"), [6, 6], [0, 0]),
        (("conv", "--size", 9, "--kernel", 1, "--stride", "2x3"), [5, 3], [4, 6]),
        (("conv", "--size", 9, "--kernel", 2, "--dilation", "1x4"), [8, 5], [0, 0]),
    ],
)
def test_the_courses_sizes(words: tuple[object, ...], size: list[int], unread: list[int]) -> None:
    found = document(*words)
    assert found["output_size"] == size
    assert found["unread"] == unread


def test_three_neurons_read_all_of_a_flattened_map() -> None:
    """A dense layer is a convolution whose kernel is as large as its input: 4 weights each."""
    found = document("conv", "--input", "1 2; 3 4", "--kernel", "1 2; 3 4", "--bias", "1")
    assert found["output"] == [[[31]]]
    assert found["windows"][0]["channels"][0]["products"] == [[1, 4], [9, 16]]


def test_a_convolution_in_text() -> None:
    out = answered(
        *(
            "conv",
            "--input",
            "1 2; 3 4 | 5 6; 7 8",
            "--kernel",
            "1 1; 0 .5",
            "--kernel",
            "2 2; 2 2",
        ),
        *("--padding", "0,0,0,1", "--bias", "-1"),
    )
    assert out == (
        "conv, kernel 2×2: 2×2 → 1×2\n"
        "size: height: (2 − 2 + 2·0)/1 + 1 = 1; width: (2 − 2 + 0 + 1)/1 + 1 = 2\n"
        "Each number is multiplied with the kernel's at the same place; the kernel isn't flipped\n"
        "(cross-correlation).\n"
        "Rows, columns and channels count from 0; what lies outside the input is in brackets.\n"
        "\n"
        "output row 0, column 0: from rows 0 to 1, columns 0 to 1\n"
        "  channel 0\n"
        "  1 2  ×    1   1  =  1 2\n"
        "  3 4       0 0.5     0 2   sum 5\n"
        "  channel 1\n"
        "  5 6  ×  2 2  =  10 12\n"
        "  7 8     2 2     14 16   sum 52\n"
        "  5 + 52 + bias -1 = 56\n"
        "\n"
        "output row 0, column 1: from rows 0 to 1, columns 1 to 2\n"
        "  channel 0\n"
        "    2 (0)  ×    1   1  =  2 0\n"
        "    4 (0)       0 0.5     0 0   sum 2\n"
        "  channel 1\n"
        "    6 (0)  ×  2 2  =  12  0\n"
        "    8 (0)     2 2     16  0   sum 28\n"
        "  2 + 28 + bias -1 = 29\n"
        "\n"
        "output 1×2\n"
        "  56 29\n"
        "in one line: 56 29\n"
    )


def test_pooling_in_text() -> None:
    out = answered("pool", "--input", "1 -2 3; 4 5 6; 7 8 9", "--window", 2, "--padding", 1,
                   "--kind", "min")  # fmt: skip
    assert "  (+∞) (+∞)\n    -2    3   smallest -2\n" in out
    out = answered("pool", "--input", "1 2 3", "--window", "1x2", "--kind", "average", "--ceil")
    assert out.endswith(
        "output row 0, column 0: from row 0, columns 0 to 1\n"
        "  1 2   mean 3/2 = 1.5\n"
        "\n"
        "output row 0, column 1: from row 0, columns 2 to 3\n"
        "    3 (–)   mean 3/1 = 3\n"
        "\n"
        "output 1×2\n"
        "  1.5   3\n"
        "in one line: 1.5 3\n"
    )


def test_brackets_are_explained_where_there_are_some() -> None:
    words = ("conv", "--input", "1 2; 3 4", "--kernel", "5")
    assert "Rows, columns and channels count from 0.\n" in answered(*words)
    assert "brackets" in answered(*words, "--padding", "0,0,0,1")
    assert "columns 0, 2" in answered(
        "conv", "--input", "1 2 3", "--kernel", "1 1", "--dilation", 2
    )


def test_padding_counts_in_a_mean_or_not() -> None:
    words = ("pool", "--input", "4 4; 4 4", "--window", 2, "--padding", 1, "--kind", "average")
    assert document(*words)["output"] == [[[1, 1], [1, 1]]]
    found = document(*words, "--ignore-padding")
    assert found["output"] == [[[4, 4], [4, 4]]]
    assert found["windows"][0]["channels"][0]["input"] == [[None, None], [None, 4]]


def test_sizes_in_text_tell_what_is_unread() -> None:
    assert answered("pool", "--size", "29x28", "--window", 2) == (
        "max pool, window 2×2: 29×28 → 14×14\n"
        "size: height: floor((29 − 2 + 2·0)/2) + 1 = 14; width: (28 − 2 + 2·0)/2 + 1 = 14\n"
        "no window reads one row\n"
    )


def test_decimals_are_exact_and_a_third_is_rounded() -> None:
    found = document("conv", "--input", "0.1 0.2", "--kernel", "1 1")
    assert found["output"] == [[[0.3]]]
    out = answered("pool", "--input", "1 0 0", "--window", "1x3", "--kind", "average")
    assert "mean 1/3 = 0.333333333\n" in out
    huge = document("conv", "--input", "999999999999999", "--kernel", "999999999999999")
    assert huge["output"] == [[[999999999999999**2]]]


def test_a_part_of_a_picture(tmp_path: Path) -> None:
    pixels = np.arange(10 * 12 * 3, dtype=np.uint8).reshape(10, 12, 3)
    path = save(pixels, tmp_path / "a.png")
    kernel = [word for _ in range(3) for word in ("--kernel", "1 2; 3 4")]
    found = document("conv", "--input", path, "--at", "2,3", "--crop", "4x3", *kernel)
    part = pixels[2:6, 3:6].astype(int)
    expected = [
        [int((part[r : r + 2, c : c + 2] * np.array([[1, 2], [3, 4]])[..., None]).sum())
         for c in range(2)]
        for r in range(3)
    ]  # fmt: skip
    assert found["output"] == [expected]
    assert found["input"][1] == part[..., 1].tolist()


def test_a_picture_that_is_too_much_or_not_there(tmp_path: Path) -> None:
    path = save(np.zeros((100, 100, 1), np.uint8), tmp_path / "a.PNG")
    assert refused("conv", "--input", path, "--kernel", ONES) == (
        "That would be 9,604 windows of 9 numbers, more than anybody reads; 20,000 numbers are the "
        "limit. Take a part of the picture (--at and --crop), or sizes alone (--size)."
    )
    assert refused("pool", "--input", path, "--window", 2, "--at", "98,0", "--crop", 3) == (
        f"{path} has 100×100 pixels; the part of 3×3 at 98,0 isn't inside it. "
        "Give another --at or --crop."
    )
    gone = tmp_path / "gone.png"
    assert refused("pool", "--input", gone, "--window", 2, code=3) == (
        f"{gone}: there is no such file"
    )
    assert refused("pool", "--input", "notes.txt", "--window", 2, code=3) == (
        "notes.txt: there is no such file"
    )
    assert document("pool", "--input", "1.e1", "--window", 1)["output"] == [[[10]]]
    assert refused("pool", "--input", path, "--input", "1", "--window", 2) == (
        f"A picture is the whole --input: give {path} alone."
    )


HOW = "Numbers stand apart by spaces, rows by ';' and channels by '|', as in '1 2; 3 4'."


@pytest.mark.parametrize(
    ("words", "letter"),
    [
        (
            ("conv", "--input", "1 2; 3 x", "--kernel", "1"),
            f"--input, row 1 (the first is row 0): 'x' isn't a number. {HOW}",
        ),
        (
            ("conv", "--input", "1", "--kernel", "1", "--kernel", "nan"),
            f"--kernel, channel 1, row 0: 'nan' isn't a number. {HOW}",
        ),
        (
            ("conv", "--input", "1 2; ; 3 4", "--kernel", "1"),
            f"--input, row 1 (the first is row 0): there is no number. {HOW}",
        ),
        (
            ("conv", "--input", "1 2; 3", "--kernel", "1"),
            "--input: row 1 has length 1, row 0 has 2. All rows need one length.",
        ),
        (
            ("conv", "--input", "1 2; 3 4 | 1", "--kernel", "1"),
            "--input: channel 1 is 1×1, channel 0 is 2×2. All channels need one size.",
        ),
        (
            ("conv", "--input", "1", "--kernel", "1", "--bias", "1/2"),
            "--bias takes a number, as 1 or -0.5, got '1/2'.",
        ),
        (
            ("conv", "--input", "1 2; 3 4", "--kernel", "1 | 2"),
            "A filter reads all channels, so its kernel has a matrix for each: the input has 1 "
            "channel, the kernel 2 channels.",
        ),
        (
            ("conv", "--input", "1 2; 3 4", "--kernel", ONES),
            "A window of 3×3 doesn't fit into 2×2. An input of at least 3×3, or padding of 1 would "
            "do.",
        ),
        (
            ("pool", "--size", "1x9", "--window", 3),
            "A window of 3×3 doesn't fit into 1×9. An input of at least 3×3, or padding of 1 would "
            "do.",
        ),
        (
            ("pool", "--size", "3", "--window", 8, "--padding", 1),
            "A window of 8×8 doesn't fit into 3×3 and its padding. An input of at least 6×6, or "
            "padding of 3 would do.",
        ),
        (
            ("pool", "--size", "3", "--window", "8x2", "--padding", 1),
            "A window of 8×2 doesn't fit into 3×3 and its padding. An input of at least 6×1 would "
            "do.",
        ),
        (
            ("pool", "--input", "1 2; 3 4", "--window", 2, "--padding", 2),
            "The padding of 'max 2 pad 2' must be at most half of its window, or a window could lie "
            "in the padding alone.",
        ),
        (
            ("conv", "--input", "1", "--kernel", "1", "--padding", "smae"),
            "--padding takes a number, height and width as 1x2, the four sides top,bottom,left,right "
            "as 0,1,0,1, 'valid' or 'same', got 'smae'. Did you mean 'same'?",
        ),
        (
            ("conv", "--input", "1", "--kernel", "1", "--stride", "0"),
            "--stride takes a number from 1 to 9999, or height and width as 3x5, got '0'.",
        ),
        (
            ("conv", "--size", "5", "--kernel", "1 2"),
            "--kernel takes a number from 1 to 9999, or height and width as 3x5, got '1 2'.",
        ),
        (
            ("conv", "--size", "5", "--kernel", "3", "--kernel", "3"),
            "With --size, --kernel is one size, as 3 or 3x5.",
        ),
        (("conv", "--input", "1"), "conv needs a --kernel."),
        (("pool", "--size", "4"), "pool needs a --window."),
        (
            ("pool", "--window", "2"),
            "Give either --input, numbers or a picture, or --size for sizes alone.",
        ),
        (
            ("pool", "--window", "2", "--size", "4", "--input", "1"),
            "Give either --input, numbers or a picture, or --size for sizes alone.",
        ),
        (
            ("pool", "--size", "5", "--window", "2", "--at", "1,1"),
            "--at needs --input; with --size there are no numbers.",
        ),
        (
            ("conv", "--size", "5", "--kernel", "2", "--ceil"),
            "--ceil is an option of pool; conv has none.",
        ),
        (
            ("pool", "--size", "5", "--window", "2", "--dilation", "2"),
            "--dilation is an option of conv; pool has none.",
        ),
        (
            ("pool", "--input", "1 2", "--window", "1", "--crop", "1"),
            "--at and --crop take a part of a picture; numbers are typed as needed.",
        ),
        (
            ("pool", "--size", "5", "--window", "2", "--kind", "avrage"),
            "There is no kind of pooling called 'avrage'. Did you mean 'average'? Known: max, min, "
            "average.",
        ),
        (
            ("cnov", "--size", "5"),
            "There is no operation called 'cnov'. Did you mean 'conv'? Known: conv, pool.",
        ),
    ],
)  # fmt: skip
def test_what_is_refused(words: tuple[object, ...], letter: str) -> None:
    assert refused(*words) == letter


def test_a_place_that_is_none(tmp_path: Path) -> None:
    path = save(np.zeros((4, 4, 1), np.uint8), tmp_path / "a.png")
    assert refused("pool", "--input", path, "--window", 2, "--at", "1") == (
        "--at takes row and column, as 0,0 or 10,4, got '1'."
    )


def test_it_needs_no_pytorch() -> None:
    program = (
        "import sys\n"
        "from striate.cli import main\n"
        "sys.argv = ['striate', 'arithmetic', 'pool', '--input', '1 2; 3 4', '--window', '2']\n"
        "try: main()\n"
        "finally: print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout.splitlines()[-1], done.stderr) == ("False", "")
