"""Settings from files and options: merged in order, and refused in letters."""

from pathlib import Path

import pytest

from striate.errors import NetworkError, UsageError
from striate.training import (
    make_settings,
    merge,
    parse_assignments,
    read_config,
    setting_names,
    write_config,
)


def test_later_trees_win_key_by_key() -> None:
    settings = make_settings(
        {"training": {"epochs": 3, "batch_size": 8}},
        {"training": {"epochs": 5}, "optimizer": {"name": "sgd"}},
    )
    assert (settings.training.epochs, settings.training.batch_size) == (5, 8)
    assert settings.optimizer.name == "sgd"


def test_merging_leaves_its_arguments_alone() -> None:
    first = {"a": {"b": 1}}
    assert merge(first, {"a": {"c": 2}}) == {"a": {"b": 1, "c": 2}}
    assert first == {"a": {"b": 1}}


def test_a_written_config_reads_back_equal(tmp_path: Path) -> None:
    settings = make_settings(
        {
            "data": {"source": "äpfel/", "split": {"train": "a.txt"}, "image_size": [32, 48]},
            "network": {"name": "cnn3", "dropout": 0.5},
            "optimizer": {"betas": [0.8, 0.99]},
            "loss": {"class_weights": [1.0, 2.5]},
        }
    )
    write_config(settings, tmp_path / "config.yaml")
    assert make_settings(read_config(tmp_path / "config.yaml")) == settings


def test_a_network_may_be_a_list_of_layers() -> None:
    layers = ["conv 8 3", {"max": {"window": 2, "ceil": True}}, "relu"]
    assert make_settings({"network": {"name": layers}}).network.name == (
        "conv 8 3 | max 2 ceil | relu"
    )
    with pytest.raises(NetworkError) as caught:
        make_settings({"network": {"name": ["relu", 3]}})
    assert str(caught.value) == (
        "network.name, item 2: expected one layer, such as 'conv 32 3 pad 1', 'relu' or "
        "'conv: {channels: 32, kernel: 3}', got 3."
    )


def test_values_of_assignments_are_yaml() -> None:
    assert parse_assignments(
        ["network.widths=[32, 64]", "loss.class_weights=balanced", "training.patience=null"]
    ) == {
        "network": {"widths": [32, 64]},
        "loss": {"class_weights": "balanced"},
        "training": {"patience": None},
    }


def test_keys_of_the_network_that_are_no_setting_are_its_own_options() -> None:
    settings = make_settings({"network": {"name": "cnn3", "options": {"a": 1}, "dropout": 0.5}})
    assert settings.network.options == {"a": 1, "dropout": 0.5}


@pytest.mark.parametrize(
    ("tree", "letter"),
    [
        (
            {"training": {"batchsize": 3}},
            "There is no setting called 'training.batchsize'. Did you mean 'training.batch_size'? "
            "docs/settings.md lists all.",
        ),
        (
            {"trainign": {"epochs": 3}},
            "There is no setting called 'trainign'. Did you mean 'training'? "
            "docs/settings.md lists all.",
        ),
        (
            {"network": {"view": 2, "width": 3}},  # the second is nearly an option of networks
            "There is no setting called 'network.view'. Did you mean 'network.views'? "
            "docs/settings.md lists all.",
        ),
        (
            {"training": {"epochs": "ten"}},
            "--epochs (training.epochs) = 'ten': expected a whole number.",
        ),
        (
            {"training": {"epochs": 1.5}},
            "--epochs (training.epochs) = 1.5: expected a whole number.",
        ),
        (
            {"training": {"epochs": 0}},
            "--epochs (training.epochs) = 0: input should be greater than 0.",
        ),
        (
            {"optimizer": {"learning_rate": float("nan")}},
            "--learning-rate (optimizer.learning_rate) = nan: input should be a finite number.",
        ),
        (
            {"network": {"head": {"dense": 64}}},
            "network.head.dense = 64: expected a list, such as [64].",
        ),
        (
            {"network": {"head": {"dense": "wide"}}},
            "network.head.dense = 'wide': expected a list.",
        ),
        (
            {"data": {"resize": "crap"}},
            "data.resize = 'crap': input should be 'crop', 'squash' or 'pad'. Did you mean 'crop'?",
        ),
    ],
)
def test_letters(tree: dict[str, dict[str, object]], letter: str) -> None:
    with pytest.raises(UsageError) as caught:
        make_settings(tree)
    assert str(caught.value) == letter


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        make_settings({"training": {"epoch": 3, "batch_size": -1}})
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize("word", ["training.epochs", "epochs=3", ".epochs=3", "=3"])
def test_an_assignment_needs_group_key_and_value(word: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_assignments([word])
    assert str(caught.value) == (
        f"--set expects group.key=value, as in training.batch_size=64; it got '{word}'."
    )


@pytest.mark.parametrize("text", ["- a\n- b\n", "training: 3\n", "just words"])
def test_a_config_file_holds_groups(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_config(path)
    assert str(caught.value) == (
        f"--config {path}: expected groups of settings (data, network, training, augmentation, "
        "loss, optimizer, schedule), each with its keys below it."
    )


def test_a_config_file_runs_no_code(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("data: !!python/object/apply:os.system ['true']\n")
    with pytest.raises(UsageError, match="not a YAML file striate can read"):
        read_config(path)


def test_a_missing_config_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_config(tmp_path / "none.yaml")
    assert str(caught.value) == (
        f"--config {tmp_path / 'none.yaml'}: can't be read (No such file or directory)."
    )


def test_every_setting_has_a_name_and_a_description() -> None:
    assert "training.batch_size" in setting_names()
    assert "network.initialisation.deviation" in setting_names()
    assert len(setting_names()) == len(set(setting_names()))
