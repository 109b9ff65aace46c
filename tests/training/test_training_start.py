"""Where a network starts, where the user left it open: weights, what is frozen, what comes after."""

from dataclasses import replace
from typing import Any

import pytest

from striate.errors import UsageError
from striate.network import Pixels
from striate.training import Facts, Settings, choose, choose_start, make_settings

LITE = Pixels(
    mean=(0.5, 0.5, 0.5),
    deviation=(0.25, 0.25, 0.25),
    height=224,
    width=224,
    interpolation="bicubic",
    crop=0.875,
    said_by="a test",
)
PHOTOS = Facts(
    task="classification",
    training=196,
    classes=2,
    height=375,
    width=500,
    uniform=False,
    channels=3,
    orientation_matters=False,
    pretrained="efficientnet-lite0",
)
BARE = replace(PHOTOS, pretrained="")


def start(facts: Facts, **network: Any) -> tuple[Any, ...]:
    """Return name, weights, freeze and fine_tune that are chosen."""
    chosen = choose_start(make_settings({"network": network}), facts)[0].network
    return chosen.name, chosen.weights, chosen.freeze, chosen.fine_tune


def test_with_a_package_a_frozen_backbone_is_the_default_and_every_choice_has_a_reason() -> None:
    assert start(PHOTOS) == ("efficientnet-lite0", "package", True, "auto")
    _, choices = choose_start(Settings(), PHOTOS)
    assert {one.name: one.reason for one in choices} == {
        "network.weights": "fewer than 10,000 training pictures, and these weights are installed; "
        "--weights none starts from random ones",
        "network.name": "the smallest network whose pretrained weights are installed",
        "network.freeze": "fewer than 10,000 training pictures: the backbone runs once over each",
    }


@pytest.mark.parametrize(
    "facts",
    [
        BARE,
        replace(PHOTOS, training=10_000),
        replace(PHOTOS, height=23),
        replace(PHOTOS, width=23),
        replace(PHOTOS, orientation_matters=True),
    ],
)
def test_what_weights_of_photographs_hardly_help_starts_from_nothing(facts: Facts) -> None:
    settings, choices = choose_start(Settings(), facts)
    network = settings.network
    assert (network.name, network.weights) == ("compact", "none")
    assert (network.freeze, network.fine_tune) == (False, "never")
    assert [one.name for one in choices] == ["network.name"]


def test_at_the_limits_they_are_still_taken() -> None:
    facts = replace(PHOTOS, training=9_999, height=24, width=24)
    assert start(facts)[:2] == ("efficientnet-lite0", "package")


def test_a_network_that_was_named_starts_from_nothing_unless_weights_are_named_too() -> None:
    assert start(PHOTOS, name="resnet18") == ("resnet18", "none", False, "never")
    named = start(PHOTOS, name="resnet18", weights="timm")
    assert named == ("resnet18", "timm", True, "auto")
    assert start(PHOTOS, weights="none") == ("compact", "none", False, "never")


def test_many_pictures_train_the_whole_network_from_the_weights_on() -> None:
    many = replace(PHOTOS, training=10_000)
    assert start(many, weights="package") == ("efficientnet-lite0", "package", False, "always")
    assert start(many, weights="package", freeze=True)[2:] == (True, "auto")


@pytest.mark.parametrize("training", [{"epochs": 3}, {"minutes": 2.0}, {"steps": [(0, 40)]}])
def test_who_asks_for_epochs_gets_them(training: dict[str, Any]) -> None:
    chosen = choose_start(make_settings({"training": training}), PHOTOS)[0].network
    assert (chosen.freeze, chosen.fine_tune) == (True, "always")


def test_what_was_given_stays_and_isnt_told_as_chosen() -> None:
    given = make_settings(
        {"network": {"name": "x", "weights": "f.pth", "freeze": True, "fine_tune": "never"}}
    )
    settings, choices = choose_start(given, PHOTOS)
    assert settings == given
    assert choices == []


def test_nothing_is_changed_in_what_was_given() -> None:
    given = Settings()
    choose_start(given, PHOTOS)
    assert given == Settings()


@pytest.mark.parametrize("facts", [PHOTOS, BARE])
def test_choosing_again_changes_nothing(facts: Facts) -> None:
    """So that config.yaml repeats a run."""
    facts = replace(facts, pixels=LITE if facts.pretrained else None)
    once, _ = choose(Settings(), facts)
    again, choices = choose(once, facts)
    assert again == once
    told = {one.name for one in choices} - {"augmentation", "training.precision"}
    assert told == set()


@pytest.mark.parametrize(
    ("facts", "network", "letter"),
    [
        (BARE, {"freeze": True}, "--freeze is for pretrained weights, and this run starts from random "
         "ones. Add --weights package, or the weights' file."),
        (BARE, {"fine_tune": "always"}, "--fine-tune is for pretrained weights, and this run starts "
         "from random ones. Add --weights package, or the weights' file."),
        (PHOTOS, {"weights": "none", "fine_tune": "auto"}, "--fine-tune is for pretrained weights, and "
         "this run starts from random ones. Add --weights package, or the weights' file."),
        (PHOTOS, {"name": "cnn3", "freeze": True}, "--freeze is for pretrained weights, and this run "
         "starts from random ones. Add --weights package, or the weights' file."),
        (PHOTOS, {"freeze": False, "fine_tune": "never"}, "--fine-tune never with --no-freeze would "
         "train nothing. Leave one out."),
        (PHOTOS, {"freeze": False, "fine_tune": "auto"}, "--fine-tune auto with --no-freeze would "
         "train nothing. Leave one out."),
        (BARE, {"weights": "package"}, "--weights package: no --network was named, and no package of "
         "weights is installed. Name the network that they are for."),
        (BARE, {"weights": "mine.pth"}, "--weights mine.pth: no --network was named, and no package of "
         "weights is installed. Name the network that they are for."),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(
    facts: Facts, network: dict[str, Any], letter: str
) -> None:
    with pytest.raises(UsageError) as caught:
        choose_start(make_settings({"network": network}), facts)
    assert str(caught.value) == letter


def test_with_weights_pictures_are_as_the_weights_saw_them() -> None:
    settings, choices = choose(Settings(), replace(PHOTOS, pixels=LITE))
    data = settings.data
    assert (data.image_size, data.interpolation, data.margin) == ((224, 224), "bicubic", 16)
    assert (data.mean, data.deviation, data.resize) == ("weights", "weights", "crop")
    assert settings.training.precision == "auto"
    assert settings.optimizer.layer_decay == 0.8
    reasons = {one.name: one.reason for one in choices}
    assert reasons["data.image_size"] == "the pretrained weights' own 224 px"
    assert reasons["data.interpolation"] == "as the pretrained weights saw pictures"


@pytest.mark.parametrize(("shorter", "side"), [(291, 224), (293, 256), (2_000, 256)])
def test_large_pictures_are_seen_larger_where_that_was_measured_to_help(
    shorter: int, side: int
) -> None:
    facts = replace(PHOTOS, height=shorter, width=3_000, pixels=replace(LITE, larger=256))
    settings, choices = choose(Settings(), facts)
    assert settings.data.image_size == (side, side)
    reasons = {one.name: one.reason for one in choices}
    assert ("these pictures are larger" in reasons["data.image_size"]) == (side == 256)


def test_at_another_size_the_same_share_of_the_picture_is_seen() -> None:
    given = make_settings({"data": {"image_size": 112}})
    assert choose(given, replace(PHOTOS, pixels=LITE))[0].data.margin == 8


@pytest.mark.parametrize(("third", "channels"), [(0.5, 1), (0.6, 3)])
def test_grey_pictures_stay_grey_where_the_weights_scale_all_channels_alike(
    third: float, channels: int
) -> None:
    pixels = replace(LITE, mean=(0.5, 0.5, third))
    settings, _ = choose(Settings(), replace(PHOTOS, channels=1, pixels=pixels))
    assert settings.data.channels == channels


def test_numbers_on_a_frozen_backbone_are_fit_to_their_squared_error() -> None:
    facts = replace(PHOTOS, task="regression", pixels=LITE)
    settings, choices = choose(make_settings({"network": {"weights": "package"}}), facts)
    assert settings.loss.name == "mse"
    assert settings.data.resize == "squash"
    assert [one.reason for one in choices if one.name == "loss.name"] == [
        "a head on frozen features is fit in closed form"
    ]


def test_numbers_start_from_nothing_unless_weights_are_asked_for() -> None:
    settings, _ = choose(Settings(), replace(PHOTOS, task="regression"))
    assert (settings.network.name, settings.network.weights) == ("compact", "none")


@pytest.mark.parametrize(
    "given",
    [
        {"loss": {"name": "hinge"}},
        {"optimizer": {"name": "sgd"}},
        {"optimizer": {"learning_rate": 0.01}},
        {"schedule": {"name": "cosine"}},
        {"training": {"batch_size": 8}},
    ],
)
def test_who_chooses_how_steps_are_done_gets_them(given: dict[str, Any]) -> None:
    plain, _ = choose_start(make_settings(given), PHOTOS)
    assert (plain.network.name, plain.network.weights) == ("compact", "none")
    tuned, _ = choose_start(make_settings(given, {"network": {"fine_tune": "always"}}), PHOTOS)
    assert (tuned.network.weights, tuned.network.freeze) == ("package", True)


def test_several_processes_start_from_nothing_by_default() -> None:
    settings, _ = choose_start(Settings(), replace(PHOTOS, processes=2))
    assert settings.network.weights == "none"
    asked, _ = choose_start(
        make_settings({"network": {"weights": "package"}}), replace(PHOTOS, processes=2)
    )
    assert asked.network.name == "efficientnet-lite0"
