"""The rules for what the user left open."""

from dataclasses import replace

import pytest

from striate.training import Facts, Settings, choose, make_settings

MNIST = Facts(
    task="classification",
    training=48_000,
    classes=10,
    height=28,
    width=28,
    uniform=True,
    channels=1,
    orientation_matters=True,
    device="cpu",
)
QUICK = replace(MNIST, fast_bfloat16=True)
PHOTOS = Facts(
    task="classification",
    training=196,
    classes=2,
    height=375,
    width=500,
    uniform=False,
    channels=3,
    orientation_matters=False,
    device="cpu",
)
COUNTS = Facts(
    task="regression",
    training=205,
    classes=3,
    height=480,
    width=640,
    uniform=True,
    channels=3,
    orientation_matters=False,
    device="cpu",
)


@pytest.mark.parametrize("facts", [MNIST, PHOTOS, COUNTS])
def test_nothing_is_left_open_and_everything_chosen_has_a_reason(facts: Facts) -> None:
    settings, choices = choose(Settings(), facts)
    for value in (
        settings.data.channels,
        settings.data.image_size,
        settings.data.resize,
        settings.network.name,
        settings.training.batch_size,
        settings.training.epochs,
        settings.training.precision,
        settings.loss.name,
        settings.optimizer.name,
        settings.optimizer.learning_rate,
        settings.schedule.name,
        settings.data.mean,
        *settings.augmentation.model_dump().values(),
    ):
        assert value is not None
    assert all(choice.reason for choice in choices)


def test_small_uniform_pictures_keep_their_size() -> None:
    settings, _ = choose(Settings(), MNIST)
    assert settings.data.image_size == (28, 28)
    assert settings.data.channels == 1


def test_digits_are_never_mirrored() -> None:
    settings, choices = choose(Settings(), MNIST)
    assert not settings.augmentation.horizontal_flip
    assert not settings.augmentation.vertical_flip
    reason = next(choice.reason for choice in choices if choice.name == "augmentation")
    assert reason == "digits or letters: no flip and no large rotation, which would change them"


def test_photographs_are_mirrored_but_not_turned_over() -> None:
    settings, _ = choose(Settings(), PHOTOS)
    assert settings.augmentation.horizontal_flip
    assert not settings.augmentation.vertical_flip


def test_numbers_are_not_augmented_and_not_cropped() -> None:
    settings, _ = choose(Settings(), COUNTS)
    assert settings.data.resize == "squash"
    assert not any(
        value
        for key, value in settings.augmentation.model_dump().items()
        if key not in ("fill", "fill_value")
    )


def test_what_the_user_chose_stays_and_is_not_told_as_chosen() -> None:
    given = make_settings(
        {"training": {"epochs": 3}, "network": {"name": "cnn3"}, "augmentation": {"rotation": 5}}
    )
    settings, choices = choose(given, MNIST)
    assert settings.training.epochs == 3
    assert settings.augmentation.rotation == 5
    assert settings.network.name == "cnn3"
    assert not {"training.epochs", "network.name"} & {choice.name for choice in choices}
    assert given.training.batch_size is None


def test_a_course_network_gets_a_course_rate() -> None:
    settings, _ = choose(make_settings({"network": {"name": "cnn3"}}), MNIST)
    assert (settings.optimizer.name, settings.optimizer.learning_rate) == ("adam", 1e-3)


TAKEN = "this device is quick at it; weights and figures stay float32"
SMALL = "so small a network spends its time elsewhere"


@pytest.mark.parametrize(
    ("network", "facts", "precision", "reason"),
    [
        ("compact", MNIST, "float32", "this device isn't quick at bfloat16"),
        ("compact", QUICK, "bfloat16", TAKEN),
        # 2 · N · (784 + 10) FLOPs: 1,999,292 and 2,000,880.
        ("flatten | dense 1259 | dense 10", QUICK, "float32", SMALL),
        ("flatten | dense 1260 | dense 10", QUICK, "bfloat16", TAKEN),
        ("Own", QUICK, "float32", "a module's FLOPs aren't known before it runs"),
    ],
)
def test_bfloat16_is_chosen_where_it_is_faster(
    network: str, facts: Facts, precision: str, reason: str
) -> None:
    for given in (None, "auto"):
        wanted = make_settings({"network": {"name": network}, "training": {"precision": given}})
        settings, choices = choose(wanted, facts)
        assert settings.training.precision == precision
        assert [one.reason for one in choices if one.name == "training.precision"] == [reason]


def test_the_precision_that_is_asked_for_is_taken() -> None:
    for precision in ("float32", "bfloat16"):
        settings, choices = choose(make_settings({"training": {"precision": precision}}), QUICK)
        assert settings.training.precision == precision
        assert "training.precision" not in {choice.name for choice in choices}


def test_chosen_settings_are_valid_settings() -> None:
    for facts in (MNIST, PHOTOS, COUNTS):
        settings, _ = choose(Settings(), facts)
        assert Settings.model_validate(settings.model_dump()) == settings
