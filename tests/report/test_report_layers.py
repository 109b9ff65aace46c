"""The layer tables of the report, from the rows of a summary."""

from pathlib import Path
from typing import Any

from striate.network import summary
from striate.report._blocks import Table
from striate.report._network import layers
from striate.report._run import Run


def tables(rows: list[dict[str, Any]]) -> list[Table]:
    run = Run(
        folder=Path("run"), config="", history={}, steps={}, metrics={}, results={"layers": rows}
    )
    blocks = layers(run).blocks
    assert all(isinstance(block, Table) for block in blocks)
    return [block for block in blocks if isinstance(block, Table)]


def test_layers_fields_and_convolutions() -> None:
    first, fields, compared = tables(summary("cnn64").to_json()["layers"])
    assert first.head == (
        "name", "kind", "size", "output", "unread", "parameters", "FLOPs", "bytes",
    )  # fmt: skip
    assert first.rows[5] == (
        "pool2",
        "max pool",
        "floor((29 − 2 + 2·0)/2) + 1 = 14",
        "64×14×14",
        "1 of 29 × 1 of 29",
        "0",
        "0",
        "50,176",
    )
    assert fields.rows == (
        ("conv1", "3×3", "1×1", "1×1"),
        ("pool1", "4×4", "2×2", "1.5×1.5"),
        ("conv2", "8×8", "2×2", "3.5×3.5"),
        ("pool2", "10×10", "4×4", "4.5×4.5"),
        ("flatten1", "62×62", "64×64", "30.5×30.5"),
    )
    assert compared.rows == (
        ("conv1", "896", "3,444,224", "1,511,645,312", "27"),
        ("conv2", "18,496", "15,555,136", "1,655,249,472", "288"),
    )


def test_frozen_parameters_have_a_column_where_there_are_some() -> None:
    rows = summary("cnn3").to_json()["layers"]
    rows[0] |= {"trainable": 0, "frozen": 320}
    first = tables(rows)[0]
    assert first.head[5:7] == ("parameters", "frozen")
    assert first.rows[0][5:7] == ("320", "320")
    assert first.numbers == (5, 6, 7, 8)


def test_a_network_without_convolution_compares_nothing() -> None:
    titles = [table.title for table in tables(summary("mlp").to_json()["layers"])]
    assert titles == ["Layers", "Receptive fields"]


def test_without_layers_there_is_no_table() -> None:
    assert tables([]) == []
